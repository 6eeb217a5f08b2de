"""Training steps per second: this library beside an eager PyTorch loop of the same network.

    python benchmarks/torch_steps.py --torch-python python

Both train 1-256-64-64-1 with tanh and Adam on the same 513 points in float32 with the same number
of threads. PyTorch runs in a process of its own (any interpreter that has it: the `bench` extra,
or `--torch-python`), and the two take turns.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

PEER = r"""
import sys, time
import torch
threads, width = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
x = torch.linspace(-1, 1, 513)[:, None]
y = sum(torch.sin(2**j * 2 * torch.pi * x + j) for j in range(6))
y = (y - y.mean()) / y.std()
layers = [(1, width), (width, 64), (64, 64)]
parts = [p for n, m in layers for p in (torch.nn.Linear(n, m), torch.nn.Tanh())]
net = torch.nn.Sequential(*parts, torch.nn.Linear(64, 1))
optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)

def run(steps):
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.mean((net(x) - y) ** 2)
        loss.backward()
        optimiser.step()
    return loss.item()

run(20)
print(torch.__version__, flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    run(int(line))
    print(time.perf_counter() - start, flush=True)
"""


def main(argv: Sequence[str] | None = None) -> dict:
    """Measure, print one line per network, and return the row."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--torch-python", default=sys.executable)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100, help="steps per turn")
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
    import jax.random as jr
    from _cases import CASES
    from _turns import peer, ratio_of_turns, row_of_turns, stepper

    from repnet.nn import MLP, Linear, RepNet

    x, y = CASES["octaves1d"].train()
    first, rest = jr.split(jr.key(0))
    plain = MLP(Linear(1, options.width, key=first), 1, key=rest)
    ours = RepNet(1, width=options.width, scale=60.0, key=jr.key(1))
    command = [options.torch_python, "-c", PEER, str(options.threads), str(options.width)]
    with peer(command) as (version, torch_steps):
        if not version:
            raise SystemExit(f"`--torch-python` must have torch; {command[0]} fails.")
        runners = {
            "torch": torch_steps,
            "vanilla": stepper(plain, x, y),
            "repnet": stepper(ours, x, y),
        }
        seconds = ratio_of_turns(runners, options.steps, options.repeats)
    about = {"torch": version, "threads": options.threads, "width": options.width}
    return row_of_turns("torch", seconds, options.steps, about)


if __name__ == "__main__":
    main()
