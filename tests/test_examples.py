"""The examples run, with small arguments, and come near the truths that they name."""

import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.data import missing_packages

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_short(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) < 60


@pytest.mark.slow  # it compiles a solve of two outputs
def test_scattering(tmp_path):
    assert load("scattering").main(tmp_path / "wave.png", units=500) < 0.1
    assert (tmp_path / "wave.png").stat().st_size > 1_000


@pytest.mark.slow
def test_layers(tmp_path):
    assert load("layers").main(tmp_path / "wave.png", units=400) < 0.1
    assert (tmp_path / "wave.png").stat().st_size > 1_000


def test_the_diffusivity_and_the_concentration_satisfy_their_equation():
    example = load("diffusivity")
    with jax.enable_x64(True):
        points = jnp.linspace(0.01, 0.99, 23)[:, None]
        unknowns = {"a": example.diffusivity}
        found = jax.vmap(lambda x: example.equation(example.concentration, x, unknowns))(points)
    np.testing.assert_allclose(found, 0.0, atol=1e-9)


@pytest.mark.slow
def test_the_computed_answer_satisfies_the_oscillators_equation():
    example = load("oscillator")
    t = np.arange(0.01, 6.0, 0.01)
    u = example.answer(t)
    slope, bend = (u[2:] - u[:-2]) / 0.02, (u[2:] - 2 * u[1:-1] + u[:-2]) / 1e-4
    with jax.enable_x64(True):
        pushed = np.array([example.ground(s) for s in jnp.asarray(t[1:-1])])
    left = bend + example.DAMPING * slope + example.STIFFNESS * u[1:-1] + pushed
    assert np.abs(left).max() < 1e-2 * np.abs(pushed).max()  # differences of second order


@pytest.mark.long  # it integrates and fits forty records
@pytest.mark.skipif(bool(missing_packages()), reason=f"needs {', '.join(missing_packages())}")
def test_earthquakes(tmp_path):
    assert load("earthquakes").main(tmp_path / "quakes.png", records=30, units=300) < 0.1
    assert (tmp_path / "quakes.png").stat().st_size > 1_000


@pytest.mark.slow
def test_the_diffusion_model_follows_training(tmp_path):
    found = load("spectral_diffusion").main(tmp_path / "diffusion.png", units=2048, time=2.0)
    assert max(found) < 0.15  # 2,048 units, for four scales 512 each
    assert (tmp_path / "diffusion.png").stat().st_size > 1_000


@pytest.mark.long
def test_noise_wants_a_lower_scale(tmp_path):
    best, (low, high) = load("which_scale").main(tmp_path / "scale.png", points=129, steps=800)
    assert low <= best[0.0] <= high
    assert best[0.3] < best[0.0]
