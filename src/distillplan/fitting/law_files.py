"""The only writer of files: a fitted law with its draws, and the state of an interrupted fit."""

import json
import os
from pathlib import Path

import numpy as np

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_BYTES, MOST_CELLS, shown
from distillplan.files.json_reader import read_foreign_json
from distillplan.files.yaml_reader import YAML_ENDINGS
from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fit_records import FitReport
from distillplan.laws.draws import Draws, columns_of_law
from distillplan.laws.law_catalog import demand_own_name
from distillplan.laws.provenance import Coefficient, PublishedLaw, SideSource

SUFFIXES = (".yaml", ".yml")
"""How the file of a law ends; that is how a law's file is told from its name."""


def save_law(report: FitReport, path: Path) -> FitReport:
    """Write the law so that ``law_catalog.law`` can read it, and its draws beside it.

    Returns:
        The report with the names of the files.

    Raises:
        InputError: when the file cannot be written.
    """
    demand_law_path(path)
    beside = draws_path(path)
    if report.draws is not None:
        _write(beside, _draws_text(report.draws))
    _write(path, law_text(report, beside.name))
    draws = () if report.draws is None else (str(beside),)
    return report._replace(saved=(str(path), *draws))


def draws_path(path: Path) -> Path:
    """Where the draws of a law's file are written."""
    return path.with_name(f"{path.stem}.draws.csv")


def demand_law_path(path: Path) -> None:
    """Refuse, before any work is done, a file that a law could not be read from.

    Raises:
        InputError: for another suffix, a folder that does not exist, or the name of a published
            law.
    """
    if path.suffix not in YAML_ENDINGS:
        raise InputError(f"save: the file name {path.name!r} must end in {YAML_ENDINGS[0]}")
    if not path.parent.is_dir():
        raise InputError(f"save: the folder {path.parent} does not exist; create it first")
    demand_own_name(path.stem, "save")


def law_text(report: FitReport, draws_name: str) -> str:
    """The text of a law's file, in the form of those that ship."""
    law = report.law
    lines = [
        "# Written by distillplan fit; plan with it: distillplan budget COMPUTE --law THIS_FILE",
        f"title: {_quoted(law.title)}",
        f"form: {law.form}",
        *(
            f"{name}: {_quoted(getattr(law, name))}"
            for name in ("source", "counts", "loss_unit", "corpus", "tokenizer")
        ),
        "valid:",
        *(f"  {name}: [{low!r}, {high!r}]" for name, (low, high) in law.valid.items()),
        "coefficients:",
        "  supervised:",
        *_side(law, distillation=False),
    ]
    if law.distillation is not None:
        lines += ["  distillation:", *_side(law, distillation=True)]
    for name in ("supervised_from", "distillation_from"):
        side: SideSource | None = getattr(law, name)
        if side is not None:
            lines.append(
                f"{name}: {{origin: {side.origin}, law: {_quoted(side.law)}, runs: {side.runs}}}"
            )
    lines.append(f"measured_in: {law.measured_in}")
    if law.bytes_per_token is not None:
        lines.append(f"bytes_per_token: {law.bytes_per_token!r}")
    if report.draws is not None:
        noise = f"sigma_run: {report.sigma_run!r}"
        lines.append(f"draws: {{file: {_quoted(draws_name)}, {noise}}}")
    if law.warnings:
        lines.append("warnings:")
        lines += [
            f"  - {{code: {one.code}, message: {_quoted(one.message)}}}" for one in law.warnings
        ]
    for name in ("accuracy", "notes"):
        lines += [f"{name}:", *(f"  - {_quoted(one)}" for one in getattr(law, name))]
    return "\n".join(lines) + "\n"


def _side(law: PublishedLaw, *, distillation: bool) -> list[str]:
    side = law.side(distillation=distillation)
    return [f"    {letter}: {_coefficient(one)}" for letter, one in side.items()]


def _coefficient(one: Coefficient) -> str:
    parts = [f"value: {one.value!r}"]
    if one.low is not None and one.high is not None and one.level is not None:
        parts.append(f"ci{one.level:.0%}".replace("%", "") + f": [{one.low!r}, {one.high!r}]")
    if one.no_interval is not None:
        parts.append(f"no_interval: {_quoted(one.no_interval)}")
    return "{" + ", ".join(parts) + "}"


def _quoted(text: str) -> str:
    """Double quotes of JSON are double quotes of YAML."""
    return json.dumps(text, ensure_ascii=False)


def _draws_text(draws: Draws) -> str:
    """One line per draw; seven digits are far finer than the spread of every letter."""
    columns = columns_of_law(draws.law)
    table = np.column_stack(list(columns.values()))
    rows = (",".join(f"{value:.7g}" for value in row) for row in table)
    return "\n".join([",".join(columns), *rows]) + "\n"


def load_state(path: Path, key: str) -> BootstrapState | None:
    """The resamples of an interrupted fit; None where there are none yet.

    Args:
        path: the file that `save_state` has written.
        key: the runs and settings that they must belong to.

    Raises:
        InputError: when they belong to other runs or settings, or the file is another file or
            cannot be read.
    """
    if not path.exists():
        return None
    data = read_foreign_json(path, most_bytes=MOST_BYTES, most_values=MOST_CELLS)
    if not isinstance(data, dict) or data.keys() != {"key", "bootstrap"}:
        raise InputError(
            f"state: {path} was not written by distillplan fit; name another file or remove it"
        )
    there = data["key"]
    if there != key:
        raise InputError(
            f"state: {path} belongs to other runs or settings ({shown(there)}, not {key}); name "
            "another file or remove it"
        )
    return BootstrapState.from_dict(data["bootstrap"])


def save_state(path: Path, key: str, state: BootstrapState) -> None:
    """Write the resamples so far, for a later call to continue from.

    Raises:
        InputError: when the file cannot be written.
    """
    _write(path, json.dumps({"key": key, "bootstrap": state.to_dict()}))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, by way of a temporary one beside it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
