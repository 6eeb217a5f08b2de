"""How many steps a network needs for each band of frequencies, said before it is trained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.judge._bands import energies, octaves, per_band
from repnet.judge._error import as_columns
from repnet.judge._thin import thin
from repnet.nn import MLP, AbstractFirstLayer
from repnet.nn._check import check_count, check_positive
from repnet.nn._rates import learning_rates
from repnet.theory import tangent_kernel, time_to_fraction
from repnet.theory._history import checked_edges
from repnet.theory._initial_rates import steep_ensemble
from repnet.theory._modes import symmetric_eigen
from repnet.theory._training import dtype_of, values_of

PER_DECADE = 12  # records of the error per decade of steps
LONGEST = 1e7  # steps up to which the error is followed
DRIFT = 0.3  # relative change of the kernel beyond which it is not the same kernel
_OVERFLOW = 100.0  # a descent that diverges is followed up to an error grown by e to this
_PROBES = 64  # points at which the change of the kernel is measured


@dataclass(frozen=True, eq=False)
class Forecast:
    r"""When gradient descent will have learnt each band of a target, as the kernel predicts.

    - `edges`: of the bands, radians per unit length of the network's input.
    - `share`: each band's share of the energy of the first error.
    - `steps`: descent steps until a band's error is down to `fraction` of its first value;
      infinity beyond ten million.
    - `rate`: the learning rate of those steps, for half the mean squared error.
    - `records`, `norms`: numbers of steps, and the bands' errors after them.
    - `points`: how many points the kernel was formed at.
    - `drift`: relative change of the kernel by the time that the error is halved, or the descent
      has ended; the prediction supposes none. Infinity where the descent diverges.
    - `doubts`: assumptions that do not hold, in sentences.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> network = RepNet(1, scale=20.0, width=512, hidden=(), key=jr.key(0))
    >>> forecast = time_to_learn(network, [0.0, 10.0, 100.0], key=jr.key(1))
    >>> forecast.share.tolist(), bool(forecast.steps[0] < forecast.steps[1])
    ([0.5, 0.5], True)
    >>> forecast.doubts
    ("The bands are taken by themselves: at the domain's ends frequencies mix.",)
    """

    edges: Float[np.ndarray, " edges"]
    share: Float[np.ndarray, " bands"]
    fraction: float
    steps: Float[np.ndarray, " bands"]
    rate: float
    records: Float[np.ndarray, " records"]
    norms: Float[np.ndarray, "records bands"]
    points: int
    drift: float
    doubts: tuple[str, ...]


def time_to_learn(
    network: Callable,
    target: tuple[ArrayLike, ArrayLike] | Sequence[float] | Float[np.ndarray, " edges"],
    *,
    fraction: float = 0.5,
    bands: Sequence[float] | None = None,
    rate: float | None = None,
    points: int = 1024,
    key: PRNGKeyArray,
) -> Forecast:
    r"""The number of descent steps that each band of a target needs, without training.

    With $\Theta$ the network's tangent kernel at the points and $e_0 = u - y$ its first error,

    $$e_k = (I - \eta\,\Theta/n)^k e_0$$

    of which each band's norm is followed. For bands alone, and a one-input RepNet without
    hidden layers, the closed form $\lambda(\omega)$ is used, $k = \ln(1/\text{fraction})/
    \eta\lambda$, at each band's middle on the scale of octaves.

    **Arguments:**

    - `network`: any network at its initial parameters, or a first layer, which then has a linear
      read-out.
    - `target`: points and values `(x, y)` in the network's own units, or edges of bands.
    - `fraction`: of a band's first error, between 0 and 1.
    - `bands`: edges, radians per unit length; left out, octaves.
    - `rate`: $\eta$; left out, one over the largest eigenvalue of $\Theta/n$, or for bands alone
      over the largest of their rates.
    - `points`: more points than these are thinned.
    - `key`: of the choice of points on several axes.

    **Returns:** a `Forecast`, whose `doubts` say which assumptions do not hold.

    **Raises:** `ValueError` for a fraction outside (0, 1), bands that do not ascend or are given
    twice, and where the closed form does not cover the network.

    **Source:** this project; the kernel is Jacot, Gabriel and Hongler 2018's.

    ```python
    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> x = np.linspace(-1.0, 1.0, 129)[:, None]
    >>> y = np.sin(3.0 * x) + np.sin(50.0 * x)
    >>> network = RepNet(1, scale=20.0, width=512, hidden=(), key=jr.key(0))
    >>> forecast = time_to_learn(network, (x, y), bands=[0.0, 10.0, 100.0], key=jr.key(1))
    >>> bool(forecast.steps[0] < forecast.steps[1] < 1e5)
    True

    ```
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"`time_to_learn(fraction=...)` must lie between 0 and 1; got {fraction}.")
    check_count("time_to_learn", "points", points, 16)
    if rate is not None:
        check_positive("time_to_learn", "rate", rate)
    if isinstance(network, AbstractFirstLayer):
        network = MLP(network, hidden=(), key=key)
    if not (isinstance(target, tuple) and len(target) == 2 and np.ndim(target[0]) > 0):
        if bands is not None:
            raise ValueError(
                "`time_to_learn(bands=...)` belongs to points and values; `target` already holds"
                f" the edges of bands. Got {list(bands)}."
            )
        return _by_formula(network, checked_edges(np.asarray(target, float)), fraction, rate)
    x, y = (as_columns(each).astype(np.float64) for each in target)
    if len(x) != len(y):
        raise ValueError(
            "`time_to_learn(target=...)` must hold one value per point; got"
            f" {len(x)} points and {len(y)} values."
        )
    fewer = thin(x, y, points, key)
    with one_blas_thread():
        forecast = _by_kernel(network, fewer, bands, fraction, rate)
    return forecast if len(fewer[0]) == len(x) else _thinned(forecast, len(x))


