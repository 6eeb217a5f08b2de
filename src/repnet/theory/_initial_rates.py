"""How fast each frequency begins to be learnt: measured on a network, and by formula."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP, RepLinear
from repnet.nn._check import check_positive
from repnet.nn._forms import SlopeForm
from repnet.theory._ntk import trained_parameters
from repnet.theory._steep import SteepEnsemble
from repnet.theory._waves import WindowedWaves

_POINTS_PER_WAVE = 16


def initial_rates(
    network: Callable,
    waves: Sequence[float],
    *,
    window: float,
    where: Callable[[Any], Any] | None = None,
) -> Float[np.ndarray, " waves"]:
    r"""The rates at which a network of one input begins to learn windowed waves.

    For $g(x) = e^{-x^2/2\ell^2}\sin(kx+\varphi)$, averaged over two phases, under gradient flow on
    $\tfrac12\int(u-g)^2$:

    $$\lambda_k = -\frac{d}{dt}\ln\|e\| = \frac{\sum_p(\int \partial_pu\,g)^2}{\int g^2}$$

    **Arguments:**

    - `network`: any network `(1,) -> (1,)`.
    - `waves`: $k$, radians per unit length.
    - `window`: $\ell$; the waves reach about $4\ell$.
    - `where`: the parameters that are trained; left out, all.

    **Returns:** one rate per wave.

    **Source:** this project.
    """
    check_positive("initial_rates", "waves", waves)
    chosen, rest = eqx.partition(network, trained_parameters(network, where))
    reach = 5.0 * window
    count = int(np.ceil(2 * reach * max(waves) / (2 * np.pi) * _POINTS_PER_WAVE)) + 256
    step = 2 * reach / count
    x = ((np.arange(count) + 0.5) * step - reach)[:, None]
    found = np.zeros(len(waves))
    with jax.enable_x64(True):
        chosen = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, np.float64)), chosen)
        for phase in (0.0, np.pi / 2):
            for index, wave in enumerate(waves):
                g = WindowedWaves((wave,), window, phases=(phase,))(x)
                square = _slope_square(chosen, rest, jnp.asarray(x), jnp.asarray(g))
                found[index] += 0.5 * float(square) * step / np.sum(g**2)
    return found


@eqx.filter_jit
def _slope_square(
    chosen: Any, rest: Any, x: Float[Array, "points dim"], g: Float[Array, " points"]
) -> Float[Array, ""]:
    r"""$|J^\top g|^2$, with $J$ the derivatives of the values at the points."""
    _, pull = jax.vjp(lambda p: jax.vmap(eqx.combine(p, rest))(x)[:, 0], chosen)
    (slopes,) = pull(g)
    return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(slopes)), jnp.zeros(()))


def steep_ensemble(network: MLP, *, rates: bool = False) -> SteepEnsemble:
    r"""The ensemble that a one-input RepNet without hidden layers is a draw of.

    The read-out's own weights $W$ are what is trained, and $u = \sum_j W_jh_j$, so the multiplier
    of `readout` is the number of units and $\sigma_a^2$ is that number times the mean of $W^2$;
    that of `slope` is $s^2$, since $g$ is the slope's logarithm.

    **Arguments:** `rates`: include the layer's multipliers of the learning rate.

    **Raises:** `ValueError` where the closed form does not cover the network: hidden layers,
    several inputs or outputs, a first layer that is no `RepLinear` of slope form, or slopes or
    offsets that training has already moved apart.

    **Source:** this project.

    >>> import jax.random as jr
    >>> first = RepLinear(1, 400, scale=20.0, features="step", key=jr.key(0))
    >>> steep = steep_ensemble(MLP(first, hidden=(), key=jr.key(1)))
    >>> steep.scale, round(steep.span, 3)
    (20.0, 1.02)
    """
    first = getattr(network, "first", None)
    if not isinstance(first, RepLinear) or not isinstance(first.planes, SlopeForm):
        raise _not_covered(
            "a first layer that is a `RepLinear` of slope form", type(first).__name__
        )
    if network.hidden or network.in_size != 1 or network.out_size != 1:
        sizes = (network.in_size, *(len(h.bias) for h in network.hidden), network.out_size)
        raise _not_covered("no hidden layer, one input and one output", f"sizes {sizes}")
    weight, bias = (np.asarray(each, np.float64) for each in first.affine())
    slopes = np.abs(weight[:, 0])
    if np.ptp(slopes) > 0.01 * slopes.mean():
        raise _not_covered(
            "one slope, as at initialization", f"slopes {slopes.min():.3g} to {slopes.max():.3g}"
        )
    places = np.sort(-bias / weight[:, 0])
    scale, units = float(slopes.mean()), first.width
    multiplier = {"readout": 1.0, "offset": 1.0, "slope": 1.0}
    if rates:
        own = first.planes.learning_rates(first.rates, first.scale)
        multiplier |= {"offset": float(own.offset), "slope": float(own.log_slope)}
    return SteepEnsemble(
        scale,
        span=float(np.ptp(places)) / 2 * units / (units - 1),
        activation=first.feature.activation,
        features=first.feature.kind,
        gain=float(first.gain),
        amplitude=float(np.sqrt(units * np.mean(np.square(network.readout.weight)))),
        trained={
            "readout": units * multiplier["readout"],
            "offset": multiplier["offset"],
            "slope": scale**2 * multiplier["slope"],
        },
    )


def _not_covered(rule: str, found: str) -> ValueError:
    return ValueError(
        f"`steep_ensemble(network=...)` must have {rule} for the closed form to hold; got {found}."
        " `tangent_kernel` covers every network."
    )
