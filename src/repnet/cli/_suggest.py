"""What `repnet diagnose` advises: scale and solver, with reasons."""

from typing import Any

import jax
import numpy as np

from repnet.data import Dataset
from repnet.problem import regression
from repnet.report import number
from repnet.solve._plan import choose_solver
from repnet.spectrum import Spectrum, suggest_scale


def suggest(data: Dataset, spectra: tuple[Spectrum, ...]) -> dict[str, Any]:
    """The solver, and the slope scale for training per axis, and why; as JSON values.

    The solver is what `solve` would choose: it is tried out on a part of the data.
    """
    decision = choose_solver(regression(data.x, data.y), None, jax.random.key(0))
    solver = type(decision.solver).__name__
    choice = suggest_scale(data.x, data.y)
    half_width = np.maximum(np.ptp(data.x, axis=0) / 2, np.finfo(float).tiny)
    waves = [
        2 * half * spectrum.omega_max / (2 * np.pi)
        for half, spectrum in zip(half_width, spectra, strict=True)
    ]
    per_axis = [
        f"{name}: {number(float(scale))} ({number(float(wave))} wavelengths across)"
        for name, scale, wave in zip(data.input_names, choice.scale, waves, strict=True)
    ]
    reasons = [
        "Slope scale for gradient training of tanh bumps, in radians per half-width of the data: "
        + ", ".join(per_axis)
        + ".",
        *choice.reasons,
        f"Solver: {solver}.",
        *decision.reasons,
    ]
    return {
        "solver": solver,
        "scale": choice.scale,
        "wavelengths": waves,
        "reasons": reasons,
    }