def band_norms(
    errors: Float[np.ndarray, "records points out"],
    x: Float[np.ndarray, "points dim"],
    edges: Float[np.ndarray, " edges"] | None = None,
) -> tuple[Float[np.ndarray, " edges"], Float[np.ndarray, "records bands"]]:
    """Edges of bands, and the norm of every error in each of them.

    >>> x = np.linspace(-1.0, 1.0, 65)[:, None]
    >>> band_norms(np.sin(6 * np.pi * x)[None], x, np.array([0.0, 9.0, 40.0]))[1].round(1).tolist()
    [[0.0, 0.7]]
    """
    records, n, out = errors.shape
    columns = np.moveaxis(errors, 0, 1).reshape(n, records * out)
    if columns.shape[1] == 1:  # scattered energies want two columns at least
        columns = np.hstack([columns, columns])
    with np.errstate(over="ignore", invalid="ignore"):  # a descent that diverged
        (omega, energy), lowest = energies(columns, x, None, None)
    if edges is None:
        edges = octaves(lowest, float(omega.max()))
    sums = energy[:, : records * out].reshape(-1, records, out).sum(axis=2)
    norms = np.sqrt([per_band(omega, column, edges) for column in sums.T])
    return edges, norms


def _by_formula(
    network: Callable, edges: np.ndarray, fraction: float, rate: float | None
) -> Forecast:
    ensemble = steep_ensemble(network, rates=True)
    low = np.maximum(edges[:-1], edges[1:] / 4.0)
    # The formula is of the integral over the domain, half the mean is that over its length.
    rates = ensemble.rate(np.sqrt(low * edges[1:])) / (2.0 * ensemble.span)
    pace = 1.0 / rates.max() if rate is None else rate
    records = _records()
    norms = np.exp(-np.outer(records, pace * rates))
    steps = np.log(1.0 / fraction) / (pace * rates)
    return Forecast(
        edges,
        share=np.full(len(rates), 1.0 / len(rates)),
        fraction=fraction,
        steps=np.where(steps <= LONGEST, steps, np.inf),
        rate=pace,
        records=records,
        norms=norms,
        points=0,
        drift=0.0,
        doubts=("The bands are taken by themselves: at the domain's ends frequencies mix.",),
    )


