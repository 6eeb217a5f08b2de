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
_EVEN = 0.1  # how unevenly partition points may be spread


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

    **Raises:** `ValueError` for no wave or no parameter, and waves or a window that are not
    positive.

    **Source:** this project.

    ```python
    >>> import jax.random as jr
    >>> first = RepLinear(1, 400, scale=20.0, lower=-4.0, upper=4.0, key=jr.key(0))
    >>> network = MLP(first, hidden=(), key=jr.key(1))
    >>> low, high = initial_rates(network, [8.0, 60.0], window=0.8)
    >>> bool(low > 10.0 * high)
    True

    ```
    """
    check_positive("initial_rates", "waves", waves)
    check_positive("initial_rates", "window", window)
    if not len(waves):
        raise ValueError("`initial_rates(waves=...)` must hold at least one wave; got none.")
    chosen, rest = eqx.partition(network, trained_parameters(network, where))
    if not jax.tree.leaves(chosen):
        raise ValueError("`initial_rates(where=...)` must name at least one parameter.")
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


def steep_ensemble(network: Callable, *, rates: bool = False) -> SteepEnsemble:
    r"""The ensemble that a one-input RepNet without hidden layers is a draw of.

    The read-out's own weights $W$ are what is trained, and $u = \sum_j W_jh_j$, so the multiplier
    of `readout` is the number of units and $\sigma_a^2$ is that number times the mean of $W^2$;
    that of `slope` is $s^2$, since $g$ is the slope's logarithm.

    **Arguments:** `rates`: include the layer's multipliers of the learning rate.

    **Returns:** a `SteepEnsemble`.

    **Raises:** `ValueError` where the closed form does not cover the network: hidden layers,
    several inputs or outputs, a first layer that is no `RepLinear` of slope form, or slopes or
    offsets that training has already moved apart.

    **Source:** this project.

    >>> import jax.random as jr
    >>> first = RepLinear(1, 400, scale=20.0, features="step", key=jr.key(0))
    >>> steep = steep_ensemble(MLP(first, hidden=(), key=jr.key(1)))
    >>> steep.scale, round(steep.span, 2)
    (20.0, 1.02)
    """
    if not isinstance(network, MLP):
        raise _not_covered("a first layer and a linear read-out, an `MLP`", type(network).__name__)
    first = network.first
    if not isinstance(first, RepLinear) or not isinstance(first.planes, SlopeForm):
        planes = f" of {type(first.planes).__name__}" if isinstance(first, RepLinear) else ""
        raise _not_covered(
            "a first layer that is a `RepLinear` of slope form", f"{type(first).__name__}{planes}"
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
    uneven = _unevenness(places)
    if not uneven < _EVEN:
        raise _not_covered(
            f"at least 2 partition points that are spread evenly, to {_EVEN:.0%}",
            f"{units} with {uneven:.0%} of them elsewhere",
        )
    multiplier = {"readout": 1.0, "offset": 1.0, "slope": 1.0}
    if rates:
        own = first.planes.learning_rates(first.rates, first.scale)
        # With one input, a rate per axis is one number.
        offset = float(np.asarray(own.offset).reshape(()))
        multiplier |= {"offset": offset, "slope": float(own.log_slope)}
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


def _unevenness(places: Float[np.ndarray, " units"]) -> float:
    """The largest share of ascending points beyond those of an even spread, left of any point."""
    count, span = len(places), np.ptp(places)
    if count < 2 or not span > 0:
        return 1.0
    even = (places - places[0]) / span * (count - 1)
    return float(np.abs(even - np.arange(count)).max() / count)


def _not_covered(rule: str, found: str) -> ValueError:
    return ValueError(
        f"`steep_ensemble(network=...)` must have {rule} for the closed form to hold; got {found}."
        " `tangent_kernel` covers every network."
    )
