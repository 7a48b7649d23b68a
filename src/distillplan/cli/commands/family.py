"""`distillplan family`: students of several sizes on one budget."""

from typing import Annotated, Any

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.errors import InputError
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.render.progress import progress
from distillplan.render.show import show


@options("family")
def family(
    compute: flags.Compute = None,
    *,
    students: Annotated[
        str | None,
        typer.Option(
            "--students",
            "-s",
            metavar="LIST",
            help="Sizes or models of the students, e.g. 300M,1B,3B; 8x3B is eight of a size.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="LIST",
            help="How much the loss of each counts, e.g. 1,1,2; one number for each size.",
            show_default="1 for each",
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            metavar="LIST",
            help="Loss that each is to reach, in nats, e.g. 2.4,2.2,2.1: the compute is then the "
            "answer.",
        ),
    ] = None,
    cascade: Annotated[
        bool,
        typer.Option(
            "--cascade", help="Let each student be taught by the next larger one of the family."
        ),
    ] = False,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="Scenario file with the question under base and the students in its matrix; "
            "options take precedence.",
        ),
    ] = None,
    quick: flags.Quick = False,
    sets: flags.Sets = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Plan a family: students of several sizes that share one budget and one teacher.

    Shows whether to distill them from a teacher (existing, or trained for them: leave --teacher
    out, or --teacher train), the tokens of each, and how many students make that pay.

    Examples:
    distillplan family 1e22 --students 300M,1B,3B

    distillplan family 1e22 --students 300M,1B,3B --teacher llama-3.1-8b --logits stored

    distillplan family 1e22 --students 300M,1B,3B --cascade

    distillplan family --students 300M,1B,3B --loss 2.5,2.3,2.2

    distillplan family 1e23 --students 8x1B,2x3B --weights 1,4 -o json
    """
    from distillplan.questions.family import family as planned  # not at every start, as below
    from distillplan.questions.family_targets import family_for_losses
    from distillplan.scenarios.family_words import TRAINED, FamilyWords, family_of, values_of_file
    from distillplan.scenarios.layers import STUDENT_PLACES, refuse_words, values_of_options
    from distillplan.scenarios.parts import layer_of_sets

    words = dict(given)
    if words.get("teacher") == TRAINED:
        del words["teacher"]
    below: dict[str, Any] = {}
    listed = [] if students is None else [one for one in students.split(",") if one.strip()]
    if file is not None:
        below, of_file = values_of_file(file, ())
        listed = listed or list(of_file)
        if given.get("teacher") == TRAINED:
            below = {place: one for place, one in below.items() if not place.startswith("teacher.")}
    _refuse(listed, loss, compute, weights)
    if loss is not None:
        words["compute"] = f"{ANY_BUDGET:g}"
    elif compute is not None:
        words["compute"] = compute
    over = layer_of_sets(sets or ())
    refuse_words(over, dict.fromkeys(STUDENT_PLACES, "--students gives them; leave it out"))
    if loss is not None:
        refuse_words(over, {"budget": "with --loss it is the answer; leave one out"})
    values = values_of_options(words, told_as("family"), over)
    scenario, members = family_of(
        {**below, **values},
        FamilyWords(students=listed, weights=weights, losses=loss),
        lambda word: f"--{word}",
    )
    with progress("Family"):
        if loss is None:
            found = planned(scenario, members, cascade=cascade, quick=quick)
        else:
            found = family_for_losses(scenario, members, cascade=cascade)
    show(found, output, details=details)


def _refuse(listed: list[str], loss: str | None, compute: str | None, weights: str | None) -> None:
    if not listed:
        raise InputError("--students: give at least one, e.g. --students 300M,1B,3B")
    if loss is not None and compute is not None:
        raise InputError("--loss: the compute is then the answer; leave COMPUTE or --loss out")
    if loss is not None and weights is not None:
        raise InputError("--loss: each student has its own; leave --weights out")
