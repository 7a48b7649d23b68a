"""`distillplan schema`: the JSON Schema of a document."""

from typing import Annotated

import typer

from distillplan.render.streams import write
from distillplan.schemas.reader import schema_names, schema_text


def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of the schema, e.g. plan, scenario, comparison or sweep."),
    ] = None,
) -> None:
    """Print the JSON Schema of a command's output, or list the available schemas.

    Example:
    distillplan schema plan
    """
    write("\n".join(schema_names()) + "\n" if name is None else f"{schema_text(name)}\n")
