"""What a network will do before it is trained, and what training made of it."""

import lazy_loader

# The names of `__init__.pyi`, each loaded at its first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
