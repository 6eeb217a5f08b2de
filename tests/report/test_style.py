"""Tests of what every figure of a page shares."""

import re

from repnet.report._style import drawing, to_svg


def test_labels_that_end_beyond_the_figure_are_kept():
    figure, _ = drawing(4.0, 3.0)
    figure.text(-0.1, 0.5, "a label left of the figure", ha="right")
    box = re.search(r'viewBox="0 0 (\S+) (\S+)"', to_svg(figure, "A figure"))
    assert box is not None
    assert float(box[1]) > 1.1 * 4.0 * 72  # points
