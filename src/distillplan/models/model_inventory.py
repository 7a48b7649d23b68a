"""The open models that ship, as answers."""

import re
from collections import Counter

from distillplan.errors import InputError
from distillplan.models.known_model import known_model
from distillplan.models.model_catalog import CatalogModel, find_model, model, models
from distillplan.models.model_licenses import Distilling, License, unread_license
from distillplan.models.shapes import Block, ModelShape
from distillplan.models.spellings import config_file
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.suggest import did_you_mean, nearest
from distillplan.units.choices import letters

UNSAID = "unknown"
"""What a config.json does not say."""
CONTEXT = 4096
"""Tokens of context at which FLOPs per token are shown, or as many as a model can read."""


class AlikeBlocks(NamedTuple):
    """Blocks of a model that are alike, wherever they stand."""

    blocks: int
    """Their number."""
    mixers: tuple[str, ...]
    """What tokens read other tokens with; empty: nothing."""
    heads: int | None
    """Heads of the first; null: it has none."""
    window: int | None
    """Tokens or keys that it reads at most; null: all before it."""
    ffn_width: int | None
    """Hidden channels of the feed-forward part that every token uses; null: there is none."""
    experts: int
    """Routed experts; 0: a dense block."""
    active_experts: int
    """Routed experts that one token uses."""
    expert_ffn_width: int
    """Hidden channels of one routed expert."""


class ShapeFacts(NamedTuple):
    """The sizes of a model."""

    layers: int
    """Blocks."""
    width: int
    """Channels of the residual stream, d_model."""
    vocab: int
    """Rows of the embedding table."""
    tied: bool
    """Whether the output projection shares the embedding table."""
    blocks: tuple[AlikeBlocks, ...]
    """Kinds of blocks, in the order of their first."""
    prediction_params: int
    """Parameters of heads that predict further tokens, which are in no other count."""
    cached_values: int
    """Keys, values and states that generating text keeps for one sequence of `context` tokens."""


class ModelCard(NamedTuple):
    """One open model in full."""

    name: str
    hub: str | None
    """Its repository on the Hugging Face hub; null: its weights are not published."""
    family: str
    params: float
    """Non-embedding, with all experts of a mixture."""
    active_params: float
    """Non-embedding, used by one token."""
    total_params: float
    """With embeddings."""
    total_active_params: float
    """With embeddings, used by one token."""
    forward_flops_per_token: float
    """At `context` tokens."""
    context: int
    trained_tokens: float | None
    tuned: bool
    """Whether its weights were tuned after that, and no others are published."""
    shape: ShapeFacts
    tokenizer: str
    """Models with a tokenizer of one name can share logits."""
    license: License
    distillation_licence: str
    """The license and its terms for distilling, in a sentence."""
    source: str
    warnings: tuple[Notice, ...] = ()
    """What to know of how its config.json was read, and of the weights that were named."""


class ModelList(NamedTuple):
    """Those that ship and that were asked for."""

    models: tuple[ModelCard, ...]


class ModelFilter(NamedTuple):
    """Which models to list; None: any."""

    words: str | None = None
    """Beginnings of words that must all be in name, repository, family, tokenizer or license."""
    license: str | None = None
    """A part of the license's name, or a word of `LICENSE_WORDS`."""
    tokenizer: str | None = None
    """Its name."""
    min_params: float | None = None
    """Least parameters, with embeddings."""
    max_params: float | None = None
    """Most parameters, with embeddings."""

    def takes(self, one: CatalogModel) -> bool:
        """Whether a model passes."""
        total = one.shape.total_params
        told = " ".join(
            (one.name, one.hub or "", one.family, one.tokenizer, one.license.key)
        ).lower()
        return (
            all(_begins_a_word(one, told) for one in (self.words or "").lower().split())
            and (self.license is None or _licensed(one.license, self.license.lower()))
            and (self.tokenizer is None or one.tokenizer == self.tokenizer.lower())
            and (self.min_params is None or total >= self.min_params)
            and (self.max_params is None or total <= self.max_params)
        )


COMMERCIAL, DISTILLING = "commercial", "distilling"
LICENSE_WORDS = (COMMERCIAL, DISTILLING)
"""What a license may be asked for besides its name: commercial use, and training on outputs."""


def model_list(wanted: ModelFilter | None = None) -> ModelList:
    """The open models that ship.

    Args:
        wanted: which of them; None: all.

    Raises:
        InputError: when there is none.
    """
    return ModelList(models=tuple(map(_model_card, chosen_models(wanted or ModelFilter()))))


def chosen_models(wanted: ModelFilter) -> tuple[CatalogModel, ...]:
    """The open models that pass.

    Raises:
        InputError: when there is none.
    """
    every = models()
    if wanted.tokenizer is not None:
        wanted = wanted._replace(tokenizer=_tokenizer_meant(wanted.tokenizer, every))
    found = tuple(one for one in every if wanted.takes(one))
    if not found:
        raise InputError(_nothing_found(wanted, every))
    return found


