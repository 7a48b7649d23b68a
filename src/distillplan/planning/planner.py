"""The one verb: `plan(scenario) -> Plan`."""

import math
from collections.abc import Sequence
from dataclasses import replace

from distillplan.errors import InfeasibleError, Word
from distillplan.fields import demand_finite, demand_kind, finite
from distillplan.laws import law_catalog
from distillplan.laws.formulas import FloatArray
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information
from distillplan.planning import evaluate
from distillplan.planning.evaluate import cells
from distillplan.planning.fitted_range import outside_fit
from distillplan.planning.flips import find_flips
from distillplan.planning.headline import format_budget, headline
from distillplan.planning.kept_limits import within_limits
from distillplan.planning.multipliers import with_multipliers
from distillplan.planning.open_teacher import beside_open_teacher
from distillplan.planning.options import (
    distilled_options,
    option_of,
    supervised_option,
    without_nonsense,
)
from distillplan.planning.results import Method, Option, Plan, Reason
from distillplan.planning.rival import rival_of
from distillplan.planning.scenario import Scenario
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import (
    Weighed,
    guessing,
    is_guess,
    reason_of,
    weigh_options,
    word,
)
from distillplan.planning.verdict_records import Flips, HoursFlip, Verdict
from distillplan.units.quantities import format_count


class Decision(NamedTuple):
    """A verdict, and why; None for no verdict."""

    verdict: Verdict | None
    reason: Reason

    @property
    def by_odds(self) -> bool:
        """Whether odds were weighed."""
        return self.reason in (Reason.LIKELIEST, Reason.TOO_CLOSE)


def plan(scenario: Scenario, *, quick: bool = False) -> Plan:
    """The best way to spend a budget.

    Args:
        scenario: the question.
        quick: leave out the odds and the bands.

    Returns:
        Every option with its sizes, the verdict with its odds, what would change it, and warnings.

    Raises:
        InputError: when it is not a Scenario.
        InfeasibleError: when the budget cannot train even the smallest student, nothing fits the
            machine, or a number of the answer is not finite.

    >>> answer = plan(Scenario(compute=1e21, student_params=1e9))
    >>> answer.verdict, answer.odds.supervised > 0.9
    (<Verdict.SUPERVISED: 'supervised'>, True)
    """
    demand_kind(scenario, Scenario, Word("scenario"))
    scenario = within_limits(_placed(scenario))
    if scenario.start is not None:
        from distillplan.planning.starting import with_start  # only where one is asked for

        return with_start(scenario, plan(replace(scenario, start=None), quick=quick))
    alone = supervised_option(scenario)
    if alone.loss is None:
        raise InfeasibleError(_cannot_train(scenario))
    options = (alone, *distilled_options(scenario, alone.loss))
    deciding = next((one for one in options if one.decides), None)
    decision = decide(scenario, alone, deciding)
    if decision.reason is Reason.NOTHING_POSSIBLE:
        from distillplan.planning.possible import nothing_possible  # only for this error

        raise nothing_possible(scenario, [alone] if deciding is None else [alone, deciding])
    best = None if decision.reason is Reason.WORSE_THAN_GUESSING else _best_teacher(scenario)
    warnings = plan_warnings(scenario, alone, deciding, best)
    options = marked(scenario, with_multipliers(scenario, options), decision)
    options += beside_open_teacher(scenario, alone)
    deciding = next((one for one in options if one.decides), None)
    found = Plan(
        verdict=decision.verdict,
        verdict_reason=decision.reason,
        headline="",
        odds=None,
        margin_nats=None if deciding is None else deciding.gain_nats,
        options=options,
        flips=_flips(scenario, options, decision),
        warnings=warnings,
        law=scenario.law,
        scenario=scenario,
        beyond=outside_fit(scenario, options[:1] if deciding is None else (options[0], deciding)),
    )
    if not quick:
        found = _with_odds(found)
        if scenario.machine is not None and scenario.machine.layout_found:
            from distillplan.planning.open_layout import apart  # only where one was asked for

            found = found._replace(warnings=(*apart(scenario, alone), *found.warnings))
    demand_finite(found)
    return found._replace(headline=headline(found), rival=rival_of(found))


