"""The file of an interrupted fit: its resamples so far, and what they are resamples of."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_CELLS
from distillplan.files.json_reader import parse_json
from distillplan.files.saving import save
from distillplan.files.text_reader import read_text
from distillplan.fitting.bootstrap import METHOD, BootstrapState
from distillplan.fitting.fit_records import FitRequest
from distillplan.laws.draws import Draws, columns_of_law
from distillplan.laws.formulas import LossLaw
from distillplan.laws.provenance import PublishedLaw


def state_key(request: FitRequest) -> str:
    """A hash of everything that resamples depend on, by content: no name of a file or law is in it.

    Those are the numbers of the runs as the fit uses them (after columns, units and selections),
    the laws with their draws, the options that change the fit, and `METHOD`.
    """
    runs = request.runs
    kept = None if request.kept is None else np.flatnonzero(request.kept)
    content: dict[str, Any] = {
        "method": METHOD,
        "seed": request.seed,
        "params": runs.params,
        "tokens": runs.tokens,
        "loss": runs.loss,
        "teacher_loss": runs.teacher_loss,
        "like": _letters(request.like),
        "like_draws": _drawn(request.like_draws),
        "anchored": request.anchored,
        "supervised": None if request.supervised is None else _letters(request.supervised),
        "supervised_draws": _drawn(request.supervised_draws),
        "gamma_one": request.gamma_one,
        "kept": kept,
    }
    return hashlib.sha256("\n".join(_lines(content, "")).encode()).hexdigest()


def _letters(law: PublishedLaw) -> Mapping[str, Any]:
    found: LossLaw = law.distillation or law.supervised
    return columns_of_law(found)


def _drawn(draws: Draws | None) -> Mapping[str, Any] | None:
    return None if draws is None else columns_of_law(draws.law)


def _lines(content: Mapping[str, Any], where: str) -> Iterable[str]:
    """Each number of it in full, with its place."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{where}{name}.")
        elif isinstance(value, np.ndarray):
            yield f"{where}{name}: {value.tolist()!r}"
        else:
            yield f"{where}{name}: {value!r}"


def load_state(path: Path, key: str) -> BootstrapState | None:
    """The resamples of an interrupted fit; None where there are none yet.

    Args:
        path: the file that `save_state` has written.
        key: what they must be resamples of, as `state_key` has it.

    Raises:
        InputError: when they are those of another fit, or the file is another file.
    """
    if not path.exists():
        return None
    text = read_text(path)
    if not text:  # as mktemp makes it
        return None
    data = parse_json(text, str(path), most_values=MOST_CELLS)
    if not isinstance(data, dict) or data.keys() != {"key", "bootstrap"}:
        raise InputError(
            f"state: {path} was not written by distillplan fit; name another file or remove it"
        )
    if data["key"] != key:
        raise InputError(
            f"state: {path} has the resamples of another fit: other runs, columns, units, laws, "
            "options or another version of distillplan; name another file or remove it"
        )
    return BootstrapState.from_dict(data["bootstrap"])


def save_state(path: Path, key: str, state: BootstrapState) -> None:
    """Write the resamples so far, for a later call to continue from.

    Raises:
        InputError: when the file cannot be written.
    """
    save(path, json.dumps({"key": key, "bootstrap": state.to_dict()}))
