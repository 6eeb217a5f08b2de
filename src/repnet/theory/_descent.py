"""Full-batch gradient descent of two-layer sine networks: the real training the theory predicts."""

from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from repnet.nn import TwoLayerSine
from repnet.nn._check import check_choice, check_count, check_positive
from repnet.theory._history import SpectralHistory, checked_times
from repnet.theory._sine import GROUPS
from repnet.theory._spectral_grid import SpectralGrid

_EPS = 1e-12  # accuracy of the transforms


@dataclass(frozen=True)
class TensorPoints:
    r"""A uniform grid on $[-L, L]^d$, $d$ = 1 or 2, of cell middles.

    Each point is the sum of one of two sets of vectors, so that $e^{i\omega\cdot x}$ is a product
    of two factors: sines of many units at all points then come from matrix products.

    **Arguments:** `half_width`: $L$; `per_axis`: points along an axis, in one dimension a
    multiple of 16; `dim`: 1 or 2.

    **Raises:** `ValueError` for a `half_width` that is not finite and positive, fewer than 16
    points along an axis or, in one dimension, a number that is no multiple of 16, and a `dim`
    other than 1 and 2.

    **Source:** this project.

    >>> TensorPoints(4.0, 32).points.shape
    (32, 1)
    """

    half_width: float
    per_axis: int
    dim: int = 1

    def __post_init__(self) -> None:
        check_positive("TensorPoints", "half_width", self.half_width)
        check_count("TensorPoints", "per_axis", self.per_axis, 16)
        if self.dim not in (1, 2):
            raise ValueError(f"`TensorPoints(dim=...)` must be 1 or 2; got {self.dim!r}.")
        if self.dim == 1 and self.per_axis % _FINE:
            raise ValueError(
                f"`TensorPoints(per_axis=...)` must be a multiple of {_FINE}; got {self.per_axis}."
            )

    @property
    def step(self) -> float:
        """Distance of neighbours along an axis."""
        return 2 * self.half_width / self.per_axis

    @cached_property
    def axis(self) -> Float[np.ndarray, " per_axis"]:
        """Coordinates along an axis."""
        return (np.arange(self.per_axis) + 0.5) * self.step - self.half_width

    @cached_property
    def factors(self) -> tuple[Float[np.ndarray, "rows dim"], Float[np.ndarray, "columns dim"]]:
        """The two sets of vectors whose sums, row by row, are the points in C order."""
        if self.dim == 1:
            return self.axis[::_FINE, None], np.arange(_FINE)[:, None] * self.step
        still = np.zeros_like(self.axis)
        return np.stack([self.axis, still], axis=1), np.stack([still, self.axis], axis=1)

    @property
    def points(self) -> Float[np.ndarray, "points dim"]:
        """The points, in C order."""
        rows, columns = self.factors
        return (rows[:, None] + columns).reshape(-1, self.dim)

    def transform(
        self, values: Float[np.ndarray, "times points"], xi: Float[np.ndarray, "waves dim"]
    ) -> Complex[np.ndarray, "times waves"]:
        r"""$\int e^{-i\xi\cdot x}e(x)\,dx$ over the domain, by the middles of the cells."""
        import finufft  # late: `import repnet` stays quick

        modes = values.reshape(len(values), *[self.per_axis] * self.dim).astype(complex)
        angles = [np.ascontiguousarray(column) * self.step for column in xi.T]
        plan = finufft.Plan(2, (self.per_axis,) * self.dim, len(values), _EPS, isign=-1)
        plan.setpts(*angles)
        found = np.asarray(plan.execute(modes)).reshape(len(values), -1)
        # finufft counts the modes from -n/2 on; the axis counts from half a step off.
        shift = self.axis[self.per_axis // 2]
        return found * np.exp(-1j * xi.sum(axis=1) * shift) * self.step**self.dim


_FINE = 16  # columns of the one-dimensional factorization


def descend(
    network: TwoLayerSine,
    target: Float[np.ndarray, " points"],
    points: TensorPoints,
    times: Float[np.ndarray, " times"],
    *,
    rate: float = 0.01,
    trained: tuple[str, ...] = GROUPS,
) -> tuple[TwoLayerSine, Float[np.ndarray, "times points"]]:
    r"""Train by full-batch gradient descent, and give the error at the times asked for.

    The loss is $\tfrac12\int (f-g)^2\,dx$ over the domain, by the cells' middles; $t$ is the rate
    times the number of steps. Computed in float64.

    **Arguments:**

    - `network`: the network at time 0.
    - `target`: $g$ at the points.
    - `times`: ascending, the first one 0; each interval takes the least number of equal steps of
      at most `rate`.
    - `trained`: the parameter groups that move.

    **Returns:** the trained network and $f-g$, shape `(times, points)`.

    **Raises:** `ValueError` for arguments of other shapes, unknown groups, and where the loss is
    not finite: the rate was too large.

    **Source:** this project.

    ```python
    >>> import jax.random as jr
    >>> from repnet.theory import SineEnsemble, WindowedWaves
    >>> grid, waves = TensorPoints(4.0, 128), WindowedWaves((1.0,), width=0.8)
    >>> start = SineEnsemble((1.0, 2.0)).draw(256, key=jr.key(0))
    >>> _, error = descend(start, waves(grid.points), grid, np.array([0.0, 2.0]))
    >>> before, after = np.linalg.norm(error, axis=1)
    >>> bool(after < 0.5 * before)
    True

    ```
    """
    check_positive("descend", "rate", rate)
    for group in trained:
        check_choice("descend", "trained", group, GROUPS)
    times = checked_times("descend", times)
    if np.shape(target) != (points.per_axis**points.dim,) or network.in_size != points.dim:
        raise ValueError(
            f"`descend(target=...)` must hold one value per point, {points.per_axis**points.dim},"
            f" for a network of {points.dim} inputs; got shape {np.shape(target)} and"
            f" {network.in_size} inputs."
        )
    with jax.enable_x64(True):
        network, found = _descend(network, target, points, times, rate, trained)
    if not np.isfinite(found).all():
        raise ValueError(
            f"`descend(rate=...)` must be small enough to converge; with {rate} the error is not"
            " finite."
        )
    return network, found


def measured_history(
    error: Float[np.ndarray, "times points"],
    points: TensorPoints,
    times: Float[np.ndarray, " times"],
    grid: SpectralGrid,
) -> SpectralHistory:
    """The spectrum of a measured error, on the cells of a model's grid.

    **Arguments:** `error`, `points`, `times`: as `descend` has them; `grid`: the cells.

    **Returns:** a `SpectralHistory`.

    **Raises:** `ValueError` where the points are too far apart for the grid's highest frequency,
    or the dimensions differ.

    **Source:** this project.

    >>> from repnet.theory import WindowedWaves
    >>> points, waves = TensorPoints(4.0, 64), WindowedWaves((1.0,), width=0.8)
    >>> grid, times = SpectralGrid(12.0, 200), np.array([0.0, 1.0])
    >>> first = waves(points.points)
    >>> history = measured_history(np.stack([first, 0.5 * first]), points, times, grid)
    >>> bool(np.isclose(history.energy()[0], np.sum(first**2) * points.step))
    True
    >>> history.time_to(0.6, [0.0, 12.0]).round(3).tolist()
    [0.737]
    """
    if points.dim != grid.dim:
        raise ValueError(
            f"`measured_history(grid=...)` must have the points' dimension, {points.dim}; got"
            f" {grid.dim}."
        )
    if points.step * grid.highest > np.pi * (1 + 1e-9):
        raise ValueError(
            "`measured_history(points=...)` must have two points per wavelength of the grid's"
            f" highest frequency, a step of {np.pi / grid.highest:.3g}; got {points.step:.3g}."
        )
    return SpectralHistory(grid, times, grid.parts(points.transform(error, grid.points)))


def _descend(
    network: TwoLayerSine,
    target: np.ndarray,
    points: TensorPoints,
    times: np.ndarray,
    rate: float,
    trained: tuple[str, ...],
) -> tuple[TwoLayerSine, np.ndarray]:
    network = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, np.float64)), network)
    rows, columns = (jnp.asarray(each) for each in points.factors)
    goal = jnp.asarray(target).reshape(len(rows), len(columns))
    moves = tuple(float(group in trained) for group in GROUPS)
    found = []
    for length in np.diff(times, prepend=0.0):
        steps = int(np.ceil(length / rate - 1e-9))
        # As arrays: numbers would be compiled in, anew for every interval.
        pace = jnp.asarray(length / max(steps, 1) * points.step**points.dim), jnp.asarray(steps)
        network, error = _run((rows, columns), goal, moves, network, *pace)
        found.append(np.asarray(error).ravel())
    return network, np.array(found)


