"""Options that commands share and that are no keys of a scenario, declared once."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated, Any, TypeAlias

import typer

from distillplan.errors import InputError
from distillplan.render.show import RowOutput
from distillplan.scenarios import key_table, values


def option(
    flag: str, text: str, *others: str, value: values.Value | None = None, **more: Any
) -> Any:
    """An option that is no key of a scenario.

    Args:
        flag: the option, which errors name.
        text: its help.
        others: other spellings.
        value: the kind of number that it takes; None: what its annotation says.
        more: what else Typer is told.
    """
    if value is not None:
        more["parser"] = lambda typed: value.read(typed, flag)
    return typer.Option(flag, *others, help=text, **more)


def demand_one(details: bool, example: str) -> None:
    """Refuse --details where a list is shown.

    Args:
        details: whether it was given.
        example: a command that shows one thing.

    Raises:
        InputError: when it was.
    """
    if details:
        raise InputError(f"--details shows one of a list in full; name it: {example}")


def form_and_file(
    given: Sequence[str], forms: Sequence[str], endings: Sequence[str]
) -> tuple[str | None, str | None]:
    """The form of an answer and the name of a file that ``-o`` was given: either, or one of each.

    Args:
        given: as typed.
        forms: that there are.
        endings: of the files that can be written.

    Raises:
        InputError: for two of a kind, or what is neither.
    """
    given = [one.lower() if one.lower() in forms else one for one in given]
    shown = [one for one in dict.fromkeys(given) if one in forms]
    files = [one for one in dict.fromkeys(given) if one not in forms]
    for one in files:
        if PurePath(one).suffix.lower() not in endings:
            raise InputError(
                f"--output: {one!r} is not one of {', '.join(forms)}, nor a file that ends in "
                f"{', '.join(endings)}"
            )
    for several in (shown, files):
        if len(several) > 1:
            raise InputError(f"--output: {' and '.join(several[:2])} are two; leave one out")
    return next(iter(shown), None), next(iter(files), None)


Compute: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="COMPUTE", help=key_table.TABLE.keys["compute"].help)
]
Quick: TypeAlias = Annotated[bool, typer.Option("--quick", help="Skip the odds and bands.")]
Details: TypeAlias = Annotated[
    bool,
    typer.Option("--details", help="Show all numbers instead of one screen."),
]
Asserted: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="EXPR",
        help="Exit with 3 unless this holds, e.g. 'verdict = distill' or 'loss <= 2.3'; may be "
        "repeated.",
    ),
]
Sets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override any scenario key, e.g. teacher.loss=1.9; takes precedence over everything "
        "else; may be repeated.",
    ),
]
File: TypeAlias = Annotated[
    str, typer.Argument(metavar="FILE", help="Scenario file; - reads standard input.")
]
ShowRows: TypeAlias = Annotated[RowOutput, typer.Option("--output", "-o", help="Output format.")]
