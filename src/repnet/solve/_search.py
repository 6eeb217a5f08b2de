"""What a first layer promises: its error on rows that its read-out has not seen."""

import dataclasses
from collections.abc import Callable

import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import MLP
from repnet.nn._random import permutation
from repnet.solve._feature_rows import accumulate, feature_rows
from repnet.solve._left_out import FewRows
from repnet.solve._off_samples import off_samples
from repnet.solve._triangular import RIDGES, ROUND_OFF, Spectral, solved
from repnet.solve._typical import typical
from repnet.spectrum import detect_grid

TELL_NOISE = 8  # points below which none can tell noise from bends: fits go through them
_HELD = 0.2  # share of the pilot's rows that judge a candidate
_PILOT_ROWS = 3  # pilot rows per unit
_THROUGH = 1e-4  # ridge up to which they do
_RIDGES = np.append(RIDGES[RIDGES < 1e-5], 10.0 ** np.arange(-5.0, 0.1, 0.25))  # they cost nothing
_SMALL = 3e8  # rows × units² below which every ridge is tried in the pilot
_HOPELESS = 100.0  # times the least error so far: no ridge helps, since the data have no noise
_CLEARLY = 5.0  # so many times another solver's error is too much for any scale to mend
_EACH = 512  # points up to which each judges in turn,
_WORK = 2e7  # and rows × units² up to which more do
_BETWEEN = 512  # points between the samples where two draws of a layer are compared

Draw = Callable[[PRNGKeyArray], MLP]


@dataclasses.dataclass(frozen=True)
class Pilot:
    """What the held-out rows decided: features, each target's ridge, and its relative error.

    `judges` says which rows those are, `trials` how many layers they judged. `between` is what two
    draws of the layer differ by between the samples, over the square root of two, if that was
    looked at. `draw` makes the network from a key, if it is not a given one. `evidence` is that of
    few rows, over all targets.
    """

    network: MLP
    ridges: Float[np.ndarray, " out"]
    heldout: Float[np.ndarray, " out"]
    name: str
    scale: tuple[float, ...] | None
    draw: Draw | None
    between: Float[np.ndarray, " out"] | float = 0.0
    evidence: float = -np.inf
    judges: str = "held-out rows of the pilot"
    tried: dict[str, float] = dataclasses.field(default_factory=dict)
    trials: int = 1
    why: tuple[str, ...] = ()

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """The error to expect of every target."""
        return np.maximum(self.heldout, self.between)

    @property
    def error(self) -> float:
        """That of all targets together."""
        return float(np.sqrt(np.mean(np.square(self.errors))))

    @property
    def steepest(self) -> float:
        """The largest of the scales; 0 where there is none."""
        return max(self.scale or (0.0,))

    @property
    def typical(self) -> float:
        """Their geometric mean, by which layers are chosen."""
        return typical(self.errors)


def clearly_worse(
    errors: Float[np.ndarray, " out"], rival: Float[np.ndarray, " out"] | None
) -> bool:
    """Whether every target's error is beyond what another choice of the same kind may mend."""
    return rival is not None and bool(np.all(errors > _CLEARLY * rival))


def ridges_among(
    rows: int, ridges: Float[np.ndarray, " out"], found: int
) -> Float[np.ndarray, " out"]:
    r"""Ridges for so many rows, from those that serve `found` of them: $\lambda\sqrt{m/n}$.

    Ridges bear on columns of norm 1, and more rows outweigh the same prior.
    """
    return np.maximum(ridges * np.sqrt(found / rows), np.minimum(ridges, ROUND_OFF))


def each_can_judge(points: int, dim: int, width: int) -> bool:
    """Whether rows left out in turn cost no more than a part of the rows, which judges worse."""
    return points <= _EACH or (dim == 1 and _affordable(width) >= _pilot_rows(width))


def _pilot_rows(width: int) -> int:
    return max(_PILOT_ROWS * width, 256)


def _affordable(width: int) -> int:
    return int(_WORK / (width + 1) ** 2)


