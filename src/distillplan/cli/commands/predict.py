"""`distillplan predict`: the law at one point."""

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.errors import InputError, Word
from distillplan.laws import law_catalog
from distillplan.models.model_sizes import check_pair
from distillplan.planning.budget_text import Budget
from distillplan.questions import prediction
from distillplan.render.show import show
from distillplan.scenarios.keys import student_of, teacher_of
from distillplan.scenarios.layers import values_of_options


@options("predict", required=["student_params"])
def predict(
    *, details: flags.Details = False, output: flags.ShowRows = "table", **given: str
) -> None:
    """Predict the loss of one student, distilled and trained from data alone.

    Examples:
    distillplan predict --student 1B --tokens 100B --teacher-loss 2.0

    distillplan predict --student 1B --tokens 100B --teacher 3B:1T
    """
    values = values_of_options(given, told_as("predict"))
    law = values.get("law") or law_catalog.law()
    params = student_of(values, law)
    tokens = _tokens(values.get("budget"), params)
    found = prediction.predict(
        law,
        student_params=values.get("student_model") or params,
        student_tokens=tokens,
        teacher=teacher_of(values),
    )
    show(found, output, details=details)


def _tokens(given: Budget | None, params: float) -> float:
    """Training tokens of a student of so many parameters.

    Raises:
        InputError: when they are missing, or nobody would train it on so few.
    """
    if given is None:
        raise InputError(Word("student_tokens"), ": missing; add ", Word("student_tokens", "100B"))
    tokens = given.tokens_for(params)
    check_pair(params, tokens, Word("student_tokens"))
    return tokens
