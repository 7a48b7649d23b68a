"""The file of the recipe: its settings and tables; its lines are read where they are chosen."""

from collections.abc import Iterator, Mapping
from typing import Final

from distillplan.files.entries import Entry, read_shipped
from distillplan.questions.recipe_records import KeptLogits, KeptShare, SkippedTrainer

FILE: Final = "recipe.yaml"
"""In the folder of the data."""


def recipe_file() -> Entry:
    """The whole file, read once."""
    return Entry(read_shipped(FILE), FILE)


def practice() -> Mapping[str, float]:
    """The settings of the recipe, by name.

    Raises:
        InputError: when the file is not what it should be.

    >>> practice()["temperature"]
    1.0
    """
    return recipe_file().mapping("practice").positives()


def kept_shares() -> Iterator[KeptShare]:
    """How much of the gain of full logits each stored format keeps.

    Raises:
        InputError: when the file is not what it should be.
    """
    table = recipe_file().mapping("stored_logits")
    hard, full = table.positive("hard_labels_loss"), table.positive("full_logits_loss")
    gain, error = hard - full, table.positive("rounding")
    for one in table.entries("formats"):
        loss = one.positive("loss")
        printed = one.number("share") if one.has("share") else None
        share = (hard - loss) / gain if printed is None else printed
        yield KeptShare(
            format=KeptLogits(one.choice("kind", tuple(KeptLogits), "")),
            kept=one.positive("kept"),
            loss=loss,
            share=share,
            share_error=None if printed is not None else 2 * error * (1 + abs(share)) / gain,
        )


def kept_source() -> str:
    """Where the shares are from, and of which models.

    Raises:
        InputError: when the file is not what it should be.
    """
    table = recipe_file().mapping("stored_logits")
    return f"{table.text('setting')}; {table.text('source')}"


def skipped_trainers() -> tuple[SkippedTrainer, ...]:
    """Trainers that are not exported to, and why.

    Raises:
        InputError: when the file is not what it should be.
    """
    return tuple(
        SkippedTrainer(name=one.text("name"), why=one.text("why"), source=one.text("source"))
        for one in recipe_file().entries("skipped")
    )
