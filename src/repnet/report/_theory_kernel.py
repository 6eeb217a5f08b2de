"""Cards of `repnet theory kernel`: formulas beside networks, eigenvalues, and the scale."""

import numpy as np

from repnet.report._record import Record
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg
from repnet.report._theory_frame import Arrays, Groups, finish


def kernel_groups(record: Record, arrays: Arrays) -> Groups:
    """The figures, in two groups or three."""
    groups = [
        ("Formulas beside networks", [_rates(arrays), _kernel_error(arrays)]),
        ("Which frequencies a kernel holds", [_eigenvalues(arrays)]),
    ]
    if "scan_scales" in arrays:
        groups[1][1].append(_scan(arrays))
    return groups


def _rates(arrays: Arrays) -> Card:
    figure, axes = drawing()
    with styled():
        for index, name in enumerate(("all", "readout", "offset", "slope")):
            ink = colour(index)
            axes.plot(arrays["waves"], arrays[f"formula:{name}"], color=ink, label=name)
            axes.plot(arrays["waves"], arrays[f"measured:{name}"], "o", ms=3.5, color=ink)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(arrays["waves"], [f"{wave:g}" for wave in arrays["waves"]])
        axes.xaxis.minorticks_off()
        finish(axes, "angular frequency", "initial rate")
    caption = (
        "How fast each frequency begins to be learnt, in all and by what trains. Curves: the "
        "formula. Dots: a network."
    )
    return Card("Initial rates", to_svg(figure, "Initial rates"), caption)


def _kernel_error(arrays: Arrays) -> Card:
    figure, axes = drawing()
    counts, errors = arrays["counts"], arrays["kernel_errors"]
    with styled():
        axes.loglog(counts, errors[0] * (counts / counts[0]) ** -0.5, color=GREY, lw=0.9)
        axes.loglog(counts, errors, "o-", ms=3.5, color=colour(0))
        finish(axes, "units", "relative error")
    caption = (
        "Tangent kernel of independent random units against its closed form. Grey: the slope −1/2."
    )
    return Card("Sine kernel", to_svg(figure, "Sine kernel"), caption)


def _eigenvalues(arrays: Arrays) -> Card:
    figure, axes = drawing()
    with styled():
        for index, (name, label) in enumerate((("repnet", "RepNet"), ("vanilla", "vanilla"))):
            values = np.maximum(arrays[f"values:{name}"], 1e-16)
            axes.loglog(arrays[f"frequency:{name}"], values, "o", ms=2.5, color=colour(index),
                        label=label)  # fmt: skip
        axes.set_ylim(1e-9, 3.0)
        finish(axes, "frequency of the eigenfunction", "eigenvalue / largest")
    caption = (
        "Each dot is an eigenfunction of a network's tangent kernel on 513 points: how fast it is "
        "learnt, against the frequency it turns at. What lies a decade lower takes ten times the "
        "steps."
    )
    return Card("Eigenvalues", to_svg(figure, "Eigenvalues"), caption)


def _scan(arrays: Arrays) -> Card:
    figure, axes = drawing()
    low, high = arrays["scan_range"]
    with styled():
        axes.axvspan(low, high, color=GREY, alpha=0.2, lw=0)
        axes.loglog(arrays["scan_scales"], arrays["scan_errors"], "o-", ms=3.5, color=colour(0),
                    label="trained")  # fmt: skip
        axes.loglog(arrays["scan_scales"], arrays["scan_kernel"], "--", color=colour(1),
                    label="by the kernel")  # fmt: skip
        finish(axes, "slope scale", "error on new points")
    caption = (
        "Grey: the range that theory predicts, from the target's highest frequency to 0.7 radians "
        "per sample."
    )
    return Card("Which scale", to_svg(figure, "Which scale"), caption)
