"""`repnet theory magnitude`: estimated output and slope beside those of random networks."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from repnet.cli._choices import pick, read_counts, read_numbers, require_positive
from repnet.cli._fit import key_of
from repnet.cli._theory_end import Findings, run_theory
from repnet.nn import MLP, Linear, RepNet
from repnet.nn._activation import ACTIVATIONS
from repnet.nn._feature import FEATURES, make_feature
from repnet.report import number
from repnet.theory import MagnitudeCheck, check_magnitude

OUTPUTS = 8  # of each network: so many more samples of its read-out
COLUMNS = ("network", "output", "measured", "slope", "measured", "larger deviation")


def run_magnitude(options: dict[str, Any]) -> int:
    """Estimate, measure, write the run, show it; the exit code."""
    depths = read_counts("--depths", options["depths"])
    scales = read_numbers("--scales", options["scales"])
    pick("--activation", options["activation"], ACTIVATIONS)
    pick("--features", options["features"], FEATURES)
    make_feature(options["features"], ACTIVATIONS[options["activation"]])
    for name in ("dim", "width"):
        require_positive(f"--{name}", options[name])
    if options["networks"] < 2:
        raise ValueError(f"`--networks` must be at least 2; got {options['networks']}.")
    key = key_of(options["seed"])
    return run_theory("magnitude", options, lambda: _findings(options, depths, scales, key))


def _findings(
    options: dict[str, Any], depths: list[int], scales: list[float], key: jax.Array
) -> Findings:
    networks = options["networks"]
    rows, worst, arrays = [], [], {"scales": np.array(scales), "depths": np.array(depths)}
    for depth in depths:
        key, vanilla_key, scale_key = jr.split(key, 3)
        plain = check_magnitude(_vanilla(options, depth), networks=networks, key=vanilla_key)
        rows.append(_row(f"vanilla, depth {depth}", plain))
        make = _repnet(options, depth)
        found = [
            check_magnitude(make, jnp.asarray(scale), networks=networks, key=scale_key)
            for scale in scales
        ]
        rows += [
            _row(f"RepNet, depth {depth}, s = {scale:g}", check)
            for scale, check in zip(scales, found, strict=True)
        ]
        worst += [check.worst for check in (plain, *found)]
        arrays[f"vanilla:{depth}"], arrays[f"repnet:{depth}"] = np.array(plain), np.array(found)
    most = f"{number(100 * max(worst), 2)} %"
    return Findings(
        "Output and slope at initialization",
        f"Root mean squares over {networks} random networks of width {options['width']} with "
        f"activation {options['activation']} and features {options['features']}, on the box from "
        f"−1 to 1 in {options['dim']}-D.",
        [{"title": "Estimated and measured magnitudes", "columns": COLUMNS, "rows": rows}],
        [f"Estimates and random networks differ by at most {most}."],
        [(most, "largest deviation"), (networks, "random networks per row")],
        {"worst": max(worst), "mean": float(np.mean(worst))},
        arrays,
    )


def _row(name: str, check: MagnitudeCheck) -> tuple[str | float, ...]:
    return (
        name,
        check.predicted_output,
        check.measured_output,
        check.predicted_slope,
        check.measured_slope,
        f"{number(100 * check.worst, 2)} %",
    )


def _repnet(options: dict[str, Any], depth: int) -> Callable[..., MLP]:
    width, activation = options["width"], ACTIVATIONS[options["activation"]]

    def make(key: jax.Array, scale: jax.Array) -> MLP:
        return RepNet(
            options["dim"],
            OUTPUTS,
            width=width,
            hidden=(width,) * (depth - 1),
            scale=scale,
            activation=activation,
            features=options["features"],
            key=key,
        )

    return make


def _vanilla(options: dict[str, Any], depth: int) -> Callable[..., MLP]:
    width, activation = options["width"], ACTIVATIONS[options["activation"]]
    start = "he" if options["activation"] == "relu" else "glorot"

    def make(key: jax.Array) -> MLP:
        first_key, rest_key = jr.split(key)
        first = Linear(
            options["dim"], width, activation=activation, initialization=start, key=first_key
        )
        hidden = (width,) * (depth - 1)
        return MLP(first, OUTPUTS, hidden=hidden, activation=activation, key=rest_key)

    return make
