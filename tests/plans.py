"""What tests ask of plans and read from them."""

from typing import Any

from distillplan.accounting import Accounting
from distillplan.planning.options import distilled_options, supervised_option
from distillplan.planning.planner import plan
from distillplan.planning.results import Option, Plan
from distillplan.planning.scenario import Scenario
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options


def scenario_from_options(**options: Any) -> Scenario:
    """The scenario of values by the words of the table of keys; None was not given."""
    return scenario_of(values_of_options(options, str))


def quick_plan(scenario: Scenario) -> Plan:
    """A plan for tests of its options, its verdict or its flips, which need no odds."""
    return plan(scenario, quick=True)


def by_accounting(answer: Plan) -> dict[Accounting | None, Option]:
    """The options by what they pay for; the open teacher that the tool proposes is left out."""
    return {one.accounting: one for one in answer.options if one.teacher_name is None}


def options_of(scenario: Scenario) -> dict[Accounting | None, Option]:
    """The options of a plan by what they pay for, without its flips."""
    alone = supervised_option(scenario)
    assert alone.loss is not None
    distilled = distilled_options(scenario, alone.loss)
    return {one.accounting: one for one in (alone, *distilled)}
