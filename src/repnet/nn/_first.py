"""First layers: what they share, and the reparameterized one."""

import abc
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._activation import Activation
from repnet.nn._check import PerAxis, check_choice, check_count, check_positive, per_axis
from repnet.nn._draw import DIRECTIONS, OFFSETS, draw_hyperplanes, sobol_points
from repnet.nn._feature import Feature, make_feature
from repnet.nn._forms import AffineForm, CentreForm, SlopeForm
from repnet.nn._random import Drawn, as_jax, settled, traced
from repnet.nn._rates import Rates

_FORMS = {"slope": SlopeForm, "centre": CentreForm, "affine": AffineForm}
_POINTS = 1024  # points of the domain over which the features' rms is taken
_LEAST_SQUARE = 1e-6  # of a feature's mean
_LEAST_ROOM = 64  # units for which hyperplanes are placed at once, at least


class AbstractFirstLayer(eqx.Module):
    r"""A layer that takes a point `(in_size,)` to features `(width,)`.

    Every first layer can be put first in every network. One whose features are all the same
    function of their pre-activations, $h = c\,f(Wx + b)$, may say so by a method `unit()` that
    returns `(f, c)`, with `None` for $c = 1$: its derivatives are then much faster.

    >>> class Ramps(AbstractFirstLayer):
    ...     in_size: int = 1
    ...     width: int = 2
    ...     def affine(self):
    ...         return jnp.array([[1.0], [-1.0]]), jnp.zeros(2)
    ...     def __call__(self, x):
    ...         weight, bias = self.affine()
    ...         return jax.nn.relu(weight @ x + bias)
    >>> Ramps()(jnp.array([0.5])).tolist()
    [0.5, 0.0]
    """

    in_size: eqx.AbstractVar[int]
    width: eqx.AbstractVar[int]

    @abc.abstractmethod
    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        """The features at one point."""

    @abc.abstractmethod
    def affine(self) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights $W$ and biases $b$ of the pre-activations $z = W x + b$."""


class RepLinear(AbstractFirstLayer):
    r"""The reparameterized first layer: how steep, which way and where, each on its own.

    $$z = s\,e^{g}\,(\hat n \cdot x - t),\quad \hat n = v/|v|,\qquad h = f(z)/\mathrm{rms}$$

    with $g, v, t$ trained and the slope scale $s$ fixed. The feature $f$ is a step or a local
    difference of the activation (`Feature`), divided by the root mean square of $f$ over the
    domain at initialization, so that $\mathbb E\,h^2 = 1$.

    With one scale per axis, $\hat n$ acts on $s \circ x$: $z = e^g(\hat n\cdot(s\circ x) -
    \bar s\,t)$, with $\bar s$ the scales' geometric mean. Each hyperplane $z = 0$ passes through
    its drawn point of the domain, whatever the scales.

    **Arguments:**

    - `in_size`: number of inputs.
    - `width`: number of units. Unpaired, it is also the number of features. Paired, the layer
      evaluates at most `width` activations in all and gives `width // 2` bumps or ramps, or
      `width // 3` hats: the honest comparison with a plain layer of `width` units. The
      attribute `width` is the number of features.
    - `scale`: slope scale $s$ in radians per unit length; a number or one per input axis.
    - `activation`: any callable on arrays.
    - `features`: `"step"` (bounded activation: the plain unit; growing: the ramp), `"local"`
      (bounded: the bump; growing: the hat), or one of `"plain"`, `"ramp"`, `"bump"`, `"hat"`.
    - `paired`: count every activation in `width`.
    - `form`: `"slope"` as above; `"centre"`, $z = s\,v\cdot(x - c)$; `"affine"`,
      $z = s(v\cdot x + \beta)$.
    - `directions`: `"axis"`, `"isotropic"`, or `"mixed"`, half and half, no matter in 1-D; or
      vectors of shape `(any, in_size)` across which the hyperplanes lie, which units take in turn.
    - `offsets`: `"stratified"`, `"sobol"`, or `None` for the better one of each direction.
    - `lower`, `upper`: corners of the domain, numbers or one per axis.
    - `margin`: by how much of its span the domain is widened for the draw.
    - `rates`: learning-rate multipliers, a `Rates` or a mapping of its fields.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** Wang, Zhou and Meng 2026 for the idea; the formulas, the local differences and
    their constants are this project's.

    >>> import jax.random as jr
    >>> layer = RepLinear(1, 8, scale=20.0, key=jr.key(0))
    >>> layer(jnp.array([0.3])).shape
    (8,)
    """

    planes: SlopeForm | CentreForm | AffineForm
    scale: Float[Array, " dim"]  # radians per unit length; a constant
    gain: Float[Array, ""]  # 1/rms of the feature at initialization; a constant
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    paired: bool = eqx.field(static=True)
    feature: Feature = eqx.field(static=True)
    rates: Rates = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        width: int,
        *,
        scale: PerAxis,
        activation: Activation = jnp.tanh,
        features: str = "local",
        paired: bool = False,
        form: str = "slope",
        directions: str | ArrayLike = "mixed",
        offsets: str | None = None,
        lower: PerAxis = -1.0,
        upper: PerAxis = 1.0,
        margin: float = 0.02,
        rates: Rates | Mapping[str, float] | None = None,
        key: PRNGKeyArray,
    ):
        self.in_size = check_count("RepLinear", "in_size", in_size)
        check_positive("RepLinear", "scale", scale)
        check_choice("RepLinear", "form", form, _FORMS)
        if isinstance(directions, str):
            check_choice("RepLinear", "directions", directions, DIRECTIONS)
        else:
            directions = _check_vectors(directions, self.in_size)
        if offsets is not None:
            check_choice("RepLinear", "offsets", offsets, OFFSETS)
        self.feature = make_feature(features, activation)
        self.paired = paired
        least = self.feature.cost if paired else 1
        count = check_count("RepLinear", "width", width, least)
        self.width = count // self.feature.cost if paired else count
        self.rates = rates if isinstance(rates, Rates) else Rates(**(rates or {}))
        self.scale = per_axis("RepLinear", "scale", scale, self.in_size)
        lower = per_axis("RepLinear", "lower", lower, self.in_size)
        upper = per_axis("RepLinear", "upper", upper, self.in_size)
        check_positive("RepLinear", "upper - lower", upper - lower)
        box = (lower, upper, 1.0 + margin)
        # Normals in the space that `scale` has stretched.
        normals = directions if isinstance(directions, str) else directions / settled(self.scale)
        draw = eqx.filter_jit(draw_hyperplanes) if traced(key, normals) else draw_hyperplanes
        drawn = draw(self.width, self.in_size, directions=normals, offsets=offsets, key=key)
        self.planes, self.gain = _place(_FORMS[form], self.feature, drawn, box, self.scale)

    @property
    def units(self) -> int:
        """How many activations the layer stands for: the size of an equal plain layer."""
        return self.width * self.feature.cost if self.paired else self.width

    def affine(self) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights and biases of $z = W x + b$."""
        both = self.planes.affine(jax.lax.stop_gradient(self.scale))
        # Computed once: the compiler would move the formula of a plane into its loop over points.
        return jax.lax.optimization_barrier(both)

    def unit(self) -> tuple[Feature, Float[Array, ""]]:
        r"""The feature $f$ and the factor $1/\mathrm{rms}$ of $h = f(z)/\mathrm{rms}$."""
        return self.feature, jax.lax.stop_gradient(self.gain)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        # `affine` does not depend on x, so a vmap over points computes it once.
        weight, bias = self.affine()
        return jax.lax.stop_gradient(self.gain) * self.feature(x @ weight.T + bias)

    def learning_rates(self) -> "RepLinear":
        """A layer of multipliers: those of `rates`, and 0 for the constants."""
        return eqx.tree_at(
            lambda layer: (layer.planes, layer.scale, layer.gain),
            self,
            (self.planes.learning_rates(self.rates, self.scale), 0.0, 0.0),
        )


