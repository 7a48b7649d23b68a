"""The file of a fitted law: one file, so that no law is ever seen with the draws of another."""

from pathlib import Path
from typing import Final

import numpy as np

from distillplan.errors import InputError
from distillplan.files.saving import NamedFile, demand_savable, save
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.files.yaml_text import quoted
from distillplan.fitting.fit_records import FitReport
from distillplan.fitting.runs import Runs
from distillplan.laws.draws import Draws, columns_of_law
from distillplan.laws.law_catalog import demand_own_name
from distillplan.laws.law_runs import FittedOn, run_lines
from distillplan.laws.provenance import Coefficient, PublishedLaw, SideSource

MARK: Final = "# Written by distillplan fit"
"""How the file of a law begins that may be replaced by another fit."""


def save_law(report: FitReport, path: Path) -> FitReport:
    """Write the law with its draws so that ``law_catalog.law`` can read it.

    Returns:
        The report with the name of the file.

    Raises:
        InputError: when the file cannot be written, or holds what no fit has written.
    """
    demand_law_path(NamedFile(what="save", path=str(path)))
    save(path, law_text(report))
    return report._replace(saved=(str(path),))


def demand_law_path(name: NamedFile) -> None:
    """Refuse, before any work is done, a place where a law cannot or should not be.

    Raises:
        InputError: for another ending, for a file that no fit has written, for the name of a
            published law, or as `demand_savable`.
    """
    path = Path(name.path)
    if path.suffix not in YAML_ENDINGS:
        raise InputError(f"{name.what}: the file name {path.name!r} must end in {YAML_ENDINGS[0]}")
    demand_own_name(path.stem, name.what)
    demand_savable(name)
    if path.exists():
        begins = _beginning(path)
        if begins and begins != MARK.encode():
            raise InputError(
                f"{name.what}: {path} was not written by distillplan fit; name another file, or "
                "move this one away"
            )


def _beginning(path: Path) -> bytes:
    """As much of a file as the mark is long."""
    try:
        with path.open("rb") as file:
            return file.read(len(MARK))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def law_text(report: FitReport) -> str:
    """The text of a law's file, in the form of those that ship; draws and runs stand at its end."""
    law = report.law
    lines = [
        f"{MARK}; plan with it: distillplan budget COMPUTE --law THIS_FILE",
        f"title: {quoted(law.title)}",
        f"form: {law.form}",
        *(
            f"{name}: {quoted(getattr(law, name))}"
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
                f"{name}: {{origin: {side.origin}, law: {quoted(side.law)}, runs: {side.runs}}}"
            )
    lines.append(f"measured_in: {law.measured_in}")
    if law.bytes_per_token is not None:
        lines.append(f"bytes_per_token: {law.bytes_per_token!r}")
    if law.warnings:
        lines.append("warnings:")
        lines += [
            f"  - {{code: {one.code}, message: {quoted(one.message)}}}" for one in law.warnings
        ]
    for name in ("accuracy", "notes"):
        lines += [f"{name}:", *(f"  - {quoted(one)}" for one in getattr(law, name))]
    if report.draws is not None:
        lines += ["draws:", f"  sigma_run: {report.sigma_run!r}", "  table:"]
        lines += [f"  - {line}" for line in _draws_lines(report.draws)]
    lines += ["runs:", f"  noise: {report.noise!r}", "  table:"]
    lines += [f"  - {line}" for line in run_lines(_of(report.fitted))]
    return "\n".join(lines) + "\n"


def _of(runs: Runs) -> FittedOn:
    return FittedOn(**{name: getattr(runs, name) for name in FittedOn._fields})


def _side(law: PublishedLaw, *, distillation: bool) -> list[str]:
    side = law.side(distillation=distillation)
    return [f"    {letter}: {_coefficient(one)}" for letter, one in side.items()]


def _coefficient(one: Coefficient) -> str:
    parts = [f"value: {one.value!r}"]
    if one.low is not None and one.high is not None and one.level is not None:
        parts.append(f"ci{one.level:.0%}".replace("%", "") + f": [{one.low!r}, {one.high!r}]")
    if one.no_interval is not None:
        parts.append(f"no_interval: {quoted(one.no_interval)}")
    return "{" + ", ".join(parts) + "}"


def _draws_lines(draws: Draws) -> list[str]:
    """One line per draw; seven digits are far finer than the spread of every letter."""
    columns = columns_of_law(draws.law)
    table = np.column_stack(list(columns.values()))
    return [",".join(columns), *(",".join(f"{value:.7g}" for value in row) for row in table)]
