"""A law as a paper gives it: the formula, and all that a reader must know to trust or doubt it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from distillplan.errors import InputError
from distillplan.laws.formulas import DistillationLaw, SupervisedLaw


class LawStatus(StrEnum):
    """How a set of coefficients stands."""

    DEFAULT = "default"
    AVAILABLE = "available"
    SUPERSEDED = "superseded"
    """A later analysis of the same runs contradicts it; kept for comparison."""
    HISTORICAL = "historical"
    ERRATUM = "erratum"
    """Printed so, and wrong; kept so that results made with it can be understood."""


class Coefficient(NamedTuple):
    """One fitted number."""

    value: float
    low: float | None = None
    high: float | None = None
    """Ends of the published interval; None where the source gives none."""
    level: float | None = None
    """Coverage of the interval, such as 0.9."""
    no_interval: str | None = None
    """Why there is none, where a fit could not give one."""


class DrawsFile(NamedTuple):
    """Where the joint draws of a law lie."""

    path: str
    sigma_run: float
    """Standard deviation of the log loss of one run around a drawn law, its misfit included."""


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
    counts: str
    """What N counts: non-embedding or total parameters."""
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
    """By name; those of the distillation side carry a prime: B'."""
    accuracy: tuple[str, ...] = ()
    """How well it reproduces published runs, one sentence each."""
    errata: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    draws_file: DrawsFile | None = None
    """None where there are no joint draws."""
    file: str | None = None
    """Of a user's own law, as it was named."""

    @property
    def form(self) -> Literal["supervised", "distillation"]:
        """What the law describes; a distillation law describes supervised training too."""
        return "supervised" if self.distillation is None else "distillation"

    def computed(self, check: Check) -> float:
        """What this set gives for a published point."""
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

    def outside(self, **at: float | None) -> dict[str, tuple[float, float]]:
        """The inputs that lie beyond the fitted range, with that range."""
        return {
            name: self.valid[name]
            for name, value in at.items()
            if value is not None
            and name in self.valid
            # one part in a thousand: a 143M label is the 143.35M model
            and not self.valid[name][0] * 0.999 <= value <= self.valid[name][1] * 1.001
        }
