"""The network that gradient descent trains where none is given."""

from functools import partial
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.random as jr
from jaxtyping import PRNGKeyArray

from repnet.nn import MLP, RepLinear, RepNet
from repnet.nn._activation import family
from repnet.nn._check import PerAxis
from repnet.nn._feature import make_feature
from repnet.problem import Problem
from repnet.solve._directions import DirectionChoices, Directions, direction_choices
from repnet.solve._equation_scale import equation_scale
from repnet.solve._regression import FEW_POINTS, is_regression
from repnet.solve._scale_search import find_scale

if TYPE_CHECKING:
    from repnet.solve._gradient import Gradient

# A network whose first features are small bends no more than the data ask for. Between 33 points of
# ten functions of one input, descent leaves half the error with smooth steps of this size that it
# leaves with steps of mean square 1, and a third more at 0.3; at a tenth hats leave three fifths
# and ramps three quarters of what they leave at mean square 1.
_GENTLE = 0.5
_GENTLE_RELU = 0.1


def default_network(
    solver: "Gradient", problem: Problem, *, key: PRNGKeyArray
) -> tuple[MLP, tuple[str, ...], dict[str, Any]]:
    """The `RepNet` that a solver trains where no network is given, and why it has its scale."""
    network_key, direction_key, search_key = jr.split(key, 3)
    regression = is_regression(problem)
    features = solver.features
    if features == "auto":  # equations of second order want steps
        features = "local" if regression else "plain"

    size = _size(solver, problem, features) if regression else 1.0

    def make(directions: Directions, key: PRNGKeyArray, scale: PerAxis) -> MLP:
        network = RepNet(
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
        if size == 1.0:
            return network
        first = network.first
        assert isinstance(first, RepLinear)
        first = eqx.tree_at(lambda layer: layer.gain, first, size * first.gain)
        return eqx.tree_at(lambda n: n.first, network, first)

    smaller = f"On so few points its features start at {size:g} of their size."
    said = () if size == 1.0 else (smaller,)
    given = None if isinstance(solver.scale, str) else solver.scale
    choices = direction_choices(
        problem,
        solver.directions if given is None else _plain(solver.directions),
        solver.width,
        activation=solver.activation,
        features=features,
        key=direction_key,
    )
    if not regression or given is not None:
        (directions,) = choices.directions.values()
        if given is not None:
            return make(directions, network_key, given), (*_said(choices), *said), {}
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
    return network, (*choice.reasons, *said), choice.numbers


def _plain(directions: str) -> str:
    return "mixed" if directions == "auto" else directions


def _said(choices: DirectionChoices) -> tuple[str, ...]:
    return (choices.reason,) if choices.reason else ()


def _size(solver: "Gradient", problem: Problem, features: str) -> float:
    """What the first features' size at the start is multiplied by."""
    (term,) = problem.terms.values()
    if problem.dim > 1 or len(term.points) > FEW_POINTS:
        return 1.0
    if family(solver.activation) == "relu":
        return _GENTLE_RELU
    return 1.0 if make_feature(features, solver.activation).local else _GENTLE
