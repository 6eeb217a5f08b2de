import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special

import repnet
from repnet import Box, Elements, Problem, Solution, Term, dirichlet, initial, neumann, partial
from repnet.problem import periodic, zoo
from repnet.solve import RESULTS
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._elements import fit_elements
from repnet.solve.equations._piecewise import Piecewise, tied_of
from repnet.solve.equations._sweep import blocks_of, pinned_rows, swept, ties

KEY = jax.random.key(0)


def d(u, order=1):
    return partial(u, 0, order)


def error(solution, x, exact):
    found = np.asarray(solution(x))
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


def oscillator(cycles):
    """A forced oscillation of so many cycles, and its exact solution."""
    rate, box = 2 * np.pi * cycles, Box(0.0, 1.0)
    force = rate**2 / (rate**2 - 9.0)

    def equation(u, t, unknowns):
        return d(u, 2)(t) + rate**2 * (u(t) - jnp.cos(3.0 * t))

    terms = {"equation": Term(equation), "start": initial(box, 0.0, velocity=0.0)}
    t = np.linspace(0.0, 1.0, 20_001)[:, None]
    return Problem(box, terms), t, force * (np.cos(3.0 * t) - np.cos(rate * t))


def layer():
    """Advection against little diffusion: a boundary layer a ten-thousandth wide."""
    thin, box = 1e-4, Box(0.0, 1.0)

    def equation(u, x, unknowns):
        return -thin * d(u, 2)(x) + d(u)(x) - 1.0

    terms = {"equation": Term(equation), "ends": dirichlet(box.boundary())}
    x = np.sort(np.append(np.linspace(0, 1, 2000), 1 - np.logspace(-6, -2, 400)))[:, None]
    return Problem(box, terms), x, x - np.exp((x - 1) / thin)


def thin_layer():
    """The same a hundred-millionth wide."""
    thin, box = 1e-8, Box(0.0, 1.0)

    def equation(u, x, unknowns):
        return -thin * d(u, 2)(x) + d(u)(x) - 1.0

    terms = {"equation": Term(equation), "ends": dirichlet(box.boundary())}
    x = np.sort(np.append(np.linspace(0, 1, 500), 1 - np.logspace(-10, -3, 200)))[:, None]
    return Problem(box, terms), x, x - np.exp((x - 1) / thin)


def turning_point():
    """A layer inside the domain, where the velocity changes its sign."""
    thin, box = 1e-5, Box(-1.0, 1.0)

    def equation(u, x, unknowns):
        force = thin * jnp.pi**2 * jnp.cos(jnp.pi * x) + jnp.pi * x * jnp.sin(jnp.pi * x)
        return thin * d(u, 2)(x) + x * d(u)(x) + force

    ends = dirichlet(box.boundary(), lambda x: x[0] - 1.0)
    x = np.sort(np.append(np.linspace(-1, 1, 2000), np.linspace(-0.03, 0.03, 500)))[:, None]
    step = scipy.special.erf(x / np.sqrt(2 * thin)) / scipy.special.erf(1 / np.sqrt(2 * thin))
    return Problem(box, {"equation": Term(equation), "ends": ends}), x, np.cos(np.pi * x) + step


def airy():
    box = Box(-60.0, 5.0)
    first, last = (float(scipy.special.airy(x)[0]) for x in (-60.0, 5.0))

    def equation(u, x, unknowns):
        return d(u, 2)(x) - x * u(x)

    ends = dirichlet(box.boundary(), lambda x: jnp.where(x[0] < 0, first, last))
    x = np.linspace(-60.0, 5.0, 3000)[:, None]
    return Problem(box, {"equation": Term(equation), "ends": ends}), x, scipy.special.airy(x)[0]


def bessel():
    """An equation whose coefficient is infinite at one end."""
    box = Box(0.0, 50.0)

    def equation(u, x, unknowns):
        return d(u, 2)(x) + d(u)(x) / x + u(x)

    terms = {"equation": Term(equation), "start": initial(box, 1.0, velocity=0.0)}
    x = np.linspace(0.0, 50.0, 2000)[:, None]
    return Problem(box, terms), x, scipy.special.j0(x)


