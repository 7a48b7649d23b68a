"""Open models as teachers, for people."""

from collections.abc import Iterator, Sequence

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.models.model_catalog import Distilling
from distillplan.planning.headline import format_budget
from distillplan.planning.results import Verdict
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
from distillplan.render.odds_view import odds_in_words, percent
from distillplan.units.quantities import format_count

SHOWN = 7
"""Teachers on a screen."""
_INDENT = 9
"""Columns that the headings in the margin take."""
_LEFT_OUT = 4
"""Lines of those that cannot teach, on a screen."""
_SPARE = ("hours", "tokenizer", "tie", "its loss", "tokens")
"""Columns that narrow terminals do without, the first first."""
MEASURED, MIXTURE = "*", "?"
"""Marks of a teacher's loss."""

_WHY = {
    LeftOut.OTHER_TOKENIZER: "another tokenizer",
    LeftOut.TOKENS_NOT_STATED: "training tokens not in the catalog; use --losses",
    LeftOut.UNUSABLE_LOSS: "the law cannot place the loss that was measured",
    LeftOut.OVER_BUDGET: "the budget does not pay for their passes",
    LeftOut.DOES_NOT_FIT: "they do not fit into this machine on the usual layout",
    LeftOut.BEYOND_THE_LAW: "too far from any run behind the law",
    LeftOut.LICENSE: "the license forbids to train on their outputs",
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
    shown = usable[:SHOWN]
    yield _choices(found, shown)
    left_out = [one for one in found.teachers if one.left_out is not None]
    why = tuple(f"{len(names)}: {_WHY[one]}" for one, names in counted(left_out))
    more = len(usable) - len(shown)
    yield Sections(
        (
            Section("More", (f"{more} that are no better: --details",) if more else ()),
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
    on_machine = found.scenario.machine is not None
    distills = bool(shown) and shown[0].verdict is Verdict.DISTILL
    hours = ("hours",) if on_machine else ()
    columns = (
        "",
        "gain",
        "distill",
        "tie",
        "its loss",
        "tokens",
        *hours,
        "tokenizer",
        "may distill",
    )
    alone = found.supervised
    bill = alone.bill
    cells = ("" if bill is None else format_count(bill.gpu_hours.mid),) if on_machine else ()
    tokens = cell(alone.student_tokens)
    pretrain = f"{' ' if distills else '→'} {SUPERVISED_SHOWN}"
    rows = [(pretrain, "", "", "", "", tokens, *cells, "", "")]
    for index, one in enumerate(shown):
        name, gain, odds, *others = _row(one, on_machine=on_machine)
        mark = "→" if distills and not index else " "
        rows.append((f"{mark} {name}", gain, *odds.split(), *others))
    return TableBlock(
        "",
        columns,
        tuple(rows),
        marked=int(distills),
        text_columns=(0, columns.index("tokenizer"), columns.index("may distill")),
        tight=True,
        spare=tuple(columns.index(head) for head in _SPARE if head in columns),
    )


def teachers_details(found: Teachers) -> Iterator[Block]:
    """Open teachers: every model."""
    yield Text(found.headline, "verdict")
    alone = found.supervised
    yield Text(
        f"Inputs: {format_budget(found.scenario)}; {format_count(alone.student_params)} student. "
        f"From data alone: {alone.loss:.3f} nats on {format_count(alone.student_tokens)} tokens.",
        "quiet",
    )
    usable = found.usable
    on_machine = found.scenario.machine is not None
    hours = ("hours",) if on_machine else ()
    if usable:
        yield TableBlock(
            "",
            ("teacher", "gain", "odds", "its loss", "tokens", *hours, "tokenizer", "may distill"),
            tuple(_row(one, on_machine=on_machine) for one in usable),
            text_columns=(0, 6 + len(hours), 7 + len(hours)),
            tight=True,
        )
        yield Text(
            "gain = nats under training from data alone; odds = that distilling wins, and that it "
            f"is a tie; {MEASURED} = measured, else what the law gives a model of its size and "
            f"tokens; {MIXTURE} = a mixture of experts, for which that is a guess.",
            "quiet",
        )
    apart = tuple(_measured(usable))
    if apart:
        yield Bullets("Measured against the law", apart)
    left_out = [one for one in found.teachers if one.left_out is not None]
    if left_out:
        reasons = tuple(f"{', '.join(names)}: {_WHY[one]}" for one, names in counted(left_out))
        yield Bullets("Left out", reasons)
    if usable:
        yield Text(
            "What a license asks for: distillplan models NAME. Measure a teacher's loss on your "
            "text before you choose: --losses.",
            "quiet",
        )


def _row(one: OpenTeacher, *, on_machine: bool) -> tuple[str, ...]:
    option, odds = one.distilled, one.odds
    if option is None or odds is None:
        raise ValueError("a teacher that can be used has odds")
    hours: tuple[str, ...] = ()
    if on_machine:
        bill = option.bill
        hours = ("" if bill is None else format_count(bill.gpu_hours.mid),)
    return (
        one.model.name,
        f"{one.gain_nats or 0.0:+.3f}",
        f"{percent(odds.distill)} {percent(odds.tie)}",
        f"{one.loss or 0.0:.3f}{_mark(one)}",
        format_count(option.student_tokens),
        *hours,
        one.model.tokenizer or "",
        _TERMS[one.distilling],
    )


def _mark(one: OpenTeacher) -> str:
    if one.measured:
        return MEASURED
    return MIXTURE if one.model.is_mixture else ""


def _measured(shown: Sequence[OpenTeacher]) -> Iterator[str]:
    """How far measured losses are from the law's."""
    return (_apart(one) for one in shown if one.measured and one.law_loss is not None)


def _legend(found: Teachers, shown: Sequence[OpenTeacher]) -> str:
    """What the numbers are of, and what their marks say."""
    alone = found.supervised
    student = f"{format_count(alone.student_params)} student"
    parts = [f"{student}, pretrained {alone.loss:.3f} nats", "gain in nats", "distill, tie: odds"]
    marks = {_mark(one) for one in shown}
    if MEASURED in marks:
        parts.append(f"{MEASURED} measured")
    if MIXTURE in marks:
        parts.append(f"{MIXTURE} a guess, as a mixture of experts")
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
