"""`distillplan recipe`: how to run a plan, and files for trainers."""

from collections.abc import Sequence
from typing import Annotated, cast, get_args

import typer

from distillplan.cli import flags
from distillplan.cli.plan_options import PlanFile, PlanOption, plan_option
from distillplan.errors import InputError
from distillplan.files.saving import NamedFile
from distillplan.render.printable import printable
from distillplan.render.show import RowOutput, show
from distillplan.render.streams import write

SAVE = "--save"


def recipe(
    plan: PlanFile,
    *,
    option: Annotated[
        PlanOption | None,
        typer.Option(
            help="Option of the plan that is run: by its method, or a distillation by who pays for "
            "the teacher.",
            show_default="the plan's choice",
        ),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            metavar="TRAINER",
            help="Write files for a trainer: megatron-bridge, megatron-lm, maxtext, distillkit or "
            "trl-gkd.",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            SAVE,
            metavar="FOLDER",
            help="Folder for the files of --export; it is made where it is missing, and files that "
            "are there stay.",
        ),
    ] = None,
    details: flags.Details = False,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FORMAT",
            help="Output format (table, json, jsonl, csv, markdown), or the folder for --export.",
            show_default="table",
        ),
    ] = None,
) -> None:
    """Say how to run a plan, with the source of each line and how sure it is.

    It covers the loss, logits, learning rate, batch, tokenizer and license, and what to watch.
    Rates and batches start from laws of pretraining; nobody has tried them in distillation.

    Examples:
    distillplan recipe plan.json

    distillplan recipe plan.json --details

    distillplan recipe plan.json --option supervised

    distillplan recipe plan.json --export maxtext --save run
    """
    from distillplan.questions.plan_document import (  # not at every start, as below
        plan_of_document,
        read_document,
    )
    from distillplan.questions.plan_settings import settings_of_document, with_open_teacher
    from distillplan.questions.recipe import recipe as recipe_of
    from distillplan.questions.recipe import run_option

    shown, folder = _output(output or (), export, save)
    data, name = read_document(plan)
    found = plan_of_document(data, name)
    chosen = run_option(found, plan_option(option))
    settings = with_open_teacher(settings_of_document(data, name), chosen.teacher_name)
    answer = recipe_of(found, settings, chosen)
    if export is None:
        show(answer, shown, details=details)
        return
    from distillplan.questions.exports import export_of, save_export

    files = export_of(answer, settings, export)
    paths = save_export(files, NamedFile(what=SAVE, path=folder or ""))
    write(f"Wrote {printable(', '.join(map(str, paths)))}. Fill in: {', '.join(files.to_fill)}.\n")


def _output(
    given: Sequence[str], export: str | None, save: str | None
) -> tuple[RowOutput, str | None]:
    """The form to show, and the folder to write into: beside --export, -o names the folder."""
    known = get_args(RowOutput)
    if len(given) > 1:
        raise InputError(f"--output: {' and '.join(given)} are given; leave one out")
    form = given[0] if given else None
    if form is not None and form.lower() in known:
        form = form.lower()
    if export is None:
        if save is not None:
            raise InputError(f"{SAVE}: the files of which trainer? add --export megatron-bridge")
        if form is not None and form not in known:
            raise InputError(
                f"--output: {form!r} is not one of {', '.join(known)}; a folder needs --export"
            )
        return cast("RowOutput", form or "table"), None
    if form in known:
        raise InputError(f"--output: {form} is a format; with --export name a folder: {SAVE} run")
    if form is not None and save is not None:
        raise InputError(f"{SAVE}, -o: {save} and {form} are two folders; leave one out")
    folder = save if form is None else form
    if folder is None:
        raise InputError(f"--export: into which folder? add {SAVE} run")
    return "table", folder
