"""How the error of training spreads in frequency: the diffusion model beside real descent.

Two-layer sine networks learn three windowed waves, with one low scale, one high scale, and four
scales that share the units. Curves are the model, solved in a second without any training; dots
are networks of 16,384 units trained by gradient descent.
"""

import sys

import jax
import matplotlib.pyplot as plt
import numpy as np

from repnet.theory import SineEnsemble, WindowedWaves, diffusion_run

WAVES = WindowedWaves((1.0, 4.0, 10.0), width=0.8)
BANDS = [0.0, 2.5, 7.0, 20.0]
SETS = ((2.0,), (8.0,), (1.0, 2.0, 4.0, 8.0))


def main(picture=None, units=16384, time=12.0):
    times = np.linspace(0.0, time, 49)
    figure, axes = plt.subplots(2, 3, figsize=(9, 4.6), layout="constrained", sharey="row")
    found = []
    for column, scales in zip(axes.T, SETS, strict=True):
        run = diffusion_run(
            SineEnsemble(scales), WAVES, times, units=units, half_width=4.0, key=jax.random.key(0)
        )
        found.append(run.discrepancy.trajectory)
        print(scales, "discrepancy", round(found[-1], 4), "times to half", run.discrepancy.times[0])
        for colour, record in enumerate((0, 6, 48)):
            for history, style in ((run.model, "-"), (run.measured, ".")):
                every = 1 if style == "-" else 24
                xi, size = history.grid.centres[::every], history.magnitude()[record, ::every]
                label = f"t = {times[record]:g}" if style == "-" else None
                column[0].plot(xi[xi < 16], size[xi < 16], style, color=f"C{colour}", label=label)
        for band in range(3):
            for history, style in ((run.model, "-"), (run.measured, ".")):
                norm = history.band_norms(BANDS)[:, band]
                wave = f"wave {WAVES.waves[band]:g}" if style == "-" else None
                every = 1 if style == "-" else 3
                column[1].semilogy(times[::every], norm[::every] / norm[0], style,
                                   color=f"C{band}", label=wave)  # fmt: skip
        column[0].set(title="scales " + ", ".join(f"{s:g}" for s in scales), xlabel="frequency")
        column[1].set(xlabel="learning rate × steps")
    axes[0, 0].set_ylabel("spectrum of the error")
    axes[1, 0].set_ylabel("error of the band")
    axes[0, 0].legend()
    axes[1, 0].legend()
    if picture:
        figure.savefig(picture, dpi=90)
    plt.close(figure)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:] or ["spectral_diffusion.png"])
