"""A family's answer as it is told: ways, members, remarks, and the sentence at its top."""

from collections.abc import Sequence

from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, Severity, warning
from distillplan.planning.headline import TEACHERS, format_budget
from distillplan.planning.model_warnings import TOKENIZERS_DIFFER, tokenizer_warning
from distillplan.planning.planner import Decision
from distillplan.planning.results import Option, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import guessing, is_guess
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.family_records import (
    FamilyMember,
    FamilyMethod,
    FamilyWay,
    MemberRun,
)
from distillplan.questions.family_ways import SolvedWay
from distillplan.questions.family_weighing import Sure
from distillplan.units.quantities import format_count


def way_of(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    one: SolvedWay,
    alone: SolvedWay,
    decision: Decision,
    sure: Sure | None,
    *,
    decides: bool,
) -> FamilyWay:
    """A way as it is told."""
    options = one.options if sure is None else sure.options
    most = guessing(scenario)
    nonsense = _worse_than_guessing(options, most)
    loss = None if nonsense else one.loss
    gain = None if one is alone else _gain(loss, alone, most)
    teacher = _teacher(scenario, one)
    return FamilyWay(
        method=one.method,
        accounting=one.accounting,
        decides=decides,
        recommended=_is_recommended(one, decision.verdict, decides=decides),
        status=SearchStatus.WORSE_THAN_GUESSING if nonsense else _status(options),
        loss=loss,
        gain_nats=gain,
        gain_band=None if sure is None or gain is None else sure.gain_band,
        odds=None if sure is None else sure.odds,
        teacher_name=one.teacher_name or _named_teacher(scenario, one),
        teacher_params=teacher.params,
        teacher_tokens=teacher.tokens,
        teacher_loss=_told(teacher.loss, most),
        members=tuple(
            _member(member, option, beside=before, one=one, most=most, told=loss is not None)
            for member, option, before in zip(members, options, alone.options, strict=True)
        ),
        total_flops=None if one.flops is None else one.flops.total,
        over_supervised=None,
        flops=one.flops,
        is_guess=any(
            is_guess(member.scenario, o) for member, o in zip(members, options, strict=True)
        ),
        bill=one.bill,
        pretrained_loss=_told(alone.loss, most) if one.teacher_name is not None else None,
    )


def _is_recommended(one: SolvedWay, verdict: Verdict | None, *, decides: bool) -> bool:
    """Whether a verdict is for a way; of two that are alike the simpler one is recommended."""
    if one.loss is None:  # where losses are sought, it may not reach them
        return False
    if one.method is FamilyMethod.SUPERVISED:
        return verdict in (Verdict.SUPERVISED, Verdict.TIE)
    return decides and verdict is Verdict.DISTILL


def _named_teacher(scenario: Scenario, one: SolvedWay) -> str | None:
    """The model that the question names as the teacher, in a way that has one."""
    model = None if scenario.teacher is None else scenario.teacher.model
    return None if model is None or one.method is FamilyMethod.SUPERVISED else model.name


def _worse_than_guessing(options: Sequence[Option], most: float) -> bool:
    """Whether guessing, whose loss is ``most``, would beat a member."""
    return any(one.loss is not None and one.loss >= most for one in options)


def _gain(loss: float | None, alone: SolvedWay, most: float) -> float | None:
    """How much lower a loss is than that of training from data alone, where both are told."""
    if loss is None or alone.loss is None or _worse_than_guessing(alone.options, most):
        return None
    return alone.loss - loss


def _told(loss: float | None, most: float) -> float | None:
    """A loss that is told; None for one that guessing would beat, whose loss is ``most``."""
    return None if loss is None or loss >= most else loss


class _OneTeacher(NamedTuple):
    """The teacher of a whole family, as far as it is known."""

    params: float | None = None
    tokens: float | None = None
    loss: float | None = None


def _teacher(scenario: Scenario, one: SolvedWay) -> _OneTeacher:
    """The one teacher of a way; in a cascade that of the largest."""
    if one.loss is None or one.method is FamilyMethod.SUPERVISED:
        return _OneTeacher()
    if one.method is FamilyMethod.CASCADE:
        given = scenario.teacher
        if given is None:
            return _OneTeacher()
        return _OneTeacher(params=given.params, tokens=given.tokens, loss=scenario.teacher_loss)
    first = one.options[0]
    return _OneTeacher(
        params=first.teacher_params, tokens=first.teacher_tokens, loss=first.teacher_loss
    )


def _status(options: Sequence[Option]) -> SearchStatus:
    """How the search ended, for the family: the first thing to know of a member."""
    found = [one.status for one in options]
    order = (SearchStatus.INFEASIBLE, SearchStatus.AT_UPPER_BOUND, SearchStatus.AT_LOWER_BOUND)
    return next((one for one in order if one in found), found[0])