@eqx.filter_jit
def _run(
    factors: tuple[Array, Array],
    goal: Array,
    moves: tuple[float, ...],
    network: TwoLayerSine,
    pace: Array,
    steps: Array,
) -> tuple[TwoLayerSine, Array]:
    """Some steps of descent; the network after them and its error."""

    def advance(_: Array, network: TwoLayerSine) -> TwoLayerSine:
        _, gradient = _error_and_gradient(network, factors, goal)
        scaled = [move * pace * g for move, g in zip(moves, gradient, strict=True)]
        return eqx.tree_at(
            lambda n: (n.amplitude, n.weight, n.bias),
            network,
            tuple(p - g for p, g in zip(_parameters(network), scaled, strict=True)),
        )

    network = jax.lax.fori_loop(0, steps, advance, network)
    return network, _error_and_gradient(network, factors, goal)[0]


def _parameters(network: TwoLayerSine) -> tuple[Array, Array, Array]:
    return network.amplitude, network.weight, network.bias


def _error_and_gradient(
    network: TwoLayerSine, factors: tuple[Array, Array], goal: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    r"""The error at the points, and the sums over points of its product with $\partial f$.

    With $E_{1,2}$ the factors $e^{i\alpha w\cdot x}$ at the two sets of vectors, the sum
    $G = \sum_x r(x)e^{i z(x)}$ of a unit is one matrix product and one sum over rows.
    """
    rows, columns = factors
    weight = network.scale[:, None] * network.weight
    z1, z2 = rows @ weight.T + network.bias, columns @ weight.T
    s1, c1, s2, c2 = jnp.sin(z1), jnp.cos(z1), jnp.sin(z2), jnp.cos(z2)
    norm = network.units**-0.5
    a = norm * network.amplitude
    error = (a * s1) @ c2.T + (a * c1) @ s2.T - goal

    def sums(values: Array) -> tuple[Array, Array]:
        inner_c, inner_s = values @ c2, values @ s2
        sine = jnp.sum(s1 * inner_c + c1 * inner_s, axis=0)
        cosine = jnp.sum(c1 * inner_c - s1 * inner_s, axis=0)
        return sine, cosine

    sine, cosine = sums(error)
    moments = [
        sums(error * (rows[:, axis : axis + 1] + columns[:, axis]))[1]
        for axis in range(rows.shape[1])
    ]
    of_weight = (a * network.scale)[:, None] * jnp.stack(moments, axis=1)
    return error, (norm * sine, of_weight, a * cosine)
