"""Reports: the record of a run, and the page, text and picture that are drawn from it."""

from repnet.report._arrays import arrays_of, data_arrays, spectrum_arrays
from repnet.report._equations import (
    Stated,
    describe_problem,
    measure_solution,
    residual_table,
    unknown_errors,
)
from repnet.report._equations_arrays import equation_arrays
from repnet.report._folder import OutputFolder, free_name
from repnet.report._labels import number, seconds, unknown_rows, words_left_out
from repnet.report._learning import learning_rows
from repnet.report._measure import bands_of, describe_data, describe_spectra, measure
from repnet.report._operators import LABELS as ERROR_LABELS
from repnet.report._operators import function_arrays, response_arrays
from repnet.report._record import (
    Record,
    describe_network,
    describe_plan,
    plain,
    read_record,
    record_of,
)
from repnet.report._run import MODEL, Run, draw_reports, read_run, write_run
from repnet.report._targets import shared_unit, target_rows

__all__ = [
    "ERROR_LABELS",
    "function_arrays",
    "response_arrays",
    "MODEL",
    "OutputFolder",
    "Record",
    "Run",
    "Stated",
    "arrays_of",
    "bands_of",
    "data_arrays",
    "describe_data",
    "describe_network",
    "describe_plan",
    "describe_problem",
    "describe_spectra",
    "draw_reports",
    "equation_arrays",
    "free_name",
    "measure",
    "measure_solution",
    "number",
    "plain",
    "read_record",
    "read_run",
    "record_of",
    "residual_table",
    "seconds",
    "shared_unit",
    "spectrum_arrays",
    "target_rows",
    "unknown_errors",
    "learning_rows",
    "unknown_rows",
    "words_left_out",
    "write_run",
]
