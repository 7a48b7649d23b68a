"""What is known of a start from an open model, beside a plan of starts from scratch.

The student has the size that it would have from scratch, so its tokens, FLOPs, hours and cost are
those of the plan's own options. No published law gives its loss: it stays empty, and published
scores stand beside it.
"""

from collections.abc import Callable, Iterator

from distillplan.fields import demand_finite
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.pruning_law import outside, start_loss
from distillplan.laws.recovery import Practice, recovered, recovery
from distillplan.models.known_model import KnownModel
from distillplan.notices import Notice, information, warning
from distillplan.planning.model_warnings import TOKENIZERS_DIFFER, named_warnings, told_of
from distillplan.planning.results import Option, Plan, Reason
from distillplan.planning.rival import cuts, non_embedding_params
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.start import Start, StartKind
from distillplan.planning.start_records import PracticeCheck, ScratchVerdict, StartPlan
from distillplan.planning.stored_logits import OptionLogits
from distillplan.planning.verdict import guessing
from distillplan.planning.verdict_records import Flips
from distillplan.units.quantities import format_count


def with_start(scenario: Scenario, scratch: Plan) -> Plan:
    """The plan of a start from an open model.

    It has no verdict and no odds: the ones between starts from scratch stand in `start.scratch`.

    Args:
        scenario: the question, with a start.
        scratch: the plan of the same question from scratch.

    Raises:
        ValueError: when the scenario starts from scratch.
    """
    start = scenario.start
    if start is None or start.parent is None:
        raise ValueError("this scenario starts from scratch")
    taught = scratch.deciding if scenario.teacher is not None else None
    ways = [_on_from(start.kind, one) for one in (scratch.supervised, taught) if one is not None]
    told = tuple(named_warnings(scenario.models))  # from scratch tokenizers may differ
    found = _measured(scenario, _start_plan(scenario, start, start.parent, scratch, tuple(ways)))
    demand_finite(found.ways)
    return scratch._replace(
        headline=_headline(scenario, found, scratch),
        verdict=None,
        verdict_reason=Reason.START_HAS_NO_LAW,
        odds=None,
        margin_nats=None,
        options=tuple(
            one._replace(recommended=False, odds=None, regret_nats=None) for one in scratch.options
        ),
        flips=Flips(),
        warnings=(
            _not_weighed(scenario, found),
            *told,
            *(one for one in scratch.warnings if one.code != TOKENIZERS_DIFFER and one not in told),
            *_notices(scenario),
        ),
        scenario=scenario,
        confidence=None,
        rival=None,
        start=found,
    )


def title_of(scenario: Scenario, start: StartPlan) -> str:
    """What is done, and whether its loss is known."""
    if start.kind is StartKind.CONTINUED:
        return f"Go on from {start.parent.name}: its loss afterwards is not measured."
    size, way = format_count(scenario.student_params), start.measured
    if way is None or way.loss is None:
        return f"Cut {start.parent.name} to {size}: its loss is not measured."
    how = "on text alone" if way.accounting is None else "taught"
    return f"Cut {start.parent.name} to {size}, {how}: {way.loss:.3f} nats by your own runs."


def _headline(scenario: Scenario, start: StartPlan, scratch: Plan) -> str:
    """The title, and the losses from scratch."""
    title, alone, taught = title_of(scenario, start), scratch.supervised.loss, scratch.deciding
    if alone is None:
        return f"{title} From scratch no law holds here either."
    told = f"{title} From scratch, pretraining reaches {alone:.3f} nats"
    if taught is None or taught.loss is None:
        return f"{told}."
    return f"{told} and distilling {taught.loss:.3f} nats."


def _measured(scenario: Scenario, start: StartPlan) -> StartPlan:
    """The start with the loss that a law of one's own gives one of its ways."""
    fitted, parent_loss = start.law, start.parent_loss
    if fitted is None or parent_loss is None:
        return start
    way = next((one for one in start.ways if (one.accounting is not None) is fitted.taught), None)
    if way is None or way.student_tokens is None:
        return start._replace(law_outside="the plan has no way like that of its runs")
    model = None if scenario.teacher is None else scenario.teacher.model
    if fitted.taught and model != start.parent:
        return start._replace(law_outside="its runs were taught by their parents, and this is not")
    place = _place(scenario, start, fitted.counts, way.student_tokens)
    why_not = outside(fitted, **place)
    if why_not:
        return start._replace(law_outside=why_not)
    found = start_loss(fitted, parent_loss=parent_loss, **place)
    if not found.loss < guessing(scenario):
        return start._replace(law_outside="it gives a loss that guessing would beat")
    known = way._replace(loss=found.loss, loss_band=found.band)
    return start._replace(
        ways=tuple(known if one is way else one for one in start.ways),
        not_measured=(
            "how its loss compares with those from scratch, which are of other text",
            *start.not_measured[1:],
        ),
    )


def _place(
    scenario: Scenario, start: StartPlan, counts: ParameterCount, tokens: float
) -> dict[str, float]:
    """Where a cut lies among the runs of a law that counts parameters in one way."""
    whole, left = start.parent_total_params, start.student_total_params
    if counts is ParameterCount.NON_EMBEDDING:
        size = scenario.student_params or 0.0
        left = non_embedding_params(scenario.law, scenario.architecture, size)
        whole = start.parent.params
    return {"kept": left / whole, "parent_params": whole, "tokens": tokens}


