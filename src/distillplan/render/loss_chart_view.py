"""Both losses over the budget in a terminal: what --plot of a plan shows."""

from collections.abc import Iterator

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.planning.model_warnings import LIMITS_LEFT_OUT, picture_warnings
from distillplan.planning.results import Plan
from distillplan.questions.budget_losses import BudgetUnit
from distillplan.questions.loss_chart import LossChart
from distillplan.render.blocks import Block, ChartBlock, Headline, Text
from distillplan.render.chart_lines import ends_of
from distillplan.render.odds_view import odds_in_words
from distillplan.render.plan_words import verdict_in_words
from distillplan.units.quantities import format_count, format_flops

WORDS = (SUPERVISED_SHOWN, "distill", "both")
UNITS = {BudgetUnit.FLOPS: "FLOPs", BudgetUnit.GPU_HOURS: "GPU-hours"}


def loss_chart_view(plan: Plan, chart: LossChart) -> Iterator[Block]:
    """The blocks: the verdict, the chart, and what it is of."""
    yield Headline(
        verdict_in_words(plan), "" if plan.odds is None else odds_in_words(plan.odds, "  ")
    )
    low, high = chart.runs
    first, *_, last = chart.budgets
    middle = chart.budgets[len(chart.budgets) // 2]
    yield ChartBlock(
        title="loss, nats per token",
        words=WORDS,
        alone=chart.supervised,
        taught=chart.distilled,
        inside=tuple(low <= one <= high for one in chart.budgets),
        ticks=(_amount(chart, first), _amount(chart, middle), _amount(chart, last)),
    )
    said = f"Over the budget in {UNITS[chart.unit]}. Law {plan.law.name}"
    if not low <= first <= last <= high:
        said += "; dots: outside its runs"
    if any(one.code == LIMITS_LEFT_OUT for one in picture_warnings(plan.scenario)):
        said += "; without limits of time and money"
    losses = (*chart.supervised, *chart.distilled)
    most = ends_of(losses)[1]
    if any(one is not None and one > most for one in losses):
        said += f"; losses above {most:.2f} are left out"
    yield Text(f"{said}.", "quiet")


def _amount(chart: LossChart, budget: float) -> str:
    shown = format_flops if chart.unit is BudgetUnit.FLOPS else format_count
    return shown(budget, 2)
