"""The open model that could be cut to a student's size: a rival that no law weighs.

Most of 2026's small models were cut out of larger ones and trained on, not started from scratch. A
plan weighs neither; it names the nearest such parent and what is known of it.
"""

import math
from typing import TYPE_CHECKING, Final

from distillplan.laws.provenance import ParameterCount, PublishedLaw
from distillplan.models.architecture import FixedAspect
from distillplan.models.open_models import OpenModel, open_models
from distillplan.models.tokenizers import other_tokenizer
from distillplan.named_tuples import NamedTuple

if TYPE_CHECKING:
    from distillplan.models.known_model import KnownModel
    from distillplan.planning.results import Plan

LARGEST_CUT: Final = 1 / 3
"""Share of the parameters to remove in one step at most (NVIDIA's guidelines)."""
_ROUNDING: Final = 1e-9
LEAST_TIMES: Final = 2.0
MOST_TIMES: Final = 10.0
"""Sizes of parents, in those of the student."""


def cuts(parent_params: float, student_params: float) -> int:
    """Steps from one size to another if each removes at most a third.

    >>> cuts(8e9, 6e9), cuts(9e9, 6e9), cuts(8e9, 4e9), cuts(8e9, 1e9), cuts(8e9, 8e9)
    (1, 1, 2, 6, 0)
    """
    steps = math.log(parent_params / student_params) / -math.log1p(-LARGEST_CUT)
    return max(math.ceil(steps - _ROUNDING), 0)


class Rival(NamedTuple):
    """Cutting an open model to the student's size instead of starting from scratch."""

    parent: str
    """Name of the open model."""
    parent_params: float
    """Its non-embedding parameters."""
    parent_tokens: float
    """Tokens of its pretraining."""
    student_params: float
    """Non-embedding parameters to cut it to."""
    cuts: int
    """Steps that this takes if each removes at most a third."""
    known: str
    """What is published of such starts."""
    not_known: str
    """What is not, and why this is not weighed."""
    must_teach: bool = False
    """Whether the named teacher has another tokenizer, so that only the parent itself can teach."""


def reader_of(*models: "KnownModel | None") -> "KnownModel | None":
    """The first of a student and its teacher whose tokenizer or vocabulary is known."""
    known = [one for one in models if one is not None]
    named = (one for one in known if one.tokenizer is not None)
    return next(named, next((one for one in known if one.vocab is not None), None))


def nearest_parent(params: float, reader: "KnownModel | None" = None) -> OpenModel | None:
    """The open model to cut to so many non-embedding parameters; None where none is near enough.

    What is cut keeps its tokenizer, so those with the wanted one come first. Of these it is the one
    that takes the fewest cuts; of several the one that was trained on most tokens.

    Args:
        params: to cut to.
        reader: the model whose tokenizer it should have; None where it does not matter.

    >>> from distillplan.models.known_model import known_model
    >>> nearest_parent(3e9).name, nearest_parent(3e9, known_model("llama-3.2-1b")).name
    ('mimo-7b', 'llama-3.1-8b')
    """
    near = [
        one for one in open_models() if LEAST_TIMES * params <= one.params <= MOST_TIMES * params
    ]
    if reader is not None:
        near = [one for one in near if not other_tokenizer(reader, one)] or near

    def rank(one: OpenModel) -> tuple[int, float, int]:
        return cuts(one.params, params), -one.tokens, one.params

    return min(near, key=rank, default=None)


def rival_of(plan: "Plan") -> Rival | None:
    """The open model to cut instead of starting from scratch.

    None where no open model has two to ten times the student's size, where the student's size is
    not known, and where a start from an open model was asked for.
    """
    best, scenario = plan.recommended or plan.supervised, plan.scenario
    if best.student_params is None or scenario.start is not None:
        return None
    params = non_embedding_params(scenario.law, scenario.architecture, best.student_params)
    teacher = None if scenario.teacher is None else scenario.teacher.model
    parent = nearest_parent(params, reader_of(scenario.student_model, teacher))
    if parent is None:
        return None
    return Rival(
        parent=parent.name,
        parent_params=float(parent.params),
        parent_tokens=parent.tokens,
        student_params=params,
        cuts=cuts(parent.params, params),
        known="how far benchmark scores come back after a cut, and on how many tokens",
        not_known="its loss: no published law gives it, so it is not weighed against the options",
        must_teach=other_tokenizer(teacher, parent),
    )


def non_embedding_params(law: PublishedLaw, architecture: FixedAspect, params: float) -> float:
    """Non-embedding parameters of a model, from those that the law counts."""
    if law.counts is ParameterCount.NON_EMBEDDING:
        return params
    return math.exp(architecture.log_params_of_total(params))
