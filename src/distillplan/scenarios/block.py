"""The scenario block of the documents: a question in the keys of a scenario file."""

from functools import cache
from typing import Any

from distillplan.errors import EXAMPLE_GPU
from distillplan.laws import law_catalog
from distillplan.planning.scenario import Scenario
from distillplan.scenarios import key_table
from distillplan.scenarios.key import Key


def scenario_block(scenario: Scenario) -> dict[str, Any]:
    """The question as asked: read as a scenario of a file, it gives the same answer.

    Values are those of the scenario; an enumeration's member is not yet a text.
    """
    return _block(scenario, "")


def _block(scenario: Scenario, group: str) -> dict[str, Any]:
    return {
        key.name: _value(scenario, key)
        for key in key_table.TABLE.within(group)
        if key.written is not None
    }


def _value(scenario: Scenario, key: Key) -> Any:
    if key.written is None:
        return None
    value = key.written(scenario)
    return value if value is None or not key.is_group else _block(scenario, key.word)


@cache
def bare_scenarios() -> tuple[Scenario, Scenario]:
    """Questions that say no more than they must: one in FLOPs, one in hours of a machine.

    What they have is the default of each key.
    """
    from distillplan.hardware.machine import machine  # for help and schemas
    from distillplan.models.architecture import FixedAspect

    law = law_catalog.law()
    usual = machine({"gpu": EXAMPLE_GPU.value}, FixedAspect())
    return Scenario(law=law, compute=1.0), Scenario(law=law, gpu_hours=1.0, machine=usual)


def default_of(key: Key) -> str:
    """What holds where a key is not given, in words; empty where nothing does."""
    if key.default is not None:
        return key.default if isinstance(key.default, str) else key.default()
    if key.written is None or key.is_group:
        return ""
    _, on_a_machine = bare_scenarios()
    value = key.written(on_a_machine)
    return "" if value is None or isinstance(value, tuple) else format(value, _form(value))


def _form(value: Any) -> str:
    return "" if isinstance(value, str) else "g"
