"""What commands with pictures share: where a picture and its data go, and in which form."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias, cast, get_args

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import told_as
from distillplan.errors import InputError
from distillplan.files.saving import NamedFile, demand_apart, demand_savable, save
from distillplan.named_tuples import NamedTuple
from distillplan.planning.scenario import Scenario
from distillplan.questions.defaults import ANY_BUDGET
from distillplan.render.figures.picture_files import ENDINGS, demand_drawable, picture_of
from distillplan.render.notice_blocks import first_in_words
from distillplan.render.printable import printable
from distillplan.render.show import RowOutput, rendered, show
from distillplan.render.streams import write
from distillplan.scenarios.keys import scenario_of
from distillplan.scenarios.layers import FUNDS, values_of_options

OUTPUT, DATA = "--output", "--data"
DATA_FORMS = {".csv": "csv", ".json": "json", ".jsonl": "jsonl"}
"""Of what is drawn, by the end of a file's name."""

Pictured: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        OUTPUT,
        "-o",
        metavar="FILE",
        help="Picture to draw (FILE.svg, .png or .pdf), or what is drawn as json, jsonl or csv; "
        "may be given for both.",
    ),
]
Data: TypeAlias = Annotated[
    str | None,
    typer.Option(
        DATA, metavar="FILE", help="File to write what is drawn to (FILE.csv, .json or .jsonl)."
    ),
]


class Places(NamedTuple):
    """Where an answer goes."""

    form: RowOutput | None
    """How it is shown; None where only files are written."""
    picture: Path | None
    data: Path | None


def places(given: Sequence[str], data: str | None = None, usual: RowOutput | None = None) -> Places:
    """Where an answer goes, before it is sought: ``-o`` takes a form or a picture, or one of each.

    Args:
        given: what was given with ``-o``.
        data: the file for what is drawn.
        usual: the form without any; None where a picture or a form has to be named.

    Raises:
        InputError: for two of a kind, or a file that cannot be written or drawn.
    """
    known = get_args(RowOutput) if usual else tuple(DATA_FORMS.values())
    form, picture = flags.form_and_file(given, known, ENDINGS)
    written = [] if picture is None else [NamedFile(what=OUTPUT, path=picture)]
    for place in written:
        demand_drawable(place)
    if data is not None:
        _demand_data(data, written)
    if not (form or picture or data or usual):
        raise InputError(f"{OUTPUT}: name the picture to draw, e.g. -o picture.svg")
    return Places(
        form=cast("RowOutput | None", form or usual),
        picture=None if picture is None else Path(picture),
        data=None if data is None else Path(data),
    )


def _demand_data(data: str, beside: Sequence[NamedFile]) -> None:
    """Refuse a file of data that cannot be written beside others."""
    if Path(data).suffix.lower() not in DATA_FORMS:
        raise InputError(f"{DATA}: {data!r} does not end in {', '.join(DATA_FORMS)}")
    named = NamedFile(what=DATA, path=data)
    demand_savable(named)
    demand_apart([named], beside)


def give(answer: object, where: Places) -> None:
    """Draw, save and show an answer; nothing is written before all of it is there.

    Args:
        answer: what is drawn; those of its warnings to read first are said beside a picture.
        where: where it goes.

    Raises:
        InputError: when a file cannot be written.
    """
    texts: dict[Path, bytes | str] = {}
    if where.picture is not None:
        texts[where.picture] = picture_of(answer, where.picture)
    if where.data is not None:
        form = cast("RowOutput", DATA_FORMS[where.data.suffix.lower()])
        texts[where.data] = rendered(answer, form)
    for path, text in texts.items():
        save(path, text)
    if where.form is not None:
        show(answer, where.form)
    elif texts:
        first = printable(first_in_words(getattr(answer, "warnings", ())))
        said = f"Wrote {' and '.join(printable(str(one)) for one in texts)}."
        write("".join(f"{line}\n" for line in (said, first) if line))


class PictureQuestion(NamedTuple):
    """A question whose budget may be left out."""

    scenario: Scenario
    budget_given: bool


def picture_question(given: Mapping[str, str | None]) -> PictureQuestion:
    """The question of the options of `budget`, with any budget where none is given.

    Raises:
        InputError: with all that is wrong.
    """
    told = told_as("budget")
    asked = values_of_options(given, told)
    if asked.keys() & FUNDS:
        return PictureQuestion(scenario_of(asked), budget_given=True)
    whatever = values_of_options({**given, "compute": ANY_BUDGET}, told)
    return PictureQuestion(scenario_of(whatever), budget_given=False)
