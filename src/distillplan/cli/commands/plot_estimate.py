"""`distillplan plot estimate`: where the time, memory and money of one run go."""

from typing import Any

from distillplan.cli.commands.estimate import REQUIRED, question_of
from distillplan.cli.key_options import options
from distillplan.cli.picture_options import Data, Pictured, give, places


@options("estimate", required=REQUIRED, of=question_of)
def plot_estimate(*, output: Pictured = None, data: Data = None, **given: Any) -> None:
    """Draw where the time, memory and money of a run on your GPUs go, with ranges.

    Examples:
    distillplan plot estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64 -o run.svg

    distillplan plot estimate --model llama-3.2-1b --teacher llama-3.1-8b --tokens 100B \
--gpu a100-80gb --gpus 16 -o run.pdf
    """
    from distillplan.estimate.estimator import estimate  # not at every start
    from distillplan.questions.run_parts import run_parts

    where = places(output or (), data)
    found = estimate(question_of(**given))
    give(run_parts(found), where)
