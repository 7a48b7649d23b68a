"""`distillplan plot losses`: both losses over the budget."""

from distillplan.cli import flags
from distillplan.cli.key_options import options
from distillplan.cli.picture_options import Data, Pictured, give, picture_question, places
from distillplan.scenarios.start_keys import STARTS


@options("budget", without=STARTS)
def plot_losses(
    compute: flags.Compute = None, *, output: Pictured = None, data: Data = None, **given: str
) -> None:
    """Draw both losses over the budget, in FLOPs and in GPU-hours, with 90% bands.

    Without a budget, over the budgets of the runs that the law was fitted on.

    Examples:
    distillplan plot losses --student 1B --teacher 7B:2T -o losses.svg

    distillplan plot losses 1e21 --student 1B --gpu a100-80gb -o losses.png --data losses.csv
    """
    from distillplan.questions.budget_losses import STEPS, budget_losses
    from distillplan.render.progress import progress

    where = places(output or (), data)
    asked = picture_question({"compute": compute, **given})
    with progress("Budgets", STEPS) as advance:
        found = budget_losses(asked.scenario, given=asked.budget_given, advance=advance)
    give(found, where)
