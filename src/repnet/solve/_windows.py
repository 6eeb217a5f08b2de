"""Windows: independent local least-squares networks, blended into one."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray
from threadpoolctl import threadpool_limits

from repnet.nn import LocalReadout, Windowed
from repnet.problem import Problem
from repnet.solve._batches import Batch, Cut, Sampled
from repnet.solve._candidates import Candidate, window_candidates
from repnet.solve._clock import Clock
from repnet.solve._local import factorize, leave_one_out, make_design, readouts
from repnet.solve._mixture import posterior
from repnet.solve._regression import data_of, require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization
from repnet.spectrum import axis_spectra, detect_grid

_SIZES = {1: (16, 48, 144), 2: (64, 121, 324), 3: (125, 343), 4: (256, 625)}
_THREADS = 2
_PILOTS = 32  # places at which windows of every size are tried
_WORK = 2e10  # points³ of all windows together, about a minute on two cores
_GAIN = 0.95  # larger windows must be better by this factor
_KEPT = 0.03  # a candidate with a smaller share of the pilot windows is dropped
_BLEND = 0.1  # a layer with a smaller share in a window is dropped there
_ROUND_OFF = 1e-14  # leave-one-out errors below this are not told apart


class Windows(eqx.Module):
    r"""Least squares in many overlapping windows, each solved on its own: linear cost in the data.

    Every window has a one-layer network whose read-out is found by ridge regression. Window size,
    first layer (steps at several slope scales, ramps, sines within the target's band) and ridge are
    chosen by leave-one-out errors, first on some pilot windows, then in every window, where the
    window's own evidence is weighed against what served elsewhere (`posterior`).

    **Arguments:**

    - `per_window`: points per window; chosen if left out.
    - `activation`: only features of this activation; steps, ramps and sines compete if left out.
    - `scale`: slope scale on the window's local box $[-1, 1]^d$; chosen if left out.
    - `width`: units per window; chosen if left out.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, for more than four
    inputs or a problem that is not a regression.

    **Source:** this project.
    """

    per_window: int | None = eqx.field(static=True, default=None)
    activation: Callable | None = eqx.field(static=True, default=None)
    scale: float | None = eqx.field(static=True, default=None)
    width: int | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        for name in ("per_window", "scale", "width"):
            number = getattr(self, name)
            if number is not None and not (np.isfinite(number) and number > 0):
                raise ValueError(f"`Windows({name}=...)` must be positive; got {number}.")

    def run(
        self, problem: Problem, network=None, *, key: PRNGKeyArray, progress=None
    ) -> Solution:
        """Fit a regression problem."""
        if network is not None:
            raise ValueError("`Windows` makes its own local networks; leave `network` out.")
        require_regression(problem, "Windows")
        if problem.dim > 4:
            raise ValueError(f"`Windows` takes 1 to 4 inputs; the problem has {problem.dim}.")
        with Clock() as clock, jax.enable_x64(True), threadpool_limits(1, "blas"):
            fit = _Fit.of(problem)
            choice = _choose(self, fit, key)
            local, numbers = _solve_all(fit, choice)
            network = standardization(problem).wrap(local, double=True)
        plan = _plan(fit, choice, numbers)
        return Solution(
            network,
            None,
            RESULTS.successful,
            {},
            plan,
            clock.seconds,
            compile_seconds=clock.compile_seconds,
        )


def try_windows(problem: Problem, key: PRNGKeyArray) -> tuple[int, float]:
    """The best points per window and the relative error to expect, from pilot windows alone."""
    with jax.enable_x64(True), threadpool_limits(1, "blas"):
        choice = _choose(Windows(), _Fit.of(problem), key)
    return choice.cut.per_window, choice.pilot_error


@dataclasses.dataclass(frozen=True)
class _Fit:
    """The data in standard units and what is known of them."""

    data: Sampled
    band: Float[np.ndarray, " dim"]  # largest angular frequency per axis, per unit of x

    @staticmethod
    def of(problem: Problem) -> "_Fit":
        x, y = data_of(problem)
        band = np.array([spectrum.omega_max for spectrum in axis_spectra(x, y)])
        return _Fit(Sampled(x, y, detect_grid(x)), band)

    @property
    def dim(self) -> int:
        return self.data.x.shape[1]

    def stretch(self) -> Float[np.ndarray, " dim"]:
        """Windows are longer along axes where the target varies more slowly."""
        slow = 1.0 / (self.band + np.pi)
        slow = slow / np.exp(np.mean(np.log(slow)))
        return np.clip(np.sqrt(slow), 0.5, 2.0)


@dataclasses.dataclass(frozen=True)
class _Choice:
    """The chosen cover and the candidates that compete in it."""

    cut: Cut
    candidates: list[Candidate]
    pilot_error: float
    tried: dict[str, float]


def _choose(solver: Windows, fit: _Fit, key: PRNGKeyArray) -> _Choice:
    sizes = [solver.per_window] if solver.per_window else _sizes(fit)
    best, tried = None, {}
    for size in sizes:
        choice = _pilot(solver, fit, size, key)
        tried[str(size)] = choice.pilot_error
        if best is None or choice.pilot_error < _GAIN * best.pilot_error:
            best = choice
    assert best is not None
    return dataclasses.replace(best, tried=tried)


def _sizes(fit: _Fit) -> list[int]:
    points = len(fit.data.x)
    sizes = [size for size in _SIZES[fit.dim] if size < points]
    # Windows overlap 2^d-fold, and each costs about the cube of its points.
    cheap = [size for size in sizes if 2**fit.dim * points * size**2 <= _WORK]
    return cheap or sizes[:1] or [points]


def _pilot(solver: Windows, fit: _Fit, per_window: int, key: PRNGKeyArray) -> _Choice:
    """Leave-one-out errors of all candidates in some windows of one size."""
    cut = fit.data.cover(per_window, fit.stretch())
    band = fit.band * np.median(cut.cover.radius, axis=0)
    candidates = window_candidates(
        fit.dim,
        per_window,
        band,
        activation=solver.activation,
        scale=solver.scale,
        width=solver.width,
        key=key,
    )
    windows = _some(fit, cut, key)
    errors, weights = _errors(fit, cut, windows, candidates)
    flat = errors.reshape(len(windows), -1)
    shares, _ = posterior(flat, weights)
    mean = float(np.sum(shares * flat) / len(windows))
    per_candidate = shares.reshape(len(windows), len(candidates), -1).sum(axis=2).mean(axis=0)
    kept = [c for c, share in zip(candidates, per_candidate, strict=True) if share >= _KEPT]
    return _Choice(cut, kept, float(np.sqrt(mean)), {})


def _some(fit: _Fit, cut: Cut, key: PRNGKeyArray) -> Int[np.ndarray, " some"]:
    """The windows nearest to a few data points, which are the same for every size of window."""
    points = fit.data.x
    chosen = jax.random.choice(key, len(points), (min(_PILOTS, len(points)),), replace=False)
    place = np.round((points[np.asarray(chosen)] - cut.cover.start) / cut.cover.spacing).astype(int)
    node = np.clip(place, 0, np.asarray(cut.cover.counts) - 1)
    return np.unique(np.ravel_multi_index(tuple(node.T), cut.cover.counts))


def _errors(
    fit: _Fit,
    cut: Cut,
    windows: Int[np.ndarray, " some"],
    candidates: list[Candidate],
) -> tuple[Float[np.ndarray, "some candidates ridges"], Float[np.ndarray, " some"]]:
    """Mean weighted leave-one-out error per window, candidate and ridge; effective points."""
    batches = fit.data.batches(cut, windows)
    ridges = max(len(c.ridges) for c in candidates)
    errors = np.full((len(windows), len(candidates), ridges), np.inf)
    effective = np.zeros(len(windows))

    def work(job: tuple[Batch, int]) -> None:
        batch, position = job
        candidate = candidates[position]
        design = make_design(candidate.layer, batch.local)
        factors = factorize(design, batch.mask, candidate.precise)
        found = leave_one_out(design, factors, candidate.ridges, batch.weight, batch.y)
        total = found.sum(axis=-1) / batch.weight.sum(axis=1)[:, None]
        errors[batch.position, position, : len(candidate.ridges)] = total

    for batch in batches:
        total = batch.weight.sum(axis=1)
        effective[batch.position] = total**2 / np.square(batch.weight).sum(axis=1)
    _in_threads(work, [(batch, c) for batch in batches for c in range(len(candidates))])
    errors = np.where(np.isfinite(errors), errors, np.nanmax(errors[np.isfinite(errors)]) * 1e3)
    return errors + _ROUND_OFF**2, effective


def _in_threads(work: Callable, jobs: list) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(_in_double(work), jobs):
            pass


def _in_double(work: Callable) -> Callable:
    def run(job):  # JAX's precision is a setting of the thread
        with jax.enable_x64(True):
            return work(job)

    return run


def _solve_all(fit: _Fit, choice: _Choice) -> tuple[Windowed, dict]:
    cover, candidates = choice.cut.cover, choice.candidates
    windows = np.arange(cover.windows)
    errors, effective = _errors(fit, choice.cut, windows, candidates)
    flat = errors.reshape(len(windows), -1)
    shares, _ = posterior(flat, effective)
    shares = shares.reshape(errors.shape)
    by_layer = shares.sum(axis=2)
    by_layer = np.where(by_layer >= np.minimum(_BLEND, by_layer.max(1, keepdims=True)), by_layer, 0)
    scale = by_layer.sum(axis=1)
    out = fit.data.y.shape[1]
    affine = np.zeros((cover.windows, out, 1 + fit.dim))
    parts = []
    for position, candidate in enumerate(candidates):
        used = np.flatnonzero(by_layer[:, position] > 0)
        if len(used) == 0:
            continue
        share = shares[used, position, : len(candidate.ridges)] / scale[used, None]
        weight, flat_part = _readouts(fit, choice.cut, used, candidate, share)
        affine[used] += flat_part
        row = np.zeros(cover.windows, np.int32)
        row[used] = 1 + np.arange(len(used))
        zero = np.zeros((1, *weight.shape[1:]))
        parts.append(
            LocalReadout(
                candidate.layer, jnp.asarray(np.concatenate([zero, weight])), jnp.asarray(row)
            )
        )
    network = Windowed(
        tuple(parts),
        jnp.asarray(affine),
        jnp.asarray(cover.centre),
        jnp.asarray(cover.radius),
        jnp.asarray(cover.start),
        jnp.asarray(cover.spacing),
        cover.counts,
    )
    error = float(np.sqrt(np.sum(shares * errors) / len(windows)))
    numbers = {
        "windows": cover.windows,
        "leave_one_out": error,
        "shares": {f"{c.name} {c.scale:.3g}": float(s) for c, s in zip(candidates, by_layer.mean(0), strict=True)},
    }
    return network, numbers


def _readouts(
    fit: _Fit,
    cut: Cut,
    windows: Int[np.ndarray, " some"],
    candidate: Candidate,
    share: Float[np.ndarray, "some ridges"],
) -> tuple[np.ndarray, np.ndarray]:
    batches = fit.data.batches(cut, windows)
    out = fit.data.y.shape[1]
    weight = np.zeros((len(windows), out, candidate.layer.width))
    affine = np.zeros((len(windows), out, 1 + fit.dim))

    def work(batch: Batch) -> None:
        design = make_design(candidate.layer, batch.local)
        factors = factorize(design, batch.mask, candidate.precise)
        at = batch.position
        weight[at], affine[at] = readouts(
            design, factors, batch.mask, candidate.ridges, share[at], batch.y
        )

    _in_threads(work, batches)
    return weight, affine


def _plan(fit: _Fit, choice: _Choice, numbers: dict) -> Plan:
    kinds = ", ".join(f"{name} ({share:.0%})" for name, share in numbers["shares"].items())
    reasons = (
        f"{numbers['windows']} windows of about {choice.cut.per_window} points: their leave-one-out "
        f"error was the smallest of {', '.join(f'{k} points: {v:.2e}' for k, v in choice.tried.items())}.",
        f"Features by share of the windows: {kinds}.",
        f"Leave-one-out error over all windows: {numbers['leave_one_out']:.2e} of the target's rms.",
    )
    return Plan(
        f"{numbers['windows']} local networks, {len(choice.candidates)} first layers",
        "Windows",
        tuple(c.scale for c in choice.candidates),
        reasons,
        {**numbers, "per_window": choice.cut.per_window, "pilot": choice.tried},
    )
