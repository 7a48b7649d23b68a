"""What a reader must know before trusting a plan: coded warnings."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

from distillplan.accounting import Accounting, way_in_words
from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, Severity
from distillplan.planning.fitted_range import SIZES, OutsideFit, in_its_unit, outside, outside_fit
from distillplan.planning.headline import format_budget, spent_in_words
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.verdict import FEWEST_TOKENS_PER_PARAM
from distillplan.units.quantities import format_count

HARM_NATS = 0.001
"""A teacher counts as too strong or too weak when the best one would save at least this."""


OUTSIDE_FIT = {name: f"{name}_outside_fit" for name in SIZES}
"""Codes of the warnings about sizes outside the law's fitted range, by the sizes."""
OUTSIDE_FIT_CODES = frozenset(OUTSIDE_FIT.values())


LAW_IS_CODES = frozenset(
    f"law_is_{one}" for one in ("an_erratum", LawStatus.SUPERSEDED, LawStatus.HISTORICAL)
)
"""Codes of the warnings that a law should not be planned with."""
TEACHER_FROM_LAW = "teacher_loss_from_law"
"""Code of the remark that the teacher's loss was not measured."""

Tell: TypeAlias = Callable[[], str]
"""Writes a sentence."""


class _Remark(NamedTuple):
    """A notice before its sentence is written, which sweeps never read."""

    code: str
    severity: Severity
    tell: Tell

    def notice(self) -> Notice:
        return Notice(code=self.code, severity=self.severity, message=self.tell())


def plan_warnings(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    best_for_teacher: tuple[float, float] | None,
) -> tuple[Notice, ...]:
    """Everything to know about a plan, warnings before information.

    Args:
        scenario: the question.
        alone: the supervised option.
        deciding: the distillation that the verdict weighs; None where there is none.
        best_for_teacher: loss of the best teacher at the given one's price, and of the student
            with it, nats per token; None without a given teacher.
    """
    found = _remarks(scenario, alone, deciding, best_for_teacher)
    return tuple(one.notice() for one in found)


def warning_codes(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    best_for_teacher: tuple[float, float] | None,
) -> tuple[str, ...]:
    """The codes of `plan_warnings` for the two options that the verdict weighs, each once."""
    found = _remarks(scenario, alone, deciding, best_for_teacher)
    return tuple(dict.fromkeys(one.code for one in found))


def _remarks(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    best_for_teacher: tuple[float, float] | None,
) -> list[_Remark]:
    """Warnings before information."""
    compared = (alone,) if deciding in (None, alone) else (alone, deciding)
    found = [
        *_law_warnings(scenario.law),
        *_outside_fit(scenario, compared),
        *_few_tokens(compared),
        *_repeated(scenario, compared),
        *_teacher_loss_warnings(scenario, deciding),
        *_teacher_strength(scenario, deciding, best_for_teacher),
        *_bound_warnings(scenario, compared),
        *_budget_of_tokens(scenario),
    ]
    if scenario.student_model is not None or scenario.models.teacher is not None:
        from distillplan.planning.model_warnings import model_warnings  # only where one is named

        found += map(_told, model_warnings(scenario))
    logits = None if deciding is None else deciding.stored
    if deciding is not None and logits is not None:
        from distillplan.laws.format_notices import format_notices  # only where logits are read

        gain = deciding.gain_nats or 0.0  # what is weighed has one
        notices = format_notices(
            scenario.stored, logits.format, scenario.architecture.vocab, gain, scenario.tie_nats
        )
        found += map(_told, notices)
    if scenario.machine is not None:
        from distillplan.planning.machine_warnings import machine_warnings  # not for FLOPs alone

        gpu = scenario.machine.gpu.name
        found += [_told(one) for one in machine_warnings(scenario, compared, gpu)]
    return sorted(found, key=lambda one: one.severity is Severity.INFO)


def _budget_of_tokens(scenario: Scenario) -> Iterator[_Remark]:
    """Where the budget is not what was asked for."""
    tokens = scenario.student_tokens
    if tokens is not None:
        yield _Remark(
            code="budget_from_tokens",
            severity=Severity.INFO,
            tell=lambda: (
                f"the budget is what training on {format_count(tokens)} tokens takes without a "
                f"teacher: {format_budget(scenario)}; distillation is compared at the same compute"
            ),
        )


