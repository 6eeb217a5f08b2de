"""Chain: the least-squares solution of the whole matrix, in a chain and in a ring."""

import numpy as np
import pytest

from repnet.solve.equations._chain import Chain

BLOCKS, SIZE, TIES, ROWS = 4, 7, 3, 9


def _parts(rng: np.random.Generator) -> tuple[list, list, list]:
    own = [rng.normal(size=(ROWS, SIZE)) for _ in range(BLOCKS)]
    left, right = (list(rng.normal(size=(BLOCKS, TIES, SIZE))) for _ in range(2))
    return own, left, right


def _whole(own: list, left: list, right: list, *, ring: bool) -> np.ndarray:
    """The matrix of all rows; a ring's last columns are what its first block has at its left."""
    columns = BLOCKS * SIZE + (TIES if ring else 0)
    found = []
    for place, rows in enumerate(own):
        block = np.zeros((len(rows), columns))
        block[:, place * SIZE : (place + 1) * SIZE] = rows
        found.append(block)
    for place in range(BLOCKS - 1):
        block = np.zeros((TIES, columns))
        block[:, place * SIZE : (place + 1) * SIZE] = right[place]
        block[:, (place + 1) * SIZE : (place + 2) * SIZE] = -left[place + 1]
        found.append(block)
    if ring:
        for place, rows in ((0, left[0]), (BLOCKS - 1, right[-1])):
            block = np.zeros((TIES, columns))
            block[:, place * SIZE : (place + 1) * SIZE] = rows
            block[:, BLOCKS * SIZE :] = -np.eye(TIES)
            found.append(block)
    return np.concatenate(found)


@pytest.mark.parametrize("ring", [False, True])
def test_solves_as_the_whole_matrix(rng: np.random.Generator, ring: bool) -> None:
    own, left, right = _parts(rng)
    chain = Chain(own, left, right, ring=ring)
    for _ in range(2):  # factored once, for any right side
        values = [rng.normal(size=ROWS) for _ in range(BLOCKS)]
        ties = list(rng.normal(size=(BLOCKS - 1, TIES)))
        ends = (rng.normal(size=TIES), rng.normal(size=TIES)) if ring else None
        sides = np.concatenate([*values, *ties, *(ends or ())])
        expected = np.linalg.lstsq(_whole(own, left, right, ring=ring), sides)[0]
        found = chain.solve(values, ties, ends)
        np.testing.assert_allclose(found.ravel(), expected[: BLOCKS * SIZE], rtol=1e-9)


def test_equal_blocks_may_be_one_object(rng: np.random.Generator) -> None:
    own, left, right = _parts(rng)
    shared = [own[0]] * BLOCKS
    values = [rng.normal(size=ROWS) for _ in range(BLOCKS)]
    ties = list(rng.normal(size=(BLOCKS - 1, TIES)))
    found = Chain(shared, left, right).solve(values, ties)
    copied = Chain([rows.copy() for rows in shared], left, right).solve(values, ties)
    np.testing.assert_array_equal(found, copied)


def test_a_block_alone(rng: np.random.Generator) -> None:
    own, left, right = _parts(rng)
    values = rng.normal(size=ROWS)
    found = Chain(own[:1], left[:1], right[:1]).solve([values], [])
    np.testing.assert_allclose(found[0], np.linalg.lstsq(own[0], values)[0], rtol=1e-10)


def test_rows_that_leave_something_open_are_told(rng: np.random.Generator) -> None:
    own, left, right = _parts(rng)
    assert Chain(own, left, right).regular
    for rows in (own[-1], left[-1]):
        rows[:, 2] = rows[:, 1]  # two coefficients of the last block that always come together
    assert not Chain(own, left, right).regular
