"""`distillplan predict`: the law at one point."""

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.laws import law_catalog
from distillplan.questions import prediction
from distillplan.render.show import show
from distillplan.scenarios.keys import student_of, teacher_of
from distillplan.scenarios.layers import values_of_options


@options("predict", required=["student_params"])
def predict(tokens: flags.Tokens, *, output: flags.Show = "table", **given: str) -> None:
    """Predict the loss of one student, distilled and trained from data alone.

    Examples:
    distillplan predict --student 1B --tokens 100B --teacher-loss 2.0

    distillplan predict --student 1B --tokens 100B --teacher 3B:1T
    """
    values = values_of_options(given, told_as("predict"))
    law = values.get("law") or law_catalog.law()
    found = prediction.predict(
        law,
        student_params=student_of(values, law),
        student_tokens=tokens,
        teacher=teacher_of(values),
    )
    show(found, output)
