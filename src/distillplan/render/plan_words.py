"""A plan in words: the choices, why one of them wins, what decides, and what to watch."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from distillplan.accounting import SUPERVISED_SHOWN, Accounting
from distillplan.hardware.memory_fit import FITS_SHOWN
from distillplan.laws.provenance import PublishedLaw
from distillplan.notices import Notice
from distillplan.planning.fitted_range import SIZES, OutsideFit, in_its_unit
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.rival import Rival
from distillplan.planning.scenario import Scenario
from distillplan.planning.start import StartKind
from distillplan.planning.stored_logits import OptionLogits
from distillplan.planning.teacher import loss_range
from distillplan.planning.verdict_records import Verdict
from distillplan.render.notice_blocks import mismatched
from distillplan.units.quantities import (
    format_bytes,
    format_count,
    format_duration,
    format_months,
    format_usd,
)

if TYPE_CHECKING:
    from distillplan.planning.option_bill import OptionBill
    from distillplan.questions.family_records import FamilyWay

TOO_CLOSE = "too close to call"
LEAST_SHARE = 0.01
"""Least share of the money that is worth a word."""
SIDES = {
    Verdict.DISTILL: "Distill.",
    Verdict.SUPERVISED: f"{SUPERVISED_SHOWN.capitalize()}.",
    Verdict.TIE: f"{TOO_CLOSE.capitalize()}: {SUPERVISED_SHOWN}, which is simpler.",
}
"""Each verdict as the first words of a screen."""
TAKES = {
    Accounting.EXISTS: "Running the teacher takes",
    Accounting.TRAIN_SHARED: "Training the teacher takes",
    Accounting.TRAIN: "Training the teacher and running it take",
}
_SIZES = {
    "student_params": "a student of {} parameters",
    "student_tokens": "{} tokens",
    "teacher_params": "a teacher of {} parameters",
    "teacher_tokens": "a teacher trained on {} tokens",
    "teacher_loss": "a teacher loss of {} nats",
}


def verdict_in_words(plan: Plan) -> str:
    """The verdict in one short sentence; where no odds were weighed, why."""
    weighed = plan.verdict_reason in (Reason.LIKELIEST, Reason.TOO_CLOSE)
    if not weighed or plan.verdict is None:
        return plan.headline
    return side_in_words(plan.verdict, plan.warnings)


def side_in_words(verdict: Verdict, notices: Iterable[Notice]) -> str:
    """A verdict as the first words of a screen, with what it takes for granted."""
    if verdict is Verdict.DISTILL and mismatched(notices):
        return "Distill, if the tokenizers matched."
    return SIDES[verdict]


def verdict_in_a_table(verdict: Verdict | None) -> str:
    """A verdict in a word or two, for a column of a table."""
    if verdict is None:
        return "none"
    return "too close" if verdict is Verdict.TIE else verdict.shown


def beyond_in_words(plan: Plan) -> str:
    """Where the plan leaves the law's data by most; empty where it does not."""
    if not plan.beyond:
        return ""
    counts = [one for one in plan.beyond if one.size != "teacher_loss"]
    most = max(counts or plan.beyond, key=lambda one: one.times)
    best = plan.recommended or plan.supervised
    guess = "And a guess" if best.is_guess else "Outside the law's data"
    unit = "." if counts or most.value < most.high else "; is it in another unit (--loss-unit)?"
    return f"{guess}: {_beyond(most, plan.law)}{unit}"


def _beyond(found: OutsideFit, law: PublishedLaw) -> str:
    what = _SIZES[found.size].format(in_its_unit(found.size, found.value))
    over = found.value > found.high
    edge = in_its_unit(found.size, found.high if over else found.low)
    if found.size == "teacher_loss":
        return f"{what} is {'higher' if over else 'lower'} than any behind the law ({edge})"
    near = 2 if found.times < 1.1 else 1 if found.times < 10 else 0
    times = f"{found.times:.{near}f}"
    size = SIZES[found.size]
    apart = law.valid.get(size.supervised) != law.valid.get(size.distilled)
    run = "distilled run" if apart and found.accounting is not None else "run"
    if over:
        return f"{what}, {times} times its largest {run} ({edge})"
    return f"{what}, 1/{times} of its smallest {run} ({edge})"


def way(option: Option) -> str:
    """What an option does, for the first column of a table."""
    if option.accounting is None:
        return SUPERVISED_SHOWN
    if option.accounting in (Accounting.TRAIN, Accounting.TRAIN_SHARED):
        return "train a teacher first"
    return "distill"


def teacher_in_words(option: Option, named: str | None) -> str:
    """The teacher of an option: its name, or its sizes, or its loss; a dash where it has none.

    Args:
        option: how to spend the budget.
        named: the given teacher's name, where it was given by one.
    """
    if option.accounting is None or option.loss is None:
        return "–"
    name = option.teacher_name or named
    if name is not None:
        return name
    if option.teacher_params is None:
        return f"{option.teacher_loss:.3f} nats"
    tokens = "" if option.teacher_tokens is None else f":{format_count(option.teacher_tokens)}"
    return f"{format_count(option.teacher_params)}{tokens}"


def loss_in_words(option: Option) -> str:
    """The loss and its error; a guess is marked as one."""
    if option.loss is None:
        if option.start is not StartKind.SCRATCH and option.student_params is not None:
            return "not measured"
        return option.status.replace("_", " ") if option.student_params else "over budget"
    error = "" if option.loss_error is None else f" ± {option.loss_error:.3f}"
    return f"{option.loss:.3f}{'?' if option.is_guess else ''}{error}"


