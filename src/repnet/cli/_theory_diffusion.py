"""`repnet theory diffusion`: the model of the training error's spectrum beside real descent."""

from typing import Any

import jax
import numpy as np

from repnet.cli._choices import pick, read_numbers, require_positive
from repnet.cli._fit import key_of
from repnet.cli._theory_end import Findings, run_theory
from repnet.report import number
from repnet.theory import (
    DiffusionRun,
    NormalBias,
    SineEnsemble,
    UniformBias,
    WindowedWaves,
    diffusion_run,
    require_wide,
)
from repnet.theory._experiment import band_edges
from repnet.theory._sine import GROUPS

WAVES = {1: "1,4,10", 2: "1,2,3.5"}
RECORDS = 41
GOLDEN = np.pi * (3.0 - np.sqrt(5.0))  # turns the wave vectors in two dimensions


def run_diffusion(options: dict[str, Any]) -> int:
    """Solve, train, compare, write the run, show it; the exit code."""
    ensemble, waves = _asked(options)
    require_wide(ensemble, waves, options["half_width"])
    key = key_of(options["seed"])
    return run_theory("diffusion", options, lambda: _findings(options, ensemble, waves, key))


def _asked(options: dict[str, Any]) -> tuple[SineEnsemble, WindowedWaves]:
    dim = options["dim"]
    if dim not in WAVES:
        raise ValueError(f"`--dim` must be 1 or 2; got {dim}.")
    pick("--draw", options["draw"], ("sobol", "random"))
    pick("--amplitude", options["amplitude"], ("signs", "normal"))
    require_positive("--units", options["units"])
    if options["units"] % 2:
        raise ValueError(f"`--units` must be even, for pairs; got {options['units']}.")
    for name in ("window", "half_width", "time"):
        if not 0.0 < options[name] < float("inf"):
            flag = name.replace("_", "-")
            raise ValueError(f"`--{flag}` must be finite and above 0; got {options[name]}.")
    shares = options["shares"] and read_numbers("--shares", options["shares"])
    frozen = [word.strip() for word in (options["frozen"] or "").split(",") if word.strip()]
    for group in frozen:
        pick("--frozen", group, GROUPS)
    ensemble = SineEnsemble(
        read_numbers("--scales", options["scales"]),
        shares=shares or None,
        bias=_bias(options["bias"]),
        dim=dim,
        trained=[group for group in GROUPS if group not in frozen],
    )
    lengths = read_numbers("--waves", options["waves"] or WAVES[dim])
    if dim == 1:
        return ensemble, WindowedWaves(lengths, options["window"])
    angles = GOLDEN * np.arange(len(lengths))
    vectors = np.array(lengths)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ensemble, WindowedWaves(vectors.tolist(), options["window"])


def _bias(word: str) -> UniformBias | NormalBias:
    if word == "uniform":
        return UniformBias()
    if word == "zero":
        return NormalBias(0.0)
    try:
        return NormalBias(float(word))
    except ValueError:
        raise ValueError(
            f"`--bias` must be uniform, zero or a deviation >= 0; got {word!r}."
        ) from None


def _findings(
    options: dict[str, Any], ensemble: SineEnsemble, waves: WindowedWaves, key: jax.Array
) -> Findings:
    times = np.linspace(0.0, options["time"], RECORDS)

    def run(units: int, half_width: float) -> DiffusionRun:
        return diffusion_run(
            ensemble,
            waves,
            times,
            units=units,
            half_width=half_width,
            draw=options["draw"],
            signs=options["amplitude"] == "signs",
            key=key,
        )

    main = run(options["units"], options["half_width"])
    sweeps = _sweeps(options, run, main) if options["sweep"] else {}
    found = main.discrepancy
    words = f"{number(found.trajectory, 2)}"
    return Findings(
        "Spectral diffusion and real descent",
        f"A two-layer sine network of {options['units']:,} units at scales {options['scales']} on "
        f"windowed waves of {options['waves'] or WAVES[options['dim']]} radians per unit length.",
        _tables(main, waves, sweeps),
        [
            f"Model and training differ by {words} of the error's norm over frequency and time.",
            *_words(found.ratios),
        ],
        [(words, "discrepancy over time"), (number(found.final, 2), "at the last time")],
        {
            "traj": found.trajectory,
            "final": found.final,
            "time_ratio": found.ratios,
            "sweeps": {name: values.tolist() for name, values in sweeps.items()},
        },
        {**_arrays(ensemble, waves, main), **sweeps},
    )


