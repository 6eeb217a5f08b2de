"""Allen–Cahn and Korteweg–de Vries: refinement, conservation, and the statements themselves."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import zoo
from repnet.problem.zoo._periodic_references import (
    allen_cahn_series,
    allen_cahn_table,
    korteweg_de_vries_series,
)

_STENCIL = 12

allen_cahn = functools.lru_cache(maxsize=2)(allen_cahn_series)
kdv = functools.lru_cache(maxsize=2)(korteweg_de_vries_series)


def on_grid(series, places):
    samples = 2 * (series.shape[1] - 1)
    return np.fft.irfft(series, n=places, axis=1) * (places / samples)


def series_field(x, middle, powers):
    """Re Σ c_k(t) e^{iπk(x+1)}, each c_k a polynomial of (t - middle), by Horner's rule."""
    phase = jnp.pi * jnp.arange(powers.shape[-1]) * (x[0] + 1.0)
    real, imag = powers[:, -1]
    for k in range(_STENCIL - 2, -1, -1):
        step = x[1] - middle
        real, imag = real * step + powers[0, k], imag * step + powers[1, k]
    return (real @ jnp.cos(phase) - imag @ jnp.sin(phase))[None]


def local_polynomials(series, times):
    """Through the twelve nearest times that are kept: their middles and coefficients."""
    samples, count = 2 * (series.shape[1] - 1), len(series) - 1
    scaled = series / samples * np.where(np.arange(series.shape[1]) == 0, 1.0, 2.0)
    first = np.clip(np.floor(times * count).astype(int) - 5, 0, count + 1 - _STENCIL)
    half = (_STENCIL - 1) / 2.0
    steps = (np.arange(_STENCIL) - half) / half
    inverse = np.linalg.inv(np.vander(steps, increasing=True))
    inverse *= (count / half) ** np.arange(_STENCIL)[:, None]
    chosen = inverse @ scaled[first[:, None] + np.arange(_STENCIL)]
    return (first + half) / count, np.stack([chosen.real, chosen.imag], axis=1)


def equation_residuals(problem, series, points):
    """The residual of the term `"equation"` for the series, and for a field that is wrong."""
    middles, powers = local_polynomials(series, points[:, 1])
    term, unknowns = problem.terms["equation"], problem.exact_unknowns

    def both(x, middle, powers):
        def field(y):
            return series_field(y, middle, powers)

        def wrong(y):
            return field(y) + jnp.sin(20.0 * y[:1] + 7.0 * y[1:])

        return jnp.stack([term.residual(u, x, unknowns)[0] for u in (field, wrong)])

    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(both))(points, middles, powers)).T


@pytest.fixture
def points(rng):
    return np.stack([rng.uniform(-1, 1, 60), rng.uniform(0.03, 1, 60)], axis=1)


@pytest.mark.parametrize("name", ["allen_cahn1d", "allen_cahn1d_coefficients"])
@pytest.mark.slow
def test_the_allen_cahn_reference_satisfies_the_equation(name, points):
    left, wrong = equation_residuals(zoo.make(name), allen_cahn(1e-4, 5.0), points)
    assert np.abs(left).max() < 1e-7 * np.sqrt(np.mean(wrong**2))


@pytest.mark.parametrize("dispersion", [0.022, 0.05])
@pytest.mark.long
def test_the_kdv_reference_satisfies_the_equation(dispersion, points):
    left, wrong = equation_residuals(zoo.kdv1d(dispersion), kdv(dispersion), points)
    assert np.abs(left).max() < 1e-7 * np.sqrt(np.mean(wrong**2))


@pytest.mark.slow
def test_the_allen_cahn_reference_converges():
    """The kink at the seam limits the start; diffusion ends that."""
    best = on_grid(allen_cahn_series(1e-4, 5.0, samples=4096, every=8, count=50), 4096)
    usual = on_grid(allen_cahn(1e-4, 5.0)[::10], 4096)
    coarse = on_grid(allen_cahn_series(1e-4, 5.0, samples=512, every=8, count=50), 4096)
    error, worse = (
        np.linalg.norm(u - best, axis=1) / np.linalg.norm(best, axis=1) for u in (usual, coarse)
    )
    assert error[1:].max() < 1e-9
    assert worse[1:].max() > 1e-6


