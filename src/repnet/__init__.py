"""Networks that learn multiscale functions, and the solvers and judges around them."""

__version__ = "0.1.0"