def relaxation():
    """A stiff start: from 2 to a slow wave within a ten-thousandth."""
    rate, box = 1e4, Box(0.0, 10.0)

    def equation(u, t, unknowns):
        return d(u)(t) + rate * (u(t) - jnp.cos(3.0 * t))

    terms = {"equation": Term(equation), "start": initial(box, 2.0)}
    t = np.sort(np.append(np.linspace(0, 10, 2000), np.logspace(-6, -1, 300)))[:, None]
    slow = rate**2 + 9.0
    along, across = rate**2 / slow, 3.0 * rate / slow
    exact = along * np.cos(3 * t) + across * np.sin(3 * t) + (2.0 - along) * np.exp(-rate * t)
    return Problem(box, terms), t, exact


def by_hand():
    """Hard conditions at both ends."""

    def equation(u, x, unknowns):
        return d(u, 2)(x) + 400.0 * u(x) - jnp.exp(x)

    x, share = np.linspace(0.0, 1.0, 1000)[:, None], 1.0 / 401.0
    ends = np.array([[1.0, 0.0], [np.cos(20.0), np.sin(20.0)]])
    wave = np.linalg.solve(ends, [-share, -share * np.e])
    exact = share * np.exp(x) + wave[0] * np.cos(20 * x) + wave[1] * np.sin(20 * x)
    problem = Problem(
        Box(0.0, 1.0), {"equation": Term(equation)}, transform=lambda u, x: x * (1 - x) * u(x)
    )
    return problem, x, exact


def third_order():
    box, rate = Box(0.0, 1.0), 25.0

    def equation(u, x, unknowns):
        wave = jnp.cos(rate * x)
        force = -(rate**3) * wave + 1600.0 * (rate * wave + 2 * x)
        return d(u, 3)(x) + 1600.0 * d(u)(x) - force

    terms = {
        "equation": Term(equation),
        "ends": dirichlet(box.boundary(), lambda x: jnp.sin(rate * x[0]) + x[0] ** 2),
        "slope": neumann(box.face(0, "upper"), float(rate * np.cos(rate) + 2.0)),
    }
    x = np.linspace(0.0, 1.0, 1000)[:, None]
    return Problem(box, terms), x, np.sin(rate * x) + x**2


@pytest.mark.parametrize(
    ("case", "most"),
    [
        (oscillator(1_000), 1e-10),
        (layer(), 1e-10),
        (thin_layer(), 1e-7),
        (turning_point(), 1e-11),
        (airy(), 1e-10),
        (bessel(), 1e-10),
        (relaxation(), 1e-11),
        (by_hand(), 1e-10),
        (third_order(), 1e-9),
    ],
    ids=[
        "oscillator",
        "layer",
        "thin",
        "turning",
        "airy",
        "bessel",
        "relaxation",
        "by_hand",
        "third",
    ],
)
@pytest.mark.slow
def test_linear_equations_to_many_digits(case, most):
    problem, x, exact = case
    solution = repnet.solve(problem, solver=Elements(), key=KEY)
    assert solution.result is RESULTS.successful
    assert error(solution, x, exact) < most
    assert solution.plan.numbers["residual"] < 1e-8


@pytest.mark.long
@pytest.mark.usefixtures("untyped")
def test_twenty_thousand_cycles():
    problem, t, exact = oscillator(20_000)
    solution = repnet.solve(problem, key=KEY)
    assert error(solution, t, exact) < 1e-10
    assert "Elements" in solution.plan.solver


def evolution(name):
    """A nonlinear system of first order with its start and its end, or a scalar of second."""
    match name:
        case "lorenz":

            def rates(y, xp):
                a, b, c = y
                return xp.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c])

            return rates, [1.0, 1.0, 1.0], 12.0
        case "lotka":

            def rates(y, xp):
                a, b = y
                return xp.stack([a * (1 - 0.5 * b), b * (0.25 * a - 0.75)])

            return rates, [4.0, 1.0], 30.0
        case "robertson":

            def rates(y, xp):
                a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
                return xp.stack([b - a, a - b - c, c])

            return rates, [1.0, 0.0, 0.0], 100.0
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("name", "method", "most"),
    [("lotka", "DOP853", 1e-10), ("lorenz", "DOP853", 1e-8), ("robertson", "Radau", 1e-8)],
)
@pytest.mark.slow
def test_nonlinear_systems_are_marched(name, method, most):
    rates, start, end = evolution(name)
    box = Box(0.0, end)

    def equation(u, t, unknowns):
        return d(u)(t) - rates(u(t), jnp)

    terms = {"equation": Term(equation), "start": initial(box, start)}
    problem = Problem(box, terms, out_size=len(start))
    solution = repnet.solve(problem, key=KEY)
    t = np.linspace(0.0, end, 400)
    exact = scipy.integrate.solve_ivp(
        lambda t, y: rates(y, np), (0, end), start, method, t, rtol=1e-11, atol=1e-14
    )
    assert solution.result is RESULTS.successful
    assert "marched" in solution.plan.solver
    assert error(solution, t[:, None], exact.y.T) < most


