"""The part of a block that works on every token alone: dense, or a mixture of experts."""

from dataclasses import dataclass

from distillplan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FeedForward:
    """A feed-forward part in numbers."""

    matrices: int
    """3 where it is gated (SwiGLU), 2 where it is plain."""
    hidden: int
    """Hidden channels that every token uses: all of a dense part, or of the shared experts."""
    matrix_params: int
    """Weights that every token uses, the router's included."""
    vector_params: int = 0
    """Biases that every token uses."""
    experts: int = 0
    """Routed experts; 0: a dense part."""
    active_experts: int = 0
    """Routed experts that one token uses."""
    expert_hidden: int = 0
    """Hidden channels of one routed expert."""
    expert_input: int = 0
    """Channels that enter one routed expert."""
    expert_params: int = 0
    """Weights and biases of one routed expert."""
    reachable_share: float = 1.0
    """Share of the groups of experts, which lie on nodes of their own, that a token can reach."""

    @property
    def routed_params(self) -> int:
        """Weights and biases of all routed experts."""
        return self.experts * self.expert_params

    @property
    def idle_params(self) -> int:
        """Those of the routed experts that a token does not use."""
        return (self.experts - self.active_experts) * self.expert_params


def dense(width: int, hidden: int, *, matrices: int = 3, bias: bool = False) -> FeedForward:
    """A dense feed-forward part.

    Args:
        width: channels of the residual stream.
        hidden: its hidden channels.
        matrices: 3 where it is gated, 2 where it is plain.
        bias: whether its matrices have biases.
    """
    return FeedForward(
        matrices=matrices,
        hidden=hidden,
        matrix_params=matrices * width * hidden,
        vector_params=(matrices - 1) * hidden + width if bias else 0,
    )


def mixture(
    width: int,
    *,
    experts: int,
    active: int,
    hidden: int,
    shared: int = 0,
    matrices: int = 3,
    latent: int | None = None,
    bias: bool = False,
    matrix_params: int = 0,
    vector_params: int = 0,
    reachable_share: float = 1.0,
) -> FeedForward:
    """A mixture of experts with a linear router.

    Args:
        width: channels of the residual stream.
        experts: how many are routed to.
        active: how many of them one token uses.
        hidden: hidden channels of one.
        shared: hidden channels of all experts together that every token uses.
        matrices: 3 where experts are gated, 2 where they are plain.
        latent: channels that tokens are projected to for the experts; None: `width`.
        bias: whether the experts have biases.
        matrix_params: further weights that every token uses, such as a gate of the shared experts.
        vector_params: further gains and biases, such as the router's.
        reachable_share: of the groups of experts, where routing is limited to some of them.

    Raises:
        InputError: when a token uses more experts than there are.
    """
    if not 1 <= active <= experts:
        raise InputError(
            f"model shape: {active} of {experts} experts are active; it must be between 1 and "
            f"{experts}"
        )
    inputs = width if latent is None else latent
    always = width * (experts + matrices * shared) + matrix_params
    return FeedForward(
        matrices=matrices,
        hidden=shared,
        matrix_params=always + (0 if latent is None else 2 * width * latent),
        vector_params=vector_params,
        experts=experts,
        active_experts=active,
        expert_hidden=hidden,
        expert_input=inputs,
        expert_params=matrices * inputs * hidden
        + ((matrices - 1) * hidden + inputs if bias else 0),
        reachable_share=reachable_share,
    )
