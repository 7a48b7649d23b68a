"""The only writer of files: a fitted law with its draws, and the state of an interrupted fit."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from distillplan.errors import InputError
from distillplan.fitting.bootstrap import BootstrapState
from distillplan.fitting.fit_records import FitReport
from distillplan.laws.draws import Draws
from distillplan.laws.formulas import DistillationLaw
from distillplan.laws.provenance import Coefficient, PublishedLaw

SUFFIXES = (".yaml", ".yml")
"""What a law's file ends in; that is how a law by name and one by file are told apart."""


def save_law(report: FitReport, path: Path) -> FitReport:
    """Write the law as `catalog.law` reads it, and its draws beside it; whole or not at all.

    Returns:
        The report with the names of the files.

    Raises:
        InputError: when the place cannot be written.
    """
    demand_law_path(path)
    draws_path = path.with_name(f"{path.stem}.draws.csv")
    if report.draws is not None:
        _write(draws_path, _draws_text(report.draws))
    _write(path, law_text(report, draws_path.name))
    beside = () if report.draws is None else (str(draws_path),)
    return report._replace(saved=(str(path), *beside))


def demand_law_path(path: Path) -> None:
    """Refuse a file that no law could be read from, before any work is done.

    Raises:
        InputError: for another suffix, or a folder that is not there.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"save: {path.name!r} is no name for a law's file; end it in .yaml")
    if not path.parent.is_dir():
        raise InputError(f"save: the folder {path.parent} does not exist; make it first")


def law_text(report: FitReport, draws_name: str) -> str:
    """The file of a law in the form of those that ship."""
    law = report.law
    lines = [
        "# Written by distillplan fit; plan with it: distillplan budget COMPUTE --law THIS_FILE",
        f"title: {_quoted(law.title)}",
        f"form: {report.form}",
        *(
            f"{name}: {_quoted(getattr(law, name))}"
            for name in ("source", "counts", "loss_unit", "corpus", "tokenizer")
        ),
        "valid:",
        *(f"  {name}: [{low!r}, {high!r}]" for name, (low, high) in law.valid.items()),
        "coefficients:",
        "  supervised:",
        *_side(law, prime=False),
    ]
    if law.distillation is not None:
        lines += ["  distillation:", *_side(law, prime=True)]
    if report.draws is not None:
        noise = f"sigma_run: {report.sigma_run!r}"
        lines.append(f"draws: {{file: {_quoted(draws_name)}, {noise}}}")
    for name in ("accuracy", "notes"):
        lines += [f"{name}:", *(f"  - {_quoted(one)}" for one in getattr(law, name))]
    return "\n".join(lines) + "\n"


def _side(law: PublishedLaw, *, prime: bool) -> list[str]:
    return [
        f"    {name.removesuffix(chr(39))}: {_coefficient(one)}"
        for name, one in law.coefficients.items()
        if name.endswith("'") == prime
    ]


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
    """A line per draw; seven digits, far below the spread of every letter."""
    law: Any = draws.law
    columns = {
        f"supervised.{name}": getattr(draws.supervised, name) for name in draws.supervised._fields
    }
    if isinstance(law, DistillationLaw):
        columns |= {name: getattr(law, name) for name in law._fields[1:]}
    table = np.column_stack([np.asarray(one, dtype=float) for one in columns.values()])
    rows = (",".join(f"{value:.7g}" for value in row) for row in table)
    return "\n".join([",".join(columns), *rows]) + "\n"


def load_state(path: Path, key: str) -> BootstrapState | None:
    """The resamples that an interrupted fit has left; None where there are none yet.

    Args:
        path: the file that `save_state` has written.
        key: says which runs and settings they belong to.

    Raises:
        InputError: when they belong to other runs or settings, or the file is no such file.
    """
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        there = data["key"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"state: {path} is no state of a fit; name another file or remove it"
        ) from None
    if there != key:
        raise InputError(
            f"state: {path} belongs to other runs or settings ({there}, not {key}); name another "
            "file or remove it"
        )
    return BootstrapState.from_dict(data["bootstrap"])


def save_state(path: Path, key: str, state: BootstrapState) -> None:
    """Write what a later call can go on from."""
    _write(path, json.dumps({"key": key, "bootstrap": state.to_dict()}))


def _write(path: Path, text: str) -> None:
    """Beside the place first, then in it: nobody finds half a file."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        temporary = Path(file.name)
        try:
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def _umask() -> int:
    """What a plain open() would take away; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
