"""Networks: a point in, a value out."""

import lazy_loader

# The names of `__init__.pyi`, each loaded at its first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
