import numpy as np
import pytest

from repnet.spectrum import check_sampling

STEP = 0.005
GRID = np.linspace(-1, 1, 401)


def wave(x, per_wavelength):
    return np.sin(2 * np.pi * x / (per_wavelength * STEP) + 0.3)


@pytest.mark.parametrize(("per_wavelength", "level"), [(2.5, "warning"), (5, "warning"), (8, "ok")])
def test_points_per_wavelength_on_a_grid(per_wavelength, level):
    report = check_sampling(GRID, wave(GRID, per_wavelength))
    assert report.level == level
    assert report.points_per_wavelength[0] == pytest.approx(per_wavelength, rel=0.03)


@pytest.mark.parametrize("per_wavelength", [1.2, 1.67, 2.5, 5])
def test_scattered_points_see_beyond_their_mean_spacing(per_wavelength):
    x = np.random.default_rng(0).uniform(-1, 1, 401)
    report = check_sampling(x, wave(x, per_wavelength))
    assert report.level == ("error" if per_wavelength < 2 else "warning")
    assert report.points_per_wavelength[0] == pytest.approx(per_wavelength, rel=0.1)


def test_a_tone_that_folds_back_just_below_nyquist_is_a_warning():
    """Sampled at 1.67 points per wavelength it is, on this grid, a wave of 2.5."""
    report = check_sampling(GRID, wave(GRID, 1 / (1 - 1 / 2.5)))
    assert report.level == "warning"
    assert report.points_per_wavelength[0] == pytest.approx(2.5, rel=0.03)


def test_an_aliased_chirp_is_an_error_and_a_sampled_one_is_not():
    aliased = check_sampling(GRID, np.sin(2 * np.pi * 200 * GRID**2))  # to 400 cycles; limit 100
    assert aliased.level == "error"
    assert any("folded back" in finding for finding in aliased.findings)
    assert check_sampling(GRID, np.sin(2 * np.pi * 10 * GRID**2)).level == "ok"


def test_findings_name_split_measurement_and_remedy():
    report = check_sampling(GRID, wave(GRID, 4), split="test")
    (finding,) = report.findings
    assert "the test points lie 0.005 apart" in finding
    assert "shortest wavelength of the target is 0.02" in finding
    assert "4 points per wavelength" in finding
    assert "Sample this axis at least every 0.0033" in finding


def test_one_coarse_axis_of_two():
    a, b = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 21), indexing="ij")
    x = np.stack([a.ravel(), b.ravel()], axis=1)
    y = np.sin(2 * np.pi * 4 * x[:, 0]) * np.sin(2 * np.pi * 6 * x[:, 1])
    report = check_sampling(x, y)
    fine, coarse = report.points_per_wavelength
    assert fine == pytest.approx(25, rel=0.1)
    assert coarse == pytest.approx(20 / 6, rel=0.15)
    assert report.level == "warning"
    assert all("Axis 1" in finding for finding in report.findings)


def test_gap_of_two_wavelengths():
    x = np.random.default_rng(1).uniform(-1, 1, 600)
    x = x[(x < 0.1) | (x > 0.5)]
    report = check_sampling(x, np.sin(30 * x))
    assert report.level == "warning"
    assert any("gap" in f and ("(0.3" in f or "(0.29" in f) for f in report.findings)


def test_hole_in_the_plane():
    x = np.random.default_rng(2).uniform(-1, 1, (6000, 2))
    whole = check_sampling(x, np.sin(20 * x[:, 0]) * np.cos(9 * x[:, 1]))
    assert not any("gap" in f for f in whole.findings)
    x = x[np.hypot(*x.T) > 0.4]
    report = check_sampling(x, np.sin(20 * x[:, 0]) * np.cos(9 * x[:, 1]))
    assert any("gap" in f for f in report.findings)


def test_clusters():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(c, 1e-3, 200) for c in (-0.5, 0.5)] + [rng.uniform(-1, 1, 40)])
    assert any("clustered" in f for f in check_sampling(x, np.sin(5 * x)).findings)
    x = rng.uniform(-1, 1, 440)
    assert not any("clustered" in f for f in check_sampling(x, np.sin(5 * x)).findings)


def test_duplicates_warn_only_when_they_contradict():
    x = np.random.default_rng(4).uniform(-1, 1, 400)
    x, y = np.append(x, x[:5]), np.append(np.sin(5 * x), np.sin(5 * x[:5]))
    same = check_sampling(x, y)
    assert same.level == "ok"
    assert "5 of the training points repeat" in same.findings[0]
    y[-2:] += 0.5
    other = check_sampling(x, y)
    assert other.level == "warning"
    assert "2 with a different target (by up to 0.5)" in other.findings[0]


def test_noise_is_told():
    report = check_sampling(GRID, np.random.default_rng(5).normal(size=401))
    assert report.level == "warning"
    assert any("looks like noise" in f for f in report.findings)


def test_constant_target_is_fine():
    report = check_sampling(GRID, np.full(401, 2.0))
    assert report.level == "ok"
    assert report.points_per_wavelength == (float("inf"),)
    assert report.findings == ()


def test_unknown_split():
    with pytest.raises(ValueError, match=r'`split` must be "training" or "test"; got "tset"'):
        check_sampling(GRID, GRID, split="tset")
