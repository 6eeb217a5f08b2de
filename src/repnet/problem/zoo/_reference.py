"""Exact and reference solutions, and the points they are compared at."""

import dataclasses
import math
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Float

from repnet.problem._solid import Solid

CAP = 250_000  # test points at most
_BLOCK = 8192  # points evaluated at a time, so that quadratures and series stay in cache
_OFFSET = (3.0 - math.sqrt(5.0)) / 2.0  # golden section: no rational grid meets a test grid
_FEWEST = {1: 1001, 2: 101, 3: 41}  # test points per axis of a solution without waves


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    r"""A solution to judge by, `(points, dim) -> (points, out)` in float64 NumPy.

    ```python
    >>> wave = Reference((0.5,), field=lambda x: jax.numpy.sin(4 * jax.numpy.pi * x))
    >>> wave(np.array([[0.125], [0.25]])).round(12).ravel().tolist()
    [1.0, 0.0]

    ```

    **Arguments:**

    - `wavelengths`: the shortest length that the solution varies on along each axis, in the units
      of the points; `inf` for an axis without waves.
    - `field`: the closed form at one point, `(dim,) -> (out,)`, traceable by JAX, or `None`.
    - `many`: the solution on many points, where there is no closed form.

    **Source:** this project.
    """

    wavelengths: tuple[float, ...]
    field: Callable | None = None
    many: Callable | None = None

    def __post_init__(self) -> None:
        if (self.field is None) == (self.many is None):
            raise ValueError("`Reference(field=..., many=...)` needs one of the two.")

    def __call__(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        points = np.asarray(points, np.float64)
        if self.many is not None:
            return self.many(points)
        assert self.field is not None
        with jax.enable_x64(True):
            evaluate = jax.jit(jax.vmap(self.field))
            blocks = [points[i : i + _BLOCK] for i in range(0, len(points), _BLOCK)]
            return np.concatenate([np.asarray(evaluate(block)) for block in blocks])


def judging_points(
    domain: Solid, wavelengths: tuple[float, ...]
) -> Float[np.ndarray, "points dim"]:
    r"""Points of a domain that resolve a solution: 20 per shortest wavelength, or 10.

    A tensor grid, each point at the golden section of its cell, so that no grid of training
    points meets it. Where even 10 points per wavelength would make more than 250,000 in all,
    the additive sequence $x_i = l + (u - l)\,(\{i g^{-1}\}, \{i g^{-2}\}, \dots)$ with
    $g^{d+1} = g + 1$ covers its box evenly and aliases nothing.

    ```python
    >>> from repnet.problem import Box
    >>> judging_points(Box([0.0, 0.0], [1.0, 1.0]), (0.004, math.inf)).shape
    (245049, 2)

    ```

    **Arguments:** `domain`; `wavelengths`, one per axis, in the units of the domain.

    **Returns:** shape `(points, dim)`, at most 250,000 points.

    **Source:** this project; the sequence is Roberts' (2018) generalized golden ratio.
    """
    lengths = domain.upper - domain.lower
    for density in (20, 10):
        waves = [math.ceil(density * a / b) + 1 for a, b in zip(lengths, wavelengths, strict=True)]
        counts = _spread(waves)
        if math.prod(counts) <= CAP:
            axes = [(np.arange(n) + _OFFSET) / n for n in counts]
            unit = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, domain.dim)
            break
    else:
        unit = _additive(domain.dim)
    points = domain.lower + lengths * unit
    return points[domain.contains(points)]


def _spread(waves: list[int]) -> list[int]:
    """At least the usual count per axis, less where one axis needs most of the points."""
    fewest = _FEWEST.get(len(waves), 11)
    counts = [max(n, fewest) for n in waves]
    while math.prod(counts) > CAP and counts != waves:
        spare = max(range(len(waves)), key=lambda axis: counts[axis] - waves[axis])
        counts[spare] -= 1
    return counts


def _additive(dim: int) -> Float[np.ndarray, "points dim"]:
    ratio = 2.0
    for _ in range(60):  # the fixed point of g = (1 + g)^{1/(d+1)}
        ratio = (1.0 + ratio) ** (1.0 / (dim + 1))
    steps = ratio ** -np.arange(1.0, dim + 1.0)
    return (0.5 + np.arange(1, CAP + 1)[:, None] * steps) % 1.0
