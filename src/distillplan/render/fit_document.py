"""The JSON document of a fit."""

from typing import TYPE_CHECKING, Any

from distillplan.render.plain import plain

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitReport


def fit_document(report: "FitReport", law: dict[str, Any]) -> dict[str, Any]:
    """A fit; of its draws only how many, for they belong into the file of the law."""
    values = {
        name: plain(getattr(report, name))
        for name in report._fields
        if name not in {"law", "draws", "test", "warnings"}
    }
    return {
        "schema": "distillplan/fit@1",
        **values,
        "draws": 0 if report.draws is None else report.draws.size,
        "test": plain(report.test),
        "warnings": plain(report.warnings),
        "law": law,
    }