@pytest.mark.long
def test_the_kdv_reference_converges():
    best = on_grid(kdv(0.022), 1024)[-1]
    errors = [
        np.linalg.norm(on_grid(kdv_, 1024)[-1] - best)
        for kdv_ in (
            korteweg_de_vries_series(0.022, samples=512, every=every, count=100)
            for every in (40, 80)
        )
    ]
    assert 14.0 < errors[0] / errors[1] < 24.0  # of fourth order: 16 in the limit
    assert errors[1] < 1e-9 * np.linalg.norm(best)


@pytest.mark.slow
def test_kdv_conserves_mass_momentum_and_energy():
    series, delta = kdv(0.022), 0.022
    wave = np.pi * np.arange(series.shape[1])
    u, slope = on_grid(series, 4096), on_grid(1j * wave * series, 4096)
    for density in (u, u**2, u**3 / 3.0 - delta**2 * slope**2):
        total = density.mean(axis=1)
        assert np.abs(total - total[0]).max() < 1e-9


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("allen_cahn1d", lambda x: x**2 * np.cos(np.pi * x)),
        ("allen_cahn1d_coefficients", lambda x: x**2 * np.cos(np.pi * x)),
        ("kdv1d", lambda x: np.cos(np.pi * x)),
    ],
)
@pytest.mark.slow
def test_the_conditions_of_the_statements(name, start, rng):
    problem = zoo.make(name)
    x = rng.uniform(-1, 1, 50)
    points = np.stack([x, np.zeros(50)], axis=1)
    np.testing.assert_allclose(problem.exact(points)[:, 0], start(x), atol=1e-13)
    left = jax.vmap(lambda y: problem.terms["initial"].residual(jnp.zeros_like, y, None))(points)
    np.testing.assert_allclose(-left[:, 0], start(x), atol=1e-6)  # float32
    edge = np.stack([np.full(20, -1.0), rng.uniform(0, 1, 20)], axis=1)
    np.testing.assert_allclose(
        problem.exact(edge), problem.exact(edge + np.array([2.0, 0.0])), atol=1e-13
    )
    equations = 3 if name == "kdv1d" else 2
    periodic = problem.terms["periodic"]
    wave = jax.vmap(lambda y: periodic.residual(lambda z: jnp.sin(2.5 * jnp.pi * z[:1]), y, None))(
        edge
    )
    assert wave.shape == (20, equations)
    assert np.abs(wave[:, 0]).min() > 1.9  # sin(5π/2) on both sides, of opposite sign


@pytest.mark.slow
def test_data_are_values_of_the_reference():
    problem = zoo.allen_cahn1d_coefficients(count=500)
    data = problem.terms["data"]
    np.testing.assert_allclose(problem.exact(data.points), data.values, atol=0.0)
    noisy = zoo.allen_cahn1d_coefficients(count=500, noise=0.1).terms["data"]
    rms = np.sqrt(np.mean((noisy.values - data.values) ** 2) / np.mean(data.values**2))
    assert rms == pytest.approx(0.1, rel=0.15)  # 500 draws: 3 % at one sigma


@pytest.mark.slow
def test_tables_are_kept():
    assert allen_cahn_table(1e-4, 5.0) is allen_cahn_table(1e-4, 5.0)


@pytest.mark.slow
@pytest.mark.parametrize(("diffusion", "reaction"), [(2e-5, 10.0), (1e-2, 0.1)])
def test_the_extremes_of_the_coefficients(diffusion, reaction, points):
    """The table that is used, by spectral derivatives along x and differences along t."""
    values = allen_cahn_table(diffusion, reaction).values[20:]
    wave = np.pi * np.arange(values.shape[1] // 2 + 1)
    bend = np.fft.irfft(-(wave**2) * np.fft.rfft(values, axis=1), axis=1)
    rule = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
    inner = len(values) - 8
    rate = 500.0 * sum(c * values[i : i + inner] for i, c in enumerate(rule))
    u, bend = values[4:-4], bend[4:-4]
    left = rate - diffusion * bend + reaction * (u**3 - u)
    size = np.abs(rate) + np.abs(diffusion * bend) + reaction * np.abs(u)
    assert np.abs(left).max() < 1e-6 * size.max()