class Search:
    """Judges networks on the same held-out rows."""

    def __init__(
        self,
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        width: int,
        *,
        ridge: float | None,
        rival: Float[np.ndarray, " out"] | None,
        each: bool,
        key: PRNGKeyArray,
    ):
        self.x, self.y, self.width, self.ridge, self.rival = x, y, width, ridge, rival
        self.key, row_key = jr.split(key)
        self.grid, self.each = detect_grid(x), each
        self.least = np.full(y.shape[1], np.inf)  # error of every target so far
        if each and len(x) <= _EACH:
            self.held = self.kept = np.arange(len(x))
            return
        count = min(len(x), _affordable(width) if each else _pilot_rows(width))
        rows = permutation(row_key, len(x))[:count]
        if each:
            self.held = self.kept = np.sort(rows)
            return
        held = max(1, int(_HELD * count))
        self.held, self.kept = np.sort(rows[:held]), np.sort(rows[held:])

    @property
    def quick(self) -> bool:
        """Whether fifty more layers can be judged in a second or two."""
        return len(self.kept) <= _affordable(self.width)

    def judge(
        self, name: str, scale: tuple[float, ...], draw: Draw, *, by_evidence: bool = False
    ) -> Pilot:
        """The ridge with the least held-out error, or with the most evidence."""
        return self._judged(draw(self.key), name, scale, draw, by_evidence)

    def judge_given(self, network: MLP) -> Pilot:
        """The same for a network that there is but one of."""
        return self._judged(network, "given network", None, None)

    def _judged(
        self,
        network: MLP,
        name: str,
        scale: tuple[float, ...] | None,
        draw: Draw | None,
        by_evidence: bool = False,
    ) -> Pilot:
        if not self.each:
            return Pilot(network, *self._ridge(network), name, scale, draw)
        free = _RIDGES if len(self.x) >= TELL_NOISE else _RIDGES[_RIDGES <= _THROUGH]
        ridges = free if self.ridge is None else np.array([self.ridge])
        rows = FewRows.of(feature_rows(network, self.x[self.kept]), self.y[self.kept], ridges)
        errors, evidence = rows.left_out_rms() + 1e-16, rows.log_evidence()
        best = np.argmin(-evidence if by_evidence else errors, axis=0)
        targets = np.arange(self.y.shape[1])
        return Pilot(
            network,
            ridges[best],
            errors[best, targets],
            name,
            scale,
            draw,
            evidence=float(evidence[best, targets].sum()),
            judges="rows left out one at a time",
        )

    def checked(self, pilot: Pilot) -> Pilot:
        """With the difference of two draws between the samples, in two dimensions and more.

        Held-out rows of a grid lie on lines with others, which says little of what lies between.
        """
        if pilot.draw is None or self.x.shape[1] == 1:
            return pilot
        step = None if self.grid is None else np.asarray(self.grid.step)
        points = off_samples(self.x, step, _BETWEEN, jr.fold_in(self.key, 1))
        other = dataclasses.replace(pilot, network=pilot.draw(jr.fold_in(self.key, 2)))
        values = [self.fitted(one, points) for one in (pilot, other)]
        between = np.sqrt(np.mean(np.square(values[0] - values[1]), axis=0) / 2.0)
        return dataclasses.replace(pilot, between=between)

    def for_all_rows(self, pilot: Pilot) -> Pilot:
        """With the ridges that serve all rows as those found serve the rows that are kept."""
        if self.ridge is not None:
            return pilot
        return dataclasses.replace(
            pilot, ridges=ridges_among(len(self.x), pilot.ridges, len(self.kept))
        )

    def fitted(
        self, pilot: Pilot, points: Float[np.ndarray, "points dim"]
    ) -> Float[np.ndarray, "points out"]:
        """Values of the fit to the rows that are kept."""
        triangle = accumulate(pilot.network, self.x, self.y, self.kept)
        return feature_rows(pilot.network, points) @ solved(triangle, pilot.ridges)

    def _ridge(self, network: MLP) -> tuple[Float[np.ndarray, " out"], Float[np.ndarray, " out"]]:
        """The best ridge of every target, and its error with it."""
        triangle = accumulate(network, self.x, self.y, self.kept)
        test, target = feature_rows(network, self.x[self.held]), self.y[self.held]

        def errors(weights: np.ndarray) -> Float[np.ndarray, " out"]:
            return np.sqrt(np.mean(np.square(test @ weights - target), axis=0)) + 1e-16

        ridge = self.ridge or ROUND_OFF
        found = {ridge: errors(solved(triangle, np.full(self.y.shape[1], ridge)))}
        rough = (found[ridge] > 1e-4) & (found[ridge] < _HOPELESS * self.least)
        small = len(self.kept) * triangle.columns**2 <= _SMALL * 10
        if rough.any() and small and self.ridge is None:
            spectral = Spectral.of(triangle)
            found |= {float(r): errors(spectral.coefficients(r)) for r in RIDGES}
        tried, every = np.array(list(found)), np.stack(list(found.values()))
        best = np.argmin(every, axis=0)
        least = every[best, np.arange(len(best))]
        self.least = np.minimum(self.least, least)
        return tried[best], least
