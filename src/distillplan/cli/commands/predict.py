"""`distillplan predict`: the law at one point."""

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.laws import law_catalog
from distillplan.questions import prediction
from distillplan.render.show import show
from distillplan.scenarios.keys import teacher_nats
from distillplan.scenarios.layers import values_of_options


@options("predict", required=["student_params"])
def predict(tokens: flags.Tokens, *, output: flags.Show = "table", **given: str) -> None:
    """Predict the loss of one student, distilled and trained from data alone.

    Example:
    distillplan predict --student 1B --tokens 100B --teacher-loss 2.0
    """
    values = values_of_options(given, told_as("predict"))
    found = prediction.predict(
        values.get("law") or law_catalog.law(),
        student_params=values["student_params"],
        student_tokens=tokens,
        teacher_loss=teacher_nats(values),
    )
    show(found, output)
