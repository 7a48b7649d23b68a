"""Open models as teachers, for people."""

from collections.abc import Iterator, Sequence

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.models.model_licenses import Distilling
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Option
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.teachers import LeftOut, OpenTeacher, Teachers, counted
from distillplan.render.blocks import (
    Block,
    Bullets,
    Headline,
    Section,
    Sections,
    TableBlock,
    Text,
    cell,
    short,
)
from distillplan.render.notice_blocks import first_in_words, notice_blocks, under_headline
from distillplan.render.odds_view import odds_in_words, percent
from distillplan.units.quantities import format_count

SHOWN = 7
"""Teachers on a screen."""
_INDENT = 9
"""Columns that the headings in the margin take."""
_LEFT_OUT = 4
"""Lines of those that cannot teach, on a screen."""
_SPARE = ("hours", "tie", "tokenizer", "its loss", "tokens")
"""Columns that narrow terminals do without, the first first."""
MEASURED, MIXTURE, TUNED = "*", "?", "+"
"""Marks of a teacher's loss."""

_WHY = {
    LeftOut.OTHER_TOKENIZER: "another tokenizer",
    LeftOut.TOKENS_NOT_STATED: "training tokens not in the catalog; use --losses",
    LeftOut.UNUSABLE_LOSS: "the law cannot place the loss that was measured",
    LeftOut.OVER_BUDGET: "the budget does not pay for their passes",
    LeftOut.DOES_NOT_FIT: "they do not fit into this machine on the usual layout",
    LeftOut.BEYOND_THE_LAW: "too far from any run behind the law",
    LeftOut.LICENSE: "the license forbids training on their outputs",
}
_TERMS = {
    Distilling.ALLOWED: "yes",
    Distilling.CONDITIONAL: "with conditions",
    Distilling.FORBIDDEN: "no",
    Distilling.UNKNOWN: "read it",
}


def teachers_view(found: Teachers) -> Iterator[Block]:
    """Open teachers, on one screen."""
    usable = found.usable
    best = usable[0] if usable else None
    odds = None if best is None else best.odds
    yield Headline(found.headline, "" if odds is None else odds_in_words(odds, "  "))
    yield from under_headline(first_in_words(found.warnings))
    shown = usable[:SHOWN]
    yield _choices(found, shown)
    left_out = [one for one in found.teachers if one.left_out is not None]
    why = tuple(f"{len(names)}: {_WHY[one]}" for one, names in counted(left_out))
    more = len(usable) - len(shown)
    others = "others" if shown and shown[0].measured else "that are no better"
    yield Sections(
        (
            Section("More", (f"{more} {others}: --details",) if more else ()),
            Section("Left out", short(why, _LEFT_OUT, indent=_INDENT)),
            Section("Measured", tuple(_measured(shown))),
            Section("Next", tuple(_next(shown))),
        )
    )
    yield Text(
        f"{format_budget(found.scenario)}; {_legend(found, shown)}.",
        "quiet",
    )
    yield Text(f"Law {found.law.name}. More: --details  -o csv  -o markdown", "quiet", tight=True)


def _choices(found: Teachers, shown: Sequence[OpenTeacher]) -> TableBlock:
    """Training from data alone, then the teachers; the mark is on what the best one's odds say."""
    distills = bool(shown) and shown[0].verdict is Verdict.DISTILL
    columns = ("", "gain", *_apart_columns(found), "distill", "tie", *_columns(found))
    alone, common = found.supervised, found.pretrained_loss is not None
    pretrain = {"": f"{' ' if distills else '→'} {SUPERVISED_SHOWN}"}
    if common:
        pretrain |= {"tokens": cell(alone.student_tokens), "hours": _hours(alone)}
    first = common or not distills
    rows = [tuple(pretrain.get(head, "") for head in columns)] if first else []
    for index, one in enumerate(shown):
        mark = "→" if distills and not index else " "
        told = {**_row(one), "": f"{mark} {one.model.name}"}
        rows.append(tuple(told[head] for head in columns))
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=int(distills and first),
        text_columns=(0, columns.index("tokenizer"), columns.index("may distill")),
        tight=True,
        spare=tuple(columns.index(head) for head in _SPARE if head in columns),
    )


def _apart_columns(found: Teachers) -> tuple[str, ...]:
    """What pretraining reaches with each teacher's tokenizer, where that is not one number."""
    return () if found.pretrained_loss is not None else ("alone",)


def _columns(found: Teachers) -> tuple[str, ...]:
    """The teacher, and what the student takes with it."""
    hours = ("hours",) if found.scenario.machine is not None else ()
    return ("its loss", "tokens", *hours, "tokenizer", "may distill")