def _with_odds(found: Plan) -> Plan:
    from distillplan.planning.odds import with_odds  # not for `quick`

    draws = law_catalog.draws(found.law)
    found = with_odds(found, draws)
    if found.flips.logit_format is not None:
        from distillplan.planning.format_flip import with_format_odds  # only for this flip

        found = with_format_odds(found, draws)
    if draws is None and found.odds is not None:
        found = found._replace(warnings=(*found.warnings, _no_draws(found)))
    return found


def _placed(scenario: Scenario) -> Scenario:
    """The scenario on a layout, found where it is left open."""
    machine = scenario.machine
    if machine is None or not machine.searches_layout:
        return scenario
    from distillplan.planning.open_layout import laid_out  # only where one is asked for

    placed = laid_out(replace(scenario, start=None), machine)
    return replace(placed, start=scenario.start)


def plan_if_any(scenario: Scenario) -> Plan | None:
    """The plan without its odds; None where the budget trains nothing, or nothing fits."""
    try:
        return plan(scenario, quick=True)
    except InfeasibleError:
        return None


def decide(
    scenario: Scenario,
    alone: Option,
    deciding: Option | None,
    weighed: Weighed | None = None,
    row: int = 0,
) -> Decision:
    """The verdict between two options, by the rule that the odds follow.

    Args:
        scenario: the question.
        alone: supervised training, within budget.
        deciding: the distillation that it is weighed against; None where the law has none.
        weighed: both, where they were weighed among others.
        row: their place there.
    """
    can, other_can = True, deciding is not None and deciding.loss is not None
    if scenario.machine is not None:
        from distillplan.planning.possible import possible  # not for FLOPs alone

        can = possible(scenario, alone)
        other_can = deciding is not None and possible(scenario, deciding)
    if not can and not other_can:
        return Decision(verdict=None, reason=Reason.NOTHING_POSSIBLE)
    if deciding is None:
        nonsense = alone.loss is not None and alone.loss >= guessing(scenario)
        reason = Reason.WORSE_THAN_GUESSING if nonsense else Reason.LAW_HAS_NO_DISTILLATION
        return Decision(verdict=None, reason=reason)
    if deciding.loss is not None and can is not other_can:
        only = Verdict.SUPERVISED if can else Verdict.DISTILL
        return Decision(verdict=only, reason=Reason.ONLY_ONE_POSSIBLE)
    if weighed is None:
        weighed = weigh_options(scenario, alone, deciding)
    return Decision(verdict=word(float(weighed.side[row])), reason=reason_of(weighed, row))


def marked(scenario: Scenario, options: Sequence[Option], decision: Decision) -> tuple[Option, ...]:
    """The options with a mark at the choice, and without the numbers that mean nothing."""
    most = guessing(scenario)
    chosen: Method | None = Method.SUPERVISED
    if decision.verdict is Verdict.DISTILL:
        chosen = Method.DISTILL
    elif decision.verdict is None and decision.reason is not Reason.LAW_HAS_NO_DISTILLATION:
        chosen = None
    return tuple(
        without_nonsense(
            one._replace(
                is_guess=is_guess(scenario, one),
                recommended=one.method is chosen and (one.decides or one.accounting is None),
            ),
            options[0],
            most,
        )
        for one in options
    )


def _flips(scenario: Scenario, options: tuple[Option, ...], decision: Decision) -> Flips:
    """What would change the verdict; nothing where one choice alone is possible."""
    if decision.reason is Reason.ONLY_ONE_POSSIBLE:
        return Flips()
    found = find_flips(scenario, options, decision.verdict)
    if scenario.machine is not None:
        found = _confirmed(scenario, options, found)
    if scenario.stored is not None:
        from distillplan.planning.format_flip import find_format_flip  # only where one is named

        found = found._replace(logit_format=find_format_flip(scenario, decision.verdict))
    return found._replace(equal_hours=_hours_flip(scenario, options[0], decision))


