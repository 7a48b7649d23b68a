"""The sentence at the top of a plan."""

from distillplan.accounting import Accounting
from distillplan.laws.transfer import LARGEST_GAIN
from distillplan.planning.fitted_range import outside_fit
from distillplan.planning.kept_limits import SpendsFlops, spent_on
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.verdict import FEWEST_TOKENS_PER_PARAM, weigh_options
from distillplan.planning.verdict_records import Verdict
from distillplan.units.quantities import SECONDS_PER_HOUR, format_count, format_flops

TEACHERS = {
    Accounting.FREE: "a teacher at no cost",
    Accounting.EXISTS: "an existing teacher",
    Accounting.TRAIN_SHARED: "a teacher trained on this budget, with its logits shared",
    Accounting.TRAIN: "a teacher trained on this budget",
}
"""Whose teacher it is, by who pays for it."""


def format_budget(scenario: Scenario, amount: float | None = None) -> str:
    """A budget in words, in the unit of the scenario's.

    Args:
        scenario: the question.
        amount: FLOPs or GPU-seconds, as `Scenario.budget`; None for the scenario's own.
    """
    spent = scenario.budget if amount is None else amount
    if scenario.gpu_hours is None or scenario.machine is None:
        return f"{format_flops(spent)} FLOPs"
    machine = scenario.machine
    hours = format_count(spent / SECONDS_PER_HOUR)
    return f"{hours} GPU-hours of {machine.gpus} {machine.gpu.name}"


def spent_in_words(scenario: Scenario, *options: SpendsFlops) -> str:
    """What each of some options spends of the budget; the budget alone where all spend all."""
    spent = dict.fromkeys(spent_on(scenario, one) for one in options)
    amounts = " and ".join(format_budget(scenario, one).split()[0] for one in spent)
    left = min(spent) < scenario.budget
    return f"{amounts} of {format_budget(scenario)}" if left else format_budget(scenario)


def headline(plan: Plan) -> str:
    """The verdict and its reason in one sentence or two."""
    scenario, alone, deciding = plan.scenario, plan.supervised, plan.deciding
    match plan.verdict_reason:
        case Reason.LAW_HAS_NO_DISTILLATION:
            return (
                f"No verdict: {plan.law.name} says nothing about distillation. Pretraining "
                f"reaches {_nats(alone)} with {_sizes(alone)}."
            )
        case Reason.WORSE_THAN_GUESSING | Reason.FAR_OUTSIDE_FIT:
            return no_verdict(plan.verdict_reason, scenario, alone, deciding)
        case Reason.DISTILLATION_OVER_BUDGET:
            return (
                f"Pretrain: {format_budget(scenario)} is too little for a student and "
                f"{TEACHERS[scenario.pays]}; pretraining reaches {_nats(alone)} with "
                f"{_sizes(alone)}."
            )
        case Reason.ONLY_ONE_POSSIBLE:
            other = deciding if plan.verdict is Verdict.SUPERVISED else alone
            return f"{_do(plan)}: {_nats(plan.recommended)}. {_impossible(scenario, other)}."
        case _:
            return _weighed(plan)


def no_verdict(reason: Reason, scenario: Scenario, alone: Option, deciding: Option | None) -> str:
    """Why nobody can tell which of two options wins, in a sentence: by the rule of `judged`.

    Args:
        reason: that the law is worse than guessing there, or far outside its runs.
        scenario: the question.
        alone: supervised training.
        deciding: the distillation that it is weighed against.
    """
    if reason is Reason.WORSE_THAN_GUESSING:
        return (
            "No verdict: the law does not hold here. It gives a loss that guessing would beat, "
            f"so far from its data are {_sizes(alone)}."
        )
    if deciding is None:
        raise ValueError("a law that knows of no distillation is another reason")
    if (alone.tokens_per_param or 0.0) < FEWEST_TOKENS_PER_PARAM:
        return (
            f"No verdict: {_sizes(alone)} is less than a token per parameter, and no run behind "
            "the law has so few."
        )
    weighed = weigh_options(scenario, alone, deciding)
    error, gain = float(weighed.outside[0]), abs(float(weighed.gain[0]))
    places = 3 if f"{error:.3f}" != f"{gain:.3f}" else 5
    beside = f"the choices differ by {gain:.{places}f}"
    if gain > LARGEST_GAIN:
        beside = f"differences count up to {LARGEST_GAIN:g}, the largest gain ever measured"
    at = _sizes(alone if outside_fit(scenario, (alone,)) else deciding)
    if {one.size for one in outside_fit(scenario, (alone, deciding))} == {"teacher_loss"}:
        at = f"a teacher's loss of {deciding.teacher_loss:.3f} nats"
    return (
        f"No verdict: at {at}, outside its runs, the law may be off by a further "
        f"{error:.{places}f} nats; {beside}."
    )


def _weighed(plan: Plan) -> str:
    """The sentence of a verdict that the odds give."""
    alone, deciding = plan.supervised, plan.deciding
    if deciding is None or deciding.gain_nats is None:
        raise ValueError("a verdict weighs two options")
    gain, teacher = abs(deciding.gain_nats), TEACHERS[plan.scenario.pays]
    if plan.verdict is Verdict.TIE:
        return (
            f"Too close to call: distilling from {teacher} and pretraining differ by "
            f"{gain:.3f} nats. Pretraining is simpler{_regret(alone)}."
        )
    if plan.verdict is Verdict.DISTILL:
        return (
            f"{_do(plan)}: {_nats(deciding)}, {gain:.3f} better than pretraining on the "
            f"same budget{_worth(deciding)}."
        )
    return f"{_do(plan)}: {_nats(alone)}, {gain:.3f} better than distilling from {teacher}."


def _do(plan: Plan) -> str:
    if plan.verdict is Verdict.DISTILL:
        unless = ", if the tokenizers matched" if plan.scenario.models.tokenizers_differ else ""
        return f"Distill from {TEACHERS[plan.scenario.pays]}{unless}"
    return "Pretrain"


def _worth(deciding: Option) -> str:
    """What the gain is worth in compute."""
    times = deciding.compute_multiplier
    return "" if times is None else f", which would take {times:.2f} times the compute to match"


def _regret(alone: Option) -> str:
    """What the advice at a tie gives up."""
    if alone.regret_nats is None:
        return ""
    return f", and choosing it gives up {alone.regret_nats:.3f} nats on average"


def _nats(option: Option | None) -> str:
    if option is None or option.loss is None:
        raise ValueError("what is done has a loss")
    return f"{option.loss:.3f} nats"


def _sizes(option: Option) -> str:
    return (
        f"{format_count(option.student_params)} parameters on "
        f"{format_count(option.student_tokens)} tokens"
    )


def _impossible(scenario: Scenario, option: Option | None) -> str:
    """Why an option cannot be done."""
    from distillplan.planning import possible  # on machines only

    if option is None or scenario.machine is None:
        raise ValueError("there is another option, on a machine")
    machine, why = possible.in_words(scenario.machine), possible.why_not(scenario, option)
    changes = possible.changes_in_words(scenario, option)
    if changes:
        return f"As laid out, nothing else fits {machine}: {why}. To weigh it, add {changes}"
    return f"Nothing else works on {machine}: {why}"
