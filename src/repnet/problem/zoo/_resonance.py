"""Resonances of a square with zero boundary values."""

import math


def resonant_modes(ratio: float) -> list[tuple[int, int]]:
    r"""The modes $(m, n)$, both at least 1, with $m^2 + n^2$ equal to `ratio` up to round-off.

    The square of side $L$ resonates at the wavenumber $k$ where `ratio` $= (kL/\pi)^2$ has any.

    ```python
    >>> resonant_modes(100.0), resonant_modes(3.0)
    ([(6, 8), (8, 6)], [])

    ```

    **Source:** separation of variables.
    """
    whole = round(ratio)
    if abs(ratio - whole) > 1e-9 * max(1.0, ratio):
        return []
    pairs = [(m, math.isqrt(whole - m * m)) for m in range(1, math.isqrt(max(whole - 1, 0)) + 1)]
    return [(m, n) for m, n in pairs if n >= 1 and m * m + n * n == whole]
