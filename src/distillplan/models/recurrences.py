"""What stands in for attention: a state that every token changes and reads.

A recurrence counts its update and its output, token by token; kernels that work in chunks do more
arithmetic, which MFU does not count either.
"""

from distillplan.models.mixers import Mixer, Mixing


def linear_attention(
    *,
    key_heads: int,
    value_heads: int,
    key_width: int,
    value_width: int,
    kernel: int,
    matrix_params: int,
    vector_params: int,
) -> Mixer:
    """Linear attention with a delta rule (Yang et al. 2024, arXiv 2412.06464, Equation 10).

    For each head and token the state of keys x values decays (1 FLOP per entry), is read for the
    old value, gets the new one, and is read for the output (2 each).

    Args:
        key_heads: heads of queries and keys.
        value_heads: heads of values, each with a state.
        key_width: channels of one key.
        value_width: channels of one value.
        kernel: tokens of the short convolution over queries, keys and values.
        matrix_params: weights of all projections; the convolution's are added.
        vector_params: gains, biases and decays.
    """
    keys, values = key_heads * key_width, value_heads * value_width
    convolved = 2 * keys + values
    state = value_heads * key_width * value_width
    return Mixer(
        kind=Mixing.LINEAR,
        heads=key_heads,
        matrix_params=matrix_params + convolved * kernel,
        vector_params=vector_params,
        query_width=max(keys, values),
        kept_channels=2 * convolved + 2 * values,  # before and after the convolution; gate, output
        recurrent_flops=7.0 * state,
        state=state + convolved * (kernel - 1),
    )


def mamba2(
    width: int,
    *,
    heads: int,
    head_width: int,
    groups: int,
    state: int,
    kernel: int,
    biases: int,
    normed: bool = True,
) -> Mixer:
    """A Mamba-2 mixer (Dao and Gu 2024, arXiv 2405.21060, Section 7).

    For each head and token the state decays and gets the input (3 FLOPs per entry), and is read for
    the output (2).

    Args:
        width: channels of the residual stream.
        heads: of the inner channels.
        head_width: channels of one head.
        groups: of heads that share what is written and read.
        state: channels of the state.
        kernel: tokens of the short convolution.
        biases: of convolution and projections together.
        normed: whether the output passes a gated norm.
    """
    inner = heads * head_width
    convolved = inner + 2 * groups * state
    projected = inner + convolved + heads
    return Mixer(
        kind=Mixing.MAMBA,
        heads=heads,
        matrix_params=width * projected + convolved * kernel + inner * width,
        vector_params=biases + 3 * heads + (inner if normed else 0),  # decay, step and skip
        query_width=inner,
        kept_channels=inner + 2 * convolved + heads + inner,
        recurrent_flops=5.0 * inner * state,
        state=inner * state + convolved * (kernel - 1),
    )


def mamba1(
    width: int,
    *,
    inner: int,
    state: int,
    rank: int,
    kernel: int,
    normed: bool,
    convolution_bias: bool,
    bias: bool,
) -> Mixer:
    """A Mamba mixer (Gu and Dao 2023, arXiv 2312.00752), counted as `mamba2` is.

    Args:
        width: channels of the residual stream.
        inner: its inner channels, each with a state.
        state: channels of one state.
        rank: channels that the step is made from.
        kernel: tokens of the short convolution.
        normed: whether step, input and output weights are normalized (Jamba).
        convolution_bias: whether the convolution has biases.
        bias: whether both projections have.
    """
    vectors = inner * state + 2 * inner  # decay, skip, and the step's bias
    vectors += rank + 2 * state if normed else 0
    vectors += inner if convolution_bias else 0
    vectors += 2 * inner + width if bias else 0
    return Mixer(
        kind=Mixing.MAMBA,
        heads=inner,
        matrix_params=3 * width * inner + inner * (kernel + rank + 2 * state) + rank * inner,
        vector_params=vectors,
        query_width=inner,
        kept_channels=6 * inner + rank + 2 * state,
        recurrent_flops=5.0 * inner * state,
        state=inner * state + inner * (kernel - 1),
    )


def short_convolution(width: int, *, kernel: int, bias: bool) -> Mixer:
    """A gated short convolution (LFM2), which reads the last few tokens.

    Args:
        width: channels of the residual stream.
        kernel: tokens that it reads.
        bias: whether projections and convolution have biases.
    """
    return Mixer(
        kind=Mixing.CONVOLUTION,
        heads=width,
        matrix_params=width * 3 * width + width * kernel + width * width,
        vector_params=5 * width if bias else 0,
        query_width=width,
        kept_channels=5 * width,
        state=width * (kernel - 1),
    )
