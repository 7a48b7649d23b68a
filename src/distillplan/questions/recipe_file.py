"""The file of the recipe: its settings; its lines are read where they are chosen."""

from collections.abc import Mapping
from typing import Final

from distillplan.files.entries import Entry, shipped
from distillplan.laws.format_studies import KeptShare, format_studies
from distillplan.questions.recipe_records import SkippedTrainer

FILE: Final = "recipe.yaml"
"""In the folder of the data."""


def recipe_file() -> Entry:
    """The whole file, read once."""
    return shipped(FILE)


def practice() -> Mapping[str, float]:
    """The settings of the recipe, by name.

    Raises:
        InputError: when the file is not what it should be.

    >>> practice()["temperature"]
    1.0
    """
    return recipe_file().mapping("practice").positives()


def kept_shares() -> tuple[KeptShare, ...]:
    """How much of the gain of full logits each stored format keeps.

    Raises:
        InputError: when their file is not what it should be.
    """
    return format_studies().settings[0].shares


def kept_source() -> str:
    """Where the shares are from, and of which models.

    Raises:
        InputError: when their file is not what it should be.
    """
    found = format_studies()
    return f"{found.settings[0].name}; {found.source}"


def skipped_trainers() -> tuple[SkippedTrainer, ...]:
    """Trainers that are not exported to, and why.

    Raises:
        InputError: when the file is not what it should be.
    """
    return tuple(
        SkippedTrainer(name=one.text("name"), why=one.text("why"), source=one.text("source"))
        for one in recipe_file().entries("skipped")
    )