@pytest.mark.long
def test_relaxation_oscillations_of_a_stiff_oscillator():
    box = Box(0.0, 2000.0)

    def equation(u, t, unknowns):
        return d(u, 2)(t) - 1000.0 * (1.0 - u(t) ** 2) * d(u)(t) + u(t)

    terms = {"equation": Term(equation), "start": initial(box, 2.0, velocity=0.0)}
    solution = repnet.solve(Problem(box, terms), key=KEY)
    t = np.linspace(0.0, 2000.0, 1000)
    exact = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], 1000.0 * (1 - y[0] ** 2) * y[1] - y[0]],
        (0, 2000),
        [2.0, 0.0],
        "Radau",
        t,
        rtol=1e-10,
        atol=1e-13,
    )
    assert error(solution, t[:, None], exact.y[:1].T) < 1e-6
    assert solution.plan.numbers["elements"] < 500


def test_a_nonlinear_boundary_value_problem():
    """Bratu's problem, whose lower solution is known in closed form."""
    box, strength = Box(0.0, 1.0), 3.0
    bend = scipy.optimize.brentq(
        lambda b: b - np.sqrt(2 * strength) * np.cosh(b / 4), 0.1, 4.0, xtol=1e-15
    )

    def equation(u, x, unknowns):
        return d(u, 2)(x) + strength * jnp.exp(u(x))

    terms = {"equation": Term(equation), "ends": dirichlet(box.boundary())}
    solution = repnet.solve(Problem(box, terms), solver=Elements(), key=KEY)
    x = np.linspace(0.0, 1.0, 501)[:, None]
    exact = -2.0 * np.log(np.cosh((x - 0.5) * bend / 2) / np.cosh(bend / 4))
    assert solution.result is RESULTS.successful
    assert error(solution, x, exact) < 1e-9


def test_conditions_at_points_inside_with_values():
    """Data in place of boundary values: two values of a wave fix it."""

    def equation(u, x, unknowns):
        return d(u, 2)(x) + 900.0 * u(x)

    at = np.array([[0.31], [0.62]])

    def wave(x):
        return np.sin(30.0 * x + 0.4)

    data = Term(lambda u, x, unknowns: u(x), at, wave(at))
    problem = Problem(Box(0.0, 1.0), {"equation": Term(equation), "data": data})
    solution = repnet.solve(problem, solver=Elements(), key=KEY)
    x = np.linspace(0.0, 1.0, 301)[:, None]
    assert error(solution, x, wave(x)) < 1e-9


@pytest.mark.slow
def test_the_network_is_smooth_saved_and_the_same_for_one_key(tmp_path):
    problem, x, _ = turning_point()
    solution, again = (repnet.solve(problem, solver=Elements(), key=KEY) for _ in range(2))
    np.testing.assert_array_equal(solution(x), again(x))
    solution.save(tmp_path / "found.npz")
    loaded = Solution.load(tmp_path / "found.npz")
    np.testing.assert_array_equal(loaded(x), solution(x))
    with jax.enable_x64(True):
        slope = jax.vmap(jax.jacfwd(solution.network))(jnp.asarray([[-0.5 - 1e-9], [-0.5 + 1e-9]]))
    np.testing.assert_allclose(slope[0], slope[1], rtol=1e-6)


def test_contradicting_conditions_are_told():
    box = Box(0.0, 1.0)

    def equation(u, t, unknowns):
        return d(u)(t) + u(t)

    terms = {"equation": Term(equation), "a": initial(box, 1.0), "b": initial(box, 2.0)}
    solution = repnet.solve(Problem(box, terms), solver=Elements(), key=KEY)
    assert solution.result is RESULTS.stalled
    assert solution.plan.numbers["residual"] > 0.05


