"""One concrete decoder-only transformer: its exact parameters and forward FLOPs per token.

It is a sequence of blocks, which need not be alike: hybrids alternate attention with recurrences,
mixtures of experts begin with dense blocks.

Counting rules (Busbridge et al. 2025, Tables 9 to 12): a multiply-add is two FLOPs, attention is
causal (half of the score matrix), norms and biases count no FLOPs, the embedding lookup counts 2
FLOPs per channel and the output projection counts whether or not it is tied.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from distillplan.errors import InputError
from distillplan.models.feed_forwards import FeedForward
from distillplan.models.mixers import Mixer


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: mixers side by side, then a feed-forward part; either may be missing."""

    mixers: tuple[Mixer, ...] = ()
    feed_forward: FeedForward | None = None
    matrix_params: int = 0
    """Further weights that multiply activations."""
    vector_params: int = 0
    """Gains of norms over the residual stream, and their biases."""

    @cached_property
    def unrouted_params(self) -> int:
        """Parameters besides routed experts."""
        own = self.matrix_params + self.vector_params
        own += sum(one.matrix_params + one.vector_params for one in self.mixers)
        after = self.feed_forward
        return own + (0 if after is None else after.matrix_params + after.vector_params)

    @property
    def routed_params(self) -> int:
        """Parameters of routed experts."""
        return 0 if self.feed_forward is None else self.feed_forward.routed_params

    @property
    def idle_params(self) -> int:
        """Parameters of routed experts that a token does not use."""
        return 0 if self.feed_forward is None else self.feed_forward.idle_params

    @property
    def sparse(self) -> bool:
        """Whether it has routed experts."""
        return self.feed_forward is not None and self.feed_forward.experts > 0

    def forward_flops(self, context: int) -> float:
        """FLOPs of one forward pass per token, averaged over a causal context.

        Args:
            context: tokens of one sequence.
        """
        matrices = self.matrix_params + sum(one.matrix_params for one in self.mixers)
        if self.feed_forward is not None:
            matrices += self.feed_forward.matrix_params
            matrices += self.feed_forward.routed_params - self.feed_forward.idle_params
        return 2 * matrices + sum(one.context_flops(context) for one in self.mixers)


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """One decoder-only transformer.

    >>> from distillplan.models.feed_forwards import dense
    >>> only = Block(feed_forward=dense(width=64, hidden=256))
    >>> ModelShape(width=64, vocab=100, blocks=(only,) * 2).params
    98304
    """

    width: int
    """Channels of the residual stream, d_model."""
    vocab: int
    """Rows of the embedding table."""
    blocks: tuple[Block, ...]
    """From the first to the last."""
    tied: bool = True
    """Whether the output projection shares the embedding table."""
    learned_positions: int = 0
    """Rows of a table of learned positions (GPT-2), which counts with the embeddings; 0: there is
    none, and sequences may be of any length."""
    spare_positions: int = 0
    """Further rows of it that no token uses (OPT)."""
    block_embedding_params: int = 0
    """Entries of tables that a token is looked up in for every block (Gemma 3n)."""
    block_embedding_width: int = 0
    """Channels that a token gets from them."""
    matrix_params: int = 0
    """Weights outside blocks, embedding and output projection."""
    vector_params: int = 0
    """Gains and biases outside blocks, the last norm's included."""
    prediction_params: int = 0
    """Heads that predict further tokens, which are in no other count."""

    def __post_init__(self) -> None:
        """Check that there is something to count.

        Raises:
            InputError: when there is no block.
        """
        refuse_below_one({"width": self.width, "vocab": self.vocab, "layers": self.layers})

    @property
    def layers(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    @cached_property
    def runs(self) -> tuple[tuple[Block, int], ...]:
        """Neighboring blocks that are alike, and their number."""
        if self.blocks.count(self.blocks[0]) == self.layers:  # a family may have millions
            return ((self.blocks[0], self.layers),)
        return tuple((block, len(list(alike))) for block, alike in groupby(self.blocks))

    def runs_within(self, blocks: range) -> tuple[tuple[Block, int], ...]:
        """Runs of neighboring blocks that are alike, in a part of the model.

        Args:
            blocks: indices of the part's blocks.
        """
        found, start = list[tuple[Block, int]](), 0
        for block, alike in self.runs:
            own = min(start + alike, blocks.stop) - max(start, blocks.start)
            if own > 0:
                found.append((block, own))
            start += alike
        return tuple(found)

    @property
    def mixers(self) -> Iterator[Mixer]:
        """Those of all runs of blocks."""
        return (mixer for block, _ in self.runs for mixer in block.mixers)

    @cached_property
    def heads(self) -> int:
        """Heads that tensor parallelism must divide: the greatest divisor of every block's."""
        return math.gcd(*(mixer.heads for mixer in self.mixers)) or 1

    @cached_property
    def attention_heads(self) -> int:
        """Heads of the widest mixer."""
        return max(self.mixers, key=lambda one: one.query_width).heads

    @cached_property
    def query_width(self) -> int:
        """Channels of all queries of the widest mixer."""
        return max(mixer.query_width for mixer in self.mixers)

    @cached_property
    def mixture(self) -> FeedForward | None:
        """The first routed experts; None in a dense model."""
        return next((block.feed_forward for block, _ in self.runs if block.sparse), None)

    @property
    def experts(self) -> int:
        """Routed experts in one sparse block; 0: a dense model."""
        return 0 if self.mixture is None else self.mixture.experts

    @cached_property
    def params(self) -> int:
        """Non-embedding parameters, with gains and all experts (Tables 9 and 10)."""
        blocks = sum(n * (block.unrouted_params + block.routed_params) for block, n in self.runs)
        return blocks + self.matrix_params + self.vector_params

    @cached_property
    def active_params(self) -> int:
        """Non-embedding parameters that one token uses; all of them in a dense model."""
        return self.params - sum(n * block.idle_params for block, n in self.runs)

    @property
    def embedding_params(self) -> int:
        """Embedding and position tables, without a separate output projection."""
        rows = self.vocab + self.learned_positions + self.spare_positions
        return rows * self.width + self.block_embedding_params

    @property
    def head_params(self) -> int:
        """The output projection where it is not tied, else 0."""
        return 0 if self.tied else self.vocab * self.width

    @property
    def total_params(self) -> int:
        """All parameters: those of the embedding too, and of the output projection unless tied."""
        return self.params + self.embedding_params + self.head_params

    @property
    def total_active_params(self) -> int:
        """All parameters that one token uses, as model cards count them (A3B)."""
        return self.active_params + self.embedding_params + self.head_params

    def forward_flops(self, context: int) -> float:
        """FLOPs of one forward pass per token, averaged over a causal context (Tables 11 and 12).

        Norms, activations and rotary embeddings are left out, together less than 0.04% in every
        model of Table 13.

        Args:
            context: tokens of one sequence.
        """
        blocks = sum(n * block.forward_flops(context) for block, n in self.runs)
        looked_up = self.width + self.block_embedding_width
        return blocks + 2 * (self.matrix_params + looked_up + self.vocab * self.width)

    def context_flops(self, context: int) -> float:
        """The part of `forward_flops` that is no product with weights."""
        return sum(
            n * mixer.context_flops(context) for block, n in self.runs for mixer in block.mixers
        )

    def cached_values(self, context: int) -> int:
        """Keys, values and states that generating text keeps for one sequence.

        Args:
            context: its tokens.
        """
        return sum(
            n * mixer.cached_values(context) for block, n in self.runs for mixer in block.mixers
        )

    def with_predictors(self, params: int) -> "ModelShape":
        """The same model with heads that predict further tokens.

        Args:
            params: their parameters.
        """
        return replace(self, prediction_params=params)

    def first(self, layers: int) -> "ModelShape":
        """The same model with its first blocks alone.

        Args:
            layers: how many.
        """
        return replace(self, blocks=self.blocks[:layers])


def refuse_below_one(sizes: Mapping[str, int]) -> None:
    """Check sizes by their names.

    Raises:
        InputError: for the first that is below 1.
    """
    for name, size in sizes.items():
        if size < 1:
            raise InputError(f"model shape: {name} is {size}; it must be at least 1")
