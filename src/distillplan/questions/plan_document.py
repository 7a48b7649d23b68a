"""A plan read back from the document that `distillplan budget -o json` writes."""

import math
from pathlib import Path
from typing import Any, Final

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.files.json_reader import read_foreign_json
from distillplan.hardware.strategy import Loss
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Band, Method
from distillplan.planning.verdict_records import Odds, Verdict
from distillplan.schemas.reader import schema_id

DOCUMENT: Final = "plan"
"""Name of the document that is read."""

_MADE_BY: Final = "make it with: distillplan budget ... -o json > plan.json"


class PlannedOption(NamedTuple):
    """One option of a plan that can be trained."""

    method: Method
    accounting: Accounting | None
    decides: bool
    recommended: bool
    loss: float
    """Nats per token."""
    loss_band: Band | None
    gain_nats: float | None
    student_params: float
    student_tokens: float
    teacher_loss: float | None
    teacher_params: float | None = None
    """None: not known."""
    teacher_tokens: float | None = None
    """None: not known."""
    teacher_name: str | None = None
    """Of an open model that the plan found; None: it named none itself."""
    format_nats: float = 0.0
    """What the format of its stored logits costs, which is in its loss."""
    chunked: bool = False
    """Whether its memory is that of a loss in chunks."""


class PlanDocument(NamedTuple):
    """What a document says of its plan."""

    source: str
    """Name of the file."""
    law: str
    """Name or file of the law."""
    options: tuple[PlannedOption, ...]
    """Those within budget."""
    verdict: Verdict | None
    odds: Odds | None
    margin_nats: float | None
    """Supervised minus distilled loss of the deciding option."""
    tie_nats: float
    vocab: float
    """Of the student."""
    unique_tokens: float
    """Infinite where nothing is repeated."""
    transfer_nats: float
    """Scale of the error of a gain on other data; 0 without odds."""
    outside_nats: float
    """The same for the distance to the fitted range."""


def read_plan(source: str) -> PlanDocument:
    """The plan of a document.

    Args:
        source: its path; ``-`` is standard input.

    Raises:
        InputError: when it cannot be read, or is no document of a plan.
    """
    data, name = read_document(source)
    return plan_of_document(data, name)


def read_document(source: str) -> tuple[Any, str]:
    """The value of a document, and the name of its file for messages.

    Args:
        source: its path; ``-`` is standard input.

    Raises:
        InputError: when it cannot be read.
    """
    try:
        data = read_foreign_json(source)
    except InputError as error:
        raise InputError(f"{error}; {_MADE_BY}") from None
    return data, "standard input" if source == "-" else Path(source).name


def plan_of_document(data: Any, name: str) -> PlanDocument:
    """The plan of a parsed document.

    Args:
        data: its value.
        name: of the file, for messages.

    Raises:
        InputError: when it is another document, or a value of it cannot be used.
    """
    wanted = schema_id(DOCUMENT)
    given = data.get("schema") if isinstance(data, dict) else None
    if given != wanted:
        said = f"is {str(given)[:60]!r}" if isinstance(given, str) else "is no document of ours"
        raise InputError(f"{name}: it {said}, not a plan ({wanted}); {_MADE_BY}")
    whole = Entry(data, name)
    asked = whole.mapping("scenario")
    if asked.data.get("start") is not None:
        raise InputError(
            f"{name}: its student starts from an open model, and only starts from scratch can be "
            "trained from a plan; make one without --start"
        )
    sure = whole.mapping("confidence") if data.get("confidence") is not None else None
    verdict = whole.text("verdict", "")
    options = tuple(_option(one) for one in whole.entries("options") if one.data.get("loss"))
    if not options:
        raise InputError(f"{name}: no option of this plan is within its budget, so none is trained")
    return PlanDocument(
        source=name,
        law=asked.text("law"),
        options=options,
        verdict=whole.member("verdict", Verdict) if verdict else None,
        odds=_odds(whole),
        margin_nats=_finite(whole, "margin_nats"),
        tie_nats=_finite(asked, "tie_nats") or 0.0,
        vocab=asked.mapping("architecture").positive("vocab"),
        unique_tokens=asked.optional("max_unique_tokens") or math.inf,
        transfer_nats=0.0 if sure is None else sure.number("transfer_nats"),
        outside_nats=0.0 if sure is None else sure.number("outside_nats"),
    )


def _option(one: Entry) -> PlannedOption:
    accounting = one.text("accounting", "")
    return PlannedOption(
        method=one.member("method", Method),
        accounting=one.member("accounting", Accounting) if accounting else None,
        decides=one.flag("decides"),
        recommended=one.flag("recommended"),
        loss=one.positive("loss"),
        loss_band=one.pair("loss_band") if one.data.get("loss_band") is not None else None,
        gain_nats=_finite(one, "gain_nats"),
        student_params=one.positive("student_params"),
        student_tokens=one.positive("student_tokens"),
        teacher_loss=one.optional("teacher_loss"),
        teacher_params=one.optional("teacher_params"),
        teacher_tokens=one.optional("teacher_tokens"),
        teacher_name=one.name("teacher_name", "") if one.has("teacher_name") else None,
        format_nats=_format_nats(one),
        chunked=one.data.get("loss_implementation") == Loss.CHUNKED,
    )


def _format_nats(one: Entry) -> float:
    """What the format of its logits costs; documents of former releases have none."""
    if one.data.get("stored") is None:
        return 0.0
    return _finite(one.mapping("stored"), "penalty_nats") or 0.0


def _odds(whole: Entry) -> Odds | None:
    if whole.data.get("odds") is None:
        return None
    odds = whole.mapping("odds")
    return Odds(**{name: odds.number(name) for name in Odds._fields})


def _finite(one: Entry, key: str) -> float | None:
    return None if one.data.get(key) is None else one.number(key)
