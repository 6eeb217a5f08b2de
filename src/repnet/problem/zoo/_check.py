"""Checks of the parameters of named problems."""

import math

Real = float | int
"""A parameter: whole numbers are as good as others."""


def between(owner: str, name: str, number: Real, least: Real, most: Real) -> float:
    """`number` as a float, or a `ValueError` where it is not in `[least, most]`.

    ```python
    >>> between("burgers1d", "viscosity", 0.01, 1e-3, 0.1)
    0.01

    ```
    """
    number = _real(owner, name, number)
    if not least <= number <= most:
        raise ValueError(
            f"`{owner}({name}=...)` must lie between {least:g} and {most:g}; got {number:g}."
        )
    return number


def positive(owner: str, name: str, number: Real) -> float:
    """`number` as a float, or a `ValueError` where it is not above zero and finite."""
    number = _real(owner, name, number)
    if number <= 0.0:
        raise ValueError(f"`{owner}({name}=...)` must be above zero; got {number:g}.")
    return number


def finite(owner: str, name: str, number: Real) -> float:
    """`number` as a float, or a `ValueError` where it is not a finite number."""
    return _real(owner, name, number)


def whole(owner: str, name: str, number: Real, least: int, most: int) -> int:
    """`number` as an integer, or a `ValueError` where it is none or not in `[least, most]`."""
    as_float = _real(owner, name, number)
    if as_float != round(as_float) or not least <= as_float <= most:
        raise ValueError(
            f"`{owner}({name}=...)` must be a whole number from {least} to {most}; got {number}."
        )
    return round(as_float)


def _real(owner: str, name: str, number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, Real):
        raise ValueError(f"`{owner}({name}=...)` must be a number; got {number!r}.")
    as_float = float(number)
    if not math.isfinite(as_float):
        raise ValueError(f"`{owner}({name}=...)` must be finite; got {as_float}.")
    return as_float
