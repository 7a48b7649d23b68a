"""A law as a paper gives it: the formula, and what a reader must know to trust or doubt it."""

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from distillplan.errors import InputError
from distillplan.laws.formulas import (
    DISTILLATION_LETTERS,
    SUPERVISED_LETTERS,
    DistillationLaw,
    SupervisedLaw,
)
from distillplan.laws.loss_units import LossUnit
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice

LEAST_ROUNDED: Final = 0.999
"""The least of a range of runs, as files round it, divided by itself."""


class LawStatus(StrEnum):
    """Whether a set of coefficients is in use, or why it is not."""

    DEFAULT = "default"
    AVAILABLE = "available"
    SUPERSEDED = "superseded"
    """A later analysis of the same runs contradicts it; kept for comparison."""
    HISTORICAL = "historical"
    ERRATUM = "erratum"
    """Printed like this, but wrong; kept so that results made with it can be understood."""


class ParameterCount(StrEnum):
    """What N counts in a law."""

    NON_EMBEDDING = "non-embedding parameters"
    TOTAL = "total parameters"
    UNVERIFIED = "the authors' parameter count, convention not verified"
    """Used as total parameters."""


def parse_parameter_count(text: str) -> ParameterCount:
    """What somebody says that a law counts, in any case; the word "parameters" may be left out.

    Raises:
        InputError: naming what can be written.

    >>> parse_parameter_count("Non-embedding").value
    'non-embedding parameters'
    """
    wanted = " ".join(text.lower().split())
    for one in ParameterCount:
        if wanted in {one.value, one.value.removesuffix(" parameters")}:
            return one
    known = ", ".join(repr(one.value) for one in ParameterCount)
    raise InputError(f"counts: {text[:60]!r} is unknown; write one of {known}")


class Coefficient(NamedTuple):
    """One fitted number."""

    value: float
    low: float | None = None
    high: float | None = None
    """Ends of the published interval; None where the source gives none."""
    level: float | None = None
    """Coverage of the interval, for example 0.9."""
    no_interval: str | None = None
    """Why there is none, where a fit could not give one."""


def primed(letter: str) -> str:
    """Name of a letter of Equation 8 among the coefficients of a law."""
    return f"{letter}'"


class DrawsFile(NamedTuple):
    """Where the joint draws of a law are."""

    path: str
    """CSV file; empty where they stand in the law's own file."""
    sigma_run: float
    """Standard deviation of the log loss of one run around a drawn law, the law's own misfit
    included."""
    table: tuple[str, ...] = ()
    """Lines of CSV, the names of the columns first; empty where they stand in a file of their own.
    """


class LawRuns(NamedTuple):
    """The runs that a law was fitted on, in its own file."""

    noise: float
    """Standard deviation of the log loss of those runs around the law."""
    table: tuple[str, ...]
    """Lines of CSV, the names of the columns first."""


class Origin(StrEnum):
    """Where a side of a law comes from."""

    PUBLISHED = "published"
    """Another laboratory's runs, as they were published."""
    MOVED = "moved"
    """Another laboratory's, moved to the level of one's own runs."""
    OWN_RUNS = "own_runs"
    """One's own runs."""


class SideSource(NamedTuple):
    """Where one side of a law comes from."""

    origin: Origin
    law: str
    """Name of the published law, or of the one that the runs were believed to be like."""
    runs: int = 0
    """One's own runs behind it."""

    def words(self) -> str:
        """For example ``12 of your runs``."""
        match self.origin:
            case Origin.OWN_RUNS:
                return f"{self.runs} of your runs" if self.runs else "your own law"
            case Origin.MOVED:
                return f"{self.law}, moved to the level of your runs"
            case Origin.PUBLISHED:
                return f"{self.law}, as published"


class Check(NamedTuple):
    """A published point that the set must reproduce."""

    where: str
    """Table or figure."""
    given: Mapping[str, float]
    """params and tokens, or student_params, student_tokens and teacher_loss, or compute."""
    quantity: str
    """``loss``, or ``tokens_per_param`` at the optimum of ``compute`` = 6 N D FLOPs."""
    published: float
    within: float
    """Largest absolute difference that the source's own rounding and reading error allow."""


