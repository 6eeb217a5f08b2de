"""What every test shares; pyproject.toml switches on the checks of types and shapes."""

import os
from pathlib import Path

import jax
import numpy as np
import pytest
from jax._src.lru_cache import LRUCache

os.environ.setdefault("MPLBACKEND", "Agg")
# What was compiled once is kept, for all workers and for the next run.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[1] / ".pytest_cache/jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _put_whole(cache: LRUCache, key: str, value: bytes) -> None:
    """Keep an entry so that it appears at once: JAX writes it in place, and a worker that reads
    the half of it crashes."""
    partial = cache.path / f".{key}.{os.getpid()}"
    partial.write_bytes(value)
    os.replace(partial, cache.path / f"{key}-cache")


LRUCache.put = _put_whole


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, new for every test."""
    return np.random.default_rng(0)
