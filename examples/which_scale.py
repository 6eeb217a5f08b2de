"""Which slope scale: what tangent kernels hold, and how trained networks of each scale do.

Left: eigenvalues of the kernels of an ordinary network and of RepNets, against the frequency at
which each eigenfunction turns. Right: error on new points of networks trained on 129 samples of
sin(16x) + ..., by slope scale, without noise and with; grey is the range that theory predicts.
"""

import sys

import jax
import matplotlib.pyplot as plt
import numpy as np

from repnet import MLP, Linear, RepNet
from repnet.theory import kernel_modes, scale_scan, tangent_kernel


def main(picture=None, points=513, steps=1500):
    first, rest = jax.random.split(jax.random.key(0))
    networks = {"ordinary": MLP(Linear(1, 256, key=first), key=rest)}
    for scale in (5.0, 20.0, 80.0):
        networks[f"RepNet, s = {scale:g}"] = RepNet(1, scale=scale, features="step", key=first)
    x = np.linspace(-1.0, 1.0, points)[:, None]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for name, network in networks.items():
        modes = kernel_modes(tangent_kernel(network, x), x, 150)
        values = np.maximum(modes.values / modes.values[0], 1e-12)
        left.loglog(modes.frequency[:, 0], values, ".", ms=3, label=name)
    left.set(xlabel="frequency of the eigenfunction", ylabel="eigenvalue / largest", ylim=(1e-9, 3))
    left.legend(fontsize=8, loc="lower left")
    best = {}
    for noise in (0.0, 0.3):
        scan = scale_scan(noise=noise, steps=steps, key=jax.random.key(1))
        (line,) = right.loglog(scan.scales, scan.errors, "o-", ms=3, label=f"noise {noise:g}")
        right.loglog(scan.scales, scan.kernel_errors, "--", color=line.get_color(), lw=0.8)
        best[noise] = float(scan.scales[np.argmin(scan.errors)])
    right.axvspan(*scan.predicted, color="0.85", zorder=0)
    right.set(xlabel="slope scale", ylabel="error on new points")
    right.legend(fontsize=8)
    print("best scale by noise", best, "predicted without noise", scan.predicted)
    if picture:
        figure.savefig(picture, dpi=90)
    plt.close(figure)
    return best, scan.predicted


if __name__ == "__main__":
    main(*sys.argv[1:] or ["which_scale.png"])
