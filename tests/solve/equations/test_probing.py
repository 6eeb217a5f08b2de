"""What residuals depend on is read off rightly, however long the domain."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, laplacian, partial
from repnet.problem._jet import FieldJet
from repnet.solve.equations._local import ALL, looked_at
from repnet.solve.equations._probing import (
    drawn_derivatives,
    local_looks,
    same_slopes,
    smooth_derivatives,
    smooth_field,
    which_matter,
)
from repnet.solve.equations._rows import Frame


@pytest.mark.parametrize("dim", [1, 2])
def test_derivatives_of_the_smooth_field(rng: np.random.Generator, dim: int) -> None:
    box = Box(np.full(dim, -1.0), np.arange(2.0, 2.0 + dim))
    problem = Problem(box, {"equation": Term(lambda u, x, _: u(x))}, out_size=2)
    looks = tuple(look for look in ALL[dim] if sum(look) <= 3)
    with jax.enable_x64(True):
        x = rng.uniform(-1.0, 2.0, (1, dim))
        frame = Frame.of(problem)
        found = smooth_derivatives(frame, 2, looks, x)[0]
        jet = FieldJet(smooth_field(frame, 2), jnp.asarray(x[0]))
        for place, look in enumerate(looks):
            axes = [np.eye(dim)[axis] for axis in range(dim) for _ in range(look[axis])]
            np.testing.assert_allclose(found[:, place], jet.derivative(*axes), atol=1e-12)


@pytest.mark.parametrize(
    ("damping", "affine"), [(lambda v: 1e-3 * v, True), (lambda v: 1e-3 * v**3, False)]
)
@pytest.mark.parametrize("end", [1.0, 1e7])
def test_orders_and_nonlinearity_however_long_the_domain(damping, affine, end) -> None:
    def residual(u, x, unknowns):
        return partial(u, 0, 2)(x) + u(x) + damping(partial(u, 0)(x))

    problem = Problem(Box(0.0, end), {"equation": Term(residual)})
    with jax.enable_x64(True):
        x = np.linspace(0.1, 0.9, 40)[:, None] * end
        frame = Frame.of(problem)
        slopes, others = (
            looked_at(problem, "equation", ALL[1], x, field(frame, 1, ALL[1], x)).slopes
            for field in (smooth_derivatives, drawn_derivatives)
        )
    assert same_slopes(slopes, others) is affine
    scale = (0.5 * end) ** -np.arange(float(len(ALL[1])))
    matters = which_matter(slopes * scale, ALL[1]) | which_matter(others * scale, ALL[1])
    assert np.flatnonzero(matters[0, 0]).tolist() == [0, 1, 2]


def test_what_ties_distant_points_is_not_local() -> None:
    box = Box([0.0, 0.0], [1.0, 1.0])
    inside = np.array([[0.4, 0.6]])
    for residual, expected in (
        (lambda u, x, unknowns: laplacian(u)(x), True),
        (lambda u, x, unknowns: jax.grad(lambda z: u(z)[0])(x)[0] + u(x), True),
        (lambda u, x, unknowns: u(x * 1.0), True),
        (lambda u, x, unknowns: u(x) - u(x.at[0].set(0.9)), False),
        (lambda u, x, unknowns: (u(x + 1e-4) - u(x)) / 1e-4, False),
    ):
        with jax.enable_x64(True):
            frame = Frame.of(Problem(box, {"equation": Term(residual)}))
            found = local_looks(residual, frame, 1, None, inside)
        assert (found is not None) is expected
