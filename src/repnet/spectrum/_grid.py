"""Finding the grid behind a list of points, and laying values out on it."""

import dataclasses

import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Int, Num

_TOLERANCE = 1e-3  # largest distance from a node, in steps
_OCCUPANCY = 0.5  # smallest share of the nodes that must hold a point


@dataclasses.dataclass(frozen=True)
class Grid:
    """A uniform tensor grid and the node of every row: $x_i = o + \\mathrm{index}_i \\cdot h$.

    `origin` and `step` have one entry per axis; an axis on which all points agree has size 1
    and step 0. `index` has shape `(points, dim)`.

    >>> grid = Grid((0.0,), (0.5,), (3,), np.array([[0], [2]]))
    >>> grid.rows.tolist(), grid.full, grid.nyquist.round(4).tolist()
    ([0, 2], False, [6.2832])
    """

    origin: tuple[float, ...]
    step: tuple[float, ...]
    size: tuple[int, ...]
    index: Int[np.ndarray, "points dim"]

    @property
    def rows(self) -> Int[np.ndarray, " points"]:
        """The flat (row-major) node of every point."""
        return np.asarray(np.ravel_multi_index(tuple(self.index.T), self.size))

    @property
    def nyquist(self) -> Float[np.ndarray, " dim"]:
        """The angular frequency per axis beyond which waves agree with slower ones at all nodes."""
        step = np.asarray(self.step)
        return np.divide(np.pi, step, out=np.full(len(step), np.inf), where=step > 0)

    @property
    def full(self) -> bool:
        """Whether every node holds at least one point."""
        return bool(np.all(np.bincount(self.rows, minlength=int(np.prod(self.size)))))


def detect_grid(x: Num[np.ndarray | jax.Array, "points dim"]) -> Grid | None:
    r"""The uniform tensor grid on which all points lie, or `None`.

    Rows may come in any order and more than once, up to half of the nodes may hold no point, and
    coordinates may be off by a thousandth of a step (or by the rounding of their dtype).

    **Arguments:** `x` of shape `(points, dim)`.

    **Returns:** a [`Grid`][repnet.spectrum.Grid], or `None` for scattered points.

    **Source:** this project. One sort per axis: $O(n \log n)$.

    >>> import numpy as np
    >>> from repnet.spectrum import detect_grid
    >>> a, b = np.meshgrid(np.linspace(0, 1, 5), np.linspace(-1, 1, 9), indexing="ij")
    >>> grid = detect_grid(np.stack([a.ravel(), b.ravel()], axis=1))
    >>> grid.size, grid.step
    ((5, 9), (0.25, 0.25))
    >>> detect_grid(np.random.default_rng(0).uniform(size=(45, 2))) is None
    True
    """
    given = np.asarray(x)
    rounding = float(np.finfo(given.dtype).eps) if given.dtype.kind == "f" else 0.0
    x = given.astype(np.float64)
    nodes = 1
    axes = []
    for column in x.T:
        axis = _detect_axis(column, 8 * rounding * float(np.max(np.abs(column))))
        if axis is None:
            return None
        axes.append(axis)
        nodes *= axis[2]
        if nodes * _OCCUPANCY > len(x):
            return None
    origin, step, size, index = zip(*axes, strict=True)
    grid = Grid(origin, step, size, np.stack(index, axis=1))
    filled = np.count_nonzero(np.bincount(grid.rows, minlength=nodes))
    return grid if filled >= nodes * _OCCUPANCY else None


