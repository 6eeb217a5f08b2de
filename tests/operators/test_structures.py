"""Responses against SciPy, against closed forms, and against known values of real records."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from repnet.data import missing_packages, quakes
from repnet.operators import BoucWen, LinearOscillator, ShearFrame, padded, respond

needs_records = pytest.mark.skipif(
    bool(missing_packages()), reason=f"needs {', '.join(missing_packages())}"
)


def _motion(samples: int, step: float) -> np.ndarray:
    time = step * np.arange(samples)
    return 4.0 * np.sin(7.0 * time) * np.exp(-0.5 * np.square((time - 2.0) / 0.8))


def _by_scipy(structure, ground: np.ndarray, step: float) -> np.ndarray:
    time = step * np.arange(len(ground))

    compiled = jax.jit(lambda x, ground: structure.rate(x, ground))

    def rate(t, x):
        with jax.enable_x64(True):
            return np.asarray(compiled(x, np.interp(t, time, ground)))

    found = scipy.integrate.solve_ivp(
        rate, (0, time[-1]), np.zeros(structure.state_size), t_eval=time, rtol=1e-5, atol=1e-8,
        max_step=step,
    )  # fmt: skip
    return found.y.T


@pytest.mark.slow
def test_a_linear_oscillator_is_exact_under_linear_input():
    step, ground = 0.02, _motion(300, 0.02)
    structure = LinearOscillator(0.5)
    found = respond(structure, ground[None], step)[0]
    omega = 4.0 * np.pi
    matrix = np.array([[0.0, 1.0], [-(omega**2), -0.1 * omega]])
    system = scipy.signal.lti(matrix, np.array([[0.0], [-1.0]]), np.eye(2), np.zeros((2, 1)))
    _, wanted, _ = scipy.signal.lsim(system, ground, step * np.arange(300))  # interpolates linearly
    np.testing.assert_allclose(found, wanted, atol=2e-4 * np.abs(wanted[:, 0]).max() * omega)
    np.testing.assert_allclose(found[:, 0], wanted[:, 0], atol=1e-4 * np.abs(wanted[:, 0]).max())


@pytest.mark.slow
@needs_records
def test_the_known_peak_under_mulholland_drive():
    record = next(r for r in quakes() if r.name == "NORTHR/MUL009")
    states = respond(LinearOscillator(0.5, 0.05), record.acceleration[None], record.step)
    assert np.abs(states[0, :, 0]).max() == pytest.approx(0.0775, abs=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("structure", [BoucWen(0.5), ShearFrame(3, strength=0.05)])
def test_yielding_structures_agree_with_scipy(structure):
    step, ground = 0.02, _motion(200, 0.02)
    found = structure.displacement(respond(structure, ground[None], step, tolerance=1e-5)[0])
    wanted = np.asarray(structure.displacement(jnp.asarray(_by_scipy(structure, ground, step))))
    np.testing.assert_allclose(found, wanted, atol=2e-4 * np.abs(wanted).max())


@pytest.mark.slow
def test_a_slow_pull_follows_the_closed_form_of_the_hysteretic_law():
    """Under monotonic loading dz/du = 1 - (z/u_y)², so that z = u_y tanh(u/u_y)."""
    structure = BoucWen(0.5, strength=0.2)
    ground = -np.linspace(0.0, 6.0, 4000)
    u, v, z = respond(structure, ground[None], 0.01)[0].T
    rising = np.logical_and.accumulate(v >= 0)
    limit = structure.yield_displacement
    assert u[rising].max() > 3.0 * limit
    np.testing.assert_allclose(z[rising], limit * np.tanh(u[rising] / limit), atol=1e-4 * limit)


@pytest.mark.slow
def test_a_frame_that_does_not_yield_has_the_period_it_was_given():
    frame = ShearFrame(6, period=0.9, strength=50.0)
    stiffness = frame.stiffness
    above = np.append(stiffness[1:], 0.0)
    matrix = np.diag(stiffness + above) - np.diag(above[:-1], 1) - np.diag(above[:-1], -1)
    omega, shapes = np.linalg.eigh(matrix)
    assert 2.0 * np.pi / np.sqrt(omega[0]) == pytest.approx(0.9)
    # The roof at rest under a constant push: displacements K⁻¹ 1, by the equations of motion.
    ground = -0.1 * np.minimum(np.arange(3000) / 300.0, 1.0)
    states = respond(frame, ground[None], 0.02, tolerance=1e-3)
    roof = np.asarray(frame.displacement(states))[0, -1]
    assert roof == pytest.approx(0.1 * np.linalg.solve(matrix, np.ones(6))[-1], rel=1e-3)
    # 5 % of critical damping in the first mode, read from the damping of its own shape.
    difference = np.eye(6) - np.eye(6, k=-1)
    damping = np.linalg.inv(difference) @ frame.damping_matrix @ difference
    share = shapes[:, 0] @ damping @ shapes[:, 0] / (2.0 * np.sqrt(omega[0]))
    assert share == pytest.approx(0.05)


def test_padding_keeps_records_and_their_ends():
    ground, ends = padded([np.ones(3), 2.0 * np.ones(5)], 2)
    assert ends == (5, 7)
    assert ground.sum() == 13.0


@pytest.mark.slow
def test_a_tolerance_out_of_reach_is_said(monkeypatch):
    monkeypatch.setattr("repnet.operators._structures._MOST_PARTS", 4)
    with pytest.raises(ValueError, match="reachable in 4 steps"):
        respond(BoucWen(0.5), 10.0 * _motion(200, 0.05)[None], 0.05, tolerance=1e-15)