def _confirmed(scenario: Scenario, options: Sequence[Option], found: Flips) -> Flips:
    """The flips that their own plans confirm: elsewhere a size may not fit, or a limit bind."""
    hours = scenario.gpu_hours is not None  # in which the search has kept to limits of time
    limits = scenario.limits._replace(hours=None, usd=None) if hours else scenario.limits
    changes = {}
    for name in ("budget_down", "budget_up"):
        if (one := getattr(found, name)) is not None:
            changes[name] = replace(scenario, limits=limits).spending(one.at)
    if found.students is not None:
        changes["students"] = replace(scenario, students=found.students.students)
    if found.logits is not None:
        changes["logits"] = scenario.reading(found.logits.logits)
    then = {name: _asked(changed) for name, changed in changes.items()}
    if (one := found.accounting) is not None:
        paid = next(option for option in options if option.accounting is one.accounting)
        then["accounting"] = decide(scenario, options[0], paid).verdict
    wrong = [name for name, verdict in then.items() if getattr(found, name).verdict is not verdict]
    return found._replace(**dict.fromkeys(wrong))


def _asked(scenario: Scenario) -> Verdict | None:
    """The verdict of a question's own plan."""
    scenario = within_limits(scenario)
    alone = option_of(scenario, None)
    if alone.loss is None:
        return None
    return decide(scenario, alone, option_of(scenario, scenario.pays, alone.loss)).verdict


def _hours_flip(scenario: Scenario, alone: Option, decision: Decision) -> HoursFlip | None:
    """Another verdict for equal hours, where sizes run at different speeds.

    A small student runs slower than its teacher, per FLOP, so that distilling takes less time than
    its FLOPs say.
    """
    bill = alone.bill
    if bill is None or scenario.compute is None or scenario.inference_tokens:
        return None
    if decision.verdict is None:
        return None
    hours = bill.gpu_hours.mid
    verdict = _asked(replace(scenario, compute=None, gpu_hours=hours))
    if verdict is None or verdict is decision.verdict:
        return None
    return HoursFlip(gpu_hours=hours, verdict=verdict)


def _no_draws(plan: Plan) -> Notice:
    missing = "its losses have no bands"
    if plan.odds is not None:
        missing = "the odds leave out how far these are known"
    return information(
        "law_has_no_draws",
        f"{plan.law.name} comes without joint draws of its coefficients, so {missing}",
    )


def _best_teacher(scenario: Scenario) -> tuple[float, float] | None:
    """Loss of the best teacher at the given one's price, and of the student with it."""
    if scenario.teacher is None:
        return None
    best = evaluate.best_teacher(scenario, cells(scenario, scenario.pays))
    teacher_loss, loss = _one(best.teacher_loss, 0), finite(float(best.loss[0]))
    return None if teacher_loss is None or loss is None else (teacher_loss, loss)


def _cannot_train(scenario: Scenario) -> str:
    """Why no student can be trained, and what the smallest one would cost."""
    params = scenario.student_params or scenario.bounds.student_params[0]
    tokens = scenario.bounds.student_tokens[0]
    costs, n = scenario.supervised_costs, math.log(params)
    each = float(costs.student_training(n) * tokens)
    served = float(costs.student_forward(n)) * scenario.inference_tokens
    least = format_budget(scenario, scenario.students * (each + served))
    students = "a student" if scenario.students == 1 else f"{scenario.students} students"
    return (
        f"a budget of {format_budget(scenario)} cannot train {students} of "
        f"{format_count(params)} parameters on even {format_count(tokens)} tokens"
        f"{' and serve it' if served else ''}, which takes {least}"
    )


def _one(values: FloatArray | None, row: int) -> float | None:
    return None if values is None else float(values[row])