def _on_from(kind: StartKind, option: Option) -> Option:
    """The option from another start: what it costs stays, what the law says of it goes."""
    if option.student_params is None:
        return option._replace(start=kind)
    nonsense = option.status is SearchStatus.WORSE_THAN_GUESSING
    return option._replace(
        start=kind,
        decides=False,
        recommended=False,
        status=SearchStatus.GIVEN if nonsense else option.status,
        loss=None,
        gain_nats=None,
        supervised_equivalent_tokens=None,
        compute_multiplier=None,
        gain_from_10_percent=None,
        near=None,
        is_guess=False,
        regret_nats=None,
        loss_band=None,
        gain_band=None,
        odds=None,
        stored=None if option.stored is None else _read(option.stored),
    )


def _read(stored: OptionLogits) -> OptionLogits:
    """Stored logits without what they cost a student from scratch."""
    return stored._replace(
        penalty_nats=None,
        penalty_low=None,
        penalty_high=None,
        kept_share=None,
        kept_low=None,
        kept_high=None,
        penalty_source=None,
    )


def _start_plan(
    scenario: Scenario, start: Start, parent: KnownModel, scratch: Plan, ways: tuple[Option, ...]
) -> StartPlan:
    size = scenario.student_params or parent.params
    whole = parent.total_params or _total(scenario, parent.params)
    left = _total(scenario, size)
    if scenario.student_model is not None:
        left = scenario.student_model.total_params or left
    pruned = start.kind is StartKind.PRUNED
    removed = max(1 - left / whole, 0.0) if pruned else None
    known = recovery()
    found = (
        ()
        if removed is None
        else tuple(
            one
            for way in ways
            if way.student_tokens is not None
            for one in recovered(removed, way.student_tokens, taught=way.accounting is not None)
        )
    )
    return StartPlan(
        kind=start.kind,
        parent=parent,
        parent_loss=start.parent_loss,
        parent_total_params=whole,
        student_total_params=left,
        removed_share=removed,
        cuts=None if removed is None else cuts(whole, min(left, whole)),
        ways=ways,
        law=start.law,
        law_outside="",
        scratch=ScratchVerdict(
            verdict=scratch.verdict,
            verdict_reason=scratch.verdict_reason,
            odds=scratch.odds,
            margin_nats=scratch.margin_nats,
        ),
        recovered=found,
        uses=known.uses if pruned else (),
        continued=() if pruned else known.continued,
        practice=tuple(
            _checked(one, removed, ways) for one in known.practice if start.kind in one.of
        ),
        not_measured=tuple(_not_measured(start.kind, parent, found)),
    )


def _total(scenario: Scenario, params: float) -> float:
    """All parameters of a model of the family, from those that the law counts."""
    if scenario.law.counts is not ParameterCount.NON_EMBEDDING:
        return params
    family = scenario.architecture
    return float(family.total_params(non_embedding_params(scenario.law, family, params)))


def _checked(rule: Practice, removed: float | None, ways: tuple[Option, ...]) -> PracticeCheck:
    """A rule beside what the plan has."""
    longest = max(ways, key=lambda one: one.student_tokens or 0.0)
    has: dict[str, Callable[[], float | None]] = {
        "share": lambda: removed,
        "tokens": lambda: ways[-1].student_tokens,
        "parameters": lambda: longest.student_params,
    }
    value = has[rule.unit]() if rule.unit in has else None
    holds = None
    if value is not None:
        above = rule.low is None or value >= rule.low
        holds = above and (rule.high is None or value <= rule.high)
    return PracticeCheck(
        name=rule.name,
        says=rule.says,
        holds=holds,
        value=value,
        unit=rule.unit,
        low=rule.low,
        high=rule.high,
        sure=rule.sure,
        source=rule.source,
    )


def _not_measured(kind: StartKind, parent: KnownModel, found: tuple[object, ...]) -> Iterator[str]:
    """What nobody has published, by name."""
    if kind is StartKind.CONTINUED:
        yield f"the loss of {parent.name} after more training: no published law gives it"
        return
    yield f"the loss of a model cut from {parent.name}: no published law gives it"
    yield "scores on your tasks: the published ones are of general benchmarks"
    if not found:
        yield "scores of any cut like this one"


def _not_weighed(scenario: Scenario, start: StartPlan) -> Notice:
    what = "is cut from" if start.kind is StartKind.PRUNED else "goes on from"
    told = f"no published law gives the loss of a student that {what} {start.parent.name}"
    if start.measured is not None:
        return warning(
            "start_law_not_weighed",
            "the loss by your own runs is of their text, those from scratch are of "
            f"{scenario.law.corpus} ({scenario.law.name}); nothing weighs one against the other",
        )
    if start.law_outside:
        told += f", and the law of your own runs does not reach it: {start.law_outside}"
    return warning(
        "start_not_measured",
        f"{told}, so nothing weighs it; the losses and options here are of starts from scratch",
    )


def _notices(scenario: Scenario) -> Iterator[Notice]:
    """What was taken from the parent's name, and what follows from it."""
    parent = scenario.models.parent
    if parent is None:
        return
    terms = "" if parent.license is None else f"; {parent.license}"
    yield information("start_parent", f"starts from {told_of(parent)}{terms}")
