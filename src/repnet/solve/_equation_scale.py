"""The slope scale for training on an equation: from the frequencies of its solution."""

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.problem import Problem
from repnet.solve._solution import evaluate
from repnet.solve.equations._direct import (
    Wanted,
    check_linear,
    choose_frequencies,
    probe_network,
)
from repnet.solve.equations._guess import data_band, filled
from repnet.solve.equations._rows import Frame
from repnet.spectrum import ScaleChoice

_UNITS = 400  # of the small fits
_EDGE = np.pi  # half a wave across the domain
_STEEPNESS = 3.5  # frequency over slope scale of a step
_LOCAL = 0.5  # bumps and hats are this much less steep


def equation_scale(problem: Problem, *, features: str, key: PRNGKeyArray) -> ScaleChoice:
    r"""Slope scale per axis for a gradient training on an equation, radians per half-width.

    $s_i = (\omega_i + \pi)/3.5$ with the angular frequencies $\omega_i$ of the least-squares fit
    that leaves the smallest residual at points that it was not fitted at. A problem with unknowns
    is not fitted: there $\omega_i$ is that of the source, the boundary values and the initial
    state.

    **Arguments:** `features`: of the first layer.

    **Returns:** the scale; among its `numbers` are `"omega"` and `"size"`, the root mean square of
    the fitted network's values, `None` where none was fitted.

    **Source:** this project.
    """
    with jax.enable_x64(True):
        omega, size, reason = _frequencies(problem, key)
    factor = _LOCAL if features == "local" else 1.0
    scale = factor * (omega + _EDGE) / _STEEPNESS
    half_waves = ", ".join(f"{w / np.pi:.3g}" for w in omega)
    words = f"Frequencies up to {half_waves} half waves per half-width of the axes: {reason}."
    numbers = {"omega": [float(w) for w in omega], "size": size}
    return ScaleChoice(tuple(float(s) for s in scale), (words,), numbers)


def _frequencies(
    problem: Problem, key: PRNGKeyArray
) -> tuple[Float[np.ndarray, " dim"], float | None, str]:
    frame = Frame.of(problem)
    if problem.unknowns is not None:
        _, high = data_band(problem, frame, probe_network(problem, key))
        return filled(high), None, "of what the terms give"
    check_key, search_key = jax.random.split(key)
    linear = check_linear(problem, frame, check_key)
    with one_blas_thread():
        search, omega = choose_frequencies(
            problem, frame, Wanted("sine"), _UNITS, linear, search_key
        )
    points = problem.domain.sample(_UNITS, key=jax.random.fold_in(check_key, 1))
    values = evaluate(frame.wrap(search.at(omega).network), points)
    size = float(np.sqrt(np.mean(np.square(values))))
    return (
        np.asarray(omega),
        size,
        f"the best of {len(search.tried)} least-squares fits of one layer",
    )