def grid_of_shape(x: Float[np.ndarray, "points dim"], shape: tuple[int, ...]) -> Grid:
    """The grid of points that are listed row by row (last axis fastest) in the given shape."""
    if len(shape) != x.shape[1] or int(np.prod(shape)) != len(x):
        raise ValueError(
            f"`grid_shape` must have one size per axis and as many nodes as `x` has rows; "
            f"got {tuple(shape)} for {len(x)} points in {x.shape[1]} dimensions."
        )
    first, last = x[0], x[-1]
    step = tuple(
        float(b - a) / (m - 1) if m > 1 else 0.0 for a, b, m in zip(first, last, shape, strict=True)
    )
    index = np.indices(shape).reshape(len(shape), -1).T
    apart = np.abs(x - first - index * np.asarray(step))
    if np.any(apart > 10 * _TOLERANCE * np.abs(step) + 1e-6 * np.max(np.abs(x))):
        raise ValueError(
            f"`grid_shape` must describe rows that run over a uniform grid, last axis fastest; "
            f"with {tuple(shape)} a point lies {np.max(apart):.3g} away from its node."
        )
    return Grid(tuple(map(float, first)), step, tuple(map(int, shape)), index)


def on_grid(
    grid: Grid, y: Float[np.ndarray, "points out"]
) -> tuple[Float[np.ndarray, "*nodes out"], Num[np.ndarray, "*nodes"]]:
    """The values as an array over the nodes (mean of duplicates, 0 in holes), and the counts."""
    rows, nodes = grid.rows, int(np.prod(grid.size))
    counts = np.bincount(rows, minlength=nodes)
    sums = np.stack([np.bincount(rows, weights=c, minlength=nodes) for c in y.T], axis=-1)
    values = sums / np.maximum(counts, 1)[:, None]
    return values.reshape(*grid.size, y.shape[1]), counts.reshape(grid.size)


def fill_holes(
    values: Float[np.ndarray, "*nodes out"], counts: Num[np.ndarray, "*nodes"]
) -> Float[np.ndarray, "*nodes out"]:
    """Nodes without a point get local polynomials along each axis, the nearer sides weighing more.

    The polynomial goes through the three known nodes on either side, so that a wave of eight
    points keeps its amplitude to about one percent in an isolated hole.
    """
    known = counts > 0
    if known.all():
        return values
    total = np.zeros_like(values)
    weight = np.zeros(known.shape)
    for axis in range(known.ndim):
        if known.shape[axis] > 1:
            _fill_lines(values, known, axis, total, weight)
    hole = ~known & (weight > 0)
    filled = values.copy()
    filled[hole] = total[hole] / weight[hole][:, None]
    lost = ~known & (weight == 0)
    filled[lost] = values[known].mean(axis=0)
    return filled


def interpolated(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
) -> tuple[Grid, Float[np.ndarray, "nodes out"]]:
    """About as many values as points, on a grid over their box: smooth in 1-D, else linear."""
    points, dim = x.shape
    size = (max(8, round(points ** (1 / dim))),) * dim
    low, high = x.min(axis=0), x.max(axis=0)
    step = (high - low) / (np.asarray(size) - 1)
    index = np.indices(size).reshape(dim, -1).T
    nodes = low + index * step
    grid = Grid(tuple(low.tolist()), tuple(step.tolist()), size, index)
    if dim == 1:
        place, inverse = np.unique(x[:, 0], return_inverse=True)
        counts = np.bincount(inverse)
        means = [np.bincount(inverse, weights=c) / counts for c in y.T]
        curve = scipy.interpolate.PchipInterpolator(place, np.stack(means, axis=1))
        return grid, curve(nodes[:, 0])
    scale = np.where(high > low, high - low, 1.0)
    values = scipy.interpolate.NearestNDInterpolator(x / scale, y)(nodes / scale)
    if points > 2 * dim and np.linalg.matrix_rank((x - low) / scale) == dim:
        inside = scipy.interpolate.LinearNDInterpolator(x / scale, y)(nodes / scale)
        values = np.where(np.isnan(inside), values, inside)
    return grid, values


