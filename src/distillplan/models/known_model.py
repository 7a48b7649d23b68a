"""Models as people name them, wherever a model is asked for.

A size (7B), a name of the catalog (llama-3.1-8b), a name of the Hugging Face hub in any case
(meta-llama/Llama-3.1-8B), the path of a config.json, or the two counts of a mixture of experts
(80B-A3B); each with training tokens after a colon where it is a teacher.
"""

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from distillplan.errors import InputError
from distillplan.laws.provenance import ParameterCount
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_sizes import (
    check_pair,
    check_params,
    is_size,
    parse_pair,
    parse_params,
    parse_tokens,
    parse_tokens_per_param,
    split_pair,
)
from distillplan.models.spellings import config_file, is_page, letters, repository
from distillplan.models.tokenizers import other_tokenizer
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning
from distillplan.units.quantities import format_count, parse_count, plain_count

if TYPE_CHECKING:
    from distillplan.models.model_catalog import CatalogModel
    from distillplan.models.shapes import ModelShape

_MIXTURE: Final = r"(?ai)\s*(?P<all>[\d.]+[a-z]?)-a(?P<active>[\d.]+[a-z]?)\s*"
"""All parameters and the active ones, as mixtures of experts are named."""
_UNIT_UNSAID: Final = r"(?ai)\s*[\d.]+\s*[mbt]\s*"
"""A number that may be of parameters or of tokens."""
TUNED_MODEL: Final = "tuned_model"
"""Code of the warning that a model's weights were tuned after its pretraining."""
FEWEST_OF_TRAINED: Final = 0.01
"""Fewer than this part of a model's own tokens are said to be tokens, or are not meant."""
FEWEST_PER_PARAM: Final = 10.0
"""The same in tokens per parameter, where its own are not known."""


class KnownModel(NamedTuple):
    """A model that was named, and what its name says."""

    name: str
    params: float
    """Non-embedding parameters that multiply a token: of a mixture of experts the active ones."""
    all_params: float
    """Non-embedding parameters, inactive experts included."""
    total_params: float | None = None
    """All parameters, embeddings included; None: not known."""
    trained_tokens: float | None = None
    """Tokens of pretraining; None: not known."""
    vocab: int | None = None
    """Rows of its vocabulary; None: not known."""
    tokenizer: str | None = None
    license: str | None = None
    """What its license says of training on its outputs; not legal advice."""
    source: str = ""
    """Where its shape is from."""
    shape: "ModelShape | None" = None
    """Its exact shape; None: only its sizes are known, or it was not read."""
    passed_flops: float | None = None
    """FLOPs per token of its forward pass in the paper's context, known without its shape."""
    weights: str | None = None
    """Number format of the weights in its files; None: not known."""
    hub: str | None = None
    """Its repository on the Hugging Face hub; None: not known."""
    notices: tuple[Notice, ...] = ()
    """What to know of how its config.json was read, and of its weights."""

    def forward_flops(self, context: int) -> float | None:
        """FLOPs per token of its forward pass in a context; None: only its sizes are known."""
        return self.passed_flops if self.shape is None else self.shape.forward_flops(context)

    @property
    def word(self) -> str:
        """What means it wherever a model is asked for: its name, or the path of its file."""
        is_file = self.tokenizer is None and self.source.lower().endswith(".json")
        return self.source if is_file else self.name

    @property
    def other_name(self) -> str | None:
        """Its repository, where that has another name, as that of a base model may have."""
        alike = self.hub is None or letters(self.hub) == letters(self.name)
        return None if alike else self.hub

    @property
    def is_tuned(self) -> bool:
        """Whether its weights are known to have been tuned after its pretraining."""
        return any(one.code == TUNED_MODEL for one in self.notices)

    @property
    def is_mixture(self) -> bool:
        """Whether a token passes only some of its parameters."""
        return self.all_params > self.params

    @property
    def law_params(self) -> float:
        """The parameters of the dense model that a law of dense models takes it for.

        For a mixture the geometric mean of active and all parameters: a rule of thumb, and no law.
        """
        return math.sqrt(self.params * self.all_params)


