"""Plan distillation: distill or train supervised, with which student, teacher and tokens.

>>> from distillplan import Scenario, plan
>>> answer = plan(Scenario(compute=1e21, student_params=1e9))
>>> answer.verdict.value, answer.odds.supervised > 0.9
('supervised', True)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillplan.accounting import Accounting, Logits
    from distillplan.laws.law_catalog import all_laws, law
    from distillplan.optimize.problems import Bounds
    from distillplan.planning.planner import plan
    from distillplan.planning.results import Option, Plan
    from distillplan.planning.scenario import Scenario
    from distillplan.planning.teacher import Teacher
    from distillplan.planning.verdict_records import Verdict
    from distillplan.questions.comparison import compare
    from distillplan.questions.crossover import crossovers
    from distillplan.questions.prediction import Prediction, predict
    from distillplan.render.documents import document
    from distillplan.scenarios.scenario_file import read_scenarios

__version__ = "0.1.0"
__all__ = [
    "Accounting",
    "Bounds",
    "Logits",
    "Option",
    "Plan",
    "Prediction",
    "Scenario",
    "Teacher",
    "Verdict",
    "all_laws",
    "compare",
    "crossovers",
    "document",
    "law",
    "plan",
    "predict",
    "read_scenarios",
]

_HOMES = {
    "accounting": ("Accounting", "Logits"),
    "laws.law_catalog": ("law", "all_laws"),
    "questions.comparison": ("compare",),
    "questions.crossover": ("crossovers",),
    "questions.prediction": ("Prediction", "predict"),
    "planning.planner": ("plan",),
    "optimize.problems": ("Bounds",),
    "planning.results": ("Option", "Plan", "Verdict"),
    "planning.scenario": ("Scenario", "Teacher"),
    "render.documents": ("document",),
    "scenarios.scenario_file": ("read_scenarios",),
}
"""Where each public name lives; imported when first asked for, so that `--help` needs no numpy."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"distillplan.{module}"), name)
    raise AttributeError(f"module 'distillplan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
