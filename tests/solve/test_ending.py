"""When a training starts its last steps anew."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from repnet.nn import MLP, Linear
from repnet.problem import Box, Problem, Term
from repnet.solve._ending import unsolved
from repnet.solve._loop import trainable


@pytest.mark.slow
@pytest.mark.parametrize(("share", "said"), [(0.0, True), (0.2, True), (0.9, False), (1.0, False)])
def test_a_network_that_is_mostly_there_is_no_fresh_start(share, said):
    """A residual is compared with the terms that make it up, so its unit is no matter."""
    truth = MLP(Linear(1, 8, key=jr.key(0)), 1, hidden=(), key=jr.key(1))

    def equation(u, x, unknowns):
        return 1e3 * u(x) - 1e3 * jax.vmap(truth)(x[None])[0]

    problem = Problem(Box(-1.0, 1.0), {"equation": Term(equation)})
    network = eqx.tree_at(
        lambda n: n.readout, truth, jax.tree.map(lambda a: jnp.asarray(share) * a, truth.readout)
    )
    parameters, rest, _ = trainable(network, problem.unknowns)
    assert unsolved(problem, parameters, rest, jr.key(2)) is said
