"""Windows: independent local least-squares networks, blended into one."""

from collections.abc import Callable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn._check import check_activation, check_count, check_positive
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._regression import require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization
from repnet.solve._window_fit import (
    Choice,
    Fitted,
    Target,
    Wishes,
    choose_windows,
    fit_windows,
)

_LARGEST_DIM = 4
_PIECES = "cubics between samples"
_SHOWN = 0.005  # share of the windows below which a layer is not spoken of


class Windows(eqx.Module):
    r"""Least squares in many overlapping windows, each solved on its own: linear cost in the data.

    Every window has a one-layer network whose read-out is found by ridge regression. Window size,
    first layer (steps at several slope scales, powers of ramps, sines within the target's band; for
    one input also cubics between the samples, and where a grid misses some, values there that are
    learnt from the rest of the record) and ridge are chosen by leave-one-out errors: first
    in some pilot windows, then in every window, whose own evidence is weighed against what served
    elsewhere. Where a grid of several inputs misses nodes, what the field's own covariance says of
    them has the share that these errors give it, and in wide gaps networks are held by what an
    interpolation from the rim lets expect. The result is a `nn.Windowed`.

    **Arguments:**

    - `per_window`: points per window; chosen if left out.
    - `activation`: only features of this activation; steps, ramps and sines compete if left out.
    - `scale`: slope scale on a window's local box $[-1, 1]^d$; chosen if left out.
    - `width`: units per window of steps and ramps; chosen if left out.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, for more than four
    inputs or a problem that is not a regression.

    **Source:** this project.

    >>> import jax.numpy as jnp
    >>> from repnet.problem import regression
    >>> x = np.linspace(-1.0, 1.0, 201)
    >>> solver = Windows(per_window=32, width=16, activation=jnp.tanh, scale=4.0)
    >>> solution = solver.run(regression(x, np.sin(20.0 * x)), key=jax.random.key(0))
    >>> bool(abs(solution(x)[:, 0] - np.sin(20.0 * x)).max() < 0.05)
    True
    """

    per_window: int | None = eqx.field(static=True, default=None)
    activation: Callable | None = eqx.field(static=True, default=None)
    scale: float | None = eqx.field(static=True, default=None)
    width: int | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check_activation("Windows", self.activation)
        for name in ("per_window", "width"):
            if getattr(self, name) is not None:
                check_count("Windows", name, getattr(self, name))
        if self.scale is not None:
            if np.ndim(self.scale):
                raise ValueError(f"`Windows(scale=...)` must be one number; got {self.scale}.")
            check_positive("Windows", "scale", self.scale)

    def run(
        self,
        problem: Problem,
        network: Callable | None = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Fit a regression problem; `network` must be left out."""
        del progress  # a direct solve has no steps to report
        if network is not None:
            raise ValueError("`Windows` makes its own local networks; leave `network` out.")
        require_regression(problem, "Windows")
        if problem.dim > _LARGEST_DIM:
            raise ValueError(f"`Windows` takes 1 to 4 inputs; the problem has {problem.dim}.")
        wishes = Wishes(self.per_window, self.activation, self.scale, self.width)
        with Clock() as clock, jax.enable_x64(True), one_blas_thread():
            target = Target.of(problem)
            choice = choose_windows(wishes, target, key)
        return clock.added_to(fit_chosen(target, choice, problem))


def fit_chosen(target: Target, choice: Choice, problem: Problem) -> Solution:
    """Fit a regression in all windows, their size and layers being chosen."""
    with Clock() as clock, jax.enable_x64(True), one_blas_thread():
        fitted = fit_windows(target, choice)
        network = standardization(problem).wrap(fitted.filled.network, double=True)
    return Solution(
        network,
        None,
        RESULTS.successful,
        {},
        plan_of_windows(choice, fitted),
        clock.seconds,
        compile_seconds=clock.compile_seconds,
    )


def try_windows(target: Target, key: PRNGKeyArray) -> Choice:
    """The best size of window and its leave-one-out errors, from pilot windows alone."""
    with jax.enable_x64(True), one_blas_thread():
        return choose_windows(Wishes(), target, key)


def plan_of_windows(choice: Choice, fitted: Fitted) -> Plan:
    """What was chosen, and why."""
    cover, per_window = choice.cut.cover, choice.cut.per_window
    labels = [f"{candidate.name} {candidate.scale:.3g}" for candidate in choice.candidates]
    labels += [] if choice.pieces is None else [_PIECES]
    shares: dict[str, float] = {}
    for label, share in zip(labels, map(float, fitted.shares), strict=True):
        shares[label] = shares.get(label, 0.0) + share  # layers may share a label
    listed = ", ".join(f"{size} points {error:.1e}" for size, error in choice.tried.items())
    kinds = ", ".join(f"{name} ({share:.0%})" for name, share in shares.items() if share > _SHOWN)
    reasons = (
        f"{cover.windows} windows of about {per_window} points; pilot errors: {listed}.",
        f"Local features (slope or band on the window's box) by share of the windows: {kinds}.",
        f"Leave-one-out error over all windows: {fitted.error:.1e} of the target's rms.",
    )
    if choice.between:
        apart = f"Between the nodes two draws of the layers differ by {choice.between:.1e} of it."
        reasons = (*reasons, apart)
    holes = 0 if choice.pieces is None else len(choice.pieces.holes)
    if holes and shares[_PIECES] > _SHOWN:
        learnt = f"The cubics go through {holes} missing samples, learnt from the whole record."
        reasons = (*reasons, learnt)
    filled = fitted.filled
    if filled.kriged:
        kriged = "Missing nodes also follow the field's own covariance with those around them, by "
        reasons = (*reasons, f"{kriged}{filled.kriged:.0%}.")
    if filled.in_gaps:
        held = f"In {filled.in_gaps} nodes of wide gaps the networks are held by their rims."
        if cover.centre.shape[1] == 1:
            held = f"{filled.in_gaps} samples missing near to each other follow what others teach."
        reasons = (*reasons, held)
    network, scale = _leading(choice, int(np.argmax(fitted.shares)))
    numbers = {
        "windows": cover.windows,
        "per_window": per_window,
        "leave_one_out": fitted.error,
        "between": choice.between,
        "learnt": holes,
        "kriged": filled.kriged,
        "in_gaps": filled.in_gaps,
        "shares": shares,
        "pilot": {str(size): error for size, error in choice.tried.items()},
    }
    return Plan(network, "Windows", scale, reasons, numbers)


def _leading(choice: Choice, position: int) -> tuple[str, tuple[float, ...] | None]:
    """What most of the windows have, and its slope scale in units of the whole box."""
    cover = choice.cut.cover
    if position == len(choice.candidates):
        return f"{_PIECES} in {cover.windows} windows", None
    leading = choice.candidates[position]
    scale = leading.scale / np.median(cover.radius, axis=0)
    network = f"{cover.windows} local networks of {leading.layer.width} {leading.name} units"
    return network, tuple(float(s) for s in scale)