def model_card(name: str) -> ModelCard:
    """One open model.

    Raises:
        InputError: for an unknown name.
    """
    card = _model_card(model(name))
    return card._replace(warnings=known_model(name).notices)


def config_card(path: str) -> ModelCard:
    """The model that a Hugging Face config.json describes, which states no terms.

    Raises:
        InputError: when it cannot be read, or describes no known architecture.
    """
    found = known_model(path)
    if found.shape is None:
        raise ValueError("a config.json gives a shape")
    card = CatalogModel(
        name=found.name,
        hub=None,
        family=UNSAID,
        shape=found.shape,
        tokenizer=UNSAID,
        license=unread_license(
            "License not in a config.json", "read it before training on outputs or logits"
        ),
        trained_tokens=None,
        source=found.source,
    )
    return _model_card(card)._replace(warnings=found.notices)


def models_of(name: str | None, wanted: ModelFilter) -> ModelList | ModelCard:
    """One model by its name or its config.json, or those whose words a text has.

    Args:
        name: of a model, the path of a config.json, or words; None: all models.
        wanted: which of them.

    Raises:
        InputError: when there is none.
    """
    if name is None:
        return model_list(wanted)
    if (file := config_file(name)) is not None:
        return config_card(str(file))
    if find_model(name) is not None:
        return model_card(name)
    wanted = wanted._replace(words=name)
    if not any(wanted.takes(one) for one in models()):
        model(name)  # says which name is near
    return model_list(wanted)


def _begins_a_word(beginning: str, text: str) -> bool:
    """Whether a word of a text begins so; the text of lama is in llama, and no word of it."""
    return re.search(rf"(?<![a-z0-9]){re.escape(beginning)}", text) is not None


def _licensed(terms: License, asked: str) -> bool:
    """Whether a license is of the kind that was asked for."""
    if asked == COMMERCIAL:
        return terms.commercial is True
    if asked == DISTILLING:
        return terms.distilling in {Distilling.ALLOWED, Distilling.CONDITIONAL}
    return asked in terms.key or asked in terms.name.lower()


def _tokenizer_meant(asked: str, every: tuple[CatalogModel, ...]) -> str:
    """A tokenizer by its name, or by that of a model or of several that have it.

    Raises:
        InputError: when it is unknown, or models of that name have several.
    """
    spelled = {letters(one.tokenizer): one.tokenizer for one in every}
    if letters(asked) in spelled:
        return spelled[letters(asked)]
    named = find_model(asked)
    if named is not None:
        return named.tokenizer
    family = {one.tokenizer for one in every if one.name.startswith(f"{asked.lower()}-")}
    if len(family) == 1:
        return family.pop()
    advice = did_you_mean(sorted(family)) if family else nearest(asked, sorted(spelled.values()))
    raise InputError(f"--tokenizer: unknown name {asked!r}; {advice}")


def _nothing_found(wanted: ModelFilter, every: tuple[CatalogModel, ...]) -> str:
    """Why no model passes: an unknown license, or all filters together."""
    if wanted.license is not None and not any(
        _licensed(one.license, wanted.license.lower()) for one in every
    ):
        names = sorted({one.license.key for one in every})
        return (
            f"--license: no license is called {wanted.license!r}; use {', '.join(LICENSE_WORDS)}, "
            f"or a part of {', '.join(names)}"
        )
    return "models: none of the catalog passes all filters; leave one out"


def _model_card(found: CatalogModel) -> ModelCard:
    shape = found.shape
    context = min(CONTEXT, shape.learned_positions or CONTEXT)
    return ModelCard(
        name=found.name,
        hub=found.hub,
        family=found.family,
        params=shape.params,
        active_params=shape.active_params,
        total_params=shape.total_params,
        total_active_params=shape.total_active_params,
        forward_flops_per_token=shape.forward_flops(context),
        context=context,
        trained_tokens=found.trained_tokens,
        tuned=found.tuned,
        shape=_facts(shape, context),
        tokenizer=found.tokenizer,
        license=found.license,
        distillation_licence=found.license.sentence,
        source=found.source,
    )


def _facts(shape: ModelShape, context: int) -> ShapeFacts:
    """A model's sizes, with blocks that are alike put together."""
    alike = Counter(shape.blocks)
    return ShapeFacts(
        layers=shape.layers,
        width=shape.width,
        vocab=shape.vocab,
        tied=shape.tied,
        blocks=tuple(_alike(block, number) for block, number in alike.items()),
        prediction_params=shape.prediction_params,
        cached_values=shape.cached_values(context),
    )


def _alike(block: Block, number: int) -> AlikeBlocks:
    first = block.mixers[0] if block.mixers else None
    reach = None if first is None or not first.reaches else first.reaches[0]
    after = block.feed_forward
    return AlikeBlocks(
        blocks=number,
        mixers=tuple(mixer.kind.value for mixer in block.mixers),
        heads=None if first is None else first.heads,
        window=None if reach is None else reach.chunk or reach.most,
        ffn_width=None if after is None else after.hidden,
        experts=0 if after is None else after.experts,
        active_experts=0 if after is None else after.active_experts,
        expert_ffn_width=0 if after is None else after.expert_hidden,
    )
