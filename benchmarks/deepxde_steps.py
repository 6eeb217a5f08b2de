"""Training steps per second on Helmholtz's equation: this library beside DeepXDE on PyTorch.

    python benchmarks/deepxde_steps.py --deepxde-python /path/to/python

Both train tanh, 4 layers of 100, by Adam in float32 on 2,500 points inside and 400 on the boundary,
with the same number of threads. DeepXDE runs in a process of its own, in any interpreter that has
it and PyTorch, and the two take turns.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

PEER = r"""
import os, sys, time
os.environ["DDE_BACKEND"] = "pytorch"
import contextlib
with contextlib.redirect_stdout(sys.stderr):
    import deepxde as dde
    import torch
torch.set_num_threads(int(sys.argv[1]))
torch.set_default_device("cpu")
dde.config.set_random_seed(0)
pi = torch.pi

def equation(x, u):
    second = dde.grad.hessian(u, x, i=0, j=0) + dde.grad.hessian(u, x, i=1, j=1)
    wave = torch.sin(pi * x[:, :1]) * torch.sin(4 * pi * x[:, 1:])
    return second + u - (1 - 17 * pi**2) * wave

square = dde.geometry.Rectangle([-1, -1], [1, 1])
zero = dde.icbc.DirichletBC(square, lambda x: 0, lambda _, on: on)
data = dde.data.PDE(square, equation, zero, num_domain=2500, num_boundary=400)
net = dde.nn.FNN([2] + [100] * 4 + [1], "tanh", "Glorot uniform")
model = dde.Model(data, net)
with contextlib.redirect_stdout(sys.stderr):
    model.compile("adam", lr=1e-3, verbose=0)
    model.train(iterations=5, display_every=10**9, verbose=0)
print(dde.__version__, torch.__version__, flush=True)
for line in sys.stdin:
    with contextlib.redirect_stdout(sys.stderr):
        start = time.perf_counter()
        model.train(iterations=int(line), display_every=10**9, verbose=0)
        taken = time.perf_counter() - start
    print(taken, flush=True)
"""


def main(argv: Sequence[str] | None = None) -> dict:
    """Measure, print one line per library, and return the row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--deepxde-python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20, help="steps per turn")
    parser.add_argument("--out", default=None, help="JSON file for the row")
    options = parser.parse_args(argv)
    # XLA takes its number of threads from the processors that it may use.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    row = _measured(options)
    if options.out:
        with open(options.out, "w") as file:
            json.dump(row, file, indent=1)
    return row


def _measured(options: argparse.Namespace) -> dict:
    # JAX counts processors when it is imported, so that the affinity has to come first.
    from _turns import peer, ratio_of_turns, row_of_turns

    command = [options.deepxde_python, "-c", PEER, str(options.threads)]
    with peer(command) as (version, deepxde):
        if not version:
            raise SystemExit(f"`--deepxde-python` must have deepxde and torch; {command[0]} fails.")
        runners = {"deepxde": deepxde, "vanilla": _ours("plain"), "repnet": _ours("repnet")}
        seconds = ratio_of_turns(runners, options.steps, options.repeats)
    about = {"deepxde": version, "threads": options.threads}
    return row_of_turns("deepxde", seconds, options.steps, about)


def _ours(kind: str) -> Callable[[int], None]:
    import jax.random as jr
    from _turns import stepper_of

    from repnet.nn import MLP, Linear, RepNet
    from repnet.problem import Problem, Term, zoo

    sizes = (100, 100, 100)
    first, rest = jr.split(jr.key(0))
    if kind == "plain":
        network = MLP(Linear(2, 100, key=first), hidden=sizes, key=rest)
    else:
        network = RepNet(2, width=100, hidden=sizes, scale=4.0, features="plain", key=first)
    stated, counts = zoo.make("helmholtz2d"), {"equation": 2500, "boundary": 400}
    terms = {
        name: Term(term.residual, term.points.sample(counts[name], key=rest))
        for name, term in stated.terms.items()
    }
    return stepper_of(Problem(stated.domain, terms), network)


if __name__ == "__main__":
    main()
