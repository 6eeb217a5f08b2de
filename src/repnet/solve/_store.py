"""One file for any network or solution: a manifest in JSON beside the raw arrays, in one `.npz`.

Equinox's own serialisation needs the network to be built again before its leaves are read. The
manifest records how to build it, so a file is enough. Nothing is pickled: loading builds modules
and dataclasses and looks up named functions, and never runs code that a file brings along.
"""

import dataclasses
import enum
import importlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_FORMAT = "repnet-1"
_FUNCTION_HOMES = ("jax.numpy", "jax.nn", "numpy", "jax.lax")


def save_tree(tree: Any, path: Path) -> None:
    """Write a pytree of modules, arrays and plain values; whole or not at all.

    **Raises:** `ValueError` where a part has no importable name.
    """
    write_whole(path, to_bytes(tree))


def to_bytes(tree: Any) -> bytes:
    """The content of the file that `save_tree` writes.

    **Raises:** `ValueError` where a part has no importable name.
    """
    arrays: dict[str, np.ndarray] = {}
    manifest = json.dumps({"format": _FORMAT, "tree": _encode(tree, arrays)})
    buffer = io.BytesIO()
    arrays["manifest"] = np.frombuffer(manifest.encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def from_bytes(content: bytes) -> Any:
    """The pytree that `to_bytes` took, equal to the bit."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return _read(file)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it, so that no half of it is ever seen."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(6)}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load_tree(path: Path) -> Any:
    """Read what `save_tree` wrote.

    **Raises:** `ValueError` where the file is missing, damaged or of another kind.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return _read(file)
    except FileNotFoundError:
        raise ValueError(f"`load(path=...)` needs an existing file; {path} is missing.") from None
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        AttributeError,
        ImportError,
        RuntimeError,  # zipfile's for archives with damaged flags, which it takes for other kinds
    ) as error:
        raise ValueError(
            f"`load(path=...)` needs a file that repnet saved; {path} is not readable: {error}"
        ) from None


def _read(file: Any) -> Any:
    arrays = {name: file[name] for name in file.files}
    manifest = json.loads(bytes(arrays.pop("manifest")).decode())
    if manifest["format"] != _FORMAT:
        raise ValueError(f"its format is {manifest['format']!r}, not {_FORMAT!r}")
    return _decode(manifest["tree"], arrays)


def _encode(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    match node:
        case enum.Enum():  # before numbers, which an `IntEnum` is too
            return {"enum": _import_name(type(node)), "member": node.name}
        case None | bool() | int() | str():
            return node
        case float():
            return {"float": node.hex()}  # to the bit, infinities and NaN included
        case np.ndarray() | jax.Array() | np.generic():
            name = f"a{len(arrays)}"
            array = np.asarray(_plain_array(node))
            entry = {"array": name, "kind": _kind(node)}
            if array.dtype.kind == "V":  # bfloat16 and others that NumPy's files don't know
                entry["dtype"] = array.dtype.name
                array = array.view(f"u{array.dtype.itemsize}")
            arrays[name] = array
            return entry
        case _ if dataclasses.is_dataclass(node) and not isinstance(node, type):
            fields = {name: _encode(value, arrays) for name, value in vars(node).items()}
            return {"module": _import_name(type(node)), "fields": fields}
        case tuple() if hasattr(node, "_fields"):
            fields = [_encode(item, arrays) for item in node]
            return {"named": _import_name(type(node)), "fields": fields}
        case list() | tuple() if type(node) in (list, tuple):
            return {type(node).__name__: [_encode(item, arrays) for item in node]}
        case dict() if type(node) is dict:
            return {"dict": [[_encode(k, arrays), _encode(v, arrays)] for k, v in node.items()]}
        case Callable():
            return {"function": _function_name(node)}
    raise ValueError(
        "`save` takes modules, arrays, plain values and named functions; "
        f"got a {type(node).__name__}."
    )


def _decode(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(node, dict):
        return node
    if "float" in node:
        return float.fromhex(node["float"])
    if "array" in node:
        array = arrays[node["array"]]
        if "dtype" in node:
            array = array.view(jnp.dtype(node["dtype"]))
        if node["kind"] == "scalar":
            return array[()]
        with jax.enable_x64(True):
            return jax.device_put(array) if node["kind"] == "jax" else array
    if "module" in node:
        return _build(
            _import(node["module"]), {k: _decode(v, arrays) for k, v in node["fields"].items()}
        )
    if "named" in node:
        return _named(_import(node["named"]), [_decode(item, arrays) for item in node["fields"]])
    if "enum" in node:
        return _import(node["enum"])[node["member"]]
    if "dict" in node:
        return {_decode(k, arrays): _decode(v, arrays) for k, v in node["dict"]}
    if "function" in node:
        return _import(node["function"])
    for kind in (list, tuple):
        if kind.__name__ in node:
            return kind(_decode(item, arrays) for item in node[kind.__name__])
    raise ValueError(f"its manifest has an unknown entry {sorted(node)}")


def _plain_array(array: Any) -> Any:
    """The array, if it is one of numbers."""
    if isinstance(array, jax.Array) and jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        raise ValueError(
            "`save` takes arrays of numbers; got a key: `jax.random.key_data` has them."
        )
    if np.asarray(array).dtype.kind == "O":
        raise ValueError("`save` takes arrays of numbers; got one of Python objects.")
    return array


def _kind(array: Any) -> str:
    if isinstance(array, jax.Array):
        return "jax"
    return "scalar" if isinstance(array, np.generic) else "numpy"


def _build(cls: Any, fields: dict[str, Any]) -> Any:
    """A module from its fields, past its `__init__` (which may draw parameters)."""
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise ValueError(f"its manifest asks for {cls!r}, which holds no fields")
    module = object.__new__(cls)
    for name, value in fields.items():
        object.__setattr__(module, name, value)
    return module


def _named(cls: Any, fields: list[Any]) -> Any:
    """A named tuple, past its `__new__`: a file names it, and must not have anything called."""
    if not (isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")):
        raise ValueError(f"its manifest asks for {cls!r}, which is no named tuple")
    return tuple.__new__(cls, fields)


def _import_name(cls: Any) -> str:
    name = f"{cls.__module__}:{cls.__qualname__}"
    try:
        found = _import(name)
    except (ImportError, AttributeError):
        found = None
    if found is not cls:
        raise ValueError(
            f"`save` must be able to name every class; {cls.__qualname__!r} has no importable name "
            "(define it at the top of a module)."
        )
    return name


def _function_name(function: Callable) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    candidates = [(getattr(function, "__module__", None), getattr(function, "__qualname__", name))]
    candidates += [(home, name) for home in _FUNCTION_HOMES]
    for module, attribute in candidates:
        try:
            if module and _import(f"{module}:{attribute}") is function:
                return f"{module}:{attribute}"
        except (ImportError, AttributeError, ValueError):
            continue
    raise ValueError(
        f"`save` must be able to name every function; {name!r} has no importable name "
        "(define it at the top of a module instead of as a lambda or inside a function)."
    )


def _import(name: str) -> Any:
    module, _, attribute = name.partition(":")
    thing = importlib.import_module(module)
    for part in attribute.split("."):
        thing = getattr(thing, part)
    return thing
