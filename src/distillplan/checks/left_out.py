"""The speed model as it is without a source, to predict what that source published."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from distillplan.files.csv_reader import read_csv
from distillplan.files.entries import coefficients_dir
from distillplan.hardware.throughput import ThroughputModel, throughput_model

SD: Final = "sd_"
"""What the columns of standard deviations begin with; the others are coefficients."""


def model_without(source: str) -> ThroughputModel:
    """Coefficients and ranges found without a source; the shipped ones where it taught nothing."""
    return _models().get(source) or throughput_model()


@cache
def _models() -> Mapping[str, ThroughputModel]:
    """The models of coefficients/throughput_left_out.csv by the source that they lack."""
    shipped = throughput_model()
    found = {}
    for row in read_csv(coefficients_dir() / "throughput_left_out.csv"):
        values = dict(row.values)
        source = values.pop("source")
        numbers = {name: float(value) for name, value in values.items()}
        errors = {name.removeprefix(SD): one for name, one in numbers.items() if SD in name}
        changed: dict[str, Any] = {n: one for n, one in numbers.items() if SD not in n}
        found[source] = replace(shipped, **changed, log_sd={**shipped.log_sd, **errors})
    return found
