"""`repnet theory kernel`: tangent kernels by formula beside networks, and what they decide."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
import numpy as np

from repnet.cli._choices import pick, read_numbers, require_positive
from repnet.cli._fit import key_of
from repnet.cli._theory_end import Findings, run_theory
from repnet.nn import MLP, Linear, RepLinear, RepNet, Signs
from repnet.nn._activation import ACTIVATIONS
from repnet.nn._feature import make_feature
from repnet.report import number
from repnet.theory import (
    SineEnsemble,
    compare_kernels,
    initial_rates,
    kernel_modes,
    scale_scan,
    speed_up,
    steep_ensemble,
    tangent_kernel,
)

FEATURES = ("plain", "ramp", "bump", "hat")
HALF_WIDTH = 4.0  # of the sine kernel's domain
WINDOW = 1.5  # of the waves whose rates are measured
SPREAD = 8.0  # half-width over which the layer's partition points lie: the window ends inside
MODES = 96


def run_kernel(options: dict[str, Any]) -> int:
    """Compare, write the run, show it; the exit code."""
    pick("--activation", options["activation"], ACTIVATIONS)
    pick("--features", options["features"], FEATURES)
    make_feature(options["features"], ACTIVATIONS[options["activation"]])
    require_positive("--units", options["units"])
    if not 0.0 < options["scale"] < float("inf"):
        raise ValueError(f"`--scale` must be finite and above 0; got {options['scale']}.")
    ensemble = SineEnsemble(read_numbers("--scales", options["scales"]))
    waves = read_numbers("--waves", options["waves"])
    key = key_of(options["seed"])
    return run_theory("kernel", options, lambda: _findings(options, ensemble, waves, key))


def _findings(
    options: dict[str, Any], ensemble: SineEnsemble, waves: list[float], key: jax.Array
) -> Findings:
    keys = jr.split(key, 5)
    counts = np.unique(np.geomspace(100, max(options["units"], 200), 6).astype(int))
    errors, slope = compare_kernels(ensemble, counts, half_width=HALF_WIDTH, key=keys[0])
    measured, formula = _rates(options, waves, keys[1])
    ratios = measured["all"] / formula["all"]
    tables = [
        {
            "title": "Closed-form sine kernel against drawn units",
            "columns": ("units", "relative error"),
            "rows": [(f"{n:,}", e) for n, e in zip(counts, errors, strict=True)],
        },
        {
            "title": f"Initial rates, {options['features']} {options['activation']} units",
            "columns": ("wave", "formula", "measured", "ratio"),
            "rows": [
                (f"{k:g}", float(f), float(m), float(m / f))
                for k, f, m in zip(waves, formula["all"], measured["all"], strict=True)
            ],
        },
    ]
    sentences = [
        f"The kernel's error falls like units to the power {number(slope, 2)}.",
        f"Measured initial rates are within {number(100 * np.abs(ratios - 1).max(), 2)} % of the "
        "formula.",
    ]
    arrays = {
        "counts": counts,
        "kernel_errors": errors,
        "waves": np.array(waves),
        **{f"formula:{name}": values for name, values in formula.items()},
        **{f"measured:{name}": values for name, values in measured.items()},
        **_modes(options, keys[2]),
    }
    metrics: dict[str, Any] = {
        "kernel_error": float(errors[-1]),
        "kernel_slope": slope,
        "rate_ratio": ratios,
    }
    if options["training"]:
        _trained(options, keys[3:], tables, sentences, metrics, arrays)
    return Findings(
        "Tangent kernels",
        f"A sine network of scales {options['scales']} on ±{HALF_WIDTH:g}, and a layer of slope "
        f"scale {options['scale']:g} with {options['units']:,} units.",
        tables,
        sentences,
        [
            (f"{number(100 * errors[-1], 2)} %", f"kernel error at {counts[-1]:,} units"),
            (f"{number(100 * np.abs(ratios - 1).max(), 2)} %", "largest deviation of a rate"),
        ],
        metrics,
        arrays,
    )


def _rates(
    options: dict[str, Any], waves: list[float], key: jax.Array
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Initial rates per group of parameters and in all: measured, and by formula."""
    first_key, sign_key = jr.split(key)
    units = options["units"]
    first = RepLinear(
        1,
        units,
        scale=options["scale"],
        activation=ACTIVATIONS[options["activation"]],
        features=options["features"],
        lower=-SPREAD,
        upper=SPREAD,
        margin=0.0,
        key=first_key,
    )
    signs = Signs(units**-0.5)(jr.uniform(sign_key, (1, units)))
    network = MLP(first, hidden=(), key=sign_key)
    network = eqx.tree_at(lambda n: n.readout.weight, network, signs)
    ensemble = steep_ensemble(network)
    groups: dict[str, Callable[[Any], Any]] = {
        "readout": lambda n: n.readout.weight,
        "offset": lambda n: n.first.planes.offset,
        "slope": lambda n: n.first.planes.log_slope,
    }
    # In the theory's units: amplitudes of mean square 1 over the root of the number of units.
    share = {"readout": 1.0 / units, "offset": 1.0, "slope": 1.0 / options["scale"] ** 2}
    found = {
        name: share[name] * initial_rates(network, waves, window=WINDOW, where=where)
        for name, where in groups.items()
    }
    channels = ensemble.channels(np.array(waves))
    known = {name: share[name] * channels[name] for name in groups}
    found["all"], known["all"] = sum(found.values()), sum(known.values())
    return found, known


