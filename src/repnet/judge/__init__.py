"""Judges: how far a function is from data, in all and per band of frequencies."""

from repnet.judge._bands import BandError, band_error, time_to_learn
from repnet.judge._error import psnr, relative_l2, report_card, rmse

__all__ = [
    "BandError",
    "band_error",
    "psnr",
    "relative_l2",
    "report_card",
    "rmse",
    "time_to_learn",
]
