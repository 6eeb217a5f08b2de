"""Fitting windows: candidates judged by leave-one-out errors, then their read-outs."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray

from repnet.nn import LocalReadout, SharedPieces, Windowed
from repnet.nn._random import permutation
from repnet.problem import Problem
from repnet.solve._batches import Batch, Cut, Sampled
from repnet.solve._candidates import Candidate, window_candidates
from repnet.solve._clock import noting, running_clocks
from repnet.solve._local import (
    Factors,
    factorize,
    kernels,
    leave_one_out,
    left_out,
    make_design,
    readouts,
)
from repnet.solve._missing_nodes import (
    Filled,
    judging_windows,
    misses_nodes,
    with_missing_nodes,
)
from repnet.solve._missing_samples import CutGaps, with_missing_samples
from repnet.solve._mixture import posterior
from repnet.solve._pieces import Pieces
from repnet.solve._regression import data_of, largest_frequencies
from repnet.solve._stacking import Missed, local_shares, stacked_share
from repnet.solve._typical import typical
from repnet.solve._window_check import squares_between
from repnet.spectrum import detect_grid

_SIZES = {1: (16, 48, 144), 2: (64, 121, 324), 3: (125, 343), 4: (256, 625)}
_THREADS = 2
_KEPT_BYTES = 1e9  # of factors that the last solve in each window takes from its errors
_PILOTS = 32  # places at which windows of every size are tried
_SHORT = 2**18  # on short records of one input, so many over their points, if that is more
_WORK = 2e10  # points³ of all windows together, about a minute on two cores
_ALIKE = 1e-6  # errors below which larger windows, which take longer, must be better by _GAIN;
_GAIN = 0.95  # above, with noise in them, small differences of errors are large ones of fits
_TARGETS = 16  # at most, where each has a spectrum of its own
_SLOWER, _FAR_BELOW = 2, 2.0  # bands of single targets, and how far they are apart
_KEPT = 0.03  # a candidate with a smaller share of the pilot windows is dropped
_BLEND = 0.1  # a layer with a smaller share in a window is dropped there
_NONE = 1e-300  # a share so small is none
_ROUND_OFF = 1e-14  # leave-one-out errors below this are not told apart
_ROUGH = 1e-3  # relative error of windows above which missing nodes are kriged
_WEIGHTS = 2e7  # read-out weights per layer, which bounds the network's memory


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the user fixed of the local networks; `None` leaves the choice to the data."""

    per_window: int | None = None
    activation: Callable | None = None
    scale: float | None = None
    width: int | None = None


@dataclasses.dataclass(frozen=True)
class Target:
    """The data in standard units, and the targets' largest angular frequency per axis.

    - `slower`: that of single targets, where it is far below `band`, the one of all together.
    - `pieces`: cubics between the samples, where there is one input.
    """

    data: Sampled
    band: Float[np.ndarray, " dim"]
    slower: tuple[Float[np.ndarray, " dim"], ...]
    pieces: Pieces | None

    @staticmethod
    def of(problem: Problem) -> "Target":
        """The target of a regression problem."""
        x, y = data_of(problem)
        band = largest_frequencies(x, y)
        looked_at = range(y.shape[1] if 1 < y.shape[1] <= _TARGETS else 0)
        each = [largest_frequencies(x, y[:, [out]]) for out in looked_at]
        data = Sampled(x, y, detect_grid(x))
        return Target(data, band, _slower(band, each), Pieces.of(x, y))

    @property
    def dim(self) -> int:
        """Number of input axes."""
        return self.data.x.shape[1]

    @property
    def limit(self) -> Float[np.ndarray, " dim"]:
        """The Nyquist frequency per axis; infinite for scattered points."""
        grid = self.data.grid
        return np.full(self.dim, np.inf) if grid is None else grid.nyquist

    def stretch(self) -> Float[np.ndarray, " dim"]:
        """Windows are longer along axes where the target varies more slowly."""
        slow = 1.0 / (self.band + np.pi)
        slow = slow / np.exp(np.mean(np.log(slow)))
        return np.clip(np.sqrt(slow), 0.5, 2.0)


