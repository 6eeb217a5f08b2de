"""Which solver and network a method means, from the options of `repnet fit`."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.cli._choices import METHODS, SOLVERS, pick, read_scale, require_positive
from repnet.nn import MLP, FourierFeatures, Linear, siren
from repnet.nn._activation import ACTIVATIONS
from repnet.problem import Problem
from repnet.solve import AbstractProgress, Gradient, LeastSquares, Radial, Solution, Windows, solve
from repnet.solve._automatic import Automatic, with_activation
from repnet.solve._sized import DEPTH, WIDTH, hidden_widths, sized_gradient

STEPS = 3000


@dataclasses.dataclass(frozen=True)
class Choice:
    """The options of a fit that say how to solve, checked.

    - `method`, `solver`, `activation`: names; `"auto"` leaves the choice to the library.
    - `scale`: radians per half-width of the data, or `None`.
    - `width`, `depth`, `steps`, `batch`: as given, or `None`.
    """

    method: str = "auto"
    solver: str = "auto"
    activation: str = "auto"
    scale: float | None = None
    width: int | None = None
    depth: int | None = None
    steps: int | None = None
    batch: int | None = None

    @property
    def trains(self) -> bool:
        """Whether gradient descent is asked for, by name or by an option of its own."""
        if self.solver != "auto":
            return self.solver == "gradient"
        rival = self.method not in ("auto", "repnet")
        deep = self.depth is not None and self.depth > 1
        return rival or deep or self.steps is not None or self.batch is not None

    def activation_or(self, default: Callable) -> Callable:
        """The activation that was named, or a default."""
        return default if self.activation == "auto" else ACTIVATIONS[self.activation]

    def hidden(self) -> tuple[int, ...]:
        """Widths of the layers after the first."""
        return hidden_widths(self.width, self.depth)


def read_choice(options: dict[str, Any]) -> Choice:
    """Check the options of `repnet fit`.

    **Raises:** `ValueError` naming the option at fault, or two that exclude each other.

    >>> read_choice({"method": "vanilla", "steps": 50}).trains
    True
    """
    names = {"method": METHODS, "solver": SOLVERS, "activation": ("auto", *ACTIVATIONS)}
    for name, valid in names.items():
        pick(f"--{name}", options.get(name, "auto"), valid)
    for name in ("width", "depth", "steps", "batch"):
        require_positive(f"--{name}", options.get(name))
    scale = read_scale(options.get("scale", "auto"))
    named = {field.name: options[field.name] for field in dataclasses.fields(Choice)
             if field.name in options}  # fmt: skip
    choice = Choice(**{**named, "scale": scale})
    _require_consistent(choice)
    return choice


def solve_with(
    choice: Choice,
    problem: Problem,
    *,
    key: PRNGKeyArray,
    progress: AbstractProgress | None = None,
    make_watch: Callable[[], Callable | None] | None = None,
) -> Solution:
    """Solve a regression as the options say; `make_watch` makes the `watch` of a training."""
    network = None
    if choice.method in ("vanilla", "fourier", "siren"):
        key, network_key = jr.split(key)
        network = _rival(choice, problem, network_key)
    solver = _gradient(choice, problem) if choice.trains else _direct(choice)
    if make_watch is not None:
        solver = _watched(solver, make_watch)
    return solve(problem, network, solver, key=key, progress=progress)


def _watched(solver: Any, make_watch: Callable[[], Callable | None]) -> Any:
    """The solver, its bands watched where it trains or is found to."""
    match solver:
        case Gradient():
            return dataclasses.replace(solver, watch=make_watch())
        case Automatic():
            return Automatic(lambda chosen: _watched(solver.adapt(chosen), make_watch))
    return solver


def _direct(choice: Choice) -> Any:
    """The solver without training; `Automatic` where everything is left to the library.

    A scale or a width is that of one global network. An activation alone leaves the solver open.
    """
    given = {
        "activation": None if choice.activation == "auto" else ACTIVATIONS[choice.activation],
        "scale": choice.scale,
        "width": choice.width,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if choice.solver == "radial":
        return Radial()
    if choice.solver == "windows":
        return Windows(**given)
    if choice.solver == "auto" and set(given) <= {"activation"}:
        return Automatic(lambda chosen: with_activation(chosen, given.get("activation")))
    return LeastSquares(**given)


def _gradient(choice: Choice, problem: Problem) -> Gradient:
    return sized_gradient(
        problem,
        width=choice.width,
        depth=choice.depth,
        batch=choice.batch,
        steps=STEPS if choice.steps is None else choice.steps,
        activation=choice.activation_or(jnp.tanh),
        scale="auto" if choice.scale is None else choice.scale,
    )


def _rival(choice: Choice, problem: Problem, key: PRNGKeyArray) -> MLP:
    """A vanilla network, Fourier features or SIREN of the default sizes."""
    values = problem.terms["data"].values
    assert values is not None
    dim, out = problem.dim, values.shape[1]
    width = WIDTH if choice.width is None else choice.width
    activation = choice.activation_or(jnp.tanh)
    first_key, rest_key = jr.split(key)
    match choice.method:
        case "siren":
            omega = 30.0 if choice.scale is None else choice.scale
            depth = DEPTH if choice.depth is None else choice.depth
            return siren(dim, out, width=width, depth=depth, omega=omega, key=key)
        case "fourier":
            sigmas = (1.0, 10.0) if choice.scale is None else (choice.scale / (2 * np.pi),)
            first = FourierFeatures(dim, width + width % 2, sigmas=sigmas, key=first_key)
        case _:
            first = Linear(dim, width, activation=activation, key=first_key)
    return MLP(first, out, hidden=choice.hidden(), activation=activation, key=rest_key)


def _require_consistent(choice: Choice) -> None:
    rival = choice.method in ("vanilla", "fourier", "siren")
    if rival and choice.solver in ("windows", "least-squares", "radial"):
        raise ValueError(
            f"`--solver {choice.solver}` is for RepNet; --method {choice.method} is trained with "
            "`--solver gradient`."
        )
    if choice.method == "vanilla" and choice.scale is not None:
        raise ValueError(
            f"`--scale` must be auto for --method vanilla, which has none; got {choice.scale:g}."
        )
    if choice.method == "siren" and choice.activation not in ("auto", "sin"):
        raise ValueError(
            f"`--activation` must be auto or sin for --method siren; got {choice.activation!r}."
        )
    if choice.solver == "radial":
        _require_no_layer(choice)
    if not choice.trains:
        for name in ("steps", "batch", "depth"):
            value = getattr(choice, name)
            if value is not None and (name != "depth" or value > 1):
                raise ValueError(
                    f"`--{name}` is for `--solver gradient`; --solver {choice.solver} has no such "
                    f"thing, got {value}."
                )


def _require_no_layer(choice: Choice) -> None:
    """Refuse what is said of a first layer: radial units have places and a width of their own."""
    given = {
        "activation": None if choice.activation == "auto" else choice.activation,
        "scale": choice.scale,
        "width": choice.width,
    }
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"`--{name}` must be left out with `--solver radial`, whose units have no such "
                f"thing; got {value!r}."
            )