@pytest.mark.slow
def test_a_march_that_cannot_go_on_says_where_it_ends():
    """The solution 1/(1 - t) is infinite at 1."""
    box = Box(0.0, 2.0)

    def equation(u, t, unknowns):
        return d(u)(t) - u(t) ** 2

    terms = {"equation": Term(equation), "start": initial(box, 1.0)}
    solution = repnet.solve(Problem(box, terms), key=KEY)
    assert solution.result is RESULTS.stalled
    assert "Elements" in solution.plan.solver  # no layer over the whole axis is tried
    assert "The solution ends at" in " ".join(solution.plan.reasons)
    t = np.linspace(0.0, 0.9, 50)[:, None]
    assert error(solution, t, 1.0 / (1.0 - t)) < 1e-9


def test_equations_that_are_not_finite_on_the_way_stall():
    """The root of a solution that has to become negative."""
    box = Box(0.0, 1.0)

    def equation(u, x, unknowns):
        return d(u, 2)(x) - jnp.sqrt(u(x))

    ends = dirichlet(box.boundary(), lambda x: 1.0 - 2.0 * x[0])
    problem = Problem(box, {"equation": Term(equation), "ends": ends})
    solution = repnet.solve(problem, solver=Elements(), key=KEY)
    assert solution.result is RESULTS.stalled
    assert "not finite" in " ".join(solution.plan.reasons)


def ring(box):
    return periodic(box, 0)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (lambda: zoo.make("helmholtz2d"), "one axis"),
        (lambda: zoo.make("helmholtz1d_wavenumber"), "unknowns"),
        (
            lambda: Problem(
                Box(0.0, 1.0),
                {"a": Term(lambda u, x, _: d(u)(x) - x), "b": ring(Box(0.0, 1.0))},
            ),
            "ties distant points",
        ),
        (
            lambda: Problem(Box(0.0, 1.0), {"a": Term(lambda u, x, _: u(x), Box(0.0, 0.5))}),
            "a part of it",
        ),
        (
            lambda: Problem(Box(0.0, 1.0), {"a": dirichlet(Box(0.0, 1.0).boundary())}),
            "the problem has none",
        ),
        (
            lambda: Problem(Box(0.0, 1.0), {"a": Term(lambda u, x, _: d(u, 7)(x) - x)}),
            "order 7",
        ),
    ],
    ids=["axes", "unknowns", "distant", "part", "none", "order"],
)
@pytest.mark.slow
def test_what_elements_do_not_take(problem, words):
    with pytest.raises(ValueError, match=words):
        repnet.solve(problem(), solver=Elements(), key=KEY)


@pytest.mark.parametrize(
    ("name", "number"),
    [("tolerance", 0.0), ("tolerance", np.nan), ("tolerance", np.inf), ("most", 0), ("most", -1)],
)
def test_arguments_are_positive(name, number):
    with pytest.raises(ValueError, match=rf"Elements\({name}=...\)` must be positive"):
        Elements(**{name: number})


def test_a_network_of_ones_own_is_refused():
    problem, _, _ = turning_point()
    network = repnet.RepNet(1, 1, scale=5.0, key=KEY)
    with pytest.raises(ValueError, match="leave `network` out"):
        repnet.solve(problem, network, Elements(), key=KEY)


@pytest.mark.slow
def test_four_derivatives_go_by_one_layer_first():
    box, rate = Box(0.0, 1.0), 8.0

    def equation(u, x, unknowns):
        return d(u, 4)(x) - rate**4 * jnp.sin(rate * x)

    def wave(x):
        return jnp.sin(rate * x[0])

    slope = Term(lambda u, x, unknowns: d(u)(x) - rate * jnp.cos(rate * x), box.boundary())
    terms = {"eq": Term(equation), "ends": dirichlet(box.boundary(), wave), "slopes": slope}
    solution = repnet.solve(Problem(box, terms), key=KEY)
    x = np.linspace(0.0, 1.0, 301)[:, None]
    assert "LeastSquares" in solution.plan.solver
    assert error(solution, x, np.sin(rate * x)) < 1e-9


