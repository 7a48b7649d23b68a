"""What commands share that read a plan from its document."""

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from distillplan.accounting import Accounting

if TYPE_CHECKING:
    from distillplan.planning.results import Method

PlanFile: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="PLAN.json",
        help="Plan that `distillplan budget ... -o json` wrote; - reads standard input.",
    ),
]
PlanOption: TypeAlias = Literal["supervised", "distill", "free", "exists", "train_shared", "train"]
"""An option of a plan: by its method, or a distillation by who pays for what."""


def plan_option(word: PlanOption | None) -> "Accounting | Method | None":
    """The option of a plan that a word names; None for none, which is the plan's choice."""
    from distillplan.planning.results import Method  # not at every start

    if word is None:
        return None
    return Method(word) if word in tuple(Method) else Accounting(word)