def _sweeps(options: dict[str, Any], run: Any, main: DiffusionRun) -> dict[str, np.ndarray]:
    """Discrepancies of fewer units, and on narrower domains."""
    units, half = options["units"], options["half_width"]
    widths = [max(2 * (units // divisor // 2), 2) for divisor in (16, 4)]
    by_width = [(n, run(n, half).discrepancy.trajectory) for n in widths]
    by_width.append((units, main.discrepancy.trajectory))
    narrower = [0.5 * half, 0.75 * half]
    by_domain = [(size, run(units, size).discrepancy.trajectory) for size in narrower]
    by_domain.append((half, main.discrepancy.trajectory))
    return {"by_width": np.array(by_width), "by_domain": np.array(by_domain)}


def _tables(
    main: DiffusionRun, waves: WindowedWaves, sweeps: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    found = main.discrepancy
    rows = [
        (f"{length:g}, down to {fraction:.0%}", *(_time(t) for t in found.times[f, band]),
         _time(found.ratios[f, band]))
        for band, length in enumerate(waves.lengths)
        for f, fraction in enumerate(found.fractions)
    ]  # fmt: skip
    tables = [
        {
            "title": "Time to learn each band",
            "columns": ("wave", "model", "training", "ratio"),
            "rows": rows,
        }
    ]
    for name, title, column in (
        ("by_width", "Discrepancy against width", "units"),
        ("by_domain", "Discrepancy against the domain", "half-width"),
    ):
        if name in sweeps:
            rows = [(f"{value:,.6g}", error) for value, error in sweeps[name]]
            tables.append({"title": title, "columns": (column, "discrepancy"), "rows": rows})
    return tables


def _time(value: float) -> str:
    return "–" if not np.isfinite(value) else number(float(value), 3)


def _words(ratios: np.ndarray) -> list[str]:
    reached = ratios[np.isfinite(ratios)]
    if not len(reached):
        return ["No band was learnt to half its amplitude in this time."]
    low, high = number(float(reached.min()), 3), number(float(reached.max()), 3)
    return [f"Predicted over measured times lie between {low} and {high}."]


def _arrays(
    ensemble: SineEnsemble, waves: WindowedWaves, main: DiffusionRun
) -> dict[str, np.ndarray]:
    grid = main.model.grid
    every = max(1, grid.cells // 500)  # the figures show no more
    edges = band_edges(waves)
    xi = np.linspace(grid.step, grid.highest, 400)
    sets = [(min(ensemble.scales),), (max(ensemble.scales),), tuple(ensemble.scales)]
    coefficients = [
        (each.reaction(xi), each.diffusion(xi))
        for each in (SineEnsemble(scales, dim=ensemble.dim) for scales in sets)
    ]
    return {
        "frequency": grid.centres[::every],
        "times": main.model.times,
        "model": main.model.magnitude()[:, ::every],
        "measured": main.measured.magnitude()[:, ::every],
        "bands_model": main.model.band_norms(edges),
        "bands_measured": main.measured.band_norms(edges),
        "waves": waves.lengths,
        "xi": xi,
        "coefficients": np.array(coefficients),
        "set_names": np.array([_braces(scales) for scales in sets]),
    }


def _braces(scales: tuple[float, ...]) -> str:
    return "{" + ", ".join(f"{scale:g}" for scale in scales) + "}"
