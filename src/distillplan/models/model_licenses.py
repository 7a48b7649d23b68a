"""What licenses of open models say of training on their outputs."""

from enum import StrEnum
from functools import cache

from distillplan.files.entries import read_shipped
from distillplan.named_tuples import NamedTuple

FAMILIES = "models.yaml"
"""Licenses and families, which models share."""


class Distilling(StrEnum):
    """Whether outputs or logits of a model may train other models."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"


class License(NamedTuple):
    """The terms of a model, as far as they matter to a teacher; not legal advice."""

    key: str
    """Its short name here."""
    name: str
    """Its name in full."""
    commercial: bool | None
    """Whether commercial use is allowed, if only below a threshold; null: not known here."""
    distilling: Distilling
    """Whether outputs or logits may train other models."""
    terms: str
    """What they ask for."""
    read: str | None
    """The month in which they were read, as 2026-11; null: they were not."""

    @property
    def forbids(self) -> bool:
        """Whether outputs or logits may not train other models."""
        return self.distilling is Distilling.FORBIDDEN

    @property
    def sentence(self) -> str:
        """The terms for distilling as one line."""
        return f"{self.name}: {self.terms} (not legal advice)"


def unread_license(name: str, terms: str) -> License:
    """The license of a model of which nothing is known here.

    Args:
        name: what stands in place of its name.
        terms: what to do.
    """
    return License(
        key="unknown",
        name=name,
        commercial=None,
        distilling=Distilling.UNKNOWN,
        terms=terms,
        read=None,
    )


@cache
def licenses() -> dict[str, License]:
    """The terms that models have, by their short names."""
    return {
        key: License(key=key, **{**row, "distilling": Distilling(row["distilling"])})
        for key, row in read_shipped(FAMILIES)["licenses"].items()
    }
