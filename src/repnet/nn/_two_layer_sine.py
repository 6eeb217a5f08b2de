"""The two-layer multi-scale sine network, of which the theory of spectral diffusion speaks."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._check import check_choice, check_count
from repnet.nn._derivatives import Jet, Stage
from repnet.nn._laws import Law, Normal, Uniform
from repnet.nn._mlp import MLP, Dense, with_layers
from repnet.nn._mscale_linear import MscaleLinear
from repnet.nn._random import as_jax
from repnet.nn._scales import DRAWS, Numbers, check_scales, draw_cube, share_out


class TwoLayerSine(eqx.Module):
    r"""The multi-scale network of the theory, of one output.

    $$f(x) = N^{-1/2} \sum_{j=1}^N a_j \sin(\alpha_j\,w_j\cdot x + b_j)$$

    The scales $\alpha_j$ are constants; $a$, $w$ and $b$ are trained. With `paired` units, unit
    $j + N/2$ has the weight and bias of unit $j$ and the opposite amplitude, so that the network
    starts at zero everywhere and keeps the tangent kernel of $N$ units.

    **Arguments:**

    - `in_size`: number of inputs $d$.
    - `units`: $N$, all scales and both halves of the pairs together.
    - `scales`: the values that $\alpha_j$ takes.
    - `shares`: share of the units at each scale, summing to 1; `None` is even. Numbers of units
      are rounded, the sum is kept. Units of one scale stand together in each half.
    - `weight`, `bias`, `amplitude`: laws of $w$, $b$, $a$: `Normal`, `Uniform`, `Signs`,
      `Constant`, or any map of uniform numbers in $(0, 1)$ to values, shape kept; the shapes are
      `(count, dim)`, `(count,)` and `(count,)`.
    - `draw`: `"random"` for independent units; `"sobol"` for one shifted Sobol sequence of
      $(w, b, a)$ per scale, whose kernel is much nearer that of infinitely many units.
    - `paired`: antisymmetric pairs; `units` must be even.

    **Returns:** a network `(in_size,) -> (1,)`; `values` evaluates many points at once.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025 for the network; laws, draws and pairs: this
    project.

    >>> network = TwoLayerSine(2, 64, scales=(1.0, 4.0), key=jax.random.key(0))
    >>> network(jnp.ones(2)).tolist(), network.scale[jnp.array([0, 16])].tolist()
    ([0.0], [1.0, 4.0])
    """

    amplitude: Float[Array, " units"]  # a
    weight: Float[Array, "units dim"]  # w
    bias: Float[Array, " units"]  # b
    scale: Float[Array, " units"]  # α, a constant

    def __init__(
        self,
        in_size: int,
        units: int,
        *,
        scales: Numbers = (1.0,),
        shares: Numbers | None = None,
        weight: Law = Normal(1.0),
        bias: Law = Uniform(-math.pi, math.pi),
        amplitude: Law = Normal(1.0),
        draw: str = "random",
        paired: bool = True,
        key: PRNGKeyArray,
    ):
        check_count("TwoLayerSine", "in_size", in_size)
        check_count("TwoLayerSine", "units", units)
        check_choice("TwoLayerSine", "draw", draw, DRAWS)
        if paired and units % 2:
            raise ValueError(
                f"`TwoLayerSine(units=...)` must be even for pairs of units; got {units}."
            )
        drawn = units // 2 if paired else units
        levels = check_scales("TwoLayerSine", scales)
        counts = share_out("TwoLayerSine", drawn, levels, shares)
        u = as_jax(draw_cube(counts, in_size + 2, draw, key))
        arrays = _parameters((weight, bias, amplitude), u, counts, levels, paired)
        self.amplitude, self.weight, self.bias, self.scale = arrays

    @property
    def in_size(self) -> int:
        """Number of inputs."""
        return self.weight.shape[-1]

    @property
    def out_size(self) -> int:
        """Number of outputs: one."""
        return 1

    @property
    def units(self) -> int:
        """Number of units $N$."""
        return self.weight.shape[-2]

    def affine(self) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        r"""Weights $\alpha_j w_j$ and biases $b_j$ of the sines' arguments."""
        return jax.lax.stop_gradient(self.scale)[:, None] * self.weight, self.bias

    def features(self, x: Float[Array, " dim"]) -> Float[Array, " units"]:
        r"""$N^{-1/2}\sin(\alpha_j w_j\cdot x + b_j)$, of which the output is linear."""
        weight, bias = self.affine()
        return jnp.sin(x @ weight.T + bias) / self.units**0.5

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return (self.amplitude @ self.features(x))[None]

    def values(self, points: Float[Array, "points dim"]) -> Float[Array, " points"]:
        """The output at many points."""
        weight, bias = self.affine()
        return jnp.sin(points @ weight.T + bias) @ self.amplitude / self.units**0.5

    @property
    def first(self) -> MscaleLinear:
        """The units as a first layer, without the factor $N^{-1/2}$."""
        return MscaleLinear.of(self.weight, self.bias, self.scale)

    def as_mlp(self) -> MLP:
        """The same function as an `MLP` without hidden layers, whose read-out can be solved for."""
        readout = Dense(self.amplitude[None] / self.units**0.5, jnp.zeros(1, self.bias.dtype))
        return with_layers(self.first, (), readout, jnp.sin)

    def jet(self, x: Float[Array, " dim"]) -> Jet:
        """The derivatives at one point, computed as they are asked for."""
        readout = self.amplitude[None] / self.units**0.5, jnp.zeros(1, self.bias.dtype)
        return Jet(Stage(self.affine(), jnp.sin), [Stage(readout, None)], x)

    def learning_rates(self) -> "TwoLayerSine":
        """A network of multipliers: 1, and 0 for the scales."""
        return eqx.tree_at(
            lambda n: (n.amplitude, n.weight, n.bias, n.scale), self, (1.0, 1.0, 1.0, 0.0)
        )


# Compiled as a whole: built piece by piece, the first network of a session takes seconds.
@eqx.filter_jit
def _parameters(
    laws: tuple[Law, Law, Law],
    u: Float[Array, "units cube"],
    counts: tuple[int, ...],
    levels: tuple[float, ...],
    paired: bool,
) -> tuple[Array, Array, Array, Array]:
    weight_law, bias_law, amplitude_law = laws
    dim = u.shape[1] - 2
    weight, bias = weight_law(u[:, :dim]), bias_law(u[:, dim])
    amplitude = amplitude_law(u[:, dim + 1])
    scale = jnp.asarray(np.repeat(levels, counts), dtype=u.dtype)
    if not paired:
        return amplitude, weight, bias, scale
    weight, bias, scale = (jnp.concatenate([each, each]) for each in (weight, bias, scale))
    return jnp.concatenate([amplitude, -amplitude]), weight, bias, scale
