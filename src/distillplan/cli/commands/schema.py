"""`distillplan schema`: the JSON Schema of a document."""

from typing import Annotated

import typer

from distillplan.render.streams import write
from distillplan.schemas.reader import schema_names, schema_text

OF_COMMANDS = {
    "budget": "plan",
    "compare": "comparison",
    "predict": "prediction",
    "serve": "serving",
    "validate": "validation",
    "explain": "explanation",
}
"""Documents that are not named as the commands that write them."""


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of the schema or of the command, e.g. plan, scenario, compare or sweep."
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of a command's output, or list the available schemas.

    Example:
    distillplan schema plan
    """
    if name is None:
        write("\n".join(schema_names()) + "\n")
        return
    write(f"{schema_text(OF_COMMANDS.get(name, name))}\n")
