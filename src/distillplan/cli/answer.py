"""The plan that commands show, with its confidence unless --quick."""

from distillplan.laws import law_catalog
from distillplan.planning import planner
from distillplan.planning.results import Plan
from distillplan.planning.scenario import Scenario


def answer(scenario: Scenario, *, quick: bool = False) -> Plan:
    """The plan of a scenario.

    Args:
        scenario: the question.
        quick: skip the confidence estimate.
    """
    plan = planner.plan(scenario)
    if quick:
        return plan
    from distillplan.planning.confidence import with_confidence  # not for --quick

    return with_confidence(plan, law_catalog.draws(scenario.law))
