"""`distillplan plot map`: where distilling wins, over budgets and student sizes."""

from distillplan.cli import flags
from distillplan.cli.key_options import options
from distillplan.cli.picture_options import Data, Pictured, give, picture_question, places
from distillplan.scenarios.start_keys import STARTS


@options("budget", without=STARTS)
def plot_map(
    compute: flags.Compute = None, *, output: Pictured = None, data: Data = None, **given: str
) -> None:
    """Draw where distilling wins: the odds for students of many sizes over many budgets.

    Around the question as asked; without a budget, over the budgets of the runs that the law was
    fitted on.

    Examples:
    distillplan plot map -o map.svg

    distillplan plot map --teacher llama-3.1-8b -o map.svg

    distillplan plot map 1e22 --student 3B --teacher llama-3.1-8b -o map.png --data map.csv
    """
    from distillplan.questions.odds_map import map_size, odds_map
    from distillplan.render.progress import progress

    where = places(output or (), data)
    asked = picture_question({"compute": compute, **given})
    size = map_size(asked.scenario, given=asked.budget_given)
    with progress("Cells of the map", size) as advance:
        found = odds_map(asked.scenario, given=asked.budget_given, advance=advance)
    give(found, where)