def vocabulary_in_words(options: "Sequence[Option] | Sequence[FamilyWay]") -> str:
    """What an open teacher is weighed against; empty where it is the plan's own pretraining."""
    alone = options[0].loss
    for one in options:
        other = one.pretrained_loss
        if None not in (other, alone, one.loss) and f"{other:.3f}" != f"{alone:.3f}":
            return f"{SUPERVISED_SHOWN} with {one.teacher_name}'s vocabulary: {other:.3f}"
    return ""


def bill_in_words(bill: "OptionBill | None") -> tuple[str, ...]:
    """Time, money and memory."""
    if bill is None:
        return ("", "", "", "")
    return (
        format_duration(bill.wall_seconds.mid),
        "" if bill.cost_usd is None else format_usd(bill.cost_usd.mid),
        format_bytes(bill.memory_bytes_per_gpu.mid),
        FITS_SHOWN[bill.fits],
    )


def reasons(plan: Plan) -> Iterator[str]:
    """Why the better choice is better, in compute and tokens."""
    alone, other = plan.supervised, plan.deciding
    if plan.verdict is None or other is None or other.gain_nats is None:
        return
    if other.accounting is None or other.accounting is Accounting.FREE:
        yield "The teacher's logits cost this budget nothing."
        yield _worth(plan, other)
        yield from _stored(other)
        return
    takes = f"{TAKES[other.accounting]} {other.teacher_share:.0%} of the compute"
    left = ""
    if plan.scenario.student_params is not None:
        read, instead = format_count(other.student_tokens), format_count(alone.student_tokens)
        left = f": the student reads {read} tokens, not {instead}" if read != instead else ""
    yield f"{takes}{storing_in_words(plan.scenario, other)}{left}."
    yield _worth(plan, other)
    yield from _stored(other)


def storing_in_words(scenario: Scenario, option: Option) -> str:
    """The part of the money that storing logits takes; empty where it is none, small or free."""
    bill = option.bill
    if not scenario.storage_seconds or bill is None or bill.cost_usd is None:
        return ""
    from distillplan.hardware.bill import Phase  # not for FLOPs alone

    kept = [one.cost_usd for one in bill.phases if one.phase is Phase.LOGIT_STORAGE]
    share = sum(one.mid for one in kept if one is not None) / bill.cost_usd.mid
    months = "" if option.stored is None else f" for {format_months(option.stored.months)}"
    return f", storing its logits{months} {share:.0%} of the money" if share >= LEAST_SHARE else ""


def _stored(option: Option) -> Iterator[str]:
    """What the format of stored logits keeps of the gain, and how much it stores."""
    found = option.stored
    if found is None:
        return
    kept = f"it costs {found.penalty_nats or 0.0:.3f} nats"
    if found.kept_share is not None:
        kept = f"it keeps {kept_in_words(found)} of the gain"
    size = format_bytes(found.total_bytes)
    if option.bill is not None:
        size += f" for {format_months(found.months)}"
    yield f"Stored as {found.format} ({size}): {kept}."


def kept_in_words(found: OptionLogits) -> str:
    """The share of the gain of full logits that a format keeps, with its range."""
    if found.kept_share is None or found.kept_low is None or found.kept_high is None:
        return "–"
    low, high = _share(found.kept_low), _share(found.kept_high)
    share = _share(found.kept_share)
    return share if low == high else f"{share} ({low} to {high})"


def _share(part: float) -> str:
    """A share of a gain; none where more is lost than gained."""
    return "none" if part < 0 else f"{part:.0%}"


def _worth(plan: Plan, other: Option) -> str:
    """What distilling is worth beside what it takes."""
    gain, times = other.gain_nats or 0.0, other.compute_multiplier
    if abs(gain) < plan.scenario.tie_nats:
        return f"The losses differ by {abs(gain):.3f} nats: too close to call."
    if gain > 0:
        much = "" if times is None else f", as if pretraining with {times:.3g} times the compute"
        return f"What the teacher adds is worth more: {gain:.3f} nats better{much}."
    much = "" if times is None else f", as if pretraining with {times:.0%} of the compute"
    return f"What the teacher adds does not make up for it: {-gain:.3f} nats worse{much}."


def law_guess_in_words(scenario: Scenario) -> str:
    """That the loss of the teacher is what the law says, and how to replace it."""
    ends = loss_range(scenario.teacher, scenario.law.supervised)
    between = "" if ends is None else f" for a mixture, from {ends[0]:.3f} to {ends[1]:.3f}"
    return (
        f"the teacher's loss on your text: {scenario.teacher_loss:.3f} is the law's guess"
        f"{between}; measured: --teacher-loss"
    )


def marked_row(options: Sequence[Option]) -> int | None:
    """The row of what to do."""
    return next((row for row, one in enumerate(options) if one.recommended), None)


def rival_in_words(rival: Rival | None) -> str:
    """The open model that could be cut to the student's size; empty where there is none."""
    if rival is None:
        return ""
    size = format_count(rival.student_params)
    return f"Not weighed: prune {rival.parent} to {size}; scores known, loss not ({asking(rival)})"


def asking(rival: Rival) -> str:
    """The options that ask for a pruned start; another teacher may be in its way."""
    return "--start pruned, without --teacher" if rival.must_teach else "--start pruned"