def prediction_warnings(
    law: PublishedLaw,
    student_params: float,
    student_tokens: float,
    teacher_loss: float | None = None,
) -> tuple[Notice, ...]:
    """Everything to know about a law's losses at one point.

    Args:
        law: the law.
        student_params: parameters as the law counts them.
        student_tokens: training tokens.
        teacher_loss: nats per token; None where only the supervised loss was asked for.
    """
    at = {"student_params": student_params, "student_tokens": student_tokens}
    if teacher_loss is not None:
        at["teacher_loss"] = teacher_loss
    found = [*_law_warnings(law, verdict="")]
    way = None if teacher_loss is None else Accounting.FREE
    for name, value in at.items():
        beyond = outside(law, name, value, way)
        found += [] if beyond is None else [_warning(OUTSIDE_FIT[name], partial(_in_words, beyond))]
    return tuple(one.notice() for one in found)


def _told(notice: Notice) -> _Remark:
    return _Remark(code=notice.code, severity=notice.severity, tell=lambda: notice.message)


def _warning(code: str, tell: Tell) -> _Remark:
    return _Remark(code=code, severity=Severity.WARNING, tell=tell)


def _why(what: str, reasons: Sequence[str]) -> str:
    """A sentence with the first reason that the law's file gives, where it gives one."""
    return ": ".join([what, *reasons[:1]])


def _law_warnings(
    law: PublishedLaw, verdict: str = ", so there is no verdict"
) -> Iterator[_Remark]:
    """What to know of a law, and what follows where there is a verdict to give."""
    if law.status is LawStatus.ERRATUM:
        yield _warning("law_is_an_erratum", lambda: _why(f"{law.name} is a misprint", law.errata))
    if law.status in (LawStatus.SUPERSEDED, LawStatus.HISTORICAL):
        yield _warning(
            f"law_is_{law.status}", lambda: _why(f"{law.name} is {law.status}", law.notes)
        )
    yield from map(_told, law.warnings)
    if law.hides_origin and law.distillation is not None:
        yield _Remark(
            code="law_origin_unknown",
            severity=Severity.INFO,
            tell=lambda: (
                f"{law.given_as} does not say whose runs it stands on, so the odds carry how far "
                "off a law is on other data; if all are yours, write supervised_from and "
                "distillation_from: {origin: own_runs} into it"
            ),
        )
    if law.supervised_from is not None and law.distillation_from is not None:
        yield _Remark(code="law_sides", severity=Severity.INFO, tell=partial(_sides_told, law))
    if law.distillation is None:
        yield _warning(
            "law_has_no_distillation",
            lambda: (
                f"{law.name} covers supervised training only (N counts {law.counts}), and losses "
                f"of different tokenizers cannot be compared{verdict}"
            ),
        )


def _sides_told(law: PublishedLaw) -> str:
    alone, taught = law.supervised_from, law.distillation_from
    if alone is None or taught is None:
        raise ValueError("the sides of this law are not known")
    return (
        f"{law.name}: students without a teacher from {alone.words()}; distilled ones from "
        f"{taught.words()}"
    )