def _member(
    member: FamilyMember,
    option: Option,
    *,
    beside: Option,
    one: SolvedWay,
    most: float,
    told: bool,
) -> MemberRun:
    """The students of one size as they are told; ``most`` is the loss of guessing."""
    model = member.scenario.student_model
    feasible = option.student_tokens is not None
    gain = None
    if told and one.method is not FamilyMethod.SUPERVISED and beside.loss is not None:
        gain = beside.loss - (option.loss or 0.0)
    flops, own = one.flops, option.flops
    share = None
    if flops is not None and own is not None:
        paid = own.student_training
        if one.method is FamilyMethod.CASCADE:
            paid += own.teacher_logits
        share = paid / (flops.total - flops.student_serving)
    return MemberRun(
        student_params=member.params,
        student_model=None if model is None else model.name,
        students=member.number,
        weight=member.weight,
        loss=option.loss if told else None,
        loss_band=option.loss_band if told else None,
        gain_nats=gain,
        student_tokens=option.student_tokens,
        student_tokens_band=option.student_tokens_band,
        tokens_per_param=option.tokens_per_param,
        teacher_params=option.teacher_params if feasible else None,
        teacher_loss=_told(option.teacher_loss, most) if feasible else None,
        share=share,
        is_guess=is_guess(member.scenario, option),
    )


def family_warnings(
    members: Sequence[FamilyMember], alone: SolvedWay, deciding: SolvedWay
) -> tuple[Notice, ...]:
    """What to know of the members, each remark once: with their names where it is not of all."""
    told: dict[tuple[str, Severity], dict[str, list[str]]] = {}
    for member, first, second in zip(members, alone.options, deciding.options, strict=True):
        for one in plan_warnings(member.scenario, first, second, None):
            of = told.setdefault((one.code, one.severity), {})
            of.setdefault(one.message, []).append(name_of(member))
    found = [
        Notice(code=code, severity=severity, message=_merged(of, len(members)))
        for (code, severity), of in told.items()
        if code != TOKENIZERS_DIFFER
    ]
    found[:0] = tokenizer_warning(*(one.scenario.models for one in members))
    if deciding.method is FamilyMethod.CASCADE:
        found.insert(0, _CASCADE)
    return tuple(sorted(found, key=lambda one: one.severity is Severity.INFO))


_CASCADE = warning(
    "cascade_not_measured",
    "no published run measured a cascade against the law: it knows a teacher by its loss alone, "
    "and all teachers behind it learned from data; one that was distilled itself may teach better "
    "or worse",
)


def _merged(of: dict[str, list[str]], members: int) -> str:
    return "; ".join(
        message if len(names) == members else f"{', '.join(names)}: {message}"
        for message, names in of.items()
    )


def name_of(member: FamilyMember | MemberRun) -> str:
    """A size as people wrote it: its model's name, or its parameters."""
    if isinstance(member, MemberRun):
        return member.student_model or format_count(member.student_params)
    model = member.scenario.student_model
    return format_count(member.params) if model is None else model.name


def headline_of(
    scenario: Scenario,
    members: Sequence[FamilyMember],
    decision: Decision,
    ways: Sequence[FamilyWay],
) -> str:
    """The verdict and its reason in one sentence."""
    deciding = next(one for one in ways if one.decides)
    many = sum(one.number for one in members)
    who = "the student" if many == 1 else f"all {many} students"
    chained = deciding.method is FamilyMethod.CASCADE
    other = "in a cascade" if chained else f"from {TEACHERS[scenario.pays]}"
    gain = deciding.gain_nats
    match decision.reason:
        case Reason.WORSE_THAN_GUESSING | Reason.FAR_OUTSIDE_FIT:
            return no_family_verdict(decision.reason)
        case Reason.DISTILLATION_OVER_BUDGET:
            little = format_budget(scenario)
            return f"Pretrain {who}: {little} is too little to distill them {other}."
        case Reason.ONLY_ONE_POSSIBLE:
            what = "Pretrain" if decision.verdict is Verdict.SUPERVISED else "Distill"
            return f"{what} {who}: the other does not fit the machine, or passes a limit."
    if gain is None:
        raise ValueError("a verdict weighs two ways")
    return _weighed_told(decision.verdict, who, other, gain, "" if many == 1 else " on average")


def no_family_verdict(reason: Reason) -> str:
    """Why nobody can tell which way wins, in a sentence."""
    match reason:
        case Reason.WORSE_THAN_GUESSING:
            return (
                "No verdict: the law does not hold here. It gives a loss that guessing would beat, "
                "so far from its data is the family."
            )
        case Reason.NOTHING_POSSIBLE:
            return "No verdict: neither way fits the machine and keeps to the limits."
        case _:
            return (
                "No verdict: outside its runs, the law's error for the family grows by more than "
                "the difference between the ways, or there is less than a token per parameter."
            )


def _weighed_told(verdict: Verdict | None, who: str, other: str, gain: float, average: str) -> str:
    """The sentence of a verdict that the odds give."""
    match verdict:
        case Verdict.DISTILL:
            return f"Distill {who} {other}: {gain:.3f} nats better{average} than pretraining."
        case Verdict.SUPERVISED:
            return f"Pretrain {who}: {-gain:.3f} nats better{average} than distilling {other}."
        case _:
            return (
                f"Too close to call: distilling {who} {other} and pretraining differ by "
                f"{abs(gain):.3f} nats{average}. Pretraining is simpler."
            )
