"""Burgers' equation by the transformation of Cole and Hopf."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use


def cole_hopf(viscosity: float, nodes: int = 160) -> Callable:
    r"""The solution of $u_t + u u_x = \nu u_{xx}$, $u(x, 0) = -\sin \pi x$, at one point $(x, t)$.

    $$u(x, t) = -\frac{\int \sin(\pi y)\, f(y)\, e^{-z^2}\, dz}{\int f(y)\, e^{-z^2}\, dz},
      \qquad y = x - \sqrt{4 \nu t}\, z, \quad f(y) = e^{-\cos(\pi y) / (2 \pi \nu)},$$

    by Gauss–Hermite quadrature, the largest exponent taken out of both sums.

    ```python
    >>> u = cole_hopf(0.01 / np.pi)
    >>> with jax.enable_x64(True):
    ...     round(u(jnp.array([0.5, 0.0])).item(), 12)
    -1.0

    ```

    **Arguments:** `viscosity`, ν; `nodes` of the quadrature.

    **Returns:** a field, `(2,) -> (1,)`, traceable, smooth for $t > 0$.

    **Source:** Basdevant et al. 1986, section 2; the number of nodes was measured (tests).
    """
    z, weight = scipy.special.roots_hermite(nodes)
    kept = weight > 0.0  # the outermost weights underflow
    z, log_weight = z[kept], np.log(weight[kept])

    def field(x: jax.Array) -> jax.Array:
        y = x[0] - jnp.sqrt(4.0 * viscosity * x[1]) * z
        exponent = log_weight - jnp.cos(math.pi * y) / (2.0 * math.pi * viscosity)
        return -jax.nn.softmax(exponent) @ jnp.sin(math.pi * y)[:, None]

    return field
