"""What every test shares; pyproject.toml switches on the checks of types and shapes."""

import gc
import os
from pathlib import Path

import jax
import jaxtyping
import numpy as np
import pytest
from jax._src import pjit
from jax._src.interpreters import pxla
from jax._src.lru_cache import LRUCache

os.environ.setdefault("MPLBACKEND", "Agg")
# What was compiled once is kept, for all workers and for the next run, the small programs too:
# there are thousands of them.
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parent / ".pytest_cache/jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
# Tracing makes many objects that live on: looked through less often, tests take a twelfth less.
gc.set_threshold(100_000, 50, 100)


def _put_whole(cache: LRUCache, key: str, value: bytes) -> None:
    """Keep an entry so that it appears at once: JAX writes it in place, and a worker that reads
    the half of it crashes."""
    partial = cache.path / f".{key}.{os.getpid()}"
    partial.write_bytes(value)
    os.replace(partial, cache.path / f"{key}-cache")


LRUCache.put = _put_whole

_MAPS = Path("/proc/self/maps")  # Linux alone has it, and its limit of 65,530 maps
_MOST_MAPS = 40_000


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Forget what JAX made programs from, and between files the programs, before they are too many.

    JAX keeps the module of each in an MLIR context of its own, and a new context looks through all
    that live: with two thousand, a program takes twice as long. A program that XLA compiled maps
    memory; past the system's limit of maps the next one crashes.
    """
    pxla._cached_lowering_to_hlo.cache_clear()
    pjit._pjit_lower.cache_clear()
    if (nextitem is None or nextitem.path != item.path) and _MAPS.exists():
        with _MAPS.open() as lines:
            count = sum(1 for _ in lines)
        if count > _MOST_MAPS:
            jax.clear_caches()
            gc.collect()


@pytest.fixture
def untyped(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checks of types and shapes, for what does many times what other tests do once."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, new for every test."""
    return np.random.default_rng(0)
