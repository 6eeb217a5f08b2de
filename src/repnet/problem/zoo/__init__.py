"""Named problems with exact or independent reference solutions, and where they come from."""

from repnet.problem.zoo._elliptic import (
    advection_diffusion2d,
    laplace2d_ms,
    poisson1d_ms,
)
from repnet.problem.zoo._heat import heat1d_ms, heat2d_ms
from repnet.problem.zoo._helmholtz import helmholtz2d, helmholtz2d_source
from repnet.problem.zoo._inverse import (
    allen_cahn1d_coefficients,
    diffusion1d_field,
    helmholtz1d_wavenumber,
    wave1d_speed,
)
from repnet.problem.zoo._nonlinear import (
    allen_cahn1d,
    burgers1d,
    kdv1d,
    klein_gordon1d,
    nonlinear_helmholtz1d,
)
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import Entry, entry, make, names
from repnet.problem.zoo._systems import maxwell1d, plane_wave2d
from repnet.problem.zoo._waves import convection1d, oscillator, wave1d, wave1d_ms

__all__ = [
    "Entry",
    "Reference",
    "entry",
    "make",
    "names",
    "poisson1d_ms",
    "helmholtz2d",
    "helmholtz2d_source",
    "laplace2d_ms",
    "advection_diffusion2d",
    "oscillator",
    "wave1d",
    "wave1d_ms",
    "convection1d",
    "heat1d_ms",
    "heat2d_ms",
    "maxwell1d",
    "plane_wave2d",
    "burgers1d",
    "allen_cahn1d",
    "klein_gordon1d",
    "kdv1d",
    "nonlinear_helmholtz1d",
    "helmholtz1d_wavenumber",
    "wave1d_speed",
    "diffusion1d_field",
    "allen_cahn1d_coefficients",
]
