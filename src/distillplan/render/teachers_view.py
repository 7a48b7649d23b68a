"""Open models as teachers, for people."""

from collections.abc import Iterator

from distillplan.models.model_catalog import Distilling
from distillplan.planning.headline import format_budget
from distillplan.questions.teachers import LeftOut, OpenTeacher, Teachers, counted
from distillplan.render.blocks import Block, Bullets, TableBlock, Text
from distillplan.render.odds_view import percent
from distillplan.units import format_count

SHOWN = 8
"""Teachers without --details."""
NAMED = 4
"""Names of those left out for one reason, without --details."""
MEASURED, MIXTURE = "*", "?"
"""Marks of a teacher's loss."""

_WHY = {
    LeftOut.OTHER_TOKENIZER: "another tokenizer",
    LeftOut.TOKENS_NOT_STATED: "training tokens not stated, so no law can place them; use --losses",
    LeftOut.UNUSABLE_LOSS: "the law cannot place the loss that was measured",
    LeftOut.OVER_BUDGET: "the budget does not pay for their passes",
    LeftOut.DOES_NOT_FIT: "they do not fit into this machine beside the student",
    LeftOut.BEYOND_THE_LAW: "too far from any run behind the law",
    LeftOut.LICENSE: "the license forbids to train on their outputs",
}
_TERMS = {
    Distilling.ALLOWED: "yes",
    Distilling.CONDITIONAL: "with conditions",
    Distilling.FORBIDDEN: "no",
    Distilling.UNKNOWN: "read it",
}


def teachers_view(found: Teachers, *, details: bool = False) -> Iterator[Block]:
    """The blocks of open teachers."""
    yield Text(found.headline, "verdict")
    alone = found.supervised
    yield Text(
        f"Inputs: {format_budget(found.scenario)}; {format_count(alone.student_params)} student. "
        f"From data alone: {alone.loss:.3f} nats on {format_count(alone.student_tokens)} tokens.",
        "quiet",
    )
    usable = found.usable
    shown = usable if details else usable[:SHOWN]
    on_machine = found.scenario.machine is not None
    hours = ("hours",) if on_machine else ()
    if shown:
        yield TableBlock(
            "",
            ("teacher", "gain", "odds", "its loss", "tokens", *hours, "tokenizer", "may distill"),
            tuple(_row(one, on_machine=on_machine) for one in shown),
            text_columns=(0, 6 + len(hours), 7 + len(hours)),
            tight=True,
        )
        yield Text(
            "gain = nats under training from data alone; odds = that distilling wins, and that it "
            f"is a tie; {MEASURED} = measured, else what the law gives a model of its size and "
            f"tokens; {MIXTURE} = a mixture of experts, for which that is a guess.",
            "quiet",
        )
    if len(usable) > len(shown):
        yield Text(f"{len(usable) - len(shown)} more: --details.", "quiet")
    apart = tuple(_apart(one) for one in shown if one.measured and one.law_loss is not None)
    if apart:
        yield Bullets("Measured against the law", apart)
    left_out = [one for one in found.teachers if one.left_out is not None]
    if left_out:
        reasons = tuple(_left_out(*one, details=details) for one in counted(left_out))
        yield Bullets("Left out", reasons)
    if shown:
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


def _apart(one: OpenTeacher) -> str:
    loss, law = one.loss or 0.0, one.law_loss or 0.0
    return f"{one.model.name}: {loss:.3f} nats, {loss - law:+.3f} from the law's {law:.3f}"


def _left_out(why: LeftOut, names: tuple[str, ...], *, details: bool) -> str:
    shown = names if details else names[:NAMED]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}: {_WHY[why]}"