class NamedModels(NamedTuple):
    """The models that were named, and what was taken from their names."""

    student: KnownModel | None
    """None where it has a size only."""
    teacher: KnownModel | None
    """The same."""
    parent: KnownModel | None = None
    """What the student starts from; None: from scratch."""

    @property
    def reads_like(self) -> KnownModel | None:
        """The model whose tokenizer the student has: its parent, whatever name gave its size."""
        return self.student if self.parent is None else self.parent

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What to know of how each was read, once where one file has two parts."""
        named = (one for one in (self.student, self.teacher, self.parent) if one is not None)
        return tuple(dict.fromkeys(told for one in named for told in one.notices))

    @property
    def tokenizers_differ(self) -> bool:
        """Whether student and teacher are known to have different tokenizers."""
        return other_tokenizer(self.reads_like, self.teacher)


class Sized(NamedTuple):
    """What one word says of a model."""

    params: float
    """Non-embedding parameters; the active ones of a mixture."""
    tokens: float | None = None
    """Training tokens, as given or as published."""
    model: KnownModel | None = None
    """None: a size of the paper's family."""


def sized(text: str, what: str = "model", *, tokens: bool = True, own: bool = True) -> Sized:
    """The model that a word means.

    Args:
        text: as written.
        what: the noun that starts an error message.
        tokens: whether training tokens may follow a colon; else its shape alone is asked for.
        own: whether they are those that the model was trained on, and no others.

    Raises:
        InputError: when it is neither a size nor a known name, or a file cannot be read.

    >>> sized("7B:2T")
    Sized(params=7000000000.0, tokens=2000000000000.0, model=None)
    >>> found = sized("meta-llama/Llama-3.1-8B")
    >>> found.model.name, format_count(found.params), found.tokens
    ('llama-3.1-8b', '6.98B', 15000000000000.0)
    >>> sized("80B-A3B:15T").model.is_mixture
    True
    """
    name, last = split_model(text, what)
    if last is not None and not tokens:
        raise InputError(f"{what}: {text!r} has tokens, and only a model is asked for")
    if not names_a_model(name):
        if last is None:
            return Sized(params=parse_params(name, what))
        params, given = parse_pair(text, what)
        return Sized(params=params, tokens=given)
    found = known_model(name, what, weights=tokens)
    if last is None:
        published = found.trained_tokens if tokens else None
        return Sized(params=found.params, tokens=published, model=found)
    ratio = parse_tokens_per_param(last, f"{what}: tokens")
    if ratio is not None:
        check_pair(found.params, ratio * found.params, what)
        return Sized(params=found.params, tokens=ratio * found.params, model=found)
    given = parse_tokens(last, f"{what}: tokens", "2T")
    if found.tokenizer is not None and re.fullmatch(_UNIT_UNSAID, last):
        known = found if own else found._replace(trained_tokens=None)
        _refuse_other_size(name, last, given, known, what)
    check_pair(found.params, given, what)
    return Sized(params=found.params, tokens=given, model=found)


def _refuse_other_size(name: str, last: str, given: float, found: KnownModel, what: str) -> None:
    """Refuse what stands behind a model of the catalog and is more likely the size of another."""
    trained, told = found.trained_tokens, "a likely number of training tokens"
    least = FEWEST_PER_PARAM * found.params
    if trained is not None:
        least, told = (
            FEWEST_OF_TRAINED * trained,
            f"near its {plain_count(trained)} training tokens",
        )
    if given >= least:
        return
    from distillplan.models.model_catalog import tagged  # only after such a name

    others = tagged(f"{name}:{last}")
    other = " or ".join(others) if others else "its own name (distillplan models)"
    raise InputError(
        f"{what}: the {last} of {_short(f'{name}:{last}')} is neither the size of {found.name} nor "
        f"{told}; for tokens write '{name}:{last} tokens', for another model {other}"
    )


def _is_whole_name(text: str) -> bool:
    """Whether a text with a colon is a name, such as qwen3:8b, and no model with its tokens."""
    before, _, last = text.rpartition(":")
    if not names_a_model(before) or last.strip().isdecimal():
        return False
    from distillplan.models.model_catalog import find_model  # for names with a colon only

    return find_model(text) is not None


