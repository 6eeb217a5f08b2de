"""`repnet diagnose`: what a data set asks of a network, before any is trained."""

from typing import Any

import numpy as np

from repnet.cli._choices import load
from repnet.cli._finish import asked
from repnet.cli._fit import key_of
from repnet.cli._learning import forecast_learning, why_no_forecast
from repnet.cli._suggest import suggest
from repnet.cli._table import show_diagnosis
from repnet.data import Dataset
from repnet.report import (
    OutputFolder,
    Run,
    data_arrays,
    describe_data,
    describe_spectra,
    draw_reports,
    free_name,
    record_of,
    spectrum_arrays,
    write_run,
)
from repnet.spectrum import SamplingReport, check_sampling


def run_diagnose(options: dict[str, Any]) -> int:
    """Measure a data set, write the record and its reports, show them; the exit code."""
    data = load(options["data"], options["inputs"], options["target"])
    with OutputFolder(options["out"] or free_name(f"repnet-diagnose-{data.name}")) as folder:
        run = _diagnosis(data, options)
        write_run(folder.path, run, None)
        draw_reports(folder.path)
        target = folder.commit()
    if options["json"]:
        print(run.record.to_json())
    elif not options["quiet"]:
        show_diagnosis(run.record, str(target))
    return 0


def _diagnosis(data: Dataset, options: dict[str, Any]) -> Run:
    sampling = check_sampling(data.x, data.y, data.grid_shape)
    spectra = sampling.spectra
    suggestion = suggest(data, spectra)
    scale = np.asarray(suggestion["scale"])
    key = key_of(options["seed"])
    left_out = why_no_forecast(data)
    learning = None
    if left_out is None:
        learning = forecast_learning(data, scale, verify=options["verify"], key=key)
    record = record_of(
        "diagnose",
        asked(options),
        seed=options["seed"],
        metrics={
            "data": describe_data(data, data, None),
            "spectrum": describe_spectra(spectra, data, None),
            "sampling": _describe(sampling),
            "suggestion": suggestion,
            "learning": learning,
            "learning_left_out": left_out,
        },
    )
    return Run(record, {**data_arrays(data), **spectrum_arrays(spectra)})


def _describe(sampling: SamplingReport) -> dict[str, Any]:
    return {
        "level": sampling.level,
        "findings": sampling.findings,
        "points_per_wavelength": np.array(sampling.points_per_wavelength),
    }
