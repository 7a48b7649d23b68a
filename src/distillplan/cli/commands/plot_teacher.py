"""`distillplan plot teacher`: a student's loss over its teacher's."""

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.cli.picture_options import Data, Pictured, give, places
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import values_of_options
from distillplan.scenarios.start_keys import STARTS


@options("budget", without=STARTS)
def plot_teacher(
    compute: flags.Compute = None, *, output: Pictured = None, data: Data = None, **given: str
) -> None:
    """Draw a student's loss over its teacher's, with the best teacher, and open models by name.

    At fixed tokens: those given, or those of training from data alone with this much compute. What
    the teacher costs is left aside.

    Examples:
    distillplan plot teacher --student 1B --tokens 100B -o teacher.svg

    distillplan plot teacher 1e21 --student 1B --teacher llama-3.1-8b -o teacher.png
    """
    from distillplan.questions.teacher_losses import teacher_losses

    where = places(output or (), data)
    scenario = scenario_of(values_of_options({"compute": compute, **given}, told_as("budget")))
    give(teacher_losses(scenario), where)