def _slower(
    band: Float[np.ndarray, " dim"], each: list[Float[np.ndarray, " dim"]]
) -> tuple[Float[np.ndarray, " dim"], ...]:
    """A few bands far below that of all targets, each of which serves those just below it."""
    found: list[np.ndarray] = []
    for own in sorted(each, key=lambda band: -np.log(band + np.pi).sum()):
        if len(found) < _SLOWER and _far_below(own, found[-1] if found else band):
            found.append(own)
    return tuple(found)


def _far_below(own: Float[np.ndarray, " dim"], other: Float[np.ndarray, " dim"]) -> bool:
    return bool(np.any(_FAR_BELOW * (own + np.pi) < other + np.pi))


@dataclasses.dataclass(frozen=True)
class Choice:
    """The chosen cover and the candidates that compete in it.

    - `pieces`: cubics between the samples, where they compete as well.
    - `free`: whether others than networks of a given kind may have a share.
    - `pilots`, `squares`: the windows in which that was decided, and the mean square of the error
      of every target in each, in standard units: of leave-one-out errors or, where it is larger,
      of `between`.
    - `between`: on grids, what two draws of the layers differ by between the nodes.
    - `tried`: the errors of all sizes, by points per window.
    """

    cut: Cut
    candidates: list[Candidate]
    pieces: Pieces | None
    free: bool
    pilots: Int[np.ndarray, " pilots"]
    squares: Float[np.ndarray, "pilots out"]
    between: float
    tried: dict[int, float]

    @property
    def error(self) -> float:
        """Relative error to expect."""
        return float(np.sqrt(np.mean(self.squares)))

    @property
    def typical(self) -> float:
        """The geometric mean of the targets' errors, by which the size is chosen."""
        return typical(self.errors)

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """Relative error to expect of every target."""
        return np.sqrt(np.mean(self.squares, axis=0))


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The blended network, each candidate's share of the windows, and the leave-one-out error.

    `shares`: the last one is that of the cubics between the samples, where they compete. `missed`:
    by the network at points left out one at a time, if that was asked for.
    """

    filled: Filled
    shares: Float[np.ndarray, " candidates"]
    error: float
    missed: Float[np.ndarray, "sites out"] | None = None


def choose_windows(wishes: Wishes, target: Target, key: PRNGKeyArray) -> Choice:
    """Size of the windows and candidates, by pilot windows; call in float64 mode."""
    best, tried = None, {}
    for size in [wishes.per_window] if wishes.per_window else _sizes(target):
        choice = _pilot(wishes, target, size, key)
        error = tried[size] = choice.typical
        if best is None or error < best.typical * (_GAIN if best.typical < _ALIKE else 1.0):
            best = choice
    assert best is not None
    return dataclasses.replace(best, tried=tried)


def _sizes(target: Target) -> list[int]:
    points = len(target.data.x)
    sizes = [size for size in _SIZES[target.dim] if size < points]
    # Windows overlap 2^d-fold, and each costs about the cube of its points.
    cheap = [size for size in sizes if 2**target.dim * points * size**2 <= _WORK]
    return cheap or sizes[:1] or [points]


def _pilot(wishes: Wishes, target: Target, per_window: int, key: PRNGKeyArray) -> Choice:
    """Leave-one-out errors of all candidates in some windows of one size."""
    layer_key, place_key, second_key, between_key = jax.random.split(key, 4)
    cut = target.data.cover(per_window, target.stretch())
    radius = np.median(cut.cover.radius, axis=0)
    layers = partial(
        window_candidates,
        target.dim,
        per_window,
        target.band * radius,
        slower=[band * radius for band in target.slower],
        limit=target.limit * radius,
        activation=wishes.activation,
        scale=wishes.scale,
        width=wishes.width,
        most=int(max(128, _WEIGHTS / cut.cover.windows)),
    )
    candidates = layers(key=layer_key)
    windows = _pilot_windows(target, cut, place_key)
    free = wishes.activation is None and wishes.scale is None
    pieces = target.pieces if free else None
    batches = target.data.batches(cut, windows)
    errors, effective = _errors(batches, cut, windows, candidates, pieces)
    shares = _shares(errors, effective)
    squares, between = _squares(shares, errors), 0.0
    if target.dim > 1 and target.data.grid is not None:
        draws = candidates, layers(key=second_key)
        apart = squares_between(target.data, cut, windows, draws, shares, between_key)
        squares, between = np.maximum(squares, apart), float(np.sqrt(np.mean(apart)))
    kept = (shares.sum(axis=2).mean(axis=0) >= _KEPT).any(axis=-1)
    survivors = [candidate for candidate, keep in zip(candidates, kept, strict=False) if keep]
    pieces = pieces if kept[-1] or (pieces is not None and len(pieces.holes) > 0) else None
    return Choice(cut, survivors, pieces, free, windows, squares, between, {})


def _pilot_windows(target: Target, cut: Cut, key: PRNGKeyArray) -> Int[np.ndarray, " some"]:
    """The windows nearest to a few data points, which are the same for every size of window."""
    points, cover = target.data.x, cut.cover
    places = max(_PILOTS, _SHORT // len(points)) if target.dim == 1 else _PILOTS
    chosen = permutation(key, len(points))[:places]
    place = np.round((points[chosen] - cover.start) / cover.spacing).astype(int)
    node = np.clip(place, 0, np.asarray(cover.counts) - 1)
    return np.unique(np.ravel_multi_index(tuple(node.T), cover.counts))


def _shares(
    errors: Float[np.ndarray, "windows candidates ridges out"],
    effective: Float[np.ndarray, " windows"],
) -> Float[np.ndarray, "windows candidates ridges out"]:
    """Shares of candidates and ridges in every window, for each target by itself."""
    shares = np.empty_like(errors)
    for target in range(errors.shape[-1]):
        found, _ = posterior(errors[..., target].reshape(len(errors), -1), effective)
        shares[..., target] = found.reshape(errors.shape[:-1])
    return shares


def _squares(shares: np.ndarray, errors: np.ndarray) -> Float[np.ndarray, "windows out"]:
    known = np.where(np.isfinite(errors), errors, 0.0)
    return np.sum(shares * known, axis=(1, 2))


def _errors(
    batches: list[Batch],
    cut: Cut,
    windows: Int[np.ndarray, " some"],
    candidates: list[Candidate],
    pieces: Pieces | None,
    kept: dict[tuple[int, int], Factors] | None = None,
) -> tuple[Float[np.ndarray, "some candidates ridges out"], Float[np.ndarray, " some"]]:
    """Mean weighted leave-one-out errors by window, candidate, ridge, target; effective points.

    Candidates with fewer ridges than others have infinite errors in the places left over. The
    pieces, which have none, come last, in the first place. `kept` takes the factors by batch and
    candidate, as many as its memory holds.
    """
    ridges = max((len(candidate.ridges) for candidate in candidates), default=1)
    shape = len(windows), len(candidates) + (pieces is not None), ridges, batches[0].y.shape[-1]
    errors = np.full(shape, np.inf)
    if pieces is not None:
        errors[:, -1, 0] = pieces.errors(cut.cover, windows) + _ROUND_OFF**2
    effective = np.zeros(len(windows))
    for batch in batches:
        total = batch.weight.sum(axis=1)
        effective[batch.position] = total**2 / np.square(batch.weight).sum(axis=1)

    jobs = [
        (place, position) for place in range(len(batches)) for position in range(len(candidates))
    ]
    sizes = [_bytes_of(batches[place], candidates[position]) for place, position in jobs]
    fits = dict(zip(jobs, np.cumsum(sizes) <= _KEPT_BYTES, strict=True))

    def work(job: tuple[int, int]) -> None:
        place, position = job
        batch, candidate = batches[place], candidates[position]
        design = make_design(candidate.layer, batch.local)
        factors = factorize(design, batch.mask, candidate.precise)
        found = leave_one_out(design, factors, candidate.ridges, batch.weight, batch.y)
        mean = found / batch.weight.sum(axis=1)[:, None, None]
        errors[batch.position, position, : len(candidate.ridges)] = mean + _ROUND_OFF**2
        if kept is not None and fits[job]:
            kept[job] = factors

    _in_threads(work, jobs)
    return np.where(np.isnan(errors), np.inf, errors), effective


def _bytes_of(batch: Batch, candidate: Candidate) -> int:
    """What the factors of a batch take."""
    shared, points, dim = batch.local.shape
    columns = candidate.layer.width + 1 + dim if candidate.precise else 0
    return 8 * kernels(shared, batch.mask, candidate.precise) * points * (points + columns)


def _in_threads(work: Callable, jobs: list) -> None:
    clocks = running_clocks()

    def run(job) -> None:
        # JAX's precision is a setting of the thread, and so are the clocks.
        with jax.enable_x64(True), noting(clocks):
            work(job)

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(run, jobs):
            pass


def fit_windows(target: Target, choice: Choice, *, left_out: bool = False) -> Fitted:
    """Errors of the surviving candidates in all windows, and the network that they decide on.

    `left_out`: also what it misses at every point, of data without a grid.
    """
    cover, every = choice.cut.cover, np.arange(choice.cut.cover.windows)
    batches = target.data.batches(choice.cut, every)
    kept: dict[tuple[int, int], Factors] = {}
    errors, effective = _errors(batches, choice.cut, every, choice.candidates, choice.pieces, kept)
    shares = _shares(errors, effective)
    by_layer = shares.sum(axis=2)
    least = np.minimum(_BLEND, by_layer.max(axis=1, keepdims=True))
    by_layer = np.where(by_layer >= least, by_layer, 0.0)
    by_layer /= by_layer.sum(axis=1, keepdims=True)
    learns = choice.pieces is not None and len(choice.pieces.holes) > 0
    judged = np.full(cover.windows, learns or left_out)
    rough, nodes = choice.free and choice.error > _ROUGH, misses_nodes(target.data)
    if rough and nodes:
        judged = judging_windows(cover, choice.pilots)
    missed = Missed.none(target.data, judged) if judged.any() else None
    cuts = None
    if rough and choice.pieces is not None and choice.pieces.gaps:
        cuts = CutGaps.of(choice.pieces.gaps, target.data.y.shape[1])
    affine = np.zeros((cover.windows, target.data.y.shape[1], 1 + target.dim))
    parts = []
    for position, candidate in enumerate(choice.candidates):
        used = np.flatnonzero((by_layer[:, position] > 0).any(axis=-1))
        factors = [kept.pop((place, position), None) for place in range(len(batches))]
        if len(used):
            within = shares[used, position]
            within = within / np.maximum(within.sum(axis=1, keepdims=True), _NONE)
            share = np.zeros((cover.windows, *shares.shape[2:]))
            share[used] = by_layer[used, position, None] * within
            part, offset = _part(batches, used, candidate, share, missed, factors, cuts)
            affine[used] += offset
            parts.append(part)
    squares = _squares(shares, errors)
    if choice.pieces is not None and missed is not None:
        more = _more_pieces(target, choice, by_layer[:, -1], missed, squares)
        squares += more * (choice.pieces.errors(cover, every) - squares)
        parts = [part.times(1.0 - more) for part in parts]
        affine *= (1.0 - more)[..., None]
        by_layer *= (1.0 - more)[:, None]
        by_layer[:, -1] += more
    network = Windowed(
        tuple(parts),
        jnp.asarray(affine),
        jnp.asarray(cover.centre),
        jnp.asarray(cover.radius),
        jnp.asarray(cover.start),
        jnp.asarray(cover.spacing),
        cover.counts,
        _shared(choice.pieces, by_layer[:, -1]),
    )
    filled = Filled(network, 0.0, 0)
    if cuts is not None and choice.pieces is not None:
        share = by_layer[:, -1]
        filled = with_missing_samples(network, target.data, choice.pieces, cover, share, cuts)
    if missed is not None and nodes:
        filled = with_missing_nodes(network, target.data, missed)
    error = float(np.sqrt(np.mean(squares)))
    of_points = missed.mean() if left_out and missed is not None else None
    return Fitted(filled, by_layer.mean(axis=(0, 2)), error, of_points)


def _more_pieces(
    target: Target,
    choice: Choice,
    share: Float[np.ndarray, "windows out"],
    missed: Missed,
    squares: Float[np.ndarray, "windows out"],
) -> Float[np.ndarray, "windows out"]:
    """What share of every window's mixture to give up for the pieces, where they learn values.

    **Arguments:** `share`: that the pieces have in the mixture; `missed`: by its networks;
    `squares`: the mixture's errors.
    """
    cover, pieces, data = choice.cut.cover, choice.pieces, target.data
    assert pieces is not None
    networks, learnt = missed.mean(), data.at_sites(pieces.learnt)
    part = data.at_sites(pieces.share(cover, share, pieces.x))
    networks = np.where(np.isnan(networks), learnt, networks)  # where pieces alone have a share
    learns = pieces.learns(cover)
    held = data.at_sites(1.0 * learns[pieces.nearest(cover)][:, None]) > 0.0
    mixture = ((1.0 - part) * networks + part * learnt)[held[:, 0]]
    learnt = learnt[held[:, 0]]
    overall = np.array([stacked_share(*both) for both in zip(mixture.T, learnt.T, strict=True)])
    second = pieces.errors(cover, np.arange(cover.windows)) + _ROUND_OFF**2
    return local_shares(overall, squares + _ROUND_OFF**2, second) * learns[:, None]


def _shared(pieces: Pieces | None, share: Float[np.ndarray, "windows out"]) -> SharedPieces | None:
    if pieces is None or not share.any():
        return None
    return SharedPieces(pieces.function, jnp.asarray(share))


def _part(
    batches: list[Batch],
    windows: Int[np.ndarray, " used"],
    candidate: Candidate,
    share: Float[np.ndarray, "windows ridges out"],
    missed: Missed | None,
    kept: list[Factors | None],
    cuts: CutGaps | None,
) -> tuple[LocalReadout, Float[np.ndarray, "used out columns"]]:
    """Read-outs of one layer in the windows that use it, and their affine parts.

    `share`: of every ridge in every window, which adds up to what each target has of the layer.
    `missed` takes what they miss where samples are left out; `kept`: a batch's factors, or `None`.
    """
    out, dim = batches[0].y.shape[2], batches[0].local.shape[2]
    weight = np.zeros((1 + len(windows), out, candidate.layer.width))  # row 0 stays zero
    affine = np.zeros((len(windows), out, 1 + dim))
    ridges = candidate.ridges
    row = np.zeros(len(share), np.int32)
    row[windows] = 1 + np.arange(len(windows))

    def work(place: int) -> None:
        used = np.flatnonzero(row[batches[place].position])
        if len(used) == 0:
            return
        batch, factors = batches[place].take(used), kept[place]
        design = make_design(candidate.layer, batch.local)
        if factors is None:
            factors = factorize(design, batch.mask, candidate.precise)
        else:
            factors = factors.take(used)
        mixed = share[batch.position, : len(ridges)]
        found = readouts(design, factors, batch.mask, ridges, mixed, batch.y)
        own = row[batch.position]
        weight[own], affine[own - 1] = found
        if cuts is not None:
            cuts.add(batch, design, ridges, mixed)
        if missed is None:
            return
        rows = np.flatnonzero(missed.judged[batch.position])
        if len(rows):
            judged, design, factors = batch.take(rows), design.take(rows), factors.take(rows)
            errors = left_out(design, factors, ridges, mixed[rows], judged.y)
            missed.add(judged, mixed[rows].sum(axis=1), errors)

    _in_threads(work, list(range(len(batches))))
    return LocalReadout(candidate.layer, jnp.asarray(weight), jnp.asarray(row)), affine
