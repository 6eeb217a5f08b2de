"""Weights of the terms of a loss: equal, given, or balanced during the training."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from repnet.problem import Problem
from repnet.solve._loss import TermData, Training, mean_square, residuals

BALANCES = ("equal", "gradient_norm", "ntk")
_KEEP = 0.9  # of the old weights at each update
_ROWS = 64  # points per term at which the tangent kernel's diagonal is taken

Weights = str | Mapping[str, float]


def check_weights(weights: Weights, problem: Problem | None = None) -> None:
    """**Raises:** `ValueError` for an unknown name, or a number that is not one."""
    if isinstance(weights, str):
        if weights not in BALANCES:
            raise ValueError(
                f"`Gradient(weights=...)` must be one of {', '.join(BALANCES)} or a number per "
                f"term; got {weights!r}."
            )
        return
    for name, weight in weights.items():
        if not (np.isfinite(weight) and weight >= 0.0):
            raise ValueError(
                f"`Gradient(weights=...)` must be finite and >= 0; term {name!r} has {weight}."
            )
        if problem is not None and name not in problem.terms:
            raise ValueError(
                f"`Gradient(weights=...)` names the term {name!r}; the problem's are "
                f"{', '.join(sorted(problem.terms))}."
            )


def given_weight(weights: Weights, name: str) -> float:
    """The weight that a term starts with; 1 where the user says nothing of it."""
    return 1.0 if isinstance(weights, str) else float(weights.get(name, 1.0))


def balanced(
    kind: str,
    training: Training,
    parameters: PyTree,
    rest: PyTree,
    *,
    first: bool,
) -> tuple[TermData, ...]:
    r"""The terms with new weights, $\lambda_i \leftarrow 0.9 \lambda_i + 0.1 \hat\lambda_i$.

    - `"gradient_norm"`: $\hat\lambda_i = \sum_j |\nabla L_j| \,/\, |\nabla L_i|$, so that all
      terms pull equally.
    - `"ntk"`: $\hat\lambda_i = \sum_j \operatorname{tr} K_j / \operatorname{tr} K_i$ with
      $\operatorname{tr} K_i$ the mean square of the residual's derivatives by the parameters, so
      that all terms fall equally fast.

    The first update takes $\hat\lambda$ itself.

    **Source:** Wang, Teng and Perdikaris 2021; Wang, Yu and Perdikaris 2022; in this form Wang,
    Sankaran, Wang and Perdikaris 2023, section 5.
    """
    measure = _gradient_norms if kind == "gradient_norm" else _traces
    sizes = np.asarray(measure(parameters, rest, training), np.float64)
    if not np.all(np.isfinite(sizes)) or np.any(sizes <= 0.0):
        return training.terms
    target = sizes.sum() / sizes
    keep = 0.0 if first else _KEEP
    return tuple(
        replace(
            term, weight=jnp.asarray(keep * term.weight + (1.0 - keep) * new, term.weight.dtype)
        )
        for term, new in zip(training.terms, target, strict=True)
    )


@eqx.filter_jit
def _gradient_norms(parameters: PyTree, rest: PyTree, training: Training) -> Float[Array, " terms"]:
    def norm(term: TermData) -> Array:
        slope = jax.grad(lambda p: mean_square(term, eqx.combine(p, rest), training))(parameters)
        return jnp.sqrt(_square(slope))

    return jnp.stack([norm(term) for term in training.terms])


@eqx.filter_jit
def _traces(parameters: PyTree, rest: PyTree, training: Training) -> Float[Array, " terms"]:
    def trace(term: TermData) -> Array:
        every = max(1, len(term.points) // _ROWS)
        values = None if term.values is None else term.values[::every]
        some = replace(term, points=term.points[::every], values=values)
        rows = jax.jacrev(lambda p: residuals(some, eqx.combine(p, rest), training))(parameters)
        return _square(rows) / len(some.points)

    return jnp.stack([trace(term) for term in training.terms])


def _square(tree: PyTree) -> Float[Array, ""]:
    return jnp.sum(jnp.stack([jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)]))
