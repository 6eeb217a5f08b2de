"""What figures show of a data set: the inputs that move, one target at a time."""

import dataclasses
from collections.abc import Callable

import numpy as np

from repnet.data import Dataset

Function = Callable[[np.ndarray], np.ndarray]


def moving_inputs(data: Dataset) -> tuple[int, ...]:
    """The numbers of the inputs that are not constant.

    >>> x = np.stack([np.full(3, 5.0), np.arange(3.0)], axis=1)
    >>> moving_inputs(Dataset("line", x, np.ones((3, 1)), ("a", "t"), ("y",)))
    (1,)
    """
    return tuple(np.flatnonzero(data.x.min(axis=0) < data.x.max(axis=0)).tolist())


def over_inputs(data: Dataset, inputs: tuple[int, ...]) -> Dataset:
    """The data over some of their inputs; a grid stays one if what is left out is constant."""
    units = [*(data.units[axis] for axis in inputs), *data.units[len(data.input_names) :]]
    shape = data.grid_shape
    return dataclasses.replace(
        data,
        x=data.x[:, list(inputs)],
        input_names=tuple(data.input_names[axis] for axis in inputs),
        units=tuple(units),
        grid_shape=None if shape is None else tuple(shape[axis] for axis in inputs),
    )


def of_target(data: Dataset, target: int) -> Dataset:
    """The data with one of their targets alone."""
    first = len(data.input_names)
    return dataclasses.replace(
        data,
        y=data.y[:, [target]],
        target_names=(data.target_names[target],),
        units=(*data.units[:first], data.units[first + target]),
    )


def column_of(solution: Function, target: int) -> Function:
    """One output of a solution, still as a column."""
    return lambda x: solution(x)[:, [target]]


def lifted(solution: Function, data: Dataset, inputs: tuple[int, ...]) -> Function:
    """A solution as a function of some inputs, the others in the middle of the data."""
    middle = (data.x.min(axis=0) + data.x.max(axis=0)) / 2

    def of_inputs(points: np.ndarray) -> np.ndarray:
        x = np.tile(middle, (len(points), 1))
        x[:, list(inputs)] = points
        return solution(x)

    return of_inputs
