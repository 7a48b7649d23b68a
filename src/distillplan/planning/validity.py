"""What a reader must know before trusting a plan: coded warnings."""

from collections.abc import Iterator

from distillplan.laws.provenance import LawStatus, PublishedLaw
from distillplan.notices import Notice, Severity
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.units import format_bytes, format_count, format_duration, format_usd

HARM_NATS = 0.001
"""A teacher is called too strong or too weak when a better one would save at least this."""

ROUNDING = 1e-6
"""A limit that set the budget is reached to rounding."""

_ROLES = {
    # size of an option -> name of the law's range, where supervised and where distilled
    "student_params": ("params", "student_params"),
    "student_tokens": ("tokens", "student_tokens"),
    "teacher_params": ("params", "params"),
    "teacher_tokens": ("tokens", "tokens"),
    "teacher_loss": ("teacher_loss", "teacher_loss"),
}


def plan_warnings(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    options: tuple[Option, ...],
    best_for_teacher: tuple[float, float] | None,
) -> tuple[Notice, ...]:
    """Everything to know about a plan, gravest first.

    Args:
        scenario: the question.
        alone: the supervised option.
        deciding: the distilled option that the verdict is drawn from.
        options: all of them.
        best_for_teacher: teacher loss and student loss of the best teacher at the given one's
            price; None without a given teacher.
    """
    compared = (alone,) if deciding is None else (alone, deciding)
    found = [
        *_law_warnings(scenario.law),
        *_outside_fit(scenario, compared),
        *_few_tokens(compared),
        *_repeated(scenario, compared),
        *_teacher_warnings(scenario, deciding, best_for_teacher),
        *_bound_warnings(options, compared),
        *_machine_warnings(scenario, compared),
        *_over_limits(scenario, compared),
    ]
    return tuple(sorted(found, key=lambda one: one.severity is Severity.INFO))


def prediction_warnings(
    law: PublishedLaw,
    student_params: float,
    student_tokens: float,
    teacher_loss: float | None,
) -> tuple[Notice, ...]:
    """Everything to know about the law at one point."""
    side = 0 if teacher_loss is None else 1
    at = {"student_params": student_params, "student_tokens": student_tokens}
    if teacher_loss is not None:
        at["teacher_loss"] = teacher_loss
    found = list(_law_warnings(law))
    for name, value in at.items():
        found += _one_outside(law, name, _ROLES[name][side], value, "the point asked for")
    return tuple(found)


def _law_warnings(law: PublishedLaw) -> Iterator[Notice]:
    if law.status is LawStatus.ERRATUM:
        yield Notice(
            code="law_is_an_erratum",
            severity=Severity.WARNING,
            message=f"{law.name} is a misprint: {law.errata[0]}",
        )
    if law.status in (LawStatus.SUPERSEDED, LawStatus.HISTORICAL):
        yield Notice(
            code=f"law_is_{law.status}",
            severity=Severity.WARNING,
            message=f"{law.name}: {law.notes[0]}",
        )
    if law.distillation is None:
        yield Notice(
            code="law_has_no_distillation",
            severity=Severity.WARNING,
            message=(
                f"{law.name} knows supervised training only and counts {law.counts}; losses of "
                "different tokenizers cannot be compared, so there is no verdict"
            ),
        )