def _detect_axis(
    column: np.ndarray, rounding: float
) -> tuple[float, float, int, np.ndarray] | None:
    ordered = np.sort(column)
    gaps = np.diff(ordered)
    widest = float(gaps.max(initial=0.0))
    if widest <= rounding:
        return float(ordered[0]), 0.0, 1, np.zeros(len(column), np.int64)
    gaps = gaps[gaps > max(1e-5 * widest, rounding)]
    for step in (float(np.median(gaps)), float(np.quantile(gaps, 0.02))):
        found = _axis_of_step(column, ordered, gaps, step, rounding)
        if found is not None:
            return found
    return None


def _axis_of_step(
    column: np.ndarray, ordered: np.ndarray, gaps: np.ndarray, step: float, rounding: float
) -> tuple[float, float, int, np.ndarray] | None:
    # Whole steps are counted gap by gap, because a step known to 1e-6 is off by a node after 1e6.
    counts = np.rint(gaps / step)
    tolerance = 2 * _TOLERANCE + 2 * rounding / step
    if tolerance > 0.2 or np.any(np.abs(gaps / step - counts) > tolerance * np.maximum(counts, 1)):
        return None
    last = int(counts.sum())
    if last < 1 or (last + 1) * _OCCUPANCY > len(column):
        return None
    step = float(ordered[-1] - ordered[0]) / last
    place = (column - ordered[0]) / step
    index = np.rint(place).astype(np.int64)
    if np.max(np.abs(place - index)) > tolerance:
        return None
    return float(ordered[0]), step, last + 1, index


def _fill_lines(
    values: np.ndarray, known: np.ndarray, axis: int, total: np.ndarray, weight: np.ndarray
) -> None:
    lines = np.moveaxis(values, axis, -2).reshape(-1, known.shape[axis], values.shape[-1])
    mask = np.moveaxis(known, axis, -1).reshape(-1, known.shape[axis])
    line, node = np.nonzero(~mask)
    have_line, have_node = np.nonzero(mask)
    starts = np.searchsorted(have_line, np.arange(len(mask)))
    ends = np.append(starts[1:], len(have_line))
    room = ends[line] - starts[line]
    line, node = line[room > 0], node[room > 0]
    flat = have_line * known.shape[axis] + have_node
    right = np.searchsorted(flat, line * known.shape[axis] + node)
    near = np.minimum(right - starts[line], ends[line] - right)
    for reach in (1, 2, 3):  # known nodes used on either side
        chosen = near >= 3 if reach == 3 else near == reach
        if reach == 1:
            chosen |= near == 0
        if not chosen.any():
            continue
        first = np.clip(right[chosen] - reach, starts[line[chosen]], None)
        picks = np.minimum(first[:, None] + np.arange(2 * reach), ends[line[chosen]][:, None] - 1)
        x = have_node[picks] - node[chosen][:, None]
        guess = _lagrange(x, lines[have_line[picks], have_node[picks]])
        closeness = 1.0 / np.abs(x).min(axis=1) ** 2 * (0.01 if reach == 1 else 1.0)
        where = _nodes(line[chosen], node[chosen], known.shape, axis)
        np.add.at(total, where, guess * closeness[:, None])
        np.add.at(weight, where, closeness)


def _lagrange(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The interpolating polynomials at 0; repeated nodes (at a border) fall back to the nearest."""
    guess = np.zeros((len(x), y.shape[-1]))
    repeated = np.any(np.diff(x, axis=1) == 0, axis=1)
    for j in range(x.shape[1]):
        others = np.delete(x, j, axis=1)
        gap = others - x[:, [j]]
        gap[gap == 0] = 1
        guess += np.prod(others / gap, axis=1)[:, None] * y[:, j]
    nearest = np.argmin(np.abs(x), axis=1)
    guess[repeated] = y[np.arange(len(x)), nearest][repeated]
    return guess


def _nodes(
    line: np.ndarray, node: np.ndarray, shape: tuple[int, ...], axis: int
) -> tuple[np.ndarray, ...]:
    rest = [m for a, m in enumerate(shape) if a != axis]
    where = list(np.unravel_index(line, rest)) if rest else []
    where.insert(axis, node)
    return tuple(where)
