"""`distillplan plot optimum`: the best sizes over the budget."""

from distillplan.cli import flags
from distillplan.cli.key_options import options
from distillplan.cli.picture_options import Data, Pictured, give, picture_question, places
from distillplan.scenarios.start_keys import STARTS


@options("budget", without=STARTS)
def plot_optimum(
    compute: flags.Compute = None, *, output: Pictured = None, data: Data = None, **given: str
) -> None:
    """Draw the best teacher, student and tokens over the budget, and what the budget goes into.

    As in Figures 8 and 9 of the paper, for a question of your own. Without a budget, over the
    budgets of the runs that the law was fitted on.

    Examples:
    distillplan plot optimum --student 1B -o optimum.svg

    distillplan plot optimum 1e22 --student 3B --students 8 --accounting train_shared -o best.png

    distillplan plot optimum 1e22 --student 3B --teacher llama-3.1-8b -o tokens.svg
    """
    from distillplan.questions.budget_optima import budget_optima

    where = places(output or (), data)
    asked = picture_question({"compute": compute, **given})
    give(budget_optima(asked.scenario, given=asked.budget_given), where)