def _outside_fit(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """One warning per size, naming the options it concerns."""
    for name, ranges in _ROLES.items():
        concerned: list[Notice] = []
        for option in compared:
            value = getattr(option, name)
            given = name in ("teacher_params", "teacher_tokens") and _measured(scenario)
            if value is not None and not given:
                side = 0 if option.accounting is None else 1
                where = option.accounting or "supervised"
                concerned += _one_outside(scenario.law, name, ranges[side], value, str(where))
        if concerned:
            messages = "; ".join(one.message for one in concerned)
            yield Notice(code=concerned[0].code, severity=Severity.WARNING, message=messages)


def _measured(scenario: Scenario) -> bool:
    """Whether the teacher's loss was measured, so that the law is not asked for it."""
    return scenario.teacher is not None and scenario.teacher.loss is not None


def _one_outside(
    law: PublishedLaw, name: str, range_name: str, value: float, where: str
) -> Iterator[Notice]:
    outside = law.outside(**{range_name: value})
    for low, high in outside.values():
        show = (lambda x: f"{x:.3f}") if name == "teacher_loss" else format_count
        yield Notice(
            code=f"{name}_outside_fit",
            severity=Severity.WARNING,
            message=(
                f"{name} {show(value)} ({where}) is outside the fitted {show(low)} to {show(high)}"
            ),
        )


def _over_limits(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """What takes longer, costs more or needs more memory than it may, by the middle of its range.

    A budget in hours or dollars is kept to the limits beforehand; one in FLOPs is not.
    """
    limits = scenario.limits
    over: dict[str, list[str]] = {}
    for option in compared:
        bill, name = option.bill, str(option.accounting or "supervised")
        if bill is None:
            continue
        hours = bill.wall_seconds.mid / 3600
        if limits.hours is not None and hours > limits.hours * (1 + ROUNDING):
            takes = f"{name} takes {format_duration(hours * 3600)}"
            over.setdefault(f"deadline of {format_duration(limits.hours * 3600)}", []).append(takes)
        usd = None if bill.cost_usd is None else bill.cost_usd.mid
        if limits.usd is not None and usd is not None and usd > limits.usd * (1 + ROUNDING):
            costs = f"{name} costs {format_usd(usd)}"
            over.setdefault(f"cost limit of {format_usd(limits.usd)}", []).append(costs)
        memory = bill.memory_bytes_per_gpu.mid
        if limits.bytes_per_gpu is not None and memory > limits.bytes_per_gpu:
            needs = f"{name} needs {format_bytes(memory)} per GPU"
            over.setdefault(f"memory limit of {format_bytes(limits.bytes_per_gpu)}", []).append(
                needs
            )
    for limit, who in over.items():
        yield Notice(
            code=f"over_{limit.split()[0]}",
            severity=Severity.WARNING,
            message=f"{' and '.join(who)}, over the {limit}",
        )


def _few_tokens(compared: tuple[Option, ...]) -> Iterator[Notice]:
    for option in compared:
        if option.tokens_per_param is not None and option.tokens_per_param < 1:
            yield Notice(
                code="few_tokens_per_param",
                severity=Severity.WARNING,
                message=(
                    f"{option.tokens_per_param:.2g} tokens per parameter "
                    f"({option.accounting or 'supervised'}): so far from any run, the law even "
                    "lets a student gain by paying for its own teacher"
                ),
            )


def _repeated(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    unique = scenario.unique_tokens
    for option in compared:
        tokens = {"student": option.student_tokens}
        if scenario.teacher is None and option.accounting is not None:
            tokens["teacher"] = option.teacher_tokens
        for who, count in tokens.items():
            if count is not None and count > unique * (1 + 1e-9):  # not for the last bits
                yield Notice(
                    code="tokens_repeated",
                    severity=Severity.WARNING,
                    message=(
                        f"the {who} ({option.accounting or 'supervised'}) reads "
                        f"{format_count(unique)} unique tokens {count / unique:.3g} times; what "
                        "repeats are worth is from "
                        "Muennighoff et al. 2023 (supervised, at most 9B parameters) and has been "
                        "measured for no distillation"
                    ),
                )


def _teacher_warnings(
    scenario: Scenario, deciding: Option | None, best: tuple[float, float] | None
) -> Iterator[Notice]:
    teacher = scenario.teacher
    if teacher is None or deciding is None:
        return
    if teacher.loss is None:
        yield Notice(
            code="teacher_loss_from_law",
            severity=Severity.INFO,
            message=(
                f"the teacher's loss {scenario.teacher_loss:.3f} is the law's for a model of that "
                "size trained on the student's corpus; measure yours and give --teacher-loss"
            ),
        )
    elif teacher.params is not None:
        limit = scenario.law.supervised.loss(teacher.params, float("inf"))
        if teacher.loss < limit:
            yield Notice(
                code="teacher_loss_below_its_size",
                severity=Severity.WARNING,
                message=(
                    f"teacher loss {teacher.loss:.3f} is below {limit:.3f}, what the law gives "
                    f"{format_count(teacher.params)} parameters on unlimited tokens; was it "
                    "measured on text it has seen, or with another tokenizer?"
                ),
            )
    if best is None or deciding.loss is None or scenario.teacher_loss is None:
        return
    best_teacher, best_loss = best
    harm = deciding.loss - best_loss
    if harm >= HARM_NATS:
        strong = scenario.teacher_loss < best_teacher
        yield Notice(
            code="teacher_too_strong" if strong else "teacher_too_weak",
            severity=Severity.WARNING if harm >= scenario.tie_nats else Severity.INFO,
            message=(
                f"the teacher ({scenario.teacher_loss:.3f} nats) is "
                f"{'stronger' if strong else 'weaker'} than is best for this student; one of "
                f"{best_teacher:.3f} nats at the same price would save {harm:.3f}"
            ),
        )


def _bound_warnings(options: tuple[Option, ...], compared: tuple[Option, ...]) -> Iterator[Notice]:
    for which, status in (("upper", "at_upper_bound"), ("lower", "at_lower_bound")):
        for severity, among in (
            (Severity.WARNING, compared),
            (Severity.INFO, tuple(one for one in options if one not in compared)),
        ):
            at = [
                f"{name} ({one.accounting or 'supervised'})"
                for one in among
                for name in one.at_bounds
                if one.status == status
            ]
            if at:
                yield Notice(
                    code=status,
                    severity=severity,
                    message=f"at the {which} bound of the search: {', '.join(at)}",
                )


def _machine_warnings(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """What to know about hours, money and memory."""
    bills = [(one, one.bill) for one in compared if one.bill is not None]
    for option, bill in bills:
        if bill.fits != "yes" and scenario.machine is not None:
            sure = "does not fit" if bill.fits == "no" else "may not fit"
            yield Notice(
                code="does_not_fit" if bill.fits == "no" else "may_not_fit",
                severity=Severity.WARNING,
                message=(
                    f"{option.accounting or 'supervised'}: {bill.fullest.replace('_', ' ')} "
                    f"{sure} in the memory of a {scenario.machine.cluster.gpu.name}; "
                    "distillplan estimate says what to switch on first"
                ),
            )
    if bills and scenario.inference_tokens:
        yield Notice(
            code="serving_not_billed",
            severity=Severity.INFO,
            message=(
                "GPU-hours, time and cost are those of training and logits; serving is in the "
                "FLOPs only, as its speed is not modelled"
            ),
        )
    if bills:
        for notice in bills[0][1].notices:
            yield Notice(notice.code, Severity(notice.severity), notice.message)
