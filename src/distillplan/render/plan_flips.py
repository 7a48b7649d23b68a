"""What would turn the verdict of a plan, in words."""

from collections.abc import Iterator

from distillplan.accounting import Accounting, Logits
from distillplan.hardware.memory_fit import Fits
from distillplan.laws.logit_formats import USUAL_ENTRIES
from distillplan.planning.results import Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import verdict_of
from distillplan.planning.verdict_records import (
    BudgetFlip,
    BudgetRange,
    HoursFlip,
    Odds,
    TeacherFlip,
    Verdict,
)
from distillplan.render.odds_view import in_brackets
from distillplan.render.plan_words import TOO_CLOSE
from distillplan.units.quantities import SECONDS_PER_HOUR, format_count, format_flops, format_usd

NEAR = 10.0
"""Times the budget or the students within which another verdict is always shown."""
_ROUGH = 2
"""Digits of budgets next to which there is no verdict, where nobody looks closely."""
_PAID = {
    Accounting.FREE: "whose logits cost nothing",
    Accounting.EXISTS: "as large as this one",
    Accounting.TRAIN_SHARED: "that costs as much to train",
    Accounting.TRAIN: "as large as this one, with the same training",
}


def turns_in_words(plan: Plan) -> Iterator[str]:
    """What would turn the verdict; nothing where there is but one way."""
    if plan.law.distillation is not None and plan.verdict_reason is not Reason.ONLY_ONE_POSSIBLE:
        yield from flips_in_words(plan)


def flips_in_words(plan: Plan, *, open_teacher: bool = True) -> Iterator[str]:
    """What would change the verdict, the nearest first.

    Args:
        plan: the answer.
        open_teacher: whether to name the open model that could teach.
    """
    flips = plan.flips
    yield from filter(None, [format_flip_in_words(plan)])
    yield from (told for _, told in _nearest_first(plan))
    if flips.budgets is not None and flips.budget_down is None and flips.budget_up is None:
        yield f"not the budget: {_no_other(plan, flips.budgets)}"
    yield from _in_hours(flips.equal_hours)
    if flips.logits is not None:
        where = "on disk" if flips.logits.logits is Logits.CACHED else flips.logits.logits
        changes = _changes(plan.scenario, flips.logits.logits)
        told = then(flips.logits.verdict, flips.logits.odds)
        yield f"logits {where} ({changes}): {told}"
    told = open_teacher_in_words(plan) if open_teacher else ""
    if told:
        yield told
    if flips.teacher_loss is not None:
        yield _teachers_loss(plan, flips.teacher_loss)
    if flips.accounting is not None and flips.logits is None and plan.scenario.teacher is not None:
        told = then(flips.accounting.verdict, flips.accounting.odds)
        accounting = flips.accounting.accounting
        changes = _changes(plan.scenario, _logits_of(plan.scenario, accounting), accounting)
        yield f"{changes}: {told}"


def format_flip_in_words(plan: Plan) -> str:
    """Another verdict with another format of stored logits; empty where it is the same."""
    flip, stored = plan.flips.logit_format, plan.scenario.stored
    if flip is None or stored is None:
        return ""
    usual = USUAL_ENTRIES[flip.logit_format]
    more = f" --logit-k {usual:g}" if (stored.entries or usual) < usual else ""
    told = then(flip.verdict, flip.odds)
    return f"{flip.logit_format} logits (--logit-format {flip.logit_format}{more}): {told}"


def _teachers_loss(plan: Plan, best: TeacherFlip) -> str:
    """The teachers with which distilling wins, or without which it does no longer."""
    own, paid = plan.scenario.teacher_loss, _PAID[best.accounting]
    if plan.verdict is Verdict.DISTILL and own is not None and best.from_ <= own <= best.to:
        below = "" if best.any_stronger else f"below {best.from_:.3f} or "
        return f"a teacher {below}above {best.to:.3f} nats on your text, {paid}"
    told = then(Verdict.DISTILL, best.odds)
    of = f"at most {best.to:.3f}" if best.any_stronger else f"{best.from_:.3f} to {best.to:.3f}"
    return f"a teacher of {of} nats on your text, {paid}: {told}"


def nearest_in_words(plan: Plan) -> Iterator[str]:
    """The changes that a screen has room for whatever else it leaves out.

    Another format of logits, and the nearest other budget or number of students, where it is near.
    Nothing where there is but one way.
    """
    if plan.law.distillation is None or plan.verdict_reason is Reason.ONLY_ONE_POSSIBLE:
        return
    yield from filter(None, [format_flip_in_words(plan)])
    yield from (told for times, told in _nearest_first(plan)[:1] if times <= NEAR)


def _nearest_first(plan: Plan) -> list[tuple[float, str]]:
    """Other budgets and numbers of students with another verdict, by how many times away."""
    flips, spent, own = plan.flips, plan.scenario.budget, plan.scenario.students
    unit = 1.0 if plan.scenario.gpu_hours is None else SECONDS_PER_HOUR
    found = []
    if flips.budget_down is not None and flips.budget_down.to is not None:
        found.append((spent / (flips.budget_down.to * unit), _at(plan, flips.budget_down)))
    if flips.budget_up is not None and flips.budget_up.from_ is not None:
        found.append((flips.budget_up.from_ * unit / spent, _at(plan, flips.budget_up)))
    if flips.students is not None:
        other = flips.students
        told = f"--students {other.students}: {then(other.verdict, other.odds)}"
        found.append((max(other.students / own, own / other.students), told))
    return sorted(found, key=lambda one: one[0])