def _check_vectors(directions: ArrayLike, dim: int) -> Float[np.ndarray, "given dim"]:
    vectors = np.asarray(directions, float)
    if vectors.ndim != 2 or len(vectors) < 1 or vectors.shape[1] != dim:
        raise ValueError(
            f"`RepLinear(directions=...)` must have shape (any, {dim}) if it is an array; "
            f"got shape {vectors.shape}."
        )
    if not np.all(np.linalg.norm(vectors, axis=1) > 0) or not np.all(np.isfinite(vectors)):
        raise ValueError(
            "`RepLinear(directions=...)` must hold finite vectors that are not zero; got "
            f"{vectors[~(np.linalg.norm(vectors, axis=1) > 0)][:1].tolist()}."
        )
    return vectors.astype(jnp.zeros(()).dtype)


def _place(
    form: type[SlopeForm] | type[CentreForm] | type[AffineForm],
    feature: Feature,
    drawn: tuple[Float[Drawn, "width dim"], Float[Drawn, "width dim"]],
    box: tuple[Array, Array, float],
    scale: Float[Array, " dim"],
) -> tuple[SlopeForm | CentreForm | AffineForm, Float[Array, ""]]:
    """The hyperplanes in the domain, and what makes their features' mean square one."""
    count = len(drawn[0])
    if traced(drawn, box, scale):
        return _place_all(form, feature, drawn, box, scale, count)
    # Compiled for a power of two, where further units follow that don't count.
    room = max(_LEAST_ROOM, 1 << (count - 1).bit_length())
    unit, points = (np.pad(each, ((0, room - count), (0, 0)), mode="edge") for each in drawn)
    planes, gain = _place_all(form, feature, (unit, points), box, scale, np.int32(count))
    return jax.tree.map(lambda leaf: as_jax(np.asarray(leaf)[:count]), planes), gain


@eqx.filter_jit
def _place_all(
    form: type[SlopeForm] | type[CentreForm] | type[AffineForm],
    feature: Feature,
    drawn: tuple[Float[Drawn, "room dim"], Float[Drawn, "room dim"]],
    box: tuple[Array, Array, float],
    scale: Float[Array, " dim"],
    count: int | np.integer | Array,
) -> tuple[SlopeForm | CentreForm | AffineForm, Float[Array, ""]]:
    unit, points = (jnp.asarray(each) for each in drawn)
    lower, upper, widening = box
    centres = 0.5 * (lower + upper) + widening * (upper - lower) * (points - 0.5)
    planes = form.through(unit, centres, scale)
    return planes, _inverse_rms(planes.affine(scale), feature, lower, upper, count)


def _inverse_rms(
    affine: tuple[Array, Array],
    feature: Feature,
    lower: Array,
    upper: Array,
    count: int | np.integer | Array,
) -> Float[Array, ""]:
    """One over the root mean square of the first `count` features over the box."""
    weight, bias = affine
    middles = sobol_points(_POINTS, lower.shape[0]) + 0.5 / _POINTS
    points = lower + (upper - lower) * middles
    counted = jnp.arange(len(bias)) < count
    squares = jnp.square(feature(points @ weight.T + bias))
    mean = jnp.sum(jnp.where(counted, squares, 0.0)) / (_POINTS * count)
    # Features so steep that hardly a point meets one are a millionth of the box each, or less.
    return 1.0 / jnp.sqrt(jnp.maximum(mean, _LEAST_SQUARE))
