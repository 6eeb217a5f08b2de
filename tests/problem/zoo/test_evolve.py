"""The exponential Runge–Kutta rule against closed forms."""

import numpy as np
import pytest

from repnet.problem.zoo._evolve import etdrk4


def logistic(steps):
    """u' = u - u², u(0) = 0.1, from 0 to 1."""
    start = np.array([0.1 + 0j])
    return etdrk4(start, np.array([1.0]), lambda v: -(v**2), 1.0 / steps, steps, 1)[-1, 0].real


def test_it_is_of_fourth_order():
    truth = 1.0 / (1.0 + 9.0 * np.exp(-1.0))
    errors = [abs(logistic(steps) - truth) for steps in (20, 40, 80)]
    rates = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(rates, 4.0, atol=0.2)
    assert errors[0] < 1e-6


@pytest.mark.parametrize("rate", [-1e6, -1e-7, 0.0, 3j])
def test_the_linear_part_is_exact_and_a_constant_source_too(rate):
    """u' = r u + 1, u(0) = 2: no cancellation for small r, no instability for large."""
    linear = np.array([rate])
    value = etdrk4(np.array([2.0 + 0j]), linear, np.ones_like, 0.1, 10, 1)[-1, 0]
    grown = np.expm1(rate) / rate if rate else 1.0
    assert value == pytest.approx(2.0 * np.exp(rate) + grown, rel=1e-12, abs=1e-18)


def test_a_soliton_keeps_its_shape_and_moves_at_its_speed():
    """3c sech²(√c (x - ct)/2δ) solves u_t + u u_x + δ² u_xxx = 0."""
    samples, delta, speed = 512, 0.022, 0.5
    x = -1.0 + 2.0 * np.arange(samples) / samples
    wave = np.pi * np.arange(samples // 2 + 1)
    wave[-1] = 0.0

    def soliton(y):
        y = (y + 1.0) % 2.0 - 1.0
        return 3.0 * speed / np.cosh(0.5 * np.sqrt(speed) / delta * y) ** 2

    def nonlinear(v):
        return -0.5j * wave * np.fft.rfft(np.fft.irfft(v) ** 2)

    start = np.fft.rfft(soliton(x))
    end = etdrk4(start, 1j * delta**2 * wave**3, nonlinear, 5e-4, 2000, 1)[-1]
    error = np.fft.irfft(end) - soliton(x - speed)
    assert np.abs(error).max() < 1e-7  # of 1.5; 16 times less with half the step
