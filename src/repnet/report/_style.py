"""How figures look: one size, one palette, ink that follows the page's light or dark colours."""

import dataclasses
import html
import io
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, LogFormatterSciNotation

INK = "#123457"  # stands for the page's text colour, which is not known when drawing
GREY = "#8b929c"
PALETTE = ("#2f7fd1", "#e0772f", "#2b9e72", "#a05fc0", "#c9a227", "#d1495b")
SIZE = (3.8, 2.75)  # inches: small, so that a phone shrinks the letters little

_STYLE: Any = {  # matplotlib's own type of keys is private
    "svg.fonttype": "none",
    "svg.hashsalt": "repnet",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GREY,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.3,
    "axes.unicode_minus": True,
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}


@dataclasses.dataclass(frozen=True)
class Card:
    """One figure of a report: a title, the drawing as SVG text, and a caption in full sentences."""

    title: str
    svg: str
    caption: str


def drawing(width: float = SIZE[0], height: float = SIZE[1]) -> tuple[Figure, Axes]:
    """An empty figure with one pair of axes, without any global state."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def styled() -> Any:
    """A context in which new artists take the report's style."""
    return matplotlib.rc_context(_STYLE)


def to_svg(figure: Figure, label: str) -> str:
    """The figure as an `<svg>` element that scales with its container and takes its text colour."""
    buffer = io.StringIO()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
            axis.set_major_formatter(_PlainPowers(axis.get_major_formatter()))
            axis.set_minor_formatter(_PlainPowers(axis.get_minor_formatter()))
    with matplotlib.rc_context(_STYLE):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            # The layout is made for axes of any shape: labels of maps may end beyond the figure.
            bbox_inches="tight",
            pad_inches=0.04,
            metadata={"Date": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    named = f'<svg role="img" aria-label="{html.escape(label)}"'
    text = text.replace("<svg", named, 1)
    return text.replace(INK, "currentColor")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _PlainPowers(Formatter):
    """Powers of ten in plain letters: to set them as formulas took a quarter of a page's time."""

    def __init__(self, formula: Formatter):
        self.formula = formula

    def set_axis(self, axis: Any) -> None:
        super().set_axis(axis)
        self.formula.set_axis(axis)

    def set_locs(self, locs: Any) -> None:
        super().set_locs(locs)
        self.formula.set_locs(locs)

    def __call__(self, x: float, pos: int | None = None) -> str:
        return plain_power(self.formula(x, pos))


def plain_power(formula: str) -> str:
    r"""The formula of a tick in plain letters.

    >>> plain_power(r"$\mathdefault{-2\times10^{-3}}$"), plain_power(r"$\mathdefault{0}$")
    ('−2×10⁻³', '0')
    """
    text = re.sub(r"\$\\mathdefault\{(.*)\}\$", r"\1", formula).replace("\\times", "×")
    sign, text = ("−", text[1:]) if text.startswith("-") else ("", text)
    return sign + re.sub(r"\^\{(-?\d+)\}", lambda power: power[1].translate(_RAISED), text)


def to_png(figure: Figure, dpi: int = 130) -> bytes:
    """The figure as a PNG on white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def colour(index: int) -> str:
    """The colour of the method with this number."""
    return PALETTE[index % len(PALETTE)]


def with_unit(name: str, unit: str) -> str:
    """An axis label, such as `depth [m]`; a unit that the name already tells is not repeated.

    >>> with_unit("depth", "m"), with_unit("depth (m)", "m"), with_unit("y", "")
    ('depth [m]', 'depth (m)', 'y')
    """
    return name if not unit or f"({unit})" in name or f"[{unit}]" in name else f"{name} [{unit}]"
