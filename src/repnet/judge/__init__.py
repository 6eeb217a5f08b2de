"""Judges: how far a function is from data, in all and per band of frequencies."""

from repnet.judge._bands import BandError, band_error
from repnet.judge._error import psnr, relative_l2, report_card, rmse
from repnet.judge._learning import Forecast, time_to_learn
from repnet.judge._learning_check import LearningCheck, check_learning

__all__ = [
    "BandError",
    "Forecast",
    "LearningCheck",
    "band_error",
    "check_learning",
    "psnr",
    "relative_l2",
    "report_card",
    "rmse",
    "time_to_learn",
]