class TestParts:
    def test_functions_are_orthonormal_with_their_derivatives(self, rng):
        basis = Basis.of(1, 2, rng)
        nodes, weights = np.polynomial.legendre.leggauss(200)
        values = basis.derivatives(nodes, 1)[0]
        gram = (0.5 * weights * values.T) @ values
        few = slice(0, 10)  # the last ones are made of large read-outs and their rounding
        np.testing.assert_allclose(gram[few, few], np.eye(10), atol=1e-8)
        step, places = 1e-5, np.linspace(-0.9, 0.9, 7)
        ahead, behind = (basis.derivatives(places + s, 2) for s in (step, -step))
        slopes = (ahead[0] - behind[0]) / (2 * step)
        np.testing.assert_allclose(
            slopes[:, few], basis.derivatives(places, 2)[1][:, few], atol=1e-6
        )

    def test_values_are_taken_back_to_coefficients(self, rng):
        basis = Basis.of(1, 1, rng)
        coefficients = basis.back @ np.exp(basis.dense)
        x = np.linspace(-1, 1, 50)
        np.testing.assert_allclose(basis.derivatives(x, 1)[0] @ coefficients, np.exp(x), rtol=1e-11)

    @pytest.mark.parametrize("rate", [5.0, 300.0])
    def test_oscillation_of_an_oscillator_and_of_a_rotation(self, rate):
        box = Box(0.0, 4.0)  # half-width 2

        def second(u, t, unknowns):
            return d(u, 2)(t) + rate**2 * u(t)

        def rotation(u, t, unknowns):
            return d(u)(t) - rate * jnp.array([[0.0, 1.0], [-1.0, 0.0]]) @ u(t)

        with jax.enable_x64(True):
            for residual, out in ((second, 1), (rotation, 2)):
                problem = Problem(box, {"equation": Term(residual)}, out_size=out)
                found = np.abs(tied_of(problem).rates.imag).max(axis=1)
                np.testing.assert_allclose(found, 2.0 * rate, rtol=1e-9)

    def test_exponentials_do_not_oscillate(self):
        def equation(u, t, unknowns):
            return d(u, 2)(t) - 1e6 * u(t)

        with jax.enable_x64(True):
            tied = tied_of(Problem(Box(0.0, 1.0), {"equation": Term(equation)}))
        np.testing.assert_allclose(np.abs(tied.rates.imag), 0.0, atol=1e-6)
        np.testing.assert_allclose(np.sort(tied.rates.real, axis=1)[0], [-500.0, 500.0])

    def test_orders_are_those_of_the_equations(self):
        def equation(u, t, unknowns):
            first, second = u(t)
            return jnp.stack([d(u, 2)(t)[0] + second, d(u, 3)(t)[1] * first])

        with jax.enable_x64(True):
            tied = tied_of(Problem(Box(0.0, 1.0), {"equation": Term(equation)}, out_size=2))
        assert tied.orders == (2, 3)

    def test_the_sweep_is_least_squares_of_all_rows(self, rng):
        problem, _, _ = turning_point()
        with jax.enable_x64(True):
            tied = tied_of(problem)
            basis = Basis.of(1, 2, rng)
            blank = Piecewise.blank(tied, basis, np.array([-1.0, -0.2, 0.5, 1.0]))
            blocks, pinned = blocks_of(blank, np.arange(3)), pinned_rows(blank)
            tying = ties(blank)
            found = swept(blocks, pinned, tying, basis.size).coefficients
        size, rows = basis.size, []
        for place, block in enumerate(blocks):
            for own in (block.triangle, pinned.get(place, np.zeros((0, size + 1)))):
                whole = np.zeros((len(own), 3 * size + 1))
                whole[:, place * size : (place + 1) * size] = own[:, :-1]
                whole[:, -1] = own[:, -1]
                rows.append(whole)
        for place, (both, right) in enumerate(tying):
            whole = np.zeros((len(both), 3 * size + 1))
            whole[:, place * size : (place + 2) * size] = both
            whole[:, -1] = right
            rows.append(whole)
        matrix = np.concatenate(rows)
        best = np.linalg.lstsq(matrix[:, :-1], matrix[:, -1], rcond=1e-15)[0]
        missed = [np.linalg.norm(matrix[:, :-1] @ c - matrix[:, -1]) for c in (found.ravel(), best)]
        assert missed[0] <= missed[1] * (1 + 1e-9)

    @pytest.mark.slow
    def test_halved_elements_hold_the_same_function(self, rng):
        problem, x, _ = turning_point()
        with jax.enable_x64(True):
            found = fit_elements(Elements(tolerance=1e-6), tied_of(problem), KEY).piecewise
            edges = np.sort(np.append(found.edges, found.centres))
            finer = found.values_on(edges)
            before, after = (jax.vmap(each.network())(jnp.asarray(x)) for each in (found, finer))
        np.testing.assert_allclose(after, before, atol=1e-9)
