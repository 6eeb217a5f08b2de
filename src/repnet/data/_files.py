"""Files of sound, and the reader that goes by a file's suffix."""

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from repnet.data._archive import at_least_two_rows, numbered, read_npz
from repnet.data._csv import read_csv
from repnet.data._dataset import Dataset
from repnet.data._path import existing, reason


def read_wav(path: str | PathLike[str]) -> Dataset:
    """Read a sound: time in seconds, every channel an output between -1 and 1.

    ```python
    >>> import pathlib, tempfile
    >>> from scipy.io import wavfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "click.wav"
    >>> wavfile.write(path, 8000, np.array([0, 16384, -32768], np.int16))
    >>> read_wav(path).y.ravel().tolist()
    [0.0, 0.5, -1.0]

    ```

    **Arguments:**

    - `path`: the file; samples of 8, 16, 24 or 32 bits or floating point.

    **Returns:** a `Dataset` on the grid of the sampling times.

    **Raises:** `ValueError`, in one line, for a file that is missing, corrupt or cut short, or
    has one sample.

    **Source:** this project; read by `scipy.io.wavfile`.
    """
    path = existing(path)
    rate, samples = _sound(path)
    values = _unit_range(samples).reshape(len(samples), -1)
    channels = numbered("amplitude", values.shape[1])
    time = np.arange(len(values))[:, None] / rate
    units = ("s", *[""] * len(channels))
    dataset = Dataset(
        path.stem, time, values, ("time",), channels, units, path.name, (len(values),)
    )
    return at_least_two_rows(path, dataset)


def _sound(path: Path) -> tuple[int, np.ndarray]:
    from scipy.io import wavfile  # late: scipy.io takes 80 ms to import, for sounds alone

    with warnings.catch_warnings():
        warnings.simplefilter("error", wavfile.WavFileWarning)
        # Chunks of titles and marks, which many editors write, are no fault.
        warnings.filterwarnings("ignore", "Chunk .*not understood", wavfile.WavFileWarning)
        try:
            rate, samples = wavfile.read(path)
        except Exception as error:  # a damaged header makes scipy raise almost anything
            raise ValueError(
                f"`{path}` must be a WAV file; reading it failed: {reason(error)}."
            ) from None
    if rate <= 0 or not len(samples):
        raise ValueError(
            f"`{path}` must hold samples at a rate above 0; it has {len(samples)} at {rate} Hz."
        )
    return rate, samples


def _unit_range(samples: np.ndarray) -> np.ndarray:
    """Integer samples scaled so that full scale is 1; floating-point samples as they are."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float64)
    full = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = full if samples.dtype.kind == "u" else 0.0  # 8-bit WAV is unsigned around 128
    return (samples - middle) / full


def read_table(
    path: str | PathLike[str],
    inputs: str | Sequence[str] | None = None,
    target: str | None = None,
) -> Dataset:
    """Read a data set by the suffix of its file: arrays, a sound, or a table of text.

    ```python
    >>> read_table("sound.mp3")
    Traceback (most recent call last):
    ValueError: `sound.mp3` must end in .csv, .tsv, .txt, .dat, .gz, .npz, .npy, .wav; got '.mp3'.

    ```

    **Arguments:** as for `read_csv` and `read_npz`; a sound takes neither `inputs` nor `target`.

    **Returns:** a `Dataset`.

    **Raises:** `ValueError` as the readers do, for another suffix, and for a folder.

    **Source:** this project.
    """
    suffix = Path(path).suffix.lower()
    match suffix:
        case ".csv" | ".tsv" | ".txt" | ".dat" | ".gz":
            return read_csv(path, inputs, target)
        case ".npz" | ".npy":
            return read_npz(path, inputs, target)
        case ".wav":
            if inputs or target:
                raise ValueError(
                    f"`{path}`: a sound has no columns to name; got {inputs or target!r}."
                )
            return read_wav(path)
        case _:
            if Path(path).is_dir():
                raise ValueError(f"`{path}` must be a file; it is a folder.")
            known = ".csv, .tsv, .txt, .dat, .gz, .npz, .npy, .wav"
            raise ValueError(f"`{path}` must end in {known}; got {suffix!r}.")
