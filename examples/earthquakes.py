"""A yielding oscillator under earthquakes that its map has never seen.

    python examples/earthquakes.py earthquakes.png

A flow map is fitted to the response under four fifths of 100 real records and rolled out over the
others, whose earthquakes it has not seen. Drawn are the records of median and of largest error.
"""

import sys
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

from repnet.data import quakes
from repnet.operators import BoucWen, FlowSolver, quake_study, response_errors


def main(path: str | Path, records: int = 100, units: int = 1000) -> float:
    """Fit, predict, draw; the median relative L2 error over the records held out."""
    study = quake_study(BoucWen(0.5), quakes()[:records])
    held = study.folds() == 0
    flow, _ = study.fit(~held, FlowSolver(units=units), key=jax.random.key(0))
    found, truth = study.predict(flow, held), study.displacement[held]
    rows = np.flatnonzero(held)
    ends = [study.ends[row] for row in rows]
    errors = response_errors(found, truth, ends, study.step)["relative_l2"]
    order = np.argsort(errors)
    figure, axes = plt.subplots(2, 1, figsize=(8.0, 5.0), layout="constrained")
    for panel, row in zip(axes, (order[len(order) // 2], order[-1]), strict=True):
        time = study.step * np.arange(ends[row])
        panel.plot(time, 100.0 * truth[row, : ends[row]], color="0.6", lw=2.2, label="integrated")
        panel.plot(time, 100.0 * found[row, : ends[row]], lw=0.9, label="learnt")
        name = f"{study.earthquakes[rows[row]]}, {study.names[rows[row]]}"
        panel.set(title=f"{name}: error {errors[row]:.1%}", xlabel="time [s]")
        panel.set_ylabel("displacement [cm]")
    axes[0].legend(loc="upper right", ncols=2)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    median = float(np.median(errors))
    print(f"median relative L2 error over {len(rows)} records held out: {median:.2g}")
    return median


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "earthquakes.png")
