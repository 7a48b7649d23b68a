"""`distillplan help`: the same as `--help`."""

from typing import Annotated

import typer


def help(  # noqa: A001  (a command is a function of its name)
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]", help="Command to show; all of them without one."),
    ] = None,
) -> None:
    """Show the help of a command, or list the commands.

    Example:
    distillplan help budget
    """
    above = context.find_root()
    words = [*(command or ()), "--help"]
    above.command.main(words, prog_name=above.info_name, standalone_mode=False)
