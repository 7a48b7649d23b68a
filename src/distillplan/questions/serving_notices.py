"""What to say of a model to serve: the sentence above the answer, and what to know before it."""

from collections.abc import Iterator

from distillplan.accounting import WHO_PAYS
from distillplan.laws.quantization import quantization_law
from distillplan.notices import Notice, information, warning
from distillplan.planning.validity import plan_warnings
from distillplan.questions.serving_odds import LEVELS
from distillplan.questions.serving_records import (
    BreakEven,
    ServedModel,
    ServedRole,
    ServedStatus,
    Serving,
    ServingQuestion,
)
from distillplan.units.quantities import format_count


def headline_of(found: Serving) -> str:
    """The answer in a sentence.

    Args:
        found: the answer but for its words.
    """
    deciding, pretrained = found.deciding, _pretrained(found)
    chosen = next((one for one in found.models if one.recommended), None)
    served = "" if found.tokens_per_day is None else f"{format_count(found.tokens_per_day)} tokens"
    if deciding is None or deciding.option is None:
        return f"{_cannot(found)}{_instead(pretrained)}."
    even = deciding.break_even
    from_on = "" if even is None else _from_on(found, even)
    if chosen is not None:
        life = f"at {served} a day for {found.days:g} days"
        return f"{_to_do(chosen)}: it takes least compute {life}. {from_on}"
    if pretrained is not None and _cheaper(pretrained, deciding):
        least = pretrained.break_even
        start = "" if least is None else f", and less than {_size(found.larger)}{_start(least)}"
        return f"Pretrain {_size(pretrained)} for longer: it takes less than distilling it{start}."
    return from_on


def _pretrained(found: Serving) -> ServedModel | None:
    """The smaller model without a teacher, where it reaches the loss."""
    reached = (one for one in found.models if one.option is not None)
    return next(
        (one for one in reached if one.role is ServedRole.SMALLER and one.accounting is None), None
    )


def _cheaper(one: ServedModel, other: ServedModel) -> bool:
    return (one.training_flops or 0.0) < (other.training_flops or 0.0)


def _size(one: ServedModel) -> str:
    return format_count(None if one.option is None else one.option.student_params)


def _to_do(one: ServedModel) -> str:
    if one.accounting is None:
        return f"Pretrain {_size(one)}"
    return f"Distill {_size(one)} ({WHO_PAYS[one.accounting]})"


def _from_on(found: Serving, even: BreakEven) -> str:
    deciding = found.deciding
    small = "" if deciding is None else _size(deciding)
    start = _start(even) or ", served or not"
    over = "" if even.tokens == 0 else f" over {found.days:g} days{_interval(found, even)}"
    return (
        f"The distilled {small} takes less than the pretrained {_size(found.larger)}{start}{over}."
    )


def _start(even: BreakEven) -> str:
    if even.tokens == 0:
        return ""
    return f" from {format_count(even.tokens_per_day)} tokens a day on"


def _interval(found: Serving, even: BreakEven) -> str:
    if even.low_tokens is None:
        return ""
    low = format_count(even.low_tokens / found.days)
    if even.high_tokens is None:
        return f" (90%: {low} to never)"
    return f" (90%: {low} to {format_count(even.high_tokens / found.days)})"


def _cannot(found: Serving) -> str:
    one = found.deciding
    loss = f"{found.loss:.3f} nats"
    if one is not None and one.status is ServedStatus.NOT_MEASURED:
        return f"No answer for distilling: quantized after so long a training, {loss} is unmeasured"
    near = None if one is None else one.nearest_loss
    at_best = "" if near is None else f" (at best {near:.3f})"
    larger = _size(found.larger)
    return f"Serve {larger}: distilling does not bring the smaller one to {loss}{at_best}"


def _instead(pretrained: ServedModel | None) -> str:
    if pretrained is None or pretrained.break_even is None:
        return ""
    start = _start(pretrained.break_even) or " at once"
    return f"; pretrained for longer, {_size(pretrained)} takes less{start}"


def warnings_of(question: ServingQuestion, found: Serving) -> Iterator[Notice]:
    """What to know before trusting the answer.

    Args:
        question: what was asked.
        found: the answer but for its words.
    """
    deciding = found.deciding
    larger = found.larger.option
    yield from _of_quantization(found)
    if larger is not None:
        option = None if deciding is None else deciding.option
        yield from plan_warnings(found.scenario, larger, option, None)
    if found.match is not None:
        yield from found.match.notices
    even = None if deciding is None else deciding.break_even
    if even is not None and even.low_tokens is None:
        yield warning(
            "serving_far_outside",
            "so far outside the fitted range nobody can say how sure the break-even is",
        )
    if even is not None and even.may_never:
        yield warning(
            "serving_may_never",
            f"with a chance of more than {1 - LEVELS[1]:.0%} the distilled model never reaches the "
            "loss, however long it is trained",
        )
    yield information(
        "serving_across_sizes",
        "the error of the odds is that of models of one size at other laboratories; between sizes "
        "nobody has measured it",
    )
    machine = question.scenario.machine
    if machine is not None:
        yield information(
            "serving_full_load",
            "hours of serving assume GPUs that are always full of requests of one length; idle "
            "ones cost as much, so what you pay is more",
        )


def _of_quantization(found: Serving) -> Iterator[Notice]:
    asked, law = found.quantization, quantization_law()
    if asked is None:
        return
    checked = (
        f"up to {format_count(law.most_params, 2)} parameters and "
        f"{format_count(law.most_tokens, 2)} tokens"
    )
    if not asked.measured:
        yield warning(
            "quantization_not_measured",
            f"{asked.weights} is not measured on models so large or trained so long (the one law: "
            f"{checked}); losses are equal before it",
        )
    else:
        yield warning(
            "quantization_one_study",
            f"the penalty of {asked.weights} is of one study, {checked}, without distilled models; "
            f"carried to {law.outside.model} it is off by a factor of {law.error_factor:.1f}, "
            "which is the range shown",
        )
    if found.scenario.machine is not None:
        yield information(
            "quantization_speed",
            f"the speed of {asked.weights} follows from the bytes of its weights; it is compared "
            "with no published measurement",
        )
