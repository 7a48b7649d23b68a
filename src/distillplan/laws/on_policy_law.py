"""The law of on-policy distillation: the peak score of a student that its teacher scores.

Bao et al. 2026 (arXiv:2609.32722) trained Qwen2.5 base models from 0.5B to 14B on math with
teachers of the same sizes after RL. With N in billions, as the models are named, and G a score::

    1 - G_peak = A * Ns^-alpha * min(Nt, Ns)^-beta * (1 - G_eff)^zeta
    m          = B * Ns^-gamma * min(Nt, Ns)^delta * (1 - G_eff)^-xi

G_eff is the score of a teacher at the size min(Nt, Ns): a teacher that is larger than its student
helps no more than one of the student's size. m is the gain in score for each unit of sqrt(KL) that
the student moves. The numbers are in coefficients/on_policy.yaml.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Final

from distillplan.files.entries import Entry, shipped
from distillplan.named_tuples import NamedTuple

FILE: Final = "on_policy.yaml"
"""In the folder of the data."""

Z90: Final = 1.6448536269514722
"""Half width of the central 90% interval of a normal distribution, in standard deviations."""


class Objective(StrEnum):
    """What the student is trained on."""

    VANILLA = "vanilla"
    """The divergence from the teacher."""
    DELTA = "delta"
    """What RL changed in the teacher, which needs the teacher before its RL too."""


class PeakLaw(NamedTuple):
    """The constants of one objective; letters as above."""

    error_scale: float
    """A."""
    student: float
    """Exponent alpha."""
    teacher: float
    """Exponent beta."""
    score: float
    """Exponent zeta."""
    slope_scale: float
    """B."""
    slope_student: float
    """Exponent gamma."""
    slope_teacher: float
    """Exponent delta."""
    slope_score: float
    """Exponent xi."""
    error: float
    """Root mean square error of a peak, as a share, of sizes that the fit did not see."""


class MeasuredSize(NamedTuple):
    """A size of the study."""

    params: float
    """As the model is named: 7e9 of Qwen2.5-7B."""
    model: str
    """Its name in the catalog."""
    start: float
    """Score after SFT, with which a student starts."""
    rl: float
    """Score after RL, with which a teacher teaches."""


class PublishedStage(NamedTuple):
    """What a laboratory said that a stage took."""

    of: str
    """The student."""
    gpu_hours: float
    rl_gpu_hours: float
    """Of RL on the same student."""
    source: str


class OnPolicyLaw(NamedTuple):
    """All that the study says."""

    source: str
    scope: str
    """What it is of, in few words."""
    tasks: str
    family: str
    most_updates: int
    problems_per_update: int
    divergence: tuple[float, float, float]
    """Least, median and greatest sqrt(KL) up to which scores rose regularly."""
    laws: Mapping[Objective, PeakLaw]
    sizes: tuple[MeasuredSize, ...]
    """From the smallest."""
    findings: tuple[str, ...]
    published: PublishedStage

    @property
    def least_params(self) -> float:
        """The smallest size of the study."""
        return self.sizes[0].params

    @property
    def most_params(self) -> float:
        """The largest size of the study."""
        return self.sizes[-1].params

    @property
    def scores(self) -> tuple[float, float]:
        """The lowest and the highest score of a teacher in the study."""
        return self.sizes[0].rl, self.sizes[-1].rl

    def covers(self, params: float) -> bool:
        """Whether a size is between the smallest and the largest of the study."""
        return self.least_params <= params <= self.most_params

    def measured(self, params: float) -> MeasuredSize | None:
        """The size of the study; None: it is between two."""
        return next((one for one in self.sizes if one.params == params), None)


@cache
def on_policy_law() -> OnPolicyLaw:
    """The law as it ships.

    Raises:
        InputError: when its file is missing or not what it should be.
    """
    entry = shipped(FILE)
    ends, laws = entry.mapping("divergence"), entry.mapping("laws")
    return entry.record(
        OnPolicyLaw,
        divergence=(ends.positive("low"), ends.positive("median"), ends.positive("high")),
        laws={one: _peak_law(laws.mapping(one)) for one in Objective},
        sizes=tuple(one.record(MeasuredSize) for one in entry.entries("sizes")),
        published=entry.mapping("published").record(PublishedStage),
    )


def _peak_law(entry: Entry) -> PeakLaw:
    return PeakLaw(**{name: entry.number(name) for name in PeakLaw._fields})


def peak_score(law: PeakLaw, student: float, teacher: float, score: float) -> float:
    """The highest score that a student reaches.

    Args:
        law: its constants.
        student: parameters of the student.
        teacher: parameters of the teacher.
        score: of a teacher of the smaller of both sizes, above 0 and below 1.

    >>> found = on_policy_law().laws[Objective.VANILLA]
    >>> round(peak_score(found, 7e9, 1.5e9, 0.6362), 4)
    0.7705
    """
    own, taught = _billions(student, teacher)
    error = law.error_scale * own**-law.student * taught**-law.teacher
    return float(1 - error * (1 - score) ** law.score)


def slope(law: PeakLaw, student: float, teacher: float, score: float) -> float:
    """What the score gains for each unit of sqrt(KL), at first; arguments as for `peak_score`."""
    own, taught = _billions(student, teacher)
    size = law.slope_scale * own**-law.slope_student * taught**law.slope_teacher
    return float(size * (1 - score) ** -law.slope_score)


def between_sizes(law: OnPolicyLaw, params: float, field: str) -> float:
    """A score at a size of the study, or between two, where log(1 - score) is a line over log size.

    Leaving out a size that has neighbors, the RL scores come back within 0.3 points.

    Args:
        law: the study.
        params: a size that it covers.
        field: `start` or `rl`.
    """
    known = law.measured(params)
    if known is not None:
        return float(getattr(known, field))
    below, above = next(
        pair for pair in pairwise(law.sizes) if pair[0].params < params < pair[1].params
    )
    part = math.log(params / below.params) / math.log(above.params / below.params)
    low, high = (math.log1p(-getattr(one, field)) for one in (below, above))
    return -math.expm1(low + part * (high - low))


def _billions(student: float, teacher: float) -> tuple[float, float]:
    """The student's size and the teacher's as far as it counts, in billions."""
    return student / 1e9, min(teacher, student) / 1e9
