"""Units of one slope scale and evenly spread partition points: each frequency learns by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.nn._activation import Activation
from repnet.nn._check import check_choice, check_count, check_positive
from repnet.nn._feature import make_feature
from repnet.theory._activation_transform import slope_transform

REPARAMETERIZED = ("readout", "offset", "slope")
RAW = ("readout", "bias", "weight")


@dataclass(frozen=True)
class SteepEnsemble:
    r"""The law of $u(x) = N^{-1/2}\sum_j a_j\,f(s(\hat n_j\cdot x - t_j))$ at random parameters.

    Offsets $t$ are uniform on $[-T, T]$. In one dimension the tangent kernel of the
    reparameterized network is stationary far from the ends: there is no diffusion, and a
    frequency $\xi$ decays at the rate $\lambda(\xi)$ under gradient flow on
    $\tfrac12\int(u-g)^2$. With $P$ the transform of $f'$ and $\kappa = \xi/s$,

    $$2T\lambda = \underbrace{|P(\kappa)|^2/\xi^2}_{a}
    + \underbrace{\sigma_a^2|P(\kappa)|^2}_{t}
    + \underbrace{\sigma_a^2|P'(\kappa)|^2/s^4}_{s}$$

    For tanh, with $y = \pi\xi/2s$, the terms are $(4/\xi^2)(y/\sinh y)^2$,
    $4\sigma_a^2(y/\sinh y)^2$ and $\sigma_a^2(\pi^2/s^4)((\sinh y - y\cosh y)/\sinh^2 y)^2$; for
    ReLU $s^2/\xi^4$, $\sigma_a^2s^2/\xi^2$ and $\sigma_a^2/\xi^4$. With raw parameters
    $z = wx + b$ the term of the bias is that of $t$ over $s^2$, and the weight's is a diffusion
    $D = \sigma_a^2|P|^2/(2Ts^2)$. In $d$ dimensions, directions being uniform and frozen, the
    rate is $2(2\pi)^{d-1}\lambda(|\xi|)/(|S^{d-1}||\xi|^{d-1})$.

    It has the methods of a spectral model, so `spectral_diffusion` takes it.

    **Arguments:**

    - `scale`: $s$, radians per unit length.
    - `span`: $T$.
    - `activation`, `features`: as of `RepLinear`; `gain`: a factor on the feature.
    - `amplitude`: $\sigma_a$.
    - `trained`: the groups that move, with multipliers of the learning rate: of `readout`,
      `offset` and `slope` (the slope $s$ itself), or raw: of `readout`, `bias` and `weight`.
    - `dim`: number of inputs; above 1, only `readout` and `offset` may be trained.

    **Raises:** `ValueError` for numbers that are not finite and positive, unknown features, and
    `trained` groups that are unknown, of both kinds of unit, have a multiplier below 0, or, in
    several dimensions, are others than `readout` and `offset`.

    **Source:** this project.

    >>> SteepEnsemble(16.0, span=4.0).rate(np.array([4.0, 32.0])).round(3).tolist()
    [0.505, 0.037]
    """

    scale: float
    span: float
    activation: Activation = jnp.tanh
    features: str = "plain"
    gain: float = 1.0
    amplitude: float = 1.0
    trained: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(REPARAMETERIZED, 1.0)
    )
    dim: int = 1

    def __post_init__(self) -> None:
        for name in ("scale", "span", "gain", "amplitude"):
            check_positive("SteepEnsemble", name, getattr(self, name))
        check_count("SteepEnsemble", "dim", self.dim)
        make_feature(self.features, self.activation)
        _check_groups(self.trained)
        if self.dim > 1 and set(self.trained) - {"readout", "offset"}:
            raise ValueError(
                "`SteepEnsemble(trained=...)` may hold only 'readout' and 'offset' in several"
                f" dimensions, where other groups turn the kernel; got {sorted(self.trained)}."
            )

    @property
    def reach(self) -> float:
        """The frequency beyond which smooth units answer little."""
        return 5.0 * self.scale

    def channels(self, xi: Float[np.ndarray, "..."]) -> dict[str, Float[np.ndarray, "..."]]:
        r"""What each trained group adds to $\lambda$ at frequencies of length $|\xi|$ > 0.

        Without `weight`, whose part is the diffusion.
        """
        xi = np.asarray(xi, np.float64)
        transform, rise = slope_transform(self._feature, xi / self.scale)
        energy = self.amplitude**2
        terms = {
            "readout": np.abs(transform) ** 2 / xi**2,
            "offset": energy * np.abs(transform) ** 2,
            "slope": energy * np.abs(rise) ** 2 / self.scale**4,
            "bias": energy * np.abs(transform) ** 2 / self.scale**2,
        }
        factor = self.gain**2 / (2.0 * self.span) * self._turned(xi)
        return {
            group: rate * factor * terms[group]
            for group, rate in self.trained.items()
            if group in terms
        }

    def rate(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        r"""$\lambda(\xi)$, the rate at which the error at a frequency decays."""
        return sum(self.channels(xi).values(), np.zeros(np.shape(xi)))

    def reaction(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        r"""$R = \lambda$."""
        return self.rate(xi)

    def diffusion(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """$D$, of raw weights alone."""
        rate = self.trained.get("weight", 0.0)
        if not rate:
            return np.zeros(np.shape(xi))
        kappa = np.maximum(np.abs(xi), 1e-9) / self.scale
        transform, _ = slope_transform(self._feature, kappa)
        factor = rate * (self.gain * self.amplitude / self.scale) ** 2 / (2.0 * self.span)
        return factor * np.abs(transform) ** 2

    def coefficients(self, parity: str) -> tuple[float, float]:
        """$c_R$ and $c_W$: 1 and 1, of either parity."""
        check_choice("SteepEnsemble.coefficients", "parity", parity, ("even", "odd"))
        return 1.0, 1.0

    @property
    def _feature(self):
        return make_feature(self.features, self.activation)

    def _turned(self, xi: np.ndarray) -> np.ndarray | float:
        if self.dim == 1:
            return 1.0
        sphere = 2.0 * np.pi ** (self.dim / 2) / scipy.special.gamma(self.dim / 2)
        return 2.0 * (2.0 * np.pi / xi) ** (self.dim - 1) / sphere


def _check_groups(trained: Mapping[str, float]) -> None:
    for group, rate in trained.items():
        check_choice("SteepEnsemble", "trained", group, dict.fromkeys(REPARAMETERIZED + RAW))
        if not 0.0 <= rate < float("inf"):
            raise ValueError(
                "`SteepEnsemble(trained=...)` must hold multipliers that are finite and >= 0; got"
                f" {rate!r} of {group!r}."
            )
    if not (set(trained) <= set(REPARAMETERIZED) or set(trained) <= set(RAW)):
        raise ValueError(
            f"`SteepEnsemble(trained=...)` must be groups of one kind of unit, {REPARAMETERIZED}"
            f" or raw {RAW}; got {tuple(trained)}."
        )
