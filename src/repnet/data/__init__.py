"""Data sets: real ones from installed packages, and files of the user's own."""

from repnet.data._accelerogram import GRAVITY, Accelerogram, read_accelerogram
from repnet.data._archive import read_npz
from repnet.data._csv import read_csv
from repnet.data._dataset import Dataset, holdout
from repnet.data._files import read_table, read_wav
from repnet.data._quakes import missing_packages, quakes
from repnet.data._samples import camera, heart, sea_floor, sea_surface_temperature, terrain

__all__ = [
    "GRAVITY",
    "Accelerogram",
    "Dataset",
    "camera",
    "heart",
    "holdout",
    "missing_packages",
    "quakes",
    "read_accelerogram",
    "read_csv",
    "read_npz",
    "read_table",
    "read_wav",
    "sea_floor",
    "sea_surface_temperature",
    "terrain",
]