def teachers_details(found: Teachers) -> Iterator[Block]:
    """Open teachers: every model."""
    yield Text(found.headline, "verdict")
    alone, usable = found.supervised, found.usable
    yield Text(
        f"Inputs: {format_budget(found.scenario)}; {format_count(alone.student_params)} student. "
        f"{_alone_in_words(found)}.",
        "quiet",
    )
    if usable:
        columns = ("teacher", "gain", *_apart_columns(found), "odds", *_columns(found))
        rows = tuple({**_row(one), "teacher": one.model.name} for one in usable)
        yield TableBlock(
            "",
            columns,
            tuple(tuple(one[head] for head in columns) for one in rows),
            text_columns=(0, len(columns) - 2, len(columns) - 1),
            tight=True,
        )
        yield Text(
            "gain = nats under training from data alone; odds = that distilling wins, and that it "
            f"is a tie; {MEASURED} = measured, else what the law gives a model of its size and "
            f"tokens; {MIXTURE} = a mixture of experts, for which that is a guess; {TUNED} = tuned "
            "after its pretraining, so that its loss is higher.",
            "quiet",
        )
    apart = tuple(_measured(usable))
    if apart:
        yield Bullets("Measured against the law", apart)
    left_out = [one for one in found.teachers if one.left_out is not None]
    if left_out:
        reasons = tuple(f"{', '.join(names)}: {_WHY[one]}" for one, names in counted(left_out))
        yield Bullets("Left out", reasons)
    yield from notice_blocks(found.warnings)
    if usable:
        yield Text(
            "What a license asks for: distillplan models NAME. Measure a teacher's loss on your "
            "text before you choose: --losses.",
            "quiet",
        )


def _alone_in_words(found: Teachers) -> str:
    """What training from data alone reaches."""
    loss, tokens = found.pretrained_loss, found.supervised.student_tokens
    if loss is None:
        return "alone = the loss from data alone, in nats of each tokenizer, as is the gain"
    return f"From data alone: {loss:.3f} nats on {format_count(tokens)} tokens"


def _row(one: OpenTeacher) -> dict[str, str]:
    """A teacher that can be used, by the heads of the columns."""
    option, odds = one.distilled, one.odds
    if option is None or odds is None:
        raise ValueError("a teacher that can be used has odds")
    return {
        "gain": f"{one.gain_nats or 0.0:+.3f}",
        "alone": cell(one.pretrained_loss, ".3f"),
        "odds": f"{percent(odds.distill)} {percent(odds.tie)}",
        "distill": percent(odds.distill),
        "tie": percent(odds.tie),
        "its loss": f"{one.loss or 0.0:.3f}{_mark(one)}",
        "tokens": format_count(option.student_tokens),
        "hours": _hours(option),
        "tokenizer": one.model.tokenizer or "",
        "may distill": _TERMS[one.distilling],
    }


def _hours(option: Option) -> str:
    return "" if option.bill is None else format_count(option.bill.gpu_hours.mid)


def _mark(one: OpenTeacher) -> str:
    if one.measured:
        return MEASURED
    return MIXTURE * one.model.is_mixture + TUNED * one.model.is_tuned


def _measured(shown: Sequence[OpenTeacher]) -> Iterator[str]:
    """How far measured losses are from the law's."""
    return (_apart(one) for one in shown if one.measured and one.law_loss is not None)


def _legend(found: Teachers, shown: Sequence[OpenTeacher]) -> str:
    """What the numbers are of, and what their marks say."""
    loss, student = (
        found.pretrained_loss,
        f"{format_count(found.supervised.student_params)} student",
    )
    each = "alone: its loss from data alone, in nats of each tokenizer, as is the gain"
    parts = [student, each, "distill, tie: odds"]
    if loss is not None:
        parts[:2] = [f"{student}, pretrained {loss:.3f} nats", "gain in nats"]
    marks = {_mark(one) for one in shown}
    if MEASURED in marks:
        parts.append(f"{MEASURED} measured")
    if any(MIXTURE in one for one in marks):
        parts.append(f"{MIXTURE} a guess, as a mixture of experts")
    if any(TUNED in one for one in marks):
        parts.append(f"{TUNED} more, as it was tuned")
    return "; ".join(parts)


def _next(shown: Sequence[OpenTeacher]) -> Iterator[str]:
    """What to do before choosing one."""
    if not shown:
        return
    if not all(one.measured for one in shown):
        yield "Measure their losses on your text; the law's are guesses: --losses FILE"
    yield f"What a license asks for: distillplan models {shown[0].model.name}"


def _apart(one: OpenTeacher) -> str:
    loss, law = one.loss or 0.0, one.law_loss or 0.0
    return f"{one.model.name}: {loss:.3f} nats, {loss - law:+.3f} from the law's {law:.3f}"