def _by_kernel(
    network: Callable,
    target: tuple[np.ndarray, np.ndarray],
    bands: Sequence[float] | None,
    fraction: float,
    rate: float | None,
) -> Forecast:
    x, y = target
    before = values_of(network, x)
    if before.shape != y.shape:
        raise ValueError(
            "`time_to_learn(target=...)` must hold as many values per point as the network has"
            f" outputs, {before.shape[1]}; got {y.shape[1]}."
        )
    start = before - y
    if not np.isfinite(start).all():
        raise ValueError("`time_to_learn(target=...)` and the network's values must be finite.")
    kernel = tangent_kernel(network, x, rates=True) / (len(x) * y.shape[1])
    values, vectors = symmetric_eigen(kernel)
    values = np.maximum(values, 0.0)
    pace = 1.0 / values[-1] if rate is None else rate
    records = _records()
    step = pace * values
    # Not (1 - ηλ)ᵏ as a power: log1p keeps rates of 1e-12 a step exact.
    with np.errstate(divide="ignore"):
        log_left = np.where(
            step < 1.0, np.log1p(-np.minimum(step, 1.0)), np.log(np.abs(step - 1.0))
        )
    left = np.exp(np.minimum(np.outer(records, np.maximum(log_left, -700.0)), _OVERFLOW))
    modal = vectors.T @ start
    errors = np.einsum("pm,rm,mo->rpo", vectors, left, modal, optimize=True)
    edges, norms = band_norms(errors, x, None if bands is None else checked_edges(bands))
    energy = norms[0] ** 2
    diverges = step[-1] >= 2.0
    drift = np.inf if diverges else _drift(network, x, vectors, modal, values, left, start)
    return Forecast(
        edges,
        share=energy / max(energy.sum(), 1e-300),
        fraction=fraction,
        steps=time_to_fraction(records, norms, fraction),
        rate=float(pace),
        records=records,
        norms=norms,
        points=len(x),
        drift=drift,
        doubts=_doubts(step[-1], drift, y.shape[1]),
    )


def _records() -> Float[np.ndarray, " records"]:
    count = int(PER_DECADE * np.log10(LONGEST)) + 1
    return np.concatenate([[0.0], np.unique(np.round(np.geomspace(1.0, LONGEST, count)))])


def _drift(
    network: Callable,
    x: np.ndarray,
    vectors: np.ndarray,
    modal: np.ndarray,
    values: np.ndarray,
    left: np.ndarray,
    start: np.ndarray,
) -> float:
    """How much the kernel changes with the parameters that the linear model steps to."""
    sizes = np.linalg.norm(left[:, :, None] * modal, axis=(1, 2))
    halved = np.flatnonzero(sizes <= 0.5 * sizes[0])
    record = halved[0] if len(halved) else len(sizes) - 1
    safe = np.where(values > 0, values, 1.0)
    gone = np.where(values > 1e-12 * values[-1], (1.0 - left[record]) / safe, 0.0)
    weights = -vectors @ (gone[:, None] * modal) / len(start)
    dtype = dtype_of(network)
    moved = _moved(network, jnp.asarray(x, dtype), jnp.asarray(weights, dtype))
    probes = x[np.linspace(0, len(x) - 1, min(_PROBES, len(x))).astype(int)]
    before = tangent_kernel(network, probes, rates=True)
    after = tangent_kernel(moved, probes, rates=True)
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


@eqx.filter_jit
def _moved(network: Any, x: Array, weights: Array) -> Any:
    r"""The network at $\theta + J^\top$ weights."""
    chosen, rest = eqx.partition(network, eqx.is_inexact_array)
    _, pull = jax.vjp(lambda p: jax.vmap(eqx.combine(p, rest))(x), chosen)
    (step,) = pull(weights)
    multiplied = jax.tree.map(lambda s, m: s * m, step, learning_rates(network))
    return eqx.combine(jax.tree.map(jnp.add, chosen, multiplied), rest)


def _doubts(pace: float, drift: float, outputs: int) -> tuple[str, ...]:
    doubts = ["The steps are those of plain gradient descent; Adam takes others, mostly fewer."]
    if pace >= 2.0:
        doubts.append(f"The rate is {pace / 2:.3g} times the largest at which descent converges.")
    elif drift > DRIFT:
        doubts.append(
            f"The tangent kernel changes by {drift:.0%} until the error is halved: the network is"
            " not wide enough, or the target too large, for the prediction to be exact."
        )
    if outputs > 1:
        doubts.append(f"The {outputs} outputs are taken to learn by their mean kernel.")
    return tuple(doubts)


def _thinned(forecast: Forecast, count: int) -> Forecast:
    said = (
        f"The kernel is that of {forecast.points:,} points made of {count:,}; bands above"
        f" {forecast.edges[-1]:.3g} are left out."
    )
    return replace(forecast, doubts=(*forecast.doubts, said))
