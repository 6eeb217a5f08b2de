"""Two-layer sine networks of several scales, as their infinitely wide limit sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import Normal, Signs, TwoLayerSine
from repnet.nn._check import check_choice, check_count, check_positive
from repnet.nn._scales import check_scales
from repnet.theory._laws import AbstractWeights, NormalBias, NormalWeights, UniformBias

GROUPS = ("amplitude", "weight", "bias")
"""The parameter groups a, w and b of a sine network."""


@dataclass(frozen=True)
class SineEnsemble:
    r"""The law of a two-layer sine network $N^{-1/2}\sum_j a_j\sin(\alpha_jw_j\cdot x + b_j)$.

    A share $m_s$ of the $N$ units has the scale $\alpha_s$. Under gradient flow on
    $\tfrac12\int (f-g)^2$, the error $e = f - g$ of an infinitely wide network on an infinite
    domain obeys, in frequency and for its even and its odd part on its own,

    $$\partial_t\hat e = -c_R R\,\hat e + c_W \nabla\cdot(D\nabla\hat e),\quad
    R = \sum_s m_s\hat k_s,\quad D = \sum_s m_s\alpha_s^2\hat k_s$$

    with $\hat k_s$ the transform of the law of $\alpha_s w$, and with $q = \mathbb E\cos 2b$

    | part | $c_R$ | $c_W$ |
    |---|---|---|
    | even | $\tfrac12(1-q) + \tfrac12\sigma_a^2(1+q)$ | $\tfrac12\sigma_a^2(1-q)$ |
    | odd | $\tfrac12(1+q) + \tfrac12\sigma_a^2(1-q)$ | $\tfrac12\sigma_a^2(1+q)$ |

    The first term of $c_R$ is the training of $a$, the second that of $b$; $c_W$ is that of $w$.

    **Arguments:**

    - `scales`: $\alpha_s$, positive.
    - `shares`: $m_s$, positive, of sum 1; left out, all alike.
    - `weights`: the law of $w$; `bias`: that of $b$.
    - `amplitude`: $\sigma_a$, root mean square of $a$.
    - `dim`: number of inputs.
    - `trained`: the groups that training moves; the others' terms vanish.
    - `scaled`: whether the trained weight is $w$, with $\alpha$ outside. If it is the product
      $\alpha w$, the factor $\alpha_s^2$ drops out of $D$.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025 for the diffusion equation of the uniform
    bias; both parities, all bias laws and frozen groups are this project's.

    >>> SineEnsemble((1.0, 8.0)).coefficients("even")
    (1.0, 0.5)
    """

    scales: Sequence[float] = (1.0,)
    shares: Sequence[float] | None = None
    weights: AbstractWeights = field(default_factory=NormalWeights)
    bias: UniformBias | NormalBias = field(default_factory=UniformBias)
    amplitude: float = 1.0
    dim: int = 1
    trained: Sequence[str] = GROUPS
    scaled: bool = True

    def __post_init__(self) -> None:
        scales = check_scales("SineEnsemble", self.scales)
        check_positive("SineEnsemble", "amplitude", self.amplitude)
        check_count("SineEnsemble", "dim", self.dim)
        for group in self.trained:
            check_choice("SineEnsemble", "trained", group, GROUPS)
        shares = (1 / len(scales),) * len(scales) if self.shares is None else tuple(self.shares)
        check_positive("SineEnsemble", "shares", shares)
        if len(shares) != len(scales) or abs(sum(shares) - 1.0) > 1e-6:
            raise ValueError(
                "`SineEnsemble(shares=...)` must hold one share per scale, of sum 1; got"
                f" {len(shares)} of sum {sum(shares):.6g} for {len(scales)} scales."
            )
        object.__setattr__(self, "scales", scales)
        object.__setattr__(self, "shares", shares)

    @property
    def mixture(self) -> list[tuple[float, float]]:
        r"""The pairs $(m_s, \alpha_s)$."""
        return list(zip(self.shares or (), self.scales, strict=True))

    @property
    def reach(self) -> float:
        """The frequency beyond which $R$ and $D$ have died out."""
        return max(self.scales) * self.weights.reach

    def reaction(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        r"""$R$ at frequencies of length $|\xi|$."""
        return sum((m * self._transform(xi, a) for m, a in self.mixture), np.zeros(np.shape(xi)))

    def diffusion(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        r"""$D$ at frequencies of length $|\xi|$."""
        factors = [(m * (a * a if self.scaled else 1.0), a) for m, a in self.mixture]
        return sum((f * self._transform(xi, a) for f, a in factors), np.zeros(np.shape(xi)))

    def coefficients(self, parity: str) -> tuple[float, float]:
        """$c_R$ and $c_W$ of the `"even"` or the `"odd"` part of the error."""
        check_choice("SineEnsemble.coefficients", "parity", parity, ("even", "odd"))
        q = self.bias.q if parity == "even" else -self.bias.q
        energy = self.amplitude**2
        of_a = 0.5 * (1.0 - q) * ("amplitude" in self.trained)
        of_b = 0.5 * energy * (1.0 + q) * ("bias" in self.trained)
        return of_a + of_b, 0.5 * energy * (1.0 - q) * ("weight" in self.trained)

    def kernel(
        self, x: Float[np.ndarray, "rows dim"], y: Float[np.ndarray, "columns dim"]
    ) -> Float[np.ndarray, "rows columns"]:
        r"""The tangent kernel of the infinitely wide network, on any domain.

        $$\Theta(x,y) = \tfrac12\sum_s m_s\{k_s(x-y)[1 + \sigma_a^2 + \sigma_a^2\alpha_s^2 x\cdot y]
        + q\,k_s(x+y)[-1 + \sigma_a^2 + \sigma_a^2\alpha_s^2 x\cdot y]\}$$

        with the terms of the groups that are trained.
        """
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if x.shape[1:] != (self.dim,) or y.shape[1:] != (self.dim,):
            raise ValueError(
                f"`SineEnsemble.kernel(x=..., y=...)` must have shape (points, {self.dim}); got"
                f" {x.shape} and {y.shape}."
            )
        of_a, of_b = ("amplitude" in self.trained), self.amplitude**2 * ("bias" in self.trained)
        of_w = self.amplitude**2 * ("weight" in self.trained) * (x @ y.T)
        minus, plus = x[:, None] - y[None], x[:, None] + y[None]
        total = np.zeros((len(x), len(y)))
        for share, scale in self.mixture:
            moving = of_b + of_w * (scale**2 if self.scaled else 1.0)
            total += share * self.weights.characteristic(scale * minus) * (moving + of_a)
            if self.bias.q:
                reflected = self.weights.characteristic(scale * plus)
                total += share * self.bias.q * reflected * (moving - of_a)
        return 0.5 * total

    def draw(
        self,
        units: int,
        *,
        draw: str = "sobol",
        signs: bool = True,
        paired: bool = True,
        key: PRNGKeyArray,
    ) -> TwoLayerSine:
        r"""A network of this law.

        Where the trained weight is the product $\alpha w$ (`scaled=False`), so is the network's,
        whose scales are then 1.

        **Arguments:** `units`: $N$; `draw`: `"sobol"` or `"random"`; `signs`: amplitudes
        $\pm\sigma_a$ rather than normal ones; `paired`: antisymmetric pairs of units, so that the
        network starts at zero everywhere.
        """
        amplitude = (Signs if signs else Normal)(self.amplitude)
        network = TwoLayerSine(
            self.dim,
            units,
            scales=self.scales,
            shares=self.shares,
            weight=self.weights.law,
            bias=self.bias.law,
            amplitude=amplitude,
            draw=draw,
            paired=paired,
            key=key,
        )
        return network if self.scaled else _folded(network)

    def _transform(self, xi: np.ndarray, scale: float) -> np.ndarray:
        return self.weights.transform(np.asarray(xi) / scale, self.dim) / scale**self.dim


def _folded(network: TwoLayerSine) -> TwoLayerSine:
    product = network.scale[:, None] * network.weight
    ones = jnp.ones_like(network.scale)
    return eqx.tree_at(lambda n: (n.weight, n.scale), network, (product, ones))
