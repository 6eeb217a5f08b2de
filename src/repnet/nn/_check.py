"""Checks of arguments, each with a message that names argument, rule and value."""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array, Float

PerAxis = ArrayLike | Sequence[float | int]  # a number, or one per input axis


def check_choice(owner: str, argument: str, value: object, choices: Iterable[str]) -> str:
    """Give `value` back if it is one of `choices`.

    **Raises:** `ValueError` that lists the choices and the closest of them.

    >>> check_choice("RepLinear", "form", "slope", ("slope", "centre"))
    'slope'
    """
    choices = tuple(choices)
    if isinstance(value, str) and value in choices:
        return value
    close = difflib.get_close_matches(str(value), choices, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"`{owner}({argument}=...)` must be one of {choices}; got {value!r}.{hint}")


def check_count(owner: str, argument: str, value: object, least: int = 1) -> int:
    """Give `value` back if it is a whole number of at least `least`.

    >>> check_count("MLP", "out_size", 2)
    2
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"`{owner}({argument}=...)` must be an integer >= {least}; got {value!r}.")
    return int(value)


def check_positive(owner: str, argument: str, value: object) -> None:
    """Refuse numbers that are not finite and above zero; traced values pass unseen.

    >>> check_positive("RepLinear", "scale", 8.0)
    """
    if isinstance(value, Tracer):
        return
    numbers = np.atleast_1d(np.asarray(value))
    if not np.issubdtype(numbers.dtype, np.number) or np.iscomplexobj(numbers):
        raise TypeError(f"`{owner}({argument}=...)` must be a real number; got {value!r}.")
    bad = ~(np.isfinite(numbers) & (numbers > 0))
    if bad.any():
        raise ValueError(
            f"`{owner}({argument}=...)` must be finite and positive; got {numbers[bad][0]!s}."
        )


def check_activation(owner: str, activation: Callable | None) -> Callable | None:
    """Give an activation back if it is a function or left out.

    >>> check_activation("Windows", None)
    """
    if activation is None or callable(activation):
        return activation
    raise ValueError(
        f"`{owner}(activation=...)` must be a function, such as jnp.tanh; got {activation!r}."
    )


def check_key(owner: str, key: Any) -> None:
    """Refuse what is no single random key.

    >>> check_key("solve", jax.random.key(0))
    """
    typed = isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    raw = isinstance(key, jax.Array) and key.dtype == jnp.uint32
    if not ((typed and jnp.ndim(key) == 0) or (raw and jnp.shape(key) == (2,))):
        raise ValueError(
            f"`{owner}(key=...)` must be one random key, such as `jax.random.key(0)`; got {key!r}."
        )


def per_axis(owner: str, argument: str, value: PerAxis, in_size: int) -> Float[Array, " dim"]:
    """A number, or one number per input axis, as an array of shape `(in_size,)`.

    >>> per_axis("RepLinear", "scale", 2.0, 3).tolist()
    [2.0, 2.0, 2.0]
    """
    array = jnp.asarray(value, dtype=jnp.zeros(()).dtype)
    if array.shape not in ((), (in_size,)):
        raise ValueError(
            f"`{owner}({argument}=...)` must be a number or one per input axis, of shape"
            f" ({in_size},); got shape {array.shape}."
        )
    return jnp.broadcast_to(array, (in_size,))
