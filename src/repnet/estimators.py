"""The library as a scikit-learn estimator."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from repnet.nn._activation import ACTIVATIONS
from repnet.nn._check import check_choice, check_count, check_positive
from repnet.nn._feature import FEATURES
from repnet.problem import Problem, regression
from repnet.solve import Gradient, LeastSquares, Radial, Solution, TextProgress, Windows, solve
from repnet.solve._automatic import Automatic, with_activation
from repnet.solve._sized import sized_gradient

__all__ = ["RepNetRegressor"]

_OWNER = "RepNetRegressor"
_SOLVERS = ("auto", "least-squares", "windows", "radial", "gradient")
_Unchecked = Any  # scikit-learn's rule: `__init__` stores whatever it is given, and `fit` checks


class RepNetRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    r"""Regression by a network with a reparameterized first layer.

    What is left at its default, the data decide: [`solve`][repnet.solve] tries least squares and
    windows on points held out. A `width` or a `scale` asks for one global network by least squares,
    a `depth` above 1 for training by gradient descent.

    ```python
    >>> x = np.linspace(0.0, 1.0, 200)[:, None]
    >>> model = RepNetRegressor(random_state=0).fit(x, np.sin(60.0 * x[:, 0]))
    >>> bool(model.score(x, np.sin(60.0 * x[:, 0])) > 0.999)
    True

    ```

    **Arguments:**

    - `width`: units of the first layer (of every window, for `"windows"`); `None` to choose.
    - `depth`: hidden layers, the first one included; `None` is 3 where the network is trained, and
      a direct solve has 1.
    - `scale`: slope scale in radians per half-width of the data (of a window, for `"windows"`), a
      number or one per input, or `"auto"`.
    - `activation`: a name (`"tanh"`, `"relu"`, `"sin"`, `"gelu"`, `"softplus"`, `"silu"`, `"elu"`),
      a callable, or `None` to choose.
    - `solver`: `"auto"`, `"least-squares"`, `"windows"` (up to 4 inputs), `"radial"` (up to 100,000
      points, without `width`, `scale` and `activation`) or `"gradient"`.
    - `steps`, `features`, `batch`: of gradient descent: how many steps; `"step"`, `"local"` and the
      others of `RepLinear`; rows per step, `None` for all of up to 4,096 rows and else 2,048.
    - `random_state`: an integer, a `numpy.random.RandomState` or `None`, for every random draw.
    - `progress`: show the steps of gradient descent on standard error.

    **Attributes** after `fit`: `solution_`, the [`Solution`][repnet.solve.Solution], whose `plan`
    says what was chosen and why; `n_features_in_`, `n_outputs_`, and `feature_names_in_` where the
    inputs had names.

    **Raises:** `ValueError`, in `fit`, naming the argument at fault.

    **Source:** this project.
    """

    def __init__(
        self,
        width: _Unchecked = None,
        depth: _Unchecked = None,
        scale: _Unchecked = "auto",
        activation: _Unchecked = None,
        solver: _Unchecked = "auto",
        steps: _Unchecked = 3000,
        features: _Unchecked = "local",
        batch: _Unchecked = None,
        random_state: _Unchecked = None,
        progress: _Unchecked = False,
    ):
        self.width = width
        self.depth = depth
        self.scale = scale
        self.activation = activation
        self.solver = solver
        self.steps = steps
        self.features = features
        self.batch = batch
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any) -> "RepNetRegressor":
        """Fit the network.

        **Arguments:** `X`, shape `(points, inputs)`; `y`, shape `(points,)` or `(points, outputs)`.

        **Returns:** the estimator itself.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            y_numeric=True,
            multi_output=True,
            ensure_min_samples=2,
        )
        _check(self, X.shape[1])
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        self._flat = y.ndim == 1
        self.solution_ = _solve(self, regression(X, y))
        return self

    def predict(self, X: Any) -> Float[np.ndarray, "*values"]:
        """The fitted function at points of shape `(points, inputs)`.

        **Returns:** float64 values, shape `(points,)` or `(points, outputs)`, as `y` had.
        """
        check_is_fitted(self, "solution_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        values = self.solution_(X).astype(np.float64)
        return values[:, 0] if self._flat else values


def _check(model: RepNetRegressor, inputs: int) -> None:
    """Refuse keywords that mean nothing, and pairs of them that exclude each other."""
    check_choice(_OWNER, "solver", model.solver, _SOLVERS)
    check_choice(_OWNER, "features", model.features, FEATURES)
    if not (model.activation is None or callable(model.activation)):
        check_choice(_OWNER, "activation", model.activation, ACTIVATIONS)
    if isinstance(model.scale, str):
        check_choice(_OWNER, "scale", model.scale, ("auto",))
    else:
        check_positive(_OWNER, "scale", model.scale)
        if np.size(model.scale) not in (1, inputs):
            raise ValueError(
                f"`{_OWNER}(scale=...)` must be a number or one per input, of which there are "
                f"{inputs}; got {np.size(model.scale)}."
            )
    for name in ("width", "depth", "batch"):
        if getattr(model, name) is not None:
            check_count(_OWNER, name, getattr(model, name))
    check_count(_OWNER, "steps", model.steps)
    _check_direct(model)


def _check_direct(model: RepNetRegressor) -> None:
    if model.solver in ("auto", "gradient"):
        return
    if model.depth not in (None, 1):
        raise ValueError(
            f"`{_OWNER}(depth=...)` must be 1 or None for solver={model.solver!r}, which has one "
            f"hidden layer; got {model.depth}."
        )
    if model.solver == "windows" and not isinstance(model.scale, str) and np.size(model.scale) > 1:
        raise ValueError(
            f"`{_OWNER}(scale=...)` must be one number for solver='windows'; "
            f"got {np.size(model.scale)}."
        )
    if model.solver == "radial":
        _require_no_layer(model)


def _require_no_layer(model: RepNetRegressor) -> None:
    """Refuse what is said of a first layer: radial units have places and a width of their own."""
    scale = None if isinstance(model.scale, str) else model.scale
    for name, value, default in (
        ("width", model.width, None),
        ("scale", scale, "auto"),
        ("activation", model.activation, None),
    ):
        if value is not None:
            raise ValueError(
                f"`{_OWNER}({name}=...)` must be {default!r} for solver='radial', whose units have "
                f"no such thing; got {value!r}."
            )


def _solve(model: RepNetRegressor, problem: Problem) -> Solution:
    seed = check_random_state(model.random_state).randint(np.iinfo(np.int32).max)
    adapt = partial(_adapted, model, problem)
    solver = Automatic(adapt) if _is_open(model) else _solver(model, problem)
    meter = TextProgress() if model.progress else None
    return solve(problem, None, solver, key=jax.random.key(seed), progress=meter)


def _is_open(model: RepNetRegressor) -> bool:
    """Whether the choice of the solver is left to the library."""
    chosen = model.width is not None or not isinstance(model.scale, str) or model.batch is not None
    return model.solver == "auto" and not chosen and model.depth in (None, 1)


def _adapted(model: RepNetRegressor, problem: Problem, solver: Any) -> Any:
    """The chosen solver with what the keywords say of it."""
    if isinstance(solver, Gradient):
        return _gradient(model, problem)
    return with_activation(solver, _activation(model))


def _solver(model: RepNetRegressor, problem: Problem) -> LeastSquares | Windows | Radial | Gradient:
    deep = (model.depth or 1) > 1 or model.batch is not None
    if model.solver == "gradient" or (model.solver == "auto" and deep):
        return _gradient(model, problem)
    if model.solver == "radial":
        return Radial()
    scale = None if isinstance(model.scale, str) else model.scale
    if model.solver == "windows":
        one = None if scale is None else float(np.ravel(scale)[0])
        return Windows(activation=_activation(model), scale=one, width=model.width)
    return LeastSquares(model.width, activation=_activation(model), scale=scale)


def _gradient(model: RepNetRegressor, problem: Problem) -> Gradient:
    return sized_gradient(
        problem,
        width=model.width,
        depth=model.depth,
        batch=model.batch,
        steps=model.steps,
        activation=_activation(model) or jnp.tanh,
        features=model.features,
        scale=model.scale,
    )


def _activation(model: RepNetRegressor) -> Callable | None:
    if isinstance(model.activation, str):
        return ACTIVATIONS[model.activation]
    return model.activation