def _modes(options: dict[str, Any], key: jax.Array) -> dict[str, np.ndarray]:
    """Eigenvalues and frequencies of a vanilla network's kernel and of a RepNet's."""
    plain_key, key = jr.split(key)
    activation = ACTIVATIONS[options["activation"]]
    x = np.linspace(-1.0, 1.0, 513)[:, None]
    first = Linear(1, 256, activation=activation, key=plain_key)
    networks = {
        "vanilla": MLP(first, hidden=(64, 64), activation=activation, key=key),
        "repnet": RepNet(1, scale=options["scale"], activation=activation, key=key),
    }
    arrays = {}
    for name, network in networks.items():
        modes = kernel_modes(tangent_kernel(network, x), x, MODES)
        arrays[f"values:{name}"] = modes.values / modes.values[0]
        arrays[f"frequency:{name}"] = modes.frequency[:, 0]
    return arrays


def _trained(
    options: dict[str, Any],
    keys: jax.Array,
    tables: list[dict[str, Any]],
    sentences: list[str],
    metrics: dict[str, Any],
    arrays: dict[str, np.ndarray],
) -> None:
    """What training shows: raw against reparameterized parameters, and errors over scales."""
    gain = speed_up(scale=8.0, wave=8.0, units=4096, key=keys[0])
    tables.append(
        {
            "title": "Time to halve sin(8x), tanh units of slope 8",
            "columns": ("parameters", "formula", "training"),
            "rows": [
                ("raw w, b", *map(float, gain.raw)),
                ("reparameterized s, t", *map(float, gain.reparameterized)),
            ],
        }
    )
    measured = gain.raw[1] / gain.reparameterized[1]
    predicted = gain.raw[0] / gain.reparameterized[0]
    sentences.append(
        f"Reparameterizing makes training {number(measured, 3)} times faster; the formula says "
        f"{number(predicted, 3)}."
    )
    scan = scale_scan(key=keys[1])
    low, high = scan.predicted
    best = scan.scales[int(np.argmin(scan.errors))]
    sentences.append(
        f"Trained networks generalize best at a slope scale of {number(best, 3)}; predicted is "
        f"{number(low, 3)} to {number(high, 3)}, from the highest frequency to the samples' limit."
    )
    metrics |= {"speed_up": measured, "speed_up_predicted": predicted, "best_scale": best}
    arrays |= {
        "scan_scales": scan.scales,
        "scan_errors": scan.errors,
        "scan_kernel": scan.kernel_errors,
        "scan_range": np.array(scan.predicted),
    }
