from ._bands import BandError, band_error
from ._error import psnr, relative_l2, report_card, rmse
from ._learning import Forecast, time_to_learn
from ._learning_check import LearningCheck, check_learning

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
