"""The example files, for people."""

from collections.abc import Mapping

from distillplan.render.blocks import Block, TableBlock, Text


def example_view(files: Mapping[str, str]) -> list[Block]:
    """What there is to try, and the commands to try it with."""
    return [
        TableBlock(
            title="", columns=("file", "to try it"), rows=tuple(files.items()), text_columns=(0, 1)
        ),
        Text("Write one here: distillplan example NAME --save .", tone="quiet"),
    ]
