"""The directions along which a target varies, learnt from its samples."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import numpy as np
from jaxtyping import Float, Num, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn._feature import make_feature
from repnet.spectrum._estimate import sample_waves
from repnet.spectrum._pursuit import pursue_waves
from repnet.spectrum._samples import as_samples, detrended
from repnet.spectrum._scale import ScaleChoice, rule_scale

_MOST_POINTS = 30_000
_SHARES = (0.5, 0.9)  # of units along the directions, at least and at most
_CLEAR = 0.1  # share of the variance that waves must explain to tell directions
_SHOWN = 3
_LITTLE = 0.005
_ALONG = 0.98  # cosine
_TOP = 0.999  # of the energy, below the highest frequency


@dataclass(frozen=True)
class ActiveDirections:
    r"""Which way a target varies: wave vectors, and the share of units that each should get.

    `vectors` are in radians per half-width of the data's box, `energy` in shares of the variance;
    `weights` sum to 1 and are in proportion to energy times $|k|$, the units that a wave takes.
    `explained` is the share of the target's variance, without its linear trend, that the vectors
    stand for, `apart` the share of single waves; `blur` is how far a vector may be off.
    `covariance` is that of the target's gradient, $\sum_k E_k\,k k^T$, at trace 1.

    >>> x = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    >>> found = active_directions(x, np.sin(x @ np.array([6.0, 8.0])))
    >>> found.covariance.round(2).tolist(), found.explained > 0.99
    ([[0.36, 0.48], [0.48, 0.64]], True)
    """

    vectors: Float[np.ndarray, "waves dim"]
    energy: Float[np.ndarray, " waves"]
    weights: Float[np.ndarray, " waves"]
    blur: Float[np.ndarray, "waves dim"]
    explained: float
    apart: float
    omega_max: float
    covariance: Float[np.ndarray, "dim dim"]

    def draw(self, count: int, *, key: PRNGKeyArray) -> Float[np.ndarray, "count dim"]:
        """Unit vectors for `count` units: most along the wave vectors, the rest mixed.

        >>> import numpy as np
        >>> from repnet.spectrum import active_directions
        >>> x = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
        >>> law = active_directions(x, np.sin(x @ np.array([6.0, 8.0])))
        >>> n = law.draw(20, key=jax.random.key(0))
        >>> bool((abs(n @ np.array([0.6, 0.8])) > 0.999).sum() >= 18)
        True
        """
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        dim = self.vectors.shape[1]
        # Units in proportion to amplitudes: of what is explained, and of what is not.
        share = 1.0 - max(1.0 - self.explained, 0.0) ** 0.5
        along = max(1, round(float(np.clip(share, *_SHARES)) * count))
        chosen = _systematic(self.weights, along, rng)
        noise = rng.uniform(-0.5, 0.5, (along, dim)) * self.blur[chosen]
        units = _unit(self.vectors[chosen] + noise) * rng.choice((-1.0, 1.0), (along, 1))
        axes = np.eye(dim)[np.arange((count - along) // 2) % dim]
        rest = _unit(rng.normal(size=(count - along - len(axes), dim)))
        return rng.permutation(np.concatenate([units, axes, rest]))

    def frequencies(
        self, count: int, radius: float, *, key: PRNGKeyArray
    ) -> Float[np.ndarray, "count dim"]:
        """Frequencies of sines: the wave vectors that are told apart, and balls around all.

        **Arguments:** `radius`: of the balls, in radians per half-width.
        """
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        dim = self.vectors.shape[1]
        exact = np.repeat(self.vectors[~np.any(self.blur > 0, axis=1)], 2, axis=0)[:count]
        rest = count - len(exact)
        amplitude = np.sqrt(self.energy) + 1e-300
        chosen = _systematic(amplitude / amplitude.sum(), rest, rng)
        ball = _unit(rng.normal(size=(rest, dim))) * rng.uniform(size=(rest, 1)) ** (1.0 / dim)
        return np.concatenate([exact, self.vectors[chosen] + radius * ball])

    def reason(self) -> str:
        """A sentence on what was found."""
        values, axes = np.linalg.eigh(self.covariance)
        shown = [
            f"{100 * value:.0f} % along ({', '.join(f'{c:.2f}' for c in _forward(axis))})"
            for value, axis in list(zip(values, axes.T, strict=True))[: -_SHOWN - 1 : -1]
            if value > _LITTLE
        ]
        return (
            f"Active directions stand for {100 * self.explained:.0f} % of the target's variance, "
            f"with frequencies up to {self.omega_max:.3g} radians; the covariance of its gradient "
            f"lies {', '.join(shown)}."
        )

    def along_axes(self) -> float:
        """The weight of wave vectors along an input axis."""
        return float(self.weights @ (np.abs(_unit(self.vectors)).max(axis=1) > _ALONG))

    def choice(
        self, guess: ScaleChoice, points: int, *, activation: Callable, features: str
    ) -> ScaleChoice:
        """A slope scale for units along these directions, in place of the one along the axes.

        Waves that are told apart are sampled like functions of one variable each, by equal shares
        of the points; for what is not told apart the distance of neighbours counts.
        """
        dim = self.vectors.shape[1]
        order = 1.0 + (dim - 1.0) * (1.0 - self.apart)
        spacing = 2.0 / (points * float(np.sum(self.weights**2))) ** (1.0 / order)
        kind = make_feature(features, activation).kind
        scale = rule_scale(kind, self.omega_max, spacing, min(dim, 2))
        why = f"{kind.capitalize()} features along them start at a slope of {scale:.3g}."
        return replace(guess, scale=(scale,) * dim, reasons=(self.reason(), why))


def active_directions(
    x: Num[np.ndarray | jax.Array, "points dim"] | Num[np.ndarray | jax.Array, " points"],
    y: Num[np.ndarray | jax.Array, "points out"] | Num[np.ndarray | jax.Array, " points"],
) -> ActiveDirections | None:
    r"""The directions along which samples vary, from the waves that they hold.

    The plane waves of the samples, found one by one off any lattice, and for what these leave the
    bins of the samples' spectrum. Their second moments weighed by energy are the covariance of the
    target's gradient, whose eigenvectors are the active subspace; the waves themselves also tell
    apart several ridges that share a subspace.

    **Arguments:** `x`, points of shape `(points, dim)`; `y`, targets `(points, out)`.

    **Returns:** `ActiveDirections`, or `None` in one dimension and where the samples show no waves.

    **Source:** this project; active subspace: Constantine, Dow and Wang 2014.

    >>> x = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    >>> found = active_directions(x, np.sin(x @ np.array([6.0, 8.0])))
    >>> strongest = found.vectors[np.argmax(found.energy)]
    >>> [round(float(each)) for each in abs(strongest)]
    [6, 8]
    >>> active_directions(x[:, :1], x[:, 0]) is None
    True
    """
    x, y = as_samples(x, y)
    if len(x) > _MOST_POINTS:
        rows = np.random.default_rng(0).choice(len(x), _MOST_POINTS, replace=False)
        x, y = x[rows], y[rows]
    scaled, variance, _ = detrended(x, y)
    if x.shape[1] == 1 or variance == 0.0:
        return None
    low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
    half = np.where(high > low, (high - low) / 2, 1.0)
    place = (x - (low + high) / 2) / half
    waves = sample_waves(place, scaled)
    order = np.argsort(-waves.energy)
    order = order[np.any(waves.vectors[order] != 0.0, axis=1)]
    with one_blas_thread():
        found = pursue_waves(place, scaled, waves.vectors[order])
    spectrum = waves.energy[order] / max(float(waves.energy[order].sum()), 1e-300)
    # The spectrum's bins are taken to hold the same share of what is left as of the whole.
    seen = found.left * min(float(waves.energy.sum()), 1.0)
    vectors = np.concatenate([found.vectors, waves.vectors[order]])
    own = found.energy / max(float(found.energy.sum()), 1e-300)
    energy = np.concatenate([(1.0 - found.left) * own, seen * spectrum])
    if energy.sum() < _CLEAR:
        return None
    blur = np.where(np.arange(len(vectors)) < len(found.vectors), 0.0, 1.0)
    return _law(vectors, energy, blur[:, None] * waves.resolution, 1.0 - found.left)


def _law(
    vectors: np.ndarray, energy: np.ndarray, blur: np.ndarray, apart: float
) -> ActiveDirections:
    length = np.linalg.norm(vectors, axis=1)
    weights = energy * length
    weights /= weights.sum()
    order = np.argsort(length)
    total = np.cumsum(energy[order])
    top = float(length[order][np.searchsorted(total, _TOP * total[-1])])
    covariance = (vectors * energy[:, None]).T @ vectors
    covariance /= np.trace(covariance)
    explained = float(energy.sum())
    return ActiveDirections(vectors, energy, weights, blur, explained, apart, top, covariance)


def _systematic(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of which each has its share, up to one."""
    place = (np.arange(count) + rng.uniform()) / max(count, 1)
    return np.searchsorted(np.cumsum(weights), place).clip(max=len(weights) - 1)


def _forward(axis: np.ndarray) -> np.ndarray:
    """The direction with its largest component positive."""
    return axis * np.sign(axis[np.argmax(np.abs(axis))])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