class PublishedLaw(NamedTuple):
    """A law with its provenance."""

    name: str
    title: str
    supervised: SupervisedLaw
    counts: ParameterCount
    loss_unit: str
    corpus: str
    tokenizer: str
    source: str
    """Paper and table."""
    distillation: DistillationLaw | None = None
    status: LawStatus = LawStatus.AVAILABLE
    valid: Mapping[str, tuple[float, float]] = MappingProxyType({})
    """Range of each input that the law was fitted on."""
    coefficients: Mapping[str, Coefficient] = MappingProxyType({})
    """By name; those of the distillation side carry a prime: B' (see ``primed``)."""
    accuracy: tuple[str, ...] = ()
    """How well it reproduces published runs, in sentences."""
    errata: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    draws_file: DrawsFile | None = None
    """None where there are no joint draws."""
    runs: LawRuns | None = None
    """None where its file does not hold the runs behind it."""
    same_runs_as: str | None = None
    """Name of the law that was fitted to the same runs, and that speaks for them in a tally."""
    supervised_from: SideSource | None = None
    distillation_from: SideSource | None = None
    """Where each side comes from, in a law that was fitted; None where nothing was said."""
    warnings: tuple[Notice, ...] = ()
    """What the runs behind a fitted law cannot tell; every plan from it says so."""
    measured_in: LossUnit = LossUnit.NATS
    """In which the runs behind a fitted law had their losses."""
    bytes_per_token: float | None = None
    """Of their tokenizer, where it was said."""
    file: str | None = None
    """The user's own file that the law was read from, as it was named; None where it ships."""

    def __repr__(self) -> str:
        """Its name: all of it takes pages."""
        return f"<PublishedLaw {self.name}>"

    def side(self, *, distillation: bool) -> dict[str, Coefficient]:
        """The coefficients of one side, by their letters in its equation."""
        letters = DISTILLATION_LETTERS if distillation else SUPERVISED_LETTERS
        names = {(primed(letter) if distillation else letter): letter for letter in letters}
        return {names[name]: one for name, one in self.coefficients.items() if name in names}

    @property
    def given_as(self) -> str:
        """What a command takes for it: the user's own file as it was named, or its name."""
        return self.file or self.name

    @property
    def is_own(self) -> bool:
        """Whether all of it comes from the user's own runs, so that its gains are their own.

        A file that does not say so of a side may have it from anywhere.
        """
        own = (one is not None and one.origin is Origin.OWN_RUNS for one in self._sides)
        return self.file is not None and all(own)

    @property
    def hides_origin(self) -> bool:
        """Whether the user's file does not say where a side of it comes from."""
        return self.file is not None and None in self._sides

    @property
    def _sides(self) -> tuple[SideSource | None, ...]:
        both = self.supervised_from, self.distillation_from
        return both[:1] if self.distillation is None else both

    @property
    def least_teacher_loss(self) -> float:
        """A loss that every teacher is above, nats per token: the floor of models without one.

        Where the law was fitted on better teachers it is theirs: its floor is then an extrapolation
        that they disprove, and its distilled students are not built on it.
        """
        lowest, _ = self.valid.get("teacher_loss", (math.inf, math.inf))
        return min(self.supervised.E, lowest * LEAST_ROUNDED * (1 - 1e-9))

    @property
    def form(self) -> Literal["supervised", "distillation"]:
        """What the law describes; a distillation law describes supervised training too."""
        return "supervised" if self.distillation is None else "distillation"

    def computed(self, check: Check) -> float:
        """What this set gives for a published point.

        Raises:
            InputError: when the point is one of distillation and the law is not.
        """
        given = check.given
        if "compute" in given:
            params, tokens = self.supervised.compute_optimal(given["compute"])
            return tokens / params
        if "params" in given:
            return self.supervised.loss(given["params"], given["tokens"])
        if self.distillation is None:
            raise InputError(f"{self.name}: the check {check.where!r} needs a distillation law")
        return self.distillation.loss(
            given["student_params"], given["student_tokens"], given["teacher_loss"]
        )

    def range_left(self, name: str, value: float) -> tuple[float, float] | None:
        """The fitted range of an input that lies beyond it; None within, or where there is none."""
        low, high = self.valid.get(name, (-math.inf, math.inf))
        return None if within(value, low, high) else (low, high)


def within(value: float, low: float, high: float) -> bool:
    """Whether a size is in a range of runs, which files round: 143.35M parameters to 143.4M."""
    return low * LEAST_ROUNDED <= value <= high * 1.001