def _at(plan: Plan, flip: BudgetFlip) -> str:
    at = f"at {_amount(plan, flip.at)}"
    return f"{_window(plan, flip)}: {then(flip.verdict, flip.odds, at)}"


def _in_hours(flip: HoursFlip | None) -> Iterator[str]:
    if flip is not None:
        spent = format_count(flip.gpu_hours)
        told = then(flip.verdict, None)
        yield f'equal hours instead of equal FLOPs ("{spent} GPU-hours"): {told}'


def open_teacher_in_words(plan: Plan) -> str:
    """Another verdict with the open model that would teach best; empty where it is the same."""
    for one in plan.options:
        if one.teacher_name is not None and one.odds is not None:
            verdict = verdict_of(one.odds)
            fits = one.bill is None or one.bill.fits is not Fits.NO
            if verdict is not plan.verdict and fits:
                told = then(verdict, one.odds)
                changes = [f"--teacher {one.teacher_name}", _beside(plan.scenario)]
                named = " ".join(filter(None, changes))
                return f"{named}: {told}"
    return ""


def _beside(scenario: Scenario) -> str:
    """The options with which a teacher that is named is run, where it would not be anyway."""
    accounting = Accounting.EXISTS if scenario.accounting is not None else None
    return _changes(scenario, _logits_of(scenario, Accounting.EXISTS), accounting)


def _logits_of(scenario: Scenario, accounting: Accounting) -> Logits:
    """Where logits come from under another accounting: who pays for them has none on disk."""
    paid = accounting in (Accounting.EXISTS, Accounting.TRAIN)
    return Logits.ONLINE if paid and scenario.logits is Logits.CACHED else scenario.logits


def _changes(scenario: Scenario, logits: Logits, accounting: Accounting | None = None) -> str:
    """The options that turn a question into one with other logits, paid for in another way.

    Args:
        scenario: the question.
        logits: where they come from.
        accounting: what the budget pays for; None: what follows from teacher and logits.
    """
    found = [] if logits is scenario.logits else [f"--logits {logits}"]
    if accounting is not scenario.accounting:
        found.append(f"--accounting {accounting}")
    runs = accounting not in (Accounting.FREE, Accounting.TRAIN_SHARED)
    unread = runs and logits is Logits.ONLINE and scenario.stored is not None
    return f"{' '.join(found)}{', without --logit-format' if unread else ''}"


def then(verdict: Verdict, odds: Odds | None, at: str = "") -> str:
    """Another verdict with its odds; at a tie those of both sides.

    Args:
        verdict: the other one.
        odds: of it; None where they were not asked for.
        at: where they are taken, if that is not the whole of what is said.
    """
    word = TOO_CLOSE if verdict is Verdict.TIE else verdict.shown
    told = in_brackets(odds, verdict)
    return f"{word}{f'{told[:-1]}, {at})' if told and at else told}"


def _window(plan: Plan, flip: BudgetFlip) -> str:
    if flip.from_ is None:
        return f"below {_budget(plan, flip.to)}"
    if flip.to is None:
        return f"above {_budget(plan, flip.from_)}"
    return _from_to(plan, flip.from_, flip.to)


def _no_other(plan: Plan, seen: BudgetRange) -> str:
    """Where the verdict holds and where there is none, if no budget that was seen has another."""
    same = plan.flips.same_verdict
    if same is None:
        return f"no verdict {_from_to(plan, seen.from_, seen.to, _ROUGH)}"
    low, high = same.from_ or seen.from_, same.to or seen.to
    ends = {"below": same.from_, "above": same.to}
    silent = " or ".join(name for name, end in ends.items() if end is not None)
    none = f"; no verdict just {silent}" if silent else ""
    return f"the same verdict {_from_to(plan, low, high, _ROUGH)}{none}"


def _from_to(plan: Plan, low: float, high: float, digits: int = 3) -> str:
    return f"from {_amount(plan, low, digits)} to {_budget(plan, high, digits)}"


def _budget(plan: Plan, amount: float | None, digits: int = 3) -> str:
    unit = " GPU-hours" if plan.scenario.gpu_hours is not None else " FLOPs"
    return f"{_amount(plan, amount, digits)}{'' if _is_money(plan) else unit}"


def _is_money(plan: Plan) -> bool:
    """Whether the budget is money, of which a part pays for storing logits."""
    return plan.scenario.pays_storage and plan.scenario.money_over_budget == 1


def _amount(plan: Plan, amount: float | None, digits: int = 3) -> str:
    """A budget in words without its unit, but for dollars."""
    machine = plan.scenario.machine
    if _is_money(plan) and machine is not None and amount is not None:
        from distillplan.hardware.machine import usd_per_gpu_hour  # few budgets need it

        return format_usd(amount * usd_per_gpu_hour(machine))
    shown = format_flops if plan.scenario.gpu_hours is None else format_count
    return shown(amount, digits)
