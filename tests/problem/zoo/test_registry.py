"""Names, parameters and their faults."""

import numpy as np
import pytest

from repnet.problem import Problem, regression, zoo


@pytest.mark.slow
def test_every_name_makes_a_problem():
    assert len(zoo.names()) >= 19
    for name in zoo.names():
        entry = zoo.entry(name)
        assert entry.name == name
        assert entry.make is getattr(zoo, name)
        assert entry.summary
        assert entry.tags
        small = {"count": 5} if "count" in entry.parameters else {}
        assert isinstance(entry.make(**small), Problem)
        assert set(entry.tags) & {"linear", "nonlinear", "inverse"}
        assert ("inverse" in entry.tags) == (entry.make(**small).unknowns is not None)


def test_parameters_reach_the_problem():
    entry = zoo.entry("helmholtz2d")
    assert entry.parameters == {"a1": 1, "a2": 4, "k": 1.0}
    x = np.array([[0.31, -0.17]])
    expected = np.sin(3 * np.pi * 0.31) * np.sin(-7 * np.pi * 0.17)
    assert zoo.make("helmholtz2d", a1=3, a2=7).exact(x) == pytest.approx(expected, rel=1e-13)


def test_unknown_names_and_parameters_say_the_closest():
    with pytest.raises(ValueError, match="got 'helmholz2d'.*closest: 'helmholtz2d'"):
        zoo.entry("helmholz2d")
    with pytest.raises(ValueError, match="no parameter 'omega'.*closest: 'omega0'"):
        zoo.make("oscillator", omega=80.0)
    with pytest.raises(ValueError, match="has no parameter 'zzz'\\. Its parameters are beta"):
        zoo.make("convection1d", zzz=1.0)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("helmholtz2d", {"a1": 1.5}, r"`helmholtz2d\(a1=...\)` must be a whole number.*got 1.5"),
        ("helmholtz2d", {"k": float("nan")}, r"`helmholtz2d\(k=...\)` must be finite; got nan"),
        ("helmholtz2d", {"k": np.pi / np.sqrt(2)}, r"resonance.*mode \(1, 1\)"),
        ("helmholtz2d_source", {"wavelength": np.sqrt(2)}, r"excites.*mode \(1, 1\)"),
        ("helmholtz2d_source", {"width": 0.2}, "between 0.005 and 0.07; got 0.2"),
        ("convection1d", {"beta": 0.0}, r"`convection1d\(beta=...\)` must be above zero; got 0"),
        ("oscillator", {"damping": 200.0}, r"`oscillator\(damping=...\)`.*got 200"),
        ("burgers1d", {"viscosity": 1e-5}, "between 0.001 and 0.1; got 1e-05"),
        ("kdv1d", {"dispersion": 1.0}, "between 0.015 and 0.2; got 1"),
        ("allen_cahn1d", {"diffusion": -1.0}, r"`allen_cahn1d\(diffusion=...\)`.*got -1"),
        ("heat1d_ms", {"frequency": 0}, "from 1 to 1000; got 0"),
        ("wave1d_speed", {"noise": -0.1}, r"`wave1d_speed\(noise=...\)`.*got -0.1"),
        ("wave1d_speed", {"count": 1}, r"`wave1d_speed\(count=...\)`.*got 1"),
    ],
)
def test_faulty_parameters_are_named(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        zoo.make(name, **parameters)


def test_noise_follows_its_seed():
    first, again, other = (
        zoo.helmholtz1d_wavenumber(noise=0.05, seed=seed).terms["data"] for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.points, other.points)
    clean = zoo.helmholtz1d_wavenumber(seed=4).terms["data"]
    np.testing.assert_array_equal(first.points, clean.points)  # noise leaves the points alone


def test_points_to_judge_at_need_a_problem_of_the_zoo():
    with pytest.raises(ValueError, match="needs a problem of the zoo"):
        zoo.entry("wave1d").test_points(regression(np.arange(2.0), np.arange(2.0)))
