"""Operator data: input functions at sensors, output functions at query points, in groups."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from repnet.problem import Box, Problem, Term


@dataclass(frozen=True, eq=False)
class OperatorData:
    r"""Pairs of functions: $v_i$ at sensors, $G(v_i)$ at query points.

    ```python
    >>> x = np.linspace(0.0, 1.0, 5)[:, None]
    >>> v = np.array([[1.0], [2.0]]) * x[:, 0]
    >>> data = OperatorData((v,), x, (v**2)[:, :, None], groups=("a", "b"))
    >>> data.size, data.shared, data.parted(["b"])[0].groups
    (2, True, ('a',))

    ```

    **Arguments:**

    - `inputs`: one array `(functions, sensors)` per input function.
    - `queries`: `(points, dim)` shared by all functions, or `(functions, points, dim)`.
    - `outputs`: `(functions, points, out)`.
    - `groups`: a name per function; functions of one group never part. Left out: each its own.
    - `source`: where the functions come from.

    **Raises:** `ValueError` for arrays that do not fit each other or are not finite.

    **Source:** this project.
    """

    inputs: tuple[Float[np.ndarray, "_ _"], ...]  # whose sizes `__post_init__` checks
    queries: Float[np.ndarray, "*_ _ dim"]
    outputs: Float[np.ndarray, "_ _ out"]
    groups: tuple[str, ...] = ()
    source: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        self._check_arrays()
        if not self.groups:
            names = tuple(f"function {number}" for number in range(len(self.outputs)))
            object.__setattr__(self, "groups", names)
        for name, array in (*self._named(), ("queries", self.queries), ("outputs", self.outputs)):
            bad = ~np.isfinite(array)
            if bad.any():
                place = tuple(int(i) for i in np.argwhere(bad)[0])
                raise ValueError(
                    f"`OperatorData({name}=...)` must be finite; at {place} it is {array[place]} "
                    f"({int(bad.sum())} such values in all)."
                )
        self._check_shapes()

    def _named(self) -> list[tuple[str, np.ndarray]]:
        return [(f"inputs[{number}]", array) for number, array in enumerate(self.inputs)]

    def _check_arrays(self) -> None:
        if not isinstance(self.inputs, tuple) or not self.inputs:
            raise ValueError(
                "`OperatorData(inputs=...)` must be a tuple of at least one array; got "
                f"{type(self.inputs).__name__}."
            )
        shapes = dict.fromkeys((name for name, _ in self._named()), "(functions, sensors)")
        shapes["outputs"] = "(functions, points, out)"
        arrays = {**dict(self._named()), "outputs": self.outputs, "queries": self.queries}
        for name, array in arrays.items():
            shape = shapes.get(name, "(points, dim) or (functions, points, dim)")
            dims = {1 + each.count(",") for each in shape.split(" or ")}
            if getattr(array, "ndim", None) not in dims:
                got = getattr(array, "shape", "a list, of rows that may differ in length")
                raise ValueError(
                    f"`OperatorData({name}=...)` must be an array of shape {shape}; got {got}."
                )
        if not len(self.outputs):
            raise ValueError("`OperatorData(outputs=...)` must hold at least one function; got 0.")

    def _check_shapes(self) -> None:
        count = len(self.outputs)
        counts = {name: len(array) for name, array in self._named()}
        counts["groups"] = len(self.groups)
        if not self.shared:
            counts["queries"] = len(self.queries)
        for name, found in counts.items():
            if found != count:
                raise ValueError(
                    f"`OperatorData({name}=...)` must hold one row per function, of which "
                    f"`outputs` has {count}; got {found}."
                )
        if self.queries.shape[-2] != self.outputs.shape[1]:
            raise ValueError(
                "`OperatorData(queries=...)` must hold one point per output value; got "
                f"{self.queries.shape[-2]} for {self.outputs.shape[1]}."
            )

    @property
    def size(self) -> int:
        """Number of functions."""
        return len(self.outputs)

    @property
    def shared(self) -> bool:
        """Whether all functions have the same query points."""
        return self.queries.ndim == 2

    @property
    def sensors(self) -> tuple[int, ...]:
        """Number of sensors of each input function."""
        return tuple(array.shape[1] for array in self.inputs)

    def rows(self, chosen: Int[np.ndarray, " rows"] | Bool[np.ndarray, " rows"]) -> "OperatorData":
        """The functions at these rows."""
        numbers = np.arange(self.size)[chosen]
        return replace(
            self,
            inputs=tuple(array[numbers] for array in self.inputs),
            queries=self.queries if self.shared else self.queries[numbers],
            outputs=self.outputs[numbers],
            groups=tuple(self.groups[number] for number in numbers),
        )

    def parted(self, held_out: Iterable[str]) -> tuple["OperatorData", "OperatorData"]:
        """The functions of all other groups, and those of the groups held out.

        **Raises:** `ValueError` for a group that is not there, or where a side would be empty.
        """
        held = parted(self.groups, held_out)
        return self.rows(~held), self.rows(held)


def parted(groups: Sequence[str], held_out: Iterable[str]) -> Bool[np.ndarray, " functions"]:
    """Which functions belong to the groups held out.

    **Raises:** `ValueError` for a group that is not there, or where a side would be empty.

    >>> parted(["a", "b", "a"], ["a"]).tolist()
    [True, False, True]
    """
    names = set(held_out)
    unknown = sorted(names - set(groups))
    if unknown:
        raise ValueError(
            f"`held_out` must name groups of the data; {unknown[0]!r} is none of "
            f"{', '.join(sorted(set(groups)))}."
        )
    held = np.array([group in names for group in groups])
    if held.all() or not held.any():
        raise ValueError(
            f"`held_out` must leave functions on both sides; it holds out {int(held.sum())} of "
            f"{len(held)}."
        )
    return held


def require_apart(train: Sequence[str], test: Sequence[str]) -> None:
    """Refuse two parts that share a group, such as records of one earthquake.

    **Raises:** `ValueError` that names a group on both sides.

    >>> require_apart(["Landers"], ["Landers", "Kobe"])
    Traceback (most recent call last):
    ValueError: Training and test must not share a group; 'Landers' is on both sides.
    """
    both = sorted(set(train) & set(test))
    if both:
        others = "" if len(both) == 1 else f" (and {len(both) - 1} more)"
        raise ValueError(
            f"Training and test must not share a group; {both[0]!r} is on both sides{others}."
        )


def group_folds(groups: Sequence[str], count: int = 5) -> Int[np.ndarray, " functions"]:
    """The fold of every function: groups whole, folds about equally large.

    The largest groups are dealt first, each to the smallest fold so far.

    **Raises:** `ValueError` for fewer than two folds or fewer groups than folds.

    >>> group_folds(["a", "a", "b", "c", "c", "d"], 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    names, sizes = np.unique(np.asarray(groups), return_counts=True)
    if not 2 <= count <= len(names):
        raise ValueError(
            f"`group_folds(count=...)` must lie between 2 and the number of groups, {len(names)}; "
            f"got {count}."
        )
    loads, fold = np.zeros(count, int), {}
    for index in np.argsort(-sizes, kind="stable"):
        fold[names[index]] = int(np.argmin(loads))
        loads[fold[names[index]]] += sizes[index]
    return np.array([fold[group] for group in groups])


class Values:
    """The residual of an operator: its values at one function's query points less the outputs.

    It is called with the operator, one function's number in an array `(1,)`, and the unknowns.
    """

    def __init__(self, data: OperatorData):
        self.data = data

    def __call__(
        self, operator: object, number: Float[np.ndarray, " one"], unknowns: object = None
    ) -> Float[np.ndarray, " values"]:
        """All residuals of one function in a row."""
        del unknowns
        row = self.data.rows(np.array([int(np.asarray(number)[0])]))
        queries = row.queries if row.shared else row.queries[0]
        inputs = row.inputs if len(row.inputs) != 1 else row.inputs[0]
        found = np.asarray(operator.many(inputs, queries))  # pyright: ignore[reportAttributeAccessIssue]
        return (found[0] - row.outputs[0]).reshape(-1)

    def solver(self) -> object:
        """What solves for an operator where the caller names no solver."""
        from repnet.operators._train import OperatorGradient  # which imports this file

        return OperatorGradient(functions=64, points=1024)


def operator_problem(data: OperatorData) -> Problem:
    """The problem of fitting an operator to data: one term, whose points number the functions.

    **Source:** this project.

    >>> x = np.linspace(0.0, 1.0, 5)[:, None]
    >>> operator_problem(OperatorData((np.ones((3, 4)),), x, np.ones((3, 5, 1)))).dim
    1
    """
    numbers = np.arange(data.size, dtype=np.float64)[:, None]
    terms = {"data": Term(Values(data), numbers)}
    box = Box([-0.5], [data.size - 0.5])
    return Problem(box, terms, source=data.source, out_size=data.outputs.shape[2])


def data_of(problem: Problem, solver: str) -> OperatorData:
    """The data of an operator problem.

    **Raises:** `ValueError` for any other problem.
    """
    terms = list(problem.terms.values())
    if len(terms) != 1 or not isinstance(terms[0].residual, Values):
        raise ValueError(
            f"`{solver}` takes problems as `operator_problem(data)` makes them; got the terms "
            f"{sorted(problem.terms)}."
        )
    return terms[0].residual.data
