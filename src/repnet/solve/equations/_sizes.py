"""How large the parts of an equation are: the yardstick of its residual."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state
from jaxtyping import Array, Float

from repnet.problem._jet import Jet, Shared, jet_of
from repnet.solve.equations._rows import as_vector


class _Tapped:
    """A field that hands out its values and derivatives with a perturbation added to each."""

    def __init__(self, u: Callable, shifts: list[Array] | None):
        self.u, self.shifts = u, shifts
        self.seen: list[Array] = []
        self.inside = False  # whether it was asked inside of another transformation
        self._trace = get_opaque_trace_state()

    def tap(self, value: Array) -> Array:
        """Note a value, and shift it if shifts are given."""
        if get_opaque_trace_state() != self._trace:  # it would not outlive that transformation
            self.inside = True
            return value
        place = len(self.seen)
        self.seen.append(value)
        return value if self.shifts is None else value + self.shifts[place]

    def __call__(self, x: Array) -> Array:
        return self.tap(self.u(x))

    def jet(self, x: Array) -> "_TappedJet":
        """Derivatives at a point, tapped."""
        return _TappedJet(self, jet_of(self.u, x))


class _TappedJet:
    def __init__(self, field: _Tapped, jet: Jet):
        self.field, self.inner = field, jet

    def derivative(self, *directions: Any) -> Array:
        return self.field.tap(self.inner.derivative(*directions))

    def laplacian(self, seeds: Any) -> Array:
        return self.field.tap(self.inner.laplacian(seeds))


def parts(
    residual: Callable, u: Callable, x: Array, unknowns: Any
) -> Float[Array, " equations"] | None:
    r"""The sum of the absolute terms of a residual at one point.

    With $D_k u$ the values and derivatives that the residual asks of the field,
    $\sum_k |\partial r/\partial(D_k u)\, D_k u| + |r - \sum_k \partial r/\partial(D_k u)\,D_k u|$:
    for $\Delta u + k^2 u - f$ it is $|\Delta u| + |k^2 u| + |f|$.

    **Returns:** `None` where the field is asked inside of `jax.grad` or the like.

    **Source:** this project.
    """
    first = _Tapped(Shared(u), None)
    value = as_vector(residual(first, x, unknowns))
    if first.inside:
        return None
    if not first.seen:  # an equation of the unknowns alone has no such yardstick
        return jnp.full_like(value, jnp.inf)
    seen = [jax.lax.stop_gradient(part) for part in first.seen]
    shifts = [jnp.zeros_like(part) for part in seen]
    slopes = jax.jacfwd(lambda s: as_vector(residual(_Tapped(Shared(u), s), x, unknowns)))(shifts)
    return absolute(
        value,
        [(slope * part).reshape(value.size, -1) for slope, part in zip(slopes, seen, strict=True)],
    )


def absolute(
    value: Float[Array, " equations"], products: Sequence[Float[Array, "equations _"]]
) -> Float[Array, " equations"]:
    """The sum of absolute parts: products of slopes and what they are by, and what these leave."""
    linear = sum((product.sum(axis=1) for product in products), jnp.zeros(value.size))
    total = sum((jnp.abs(product).sum(axis=1) for product in products), jnp.zeros(value.size))
    return total + jnp.abs(value - linear)
