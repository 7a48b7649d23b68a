"""A supervised model whose loss is to be matched."""

from distillplan.errors import InputError
from distillplan.laws.provenance import PublishedLaw
from distillplan.models.known_model import KnownModel, model_params, sized
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information
from distillplan.planning.model_warnings import told_of
from distillplan.units.quantities import format_count

EXAMPLE_MATCH = "3B:60B"


class Match(NamedTuple):
    """A supervised model whose loss is to be reached."""

    student_params: float
    """As the law counts them."""
    student_tokens: float
    model: KnownModel | None = None
    """The model with these parameters, where it was named; its exact shape sets its costs."""

    @property
    def in_words(self) -> str:
        """Its name or size, and its tokens."""
        params = f"{format_count(self.student_params)} parameters"
        named = params if self.model is None else f"{self.model.name} ({params})"
        return f"{named} on {format_count(self.student_tokens)} tokens"

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was taken from its name; nothing of a size."""
        if self.model is None:
            return ()
        told = information("models_named", f"model to match {told_of(self.model)}")
        return *self.model.notices, told


def parse_match(text: str, law: PublishedLaw, what: str = "match") -> Match:
    """The model to match, from MODEL:TOKENS.

    Args:
        text: as written.
        law: whose parameters they are.
        what: the word that starts an error message.

    Raises:
        InputError: when it is no dense model, or its tokens are neither given nor published.

    >>> from distillplan.laws.law_catalog import law
    >>> parse_match("llama-3.1-8b", law()).in_words
    'llama-3.1-8b (6.98B parameters) on 15.0T tokens'
    """
    found = sized(text, what, own=False)
    model = found.model
    if model is not None and model.is_mixture:
        raise InputError(
            f"{what}: {model.name} is a mixture of experts, and the laws describe dense models; "
            "give the size of a dense one, or its --loss"
        )
    if found.tokens is None and model is not None:
        raise InputError(
            f"{what}: the training tokens of {model.name} are not in the catalog; add them after "
            f"a colon, e.g. {model.word}:2T"
        )
    if found.tokens is None:
        raise InputError(f"{what}: {text!r} has no tokens; write it as {EXAMPLE_MATCH}")
    params = found.params if model is None else model_params(model, law.counts)
    return Match(student_params=params, student_tokens=found.tokens, model=model)