def _outside_fit(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[_Remark]:
    """One warning per size, naming the options it concerns."""
    for name, found in groupby(outside_fit(scenario, compared), key=attrgetter("size")):
        yield _warning(OUTSIDE_FIT[name], partial(_outside_told, tuple(found)))


def _outside_told(found: Sequence[OutsideFit]) -> str:
    return "; ".join(f"{way_in_words(one.accounting)}: {_in_words(one)}" for one in found)


def _in_words(found: OutsideFit) -> str:
    """What to say of a size beyond the fitted range."""
    name = found.size
    value, low, high = (in_its_unit(name, one) for one in (found.value, found.low, found.high))
    words = SIZES[name].words
    return f"{words} {value}, outside the law's fitted range of {low} to {high}"


def _few_tokens(compared: tuple[Option, ...]) -> Iterator[_Remark]:
    for option in compared:
        ratio = option.tokens_per_param
        if ratio is not None and ratio < FEWEST_TOKENS_PER_PARAM:
            yield _warning("few_tokens_per_param", partial(_few_told, option))


def _few_told(option: Option) -> str:
    return (
        f"{way_in_words(option.accounting)}: no run behind the law had as few as "
        f"{option.tokens_per_param:.2g} tokens per parameter, and below "
        f"{FEWEST_TOKENS_PER_PARAM:g} its losses contradict themselves: it even has a student gain "
        "by paying for its own teacher"
    )


def _repeated(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[_Remark]:
    unique = scenario.unique_tokens
    for option in compared:
        readers = [("student", option.student_tokens)]
        if scenario.teacher is None and option.accounting is not None:
            readers.append(("teacher", option.teacher_tokens))
        for who, count in readers:
            if count is not None and count > unique * (1 + 1e-9):  # not for the last bits
                yield _warning(
                    "tokens_repeated", partial(_repeats_told, option, who, count, unique)
                )


def _repeats_told(option: Option, who: str, count: float, unique: float) -> str:
    return (
        f"{way_in_words(option.accounting)}: the {who} reads {format_count(unique)} unique tokens "
        f"{count / unique:.3g} times; the worth of repeated tokens is from Muennighoff et al. 2023 "
        "(supervised, up to 9B parameters) and has not been measured for distillation"
    )


def _teacher_loss_warnings(scenario: Scenario, deciding: Option | None) -> Iterator[_Remark]:
    """Where the given teacher's loss comes from, and whether its size can have it."""
    teacher = scenario.teacher
    if teacher is None or deciding is None:
        return
    if teacher.loss is None:
        yield _Remark(
            code=TEACHER_FROM_LAW,
            severity=Severity.INFO,
            tell=lambda: (
                f"the teacher's loss of {scenario.teacher_loss:.3f} is what the law predicts for a "
                "model of its size trained on the student's corpus; measure it and use "
                "--teacher-loss"
            ),
        )
    elif teacher.law_params is not None:
        loss, params = teacher.loss, teacher.law_params
        limit = scenario.law.supervised.loss(params, math.inf)
        if loss < limit:
            yield _warning(
                "teacher_loss_below_its_size",
                lambda: (
                    f"teacher loss {loss:.3f} is below {limit:.3f}, which the law gives "
                    f"{format_count(params)} parameters on unlimited tokens; was it measured on "
                    "text the teacher has seen, or with another tokenizer?"
                ),
            )


def _teacher_strength(
    scenario: Scenario, deciding: Option | None, best: tuple[float, float] | None
) -> Iterator[_Remark]:
    """Whether a stronger or a weaker teacher would be better for the student."""
    if deciding is None or deciding.loss is None or best is None or deciding.teacher_loss is None:
        return
    loss, (best_teacher, best_loss) = deciding.teacher_loss, best
    harm = deciding.loss - best_loss
    if harm >= HARM_NATS:
        strong = loss < best_teacher
        yield _Remark(
            code="teacher_too_strong" if strong else "teacher_too_weak",
            severity=Severity.WARNING if harm >= scenario.tie_nats else Severity.INFO,
            tell=lambda: (
                f"the teacher ({loss:.3f} nats) is {'stronger' if strong else 'weaker'} than is "
                f"best for this student; one of {best_teacher:.3f} nats at the same cost would "
                f"lower the student's loss by {harm:.3f}"
            ),
        )


def _bound_warnings(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[_Remark]:
    for status, end in (
        (SearchStatus.AT_UPPER_BOUND, "upper"),
        (SearchStatus.AT_LOWER_BOUND, "lower"),
    ):
        at = [one for one in compared if one.status is status]
        if at:
            yield _warning(status.value, partial(_bounds_told, scenario, end, at))


def _bounds_told(scenario: Scenario, end: str, at: Sequence[Option]) -> str:
    ways: dict[str, list[str]] = {}
    for one in at:
        for name in one.at_bounds:
            ways.setdefault(SIZES[name].words, []).append(way_in_words(one.accounting))
    sizes = ", ".join(f"{size} of {' and '.join(each)}" for size, each in ways.items())
    spent = spent_in_words(scenario, *at)
    left = f"; spent: {spent}" if spent != format_budget(scenario) else ""
    return f"at the {end} bound of the search: {sizes}{left}"
