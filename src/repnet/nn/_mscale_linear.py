"""The multi-scale first layer: units at several fixed scales of the input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._activation import Activation, family
from repnet.nn._check import PerAxis, check_count, check_positive, per_axis
from repnet.nn._first import AbstractFirstLayer
from repnet.nn._laws import Law, Normal, Uniform
from repnet.nn._random import as_jax
from repnet.nn._scales import Numbers, check_scales, draw_cube, share_out

_PERIOD = Uniform(-np.pi, np.pi)


class MscaleLinear(AbstractFirstLayer):
    r"""The first layer of a multi-scale network: $h_j(x) = \varphi(\alpha_j\,w_j\cdot x + b_j)$.

    The scales $\alpha_j$ are constants, $w$ and $b$ are trained. Units of one scale stand together.
    All are drawn from one shifted Sobol sequence per scale.

    **Arguments:**

    - `width`: units of all scales together.
    - `scales`: the values that $\alpha_j$ takes; `shares`: the share of units of each, even by
      default.
    - `weight`: law of $w$, see `TwoLayerSine`.
    - `bias`: law of $b$; `None` is uniform on a period for sine and for shared units; for every
      other activation the biases are such that the units' hyperplanes pass through points spread
      evenly over the box from `lower` to `upper`: drawn by a law, the planes of large scales would
      crowd at the origin.
    - `shared`: the same $w$ and $b$ at every scale; `width` is then a multiple of the number of
      scales.

    **Raises:** `ValueError` for a count below 1, for `scales` and `shares` that are not finite and
    positive, for `shares` that do not sum to 1 or leave a scale without units, for a `width` that
    `shared` units do not divide, and for a box whose `upper` does not lie above its `lower`.

    **Source:** Liu, Cai and Xu 2020, for scales within one layer; laws and draws: this project.

    >>> layer = MscaleLinear(1, 6, scales=(1.0, 8.0), key=jr.key(0))
    >>> layer(jnp.zeros(1)).shape, layer.scale.tolist()
    ((6,), [1.0, 1.0, 1.0, 8.0, 8.0, 8.0])
    """

    weight: Float[Array, "own dim"]  # as many as units, or as units of one scale if shared
    bias: Float[Array, " own"]
    scale: Float[Array, " width"]  # α, a constant
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        width: int,
        *,
        scales: Numbers,
        shares: Numbers | None = None,
        activation: Activation = jnp.sin,
        weight: Law = Normal(1.0),
        bias: Law | None = None,
        shared: bool = False,
        lower: PerAxis = -1.0,
        upper: PerAxis = 1.0,
        key: PRNGKeyArray,
    ):
        self.in_size = check_count("MscaleLinear", "in_size", in_size)
        self.width = check_count("MscaleLinear", "width", width)
        self.activation = activation
        levels = check_scales("MscaleLinear", scales)
        counts = share_out("MscaleLinear", width, levels, shares)
        if shared and len(set(counts)) > 1:
            raise ValueError(
                "`MscaleLinear(width=...)` must give every scale as many units, for units that they"
                f" share; got {width} for {len(levels)} scales."
            )
        if bias is None and (shared or family(activation) == "sine"):
            bias = _PERIOD
        lower = per_axis("MscaleLinear", "lower", lower, self.in_size)
        upper = per_axis("MscaleLinear", "upper", upper, self.in_size)
        check_positive("MscaleLinear", "upper - lower", upper - lower)
        own = counts[:1] if shared else counts
        box = (lower, upper)
        u = as_jax(draw_cube(own, 2 * self.in_size, "sobol", key))
        self.weight, self.bias, self.scale = _place((weight, bias), u, counts, levels, box)

    @staticmethod
    def of(
        weight: Float[Array, "width dim"],
        bias: Float[Array, " width"],
        scale: Float[Array, " width"],
        activation: Activation = jnp.sin,
    ) -> "MscaleLinear":
        """The layer of these parameters."""
        width, dim = weight.shape
        blank = eqx.filter_eval_shape(
            MscaleLinear, dim, width, scales=1.0, activation=activation, key=jr.key(0)
        )
        return eqx.tree_at(
            lambda layer: (layer.weight, layer.bias, layer.scale), blank, (weight, bias, scale)
        )

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        r"""Weights $\alpha_j w_j$ and biases $b_j$ of the pre-activations."""
        weight, bias = self.weight, self.bias
        repeats = self.width // bias.shape[0]
        if repeats > 1:
            weight, bias = jnp.tile(weight, (repeats, 1)), jnp.tile(bias, repeats)
        return jax.lax.stop_gradient(self.scale)[:, None] * weight, bias

    def unit(self) -> tuple[Activation, None]:
        """The activation of the pre-activations."""
        return self.activation, None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        weight, bias = self.affine()
        return self.activation(x @ weight.T + bias)

    def learning_rates(self) -> "MscaleLinear":
        """A layer of multipliers: 1, and 0 for the scales."""
        return eqx.tree_at(
            lambda layer: (layer.weight, layer.bias, layer.scale), self, (1.0, 1.0, 0.0)
        )


# Compiled as a whole: built piece by piece, the first layer of a session takes seconds.
@eqx.filter_jit
def _place(
    laws: tuple[Law, Law | None],
    u: Float[Array, "units cube"],
    counts: tuple[int, ...],
    levels: tuple[float, ...],
    box: tuple[Array, Array],
) -> tuple[Array, Array, Array]:
    weight_law, bias_law = laws
    lower, upper = box
    dim = lower.shape[0]
    weight = weight_law(u[:, :dim])
    scale = jnp.asarray(np.repeat(levels, counts), dtype=u.dtype)
    if bias_law is not None:
        return weight, bias_law(u[:, dim]), scale
    centre = lower + (upper - lower) * u[:, dim:]
    return weight, -scale * jnp.sum(weight * centre, axis=1), scale