def split_model(text: str, what: str, example: str = "7B:2T") -> tuple[str, str | None]:
    """The texts of a model and of its training tokens, which may be missing.

    Args:
        text: as written.
        what: the noun that starts an error message.
        example: what would have been right.

    Raises:
        InputError: when it is neither a name nor one or two sizes; says how to write them.

    >>> split_model("qwen3-0.6b:300B", "student"), split_model("80B-A3B", "teacher")
    (('qwen3-0.6b', '300B'), ('80B-A3B', None))
    """
    name, colon, tokens = text.rpartition(":")
    if colon and tokens.strip() and names_a_model(name) and not names_a_model(text):
        return name, tokens
    return (text, None) if names_a_model(text) else split_pair(text, what, example)


def known_model(name: str, what: str = "model", *, weights: bool = True) -> KnownModel:
    """A model by its name, its config.json, or the two counts of a mixture.

    Args:
        name: as written.
        what: the noun that starts an error message.
        weights: whether its weights matter, and not its shape alone.

    Raises:
        InputError: for an unknown name, with the nearest ones.
    """
    mixture = re.fullmatch(_MIXTURE, name)
    if mixture is not None:
        return _mixture(name, mixture, what)
    from distillplan.models import model_catalog  # a size does without the catalog

    if (path := config_file(name)) is not None:
        read = model_catalog.model_config(path)
        own = path.resolve().parent.name if path.stem == "config" else path.stem
        return _of_shape(own or path.name, read.shape, name)._replace(
            weights=read.weights.value, notices=read.notices
        )
    found = model_catalog.find_model(name.strip())
    if found is None:
        near = model_catalog.advice(name.strip())
        raise InputError(f"{what}: no model is named {_short(name)}; {near}")
    known = model_of_catalog(found)
    if weights and model_catalog.is_tuned_copy(name.strip(), found):
        called = found.name if found.tuned else repository(name.strip())  # a copy has its own
        return known._replace(name=called, notices=(_tuned(name.strip(), found),))
    return known if weights else known._replace(notices=())


def _tuned(name: str, found: "CatalogModel") -> Notice:
    """What to know of a model that was tuned after the pretraining that the catalog describes."""
    how = "it has no base model here" if found.tuned else f"it is taken as {found.hub}"
    return warning(
        TUNED_MODEL,
        f"{_short(name)} is tuned, which raises its loss on plain text; {how}: measure its loss",
    )


def model_of_catalog(found: "CatalogModel") -> KnownModel:
    """A model of the catalog, as one that was named."""
    return _of_shape(found.name, found.shape, found.source)._replace(
        trained_tokens=found.trained_tokens,
        tokenizer=found.tokenizer,
        license=found.license.sentence,
        hub=found.hub,
        notices=(_tuned(found.name, found),) if found.tuned else (),
    )


def model_params(model: KnownModel, counts: ParameterCount) -> float:
    """The parameters of a model as a law counts them."""
    if counts is ParameterCount.NON_EMBEDDING or model.total_params is None:
        return model.params
    return model.total_params


def with_vocabulary(family: FixedAspect, *models: KnownModel | None) -> FixedAspect:
    """The family with the vocabulary of the first model whose is known."""
    known = (one.vocab for one in models if one is not None and one.vocab is not None)
    rows = next(known, None)
    return family if rows is None else replace(family, vocab=float(rows))


def names_a_model(text: str) -> bool:
    """Whether a word is a name rather than a size, even a mistyped one."""
    if re.fullmatch(_MIXTURE, text) is not None or is_page(text):
        return True
    if ":" in text.strip(":"):
        return _is_whole_name(text)
    return any(one.isalpha() for one in text) and not is_size(text)


def _mixture(name: str, found: "re.Match[str]", what: str) -> KnownModel:
    everything = parse_count(found["all"], what)
    active = parse_count(found["active"], f"{what}: active parameters")
    if active > everything:
        raise InputError(
            f"{what}: {name!r} has {format_count(active)} active parameters of "
            f"{format_count(everything)}; write all of them first, e.g. 80B-A3B"
        )
    check_params(active, what)
    check_params(everything, what)
    return KnownModel(
        name=name.strip(), params=active, all_params=everything, source="its name, as given"
    )


def _of_shape(name: str, shape: Any, source: str) -> KnownModel:
    return KnownModel(
        name=name,
        params=float(shape.active_params),
        all_params=float(shape.params),
        total_params=float(shape.total_params),
        vocab=shape.vocab,
        source=source,
        shape=shape,
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
