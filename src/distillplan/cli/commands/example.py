"""`distillplan example`: files to try the commands with."""

from typing import Annotated

import typer

from distillplan.errors import InputError
from distillplan.files import example_files
from distillplan.files.saving import NamedFile
from distillplan.render.printable import printable
from distillplan.render.streams import write

SAVE = "--save"


def example(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of the file, e.g. compare.yaml.")
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            SAVE, metavar="PATH", help="Write it to this file or folder; an existing file stays."
        ),
    ] = None,
) -> None:
    """List the example files that ship, or write one to standard output or to a file.

    Examples:
    distillplan example

    distillplan example compare.yaml

    distillplan example compare.yaml --save .
    """
    if name is None:
        if save is not None:
            raise _no_name()
        from distillplan.render.example_view import example_view  # not for one of them
        from distillplan.render.show import as_text

        write(as_text(example_view(example_files.EXAMPLE_FILES), "table"))
    elif save is None:
        write(example_files.example_text(name))
    else:
        path = example_files.save_example(name, NamedFile(what=SAVE, path=save))
        command = example_files.command_for(name, path)
        write(f"Wrote {printable(str(path))}. Next: {printable(command)}\n")


def _no_name() -> InputError:
    return InputError(f"{SAVE}: which file? name it, e.g. distillplan example compare.yaml")
