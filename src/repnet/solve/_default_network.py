"""The network that gradient descent trains where none is given."""

from functools import partial
from typing import TYPE_CHECKING, Any

import jax.random as jr
from jaxtyping import PRNGKeyArray

from repnet.nn import MLP, RepNet
from repnet.nn._check import PerAxis
from repnet.problem import Problem
from repnet.solve._directions import DirectionChoices, Directions, direction_choices
from repnet.solve._equation_scale import equation_scale
from repnet.solve._scale_search import find_scale
from repnet.solve._training import is_regression

if TYPE_CHECKING:
    from repnet.solve._gradient import Gradient


def default_network(
    solver: "Gradient", problem: Problem, *, key: PRNGKeyArray
) -> tuple[MLP, tuple[str, ...], dict[str, Any]]:
    """The `RepNet` that a solver trains where no network is given, and why it has its scale."""
    network_key, search_key = jr.split(key)
    regression = is_regression(problem)
    features = solver.features
    if features == "auto":  # equations of second order want steps
        features = "local" if regression else "plain"

    def make(directions: Directions, key: PRNGKeyArray, scale: PerAxis) -> MLP:
        return RepNet(
            problem.dim,
            problem.out_size,
            width=solver.width,
            hidden=tuple(solver.hidden),
            scale=scale,
            activation=solver.activation,
            features=features,
            directions=directions,
            key=key,
        )

    given = None if isinstance(solver.scale, str) else solver.scale
    choices = direction_choices(
        problem,
        solver.directions if given is None else _plain(solver.directions),
        solver.width,
        activation=solver.activation,
        features=features,
        key=jr.fold_in(search_key, 1),
    )
    if not regression or given is not None:
        (directions,) = choices.directions.values()
        if given is not None:
            return make(directions, network_key, given), _said(choices), {}
        choice = equation_scale(problem, features=features, key=search_key)
        network = make(directions, network_key, choice.scale)
        return network, choice.reasons, choice.numbers
    variants = {name: partial(make, each) for name, each in choices.directions.items()}
    name, choice = find_scale(
        problem,
        variants,
        activation=solver.activation,
        features=features,
        steps=solver.steps,
        batch=solver.batch,
        guesses=choices.guesses,
        key=search_key,
    )
    network = make(choices.directions[name], network_key, choice.scale)
    return network, choice.reasons, choice.numbers


def _plain(directions: str) -> str:
    return "mixed" if directions == "auto" else directions


def _said(choices: DirectionChoices) -> tuple[str, ...]:
    return (choices.reason,) if choices.reason else ()
