"""Sounds, written by SciPy and the standard library's `wave`, and the choice by suffix."""

import struct
import wave

import numpy as np
import pytest
from scipy.io import wavfile

from repnet.data import read_table, read_wav


@pytest.mark.parametrize(
    ("dtype", "full"), [(np.int16, 2**15), (np.int32, 2**31), (np.float32, 1), (np.float64, 1)]
)
def test_sounds_are_scaled_to_one(tmp_path, rng, dtype, full):
    channels = rng.uniform(-1, 1, (50, 2))
    wavfile.write(
        tmp_path / "a.wav", 8000, (channels * (full - 1 if full > 1 else 1)).astype(dtype)
    )
    data = read_wav(tmp_path / "a.wav")
    np.testing.assert_allclose(data.y, channels, atol=2.0**-14)
    np.testing.assert_allclose(data.x[:, 0], np.arange(50) / 8000)
    assert data.grid_shape == (50,)


@pytest.mark.parametrize(("width", "samples"), [(1, bytes([0, 128, 255])), (3, None)])
def test_sounds_of_8_and_24_bits(tmp_path, width, samples):
    frames = samples or b"".join(struct.pack("<i", v)[:3] for v in (-(2**23), 0, 2**23 - 1))
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(1000)
        file.writeframes(frames)
    np.testing.assert_allclose(read_wav(tmp_path / "a.wav").y[:, 0], [-1, 0, 1], atol=0.01)


def test_a_title_chunk_is_no_fault(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.arange(4, dtype=np.int16))
    sound = (tmp_path / "a.wav").read_bytes() + b"titl" + struct.pack("<I", 4) + b"song"
    (tmp_path / "a.wav").write_bytes(sound[:4] + struct.pack("<I", len(sound) - 8) + sound[8:])
    assert len(read_wav(tmp_path / "a.wav").x) == 4


def test_damaged_sounds_are_one_clear_line(tmp_path):
    wavfile.write(tmp_path / "whole.wav", 8000, np.arange(4000, dtype=np.int16))
    whole = (tmp_path / "whole.wav").read_bytes()
    damaged = {
        "text": b"no sound at all",
        "header": whole[:30],
        "cut": whole[:3000],
        "silent": whole[:40] + bytes(4),
    }
    for name, content in damaged.items():
        (tmp_path / f"{name}.wav").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.wav` must") as caught:
            read_wav(tmp_path / f"{name}.wav")
        assert "\n" not in str(caught.value)
        assert not str(caught.value).endswith("..")


def test_the_suffix_chooses_the_reader(tmp_path):
    (tmp_path / "a.TSV").write_text("1\t2\n3\t4\n")
    assert read_table(tmp_path / "a.TSV").y.tolist() == [[2], [4]]
    with pytest.raises(ValueError, match=r"must end in \.csv, .*; got '\.xlsx'"):
        read_table(tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match="must be a file; it is a folder"):
        read_table(tmp_path)
    wavfile.write(tmp_path / "a.wav", 8000, np.arange(4, dtype=np.int16))
    assert len(read_table(tmp_path / "a.wav").x) == 4
    with pytest.raises(ValueError, match="a sound has no columns to name; got 'left'"):
        read_table(tmp_path / "a.wav", target="left")
