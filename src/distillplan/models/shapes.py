"""One concrete decoder-only transformer: its exact parameters and forward FLOPs per token.

Counting rules (Busbridge et al. 2025, Tables 9 to 12): a multiply-add is two FLOPs, attention is
causal (half of the score matrix), norms and biases count no FLOPs, the embedding lookup counts 2
FLOPs per channel and the output projection counts whether or not it is tied.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from distillplan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """One decoder-only transformer, dense or with a mixture of experts.

    >>> ModelShape(layers=9, width=1152, ffn_width=3072, heads=9, vocab=32768).params
    143351424
    """

    layers: int
    """Transformer blocks."""
    width: int
    """Channels of the residual stream, d_model."""
    ffn_width: int
    """Hidden channels of the feed-forward block (of the dense blocks, where there are experts)."""
    heads: int
    """Attention heads."""
    vocab: int
    """Rows of the embedding table."""
    kv_heads: int | None = None
    """Key and value heads; None: as many as `heads`, that is no grouped queries."""
    head_width: int | None = None
    """Channels of one head; None: `width / heads`."""
    ffn_matrices: int = 3
    """3 for a gated feed-forward block (SwiGLU), 2 for a plain one."""
    tied: bool = True
    """Whether the output projection shares the embedding table."""
    qk_norm: bool = True
    """Whether queries and keys are normalized per head."""
    qk_norm_full: bool = False
    """Whether that norm has a gain for every channel of all heads (OLMo 2), not of one head."""
    norms_per_layer: int = 2
    """Norms over the residual width in one block; 4 in Gemma 2 and 3."""
    layer_norm: bool = False
    """Whether norms have a bias with the gain (LayerNorm), not the gain alone (RMSNorm)."""
    qkv_bias: bool = False
    """Whether queries, keys and values have biases (Qwen2.5)."""
    attention_out_bias: bool = False
    """Whether the output projection of attention has biases."""
    ffn_bias: bool = False
    """Whether the feed-forward matrices have biases."""
    learned_positions: int = 0
    """Rows of a table of learned positions (GPT-2), which counts with the embeddings."""
    window: int | None = None
    """Tokens that a sliding-window block attends to; None: every block attends to all."""
    window_layers: int = 0
    """Number of blocks with that window."""
    experts: int = 0
    """Routed experts in one sparse block; 0: a dense model."""
    active_experts: int = 0
    """Routed experts that one token uses."""
    expert_ffn_width: int = 0
    """Hidden channels of one routed expert."""
    shared_ffn_width: int = 0
    """Hidden channels of all experts together that every token uses."""
    dense_layers: int = 0
    """Leading blocks without experts."""
    router_bias: bool = False
    """Whether the router has a bias for every expert (DeepSeek V3, gpt-oss)."""
    attention_params: int | None = None
    """Weights of one attention block; None: those that follow from its heads (not in DeepSeek)."""

    def __post_init__(self) -> None:
        """Check that a transformer can have this shape.

        Raises:
            InputError: when a size is too small, or does not divide another as it must.
        """
        sizes = {
            "layers": self.layers,
            "width": self.width,
            "ffn_width": self.ffn_width,
            "heads": self.heads,
            "vocab": self.vocab,
            "kv_heads": self.key_value_heads,
            "head_width": self.channels_per_head,
        }
        if self.experts:
            sizes |= {
                "active_experts": self.active_experts,
                "expert_ffn_width": self.expert_ffn_width,
            }
        for name, size in sizes.items():
            if size < 1:
                raise InputError(f"model shape: {name} is {size}; it must be at least 1")
        if self.head_width is None and self.width % self.heads:
            raise InputError(
                f"model shape: width {self.width} is not a multiple of {self.heads} heads; "
                "give head_width"
            )
        if self.heads % self.key_value_heads:
            raise InputError(
                f"model shape: {self.heads} heads cannot share {self.key_value_heads} key-value "
                "heads evenly"
            )
        _refuse_impossible_counts(
            {
                "ffn_matrices": (self.ffn_matrices, 2, 3),
                "window_layers": (self.window_layers, 0, self.layers),
                "dense_layers": (self.dense_layers, 0, self.layers),
                "active_experts": (self.active_experts, 0, self.experts),
            }
        )

    @property
    def key_value_heads(self) -> int:
        """Key and value heads, default included."""
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def channels_per_head(self) -> int:
        """Channels of one head, default included."""
        return self.width // self.heads if self.head_width is None else self.head_width

    @property
    def query_width(self) -> int:
        """Channels of all query heads together."""
        return self.heads * self.channels_per_head

    @property
    def key_width(self) -> int:
        """Channels of all key heads together; values have as many."""
        return self.key_value_heads * self.channels_per_head

    @property
    def sparse_layers(self) -> int:
        """Number of blocks with experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def attention_matrix_params(self) -> int:
        """Weights that multiply activations in one attention block."""
        if self.attention_params is not None:
            return self.attention_params
        return 2 * self.width * (self.query_width + self.key_width)

    @property
    def dense_ffn_matrix_params(self) -> int:
        """Weights of the feed-forward matrices in a dense block."""
        return self.ffn_matrices * self.width * self.ffn_width

    @property
    def routed_params(self) -> int:
        """Weights and biases of all routed experts in one sparse block."""
        return self.experts * self._ffn_params(self.expert_ffn_width)

    def _ffn_params(self, hidden: int) -> int:
        """Weights and biases of one feed-forward block."""
        biases = (self.ffn_matrices - 1) * hidden + self.width if self.ffn_bias else 0
        return self.ffn_matrices * self.width * hidden + biases

    @property
    def _unrouted_matrix_params(self) -> int:
        """Weights in one sparse block besides attention that every token uses, with the router."""
        return self.width * (self.ffn_matrices * self.shared_ffn_width + self.experts)

    @property
    def _norm_params(self) -> int:
        """Parameters of one norm over the residual width."""
        return self.width * (2 if self.layer_norm else 1)

    @property
    def _vector_params_per_layer(self) -> int:
        """Gains of norms and biases of attention in one block."""
        queries_keys = self.query_width + self.key_width
        per_head = queries_keys if self.qk_norm_full else 2 * self.channels_per_head
        return (
            self.norms_per_layer * self._norm_params
            + (per_head if self.qk_norm else 0)
            + (queries_keys + self.key_width if self.qkv_bias else 0)
            + (self.width if self.attention_out_bias else 0)
        )

    def unrouted_params(self, layers: range) -> int:
        """Parameters of some blocks without routed experts, which expert parallelism replicates.

        Args:
            layers: indices of the blocks, counted from 0.
        """
        dense = len(range(layers.start, min(layers.stop, self.layers - self.sparse_layers)))
        common = len(layers) * (self.attention_matrix_params + self._vector_params_per_layer)
        sparse = self._unrouted_matrix_params + (self.experts if self.router_bias else 0)
        return common + dense * self._ffn_params(self.ffn_width) + (len(layers) - dense) * sparse

    @property
    def params(self) -> int:
        """Non-embedding parameters, with gains and all experts (Tables 9 and 10)."""
        blocks = self.unrouted_params(range(self.layers)) + self.sparse_layers * self.routed_params
        return blocks + self._norm_params

    @property
    def active_params(self) -> int:
        """Non-embedding parameters that one token uses; all of them in a dense model."""
        return self.params - self.sparse_layers * self._idle_params

    @property
    def embedding_params(self) -> int:
        """Embedding and position tables, without a separate output projection."""
        return (self.vocab + self.learned_positions) * self.width

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

    @property
    def _idle_params(self) -> int:
        """Weights of routed experts in one sparse block that a token does not use."""
        return self.routed_params * (self.experts - self.active_experts) // max(self.experts, 1)

    def forward_flops(self, context: int) -> float:
        """FLOPs of one forward pass per token, averaged over a causal context (Tables 11 and 12).

        Norms, activations and rotary embeddings are left out, together less than 0.04% in every
        model of Table 13.

        Args:
            context: tokens of one sequence.
        """
        dense = self.layers - self.sparse_layers
        matrices = (
            self.layers * self.attention_matrix_params
            + dense * self.dense_ffn_matrix_params
            + self.sparse_layers
            * (self._unrouted_matrix_params + self.routed_params - self._idle_params)
        )
        # scores and values are a multiply-add each per channel, softmax 5 FLOPs per score
        per_attended = 4 * self.query_width + 5 * self.heads
        attended = (self.layers - self.window_layers) * context / 2
        attended += self.window_layers * _attended_in_window(context, self.window)
        return 2 * matrices + per_attended * attended + 2 * self.width * (1 + self.vocab)


def _attended_in_window(context: int, window: int | None) -> float:
    """Mean of min(position, window) over the positions of a context."""
    if window is None or window >= context:
        return context / 2
    return window - window**2 / (2 * context)


def _refuse_impossible_counts(counts: Mapping[str, tuple[int, int, int]]) -> None:
    """Check counts against their bounds: name -> (value, least, most)."""
    for name, (value, least, most) in counts.items():
        if not least <= value <= most:
            raise InputError(
                f"model shape: {name} is {value}; it must be between {least} and {most}"
            )
