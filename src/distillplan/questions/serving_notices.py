"""What to say of a model to serve: the sentence above the answer, and what to know before it."""

from collections.abc import Iterator

from distillplan.accounting import WHO_PAYS
from distillplan.laws.quantization import quantization_law
from distillplan.notices import Notice, information, warning
from distillplan.planning.machine_warnings import DOES_NOT_FIT
from distillplan.planning.validity import plan_warnings
from distillplan.planning.verdict import FEWEST_TOKENS_PER_PARAM
from distillplan.questions.serving_measure import (
    better_smaller,
    interval_of,
    measure_of,
    start_of,
)
from distillplan.questions.serving_odds import LEVELS
from distillplan.questions.serving_records import (
    ServedModel,
    ServedRole,
    ServedStatus,
    Serving,
    ServingQuestion,
)
from distillplan.units.quantities import format_count


def headline_of(found: Serving) -> str:
    """The answer in a sentence; all amounts in it are in one unit, which it says.

    Args:
        found: the answer but for its words.
    """
    told = _told(found)
    if found.far_outside:
        few = [one for one in found.models if _is_few(one)]
        why = "so far outside its runs the law cannot say which model takes less"
        if few:
            why = f"{_sizes(few[0])} is less than a token per parameter, and no run behind the law "
            why += "has so few"
        return f"No verdict: {why}. By the law: {told[0].lower()}{told[1:]}"
    return told


def _is_few(one: ServedModel) -> bool:
    ratio = None if one.option is None else one.option.tokens_per_param
    return ratio is not None and ratio < FEWEST_TOKENS_PER_PARAM


def _sizes(one: ServedModel) -> str:
    tokens = None if one.option is None else one.option.student_tokens
    return f"{_size(one)} parameters on {format_count(tokens)} tokens"


def _told(found: Serving) -> str:
    """The answer by the law."""
    deciding, smaller, chosen = found.deciding, better_smaller(found), found.chosen
    from_on = "" if smaller is None else _from_on(found, smaller)
    if chosen is not None:
        served = f"{format_count(found.tokens_per_day)} tokens a day for {found.days:g} days"
        least = f"{_to_do(chosen)}: it {measure_of(found.scenario).least} at {served}."
        return f"{least} {from_on}".strip()
    if deciding is None or deciding.option is None:
        return f"{_cannot(found)}{_instead(found, smaller)}."
    if smaller is None or smaller.accounting is not None or start_of(smaller) is None:
        return from_on
    less, start = measure_of(found.scenario).less, _start(smaller)
    more = f", and less than {_size(found.larger)}{start}{_ends(found, smaller)}" if start else ""
    return f"Pretrain {_size(smaller)} for longer: it {less} than distilling it{more}."


def _size(one: ServedModel) -> str:
    return format_count(None if one.option is None else one.option.student_params)


def _to_do(one: ServedModel) -> str:
    if one.accounting is None:
        return f"Pretrain {_size(one)}"
    return f"Distill {_size(one)} ({WHO_PAYS[one.accounting]})"


def _from_on(found: Serving, smaller: ServedModel) -> str:
    """From which amount on the better of the smaller models takes less than the larger one."""
    less, larger = measure_of(found.scenario).less, _size(found.larger)
    who = f"The distilled {_size(smaller)}"
    if smaller.recommended:
        who = "It"
    elif smaller.accounting is None:
        who = f"Pretrained for longer, {_size(smaller)}"
    start = start_of(smaller)
    if start is None:
        return f"{who} never {less} than the pretrained {larger}."
    over = f" over {found.days:g} days{_ends(found, smaller)}" if start else ""
    return f"{who} {less} than the pretrained {larger}{_start(smaller) or ', served or not'}{over}."


def _start(one: ServedModel) -> str:
    start = start_of(one)
    return f" from {format_count(start)} tokens a day on" if start else ""


def _ends(found: Serving, one: ServedModel) -> str:
    """The ends of the amount: by the odds of the law, or on a machine by the range of speeds."""
    low, high = interval_of(one, found.days)
    if low is None:
        return ""
    of_what = "90%: " if one.hours is None else "as speeds range: "
    return f" ({of_what}{format_count(low)} to {'never' if high is None else format_count(high)})"


def _cannot(found: Serving) -> str:
    one = found.deciding
    loss = f"{found.loss:.3f} nats"
    if one is not None and one.status is ServedStatus.NOT_MEASURED:
        return f"No answer for distilling: quantized after so long a training, {loss} is unmeasured"
    near = None if one is None else one.nearest_loss
    at_best = "" if near is None else f" (at best {near:.3f})"
    larger = _size(found.larger)
    return f"Serve {larger}: distilling does not bring the smaller one to {loss}{at_best}"


def _instead(found: Serving, pretrained: ServedModel | None) -> str:
    if pretrained is None or start_of(pretrained) is None:
        return ""
    less = measure_of(found.scenario).less
    start = _start(pretrained) or " at once"
    return f"; pretrained for longer, {_size(pretrained)} {less}{start}"


def warnings_of(question: ServingQuestion, found: Serving) -> Iterator[Notice]:
    """What to know before trusting the answer.

    Args:
        question: what was asked.
        found: the answer but for its words.
    """
    deciding = found.deciding
    larger = found.larger.option
    yield from _of_shapes(question, found)
    yield from _of_quantization(found)
    if larger is not None:
        option = None if deciding is None else deciding.option
        told = plan_warnings(found.scenario, larger, option, None)
        yield from sorted(told, key=lambda one: one.code != DOES_NOT_FIT)
    if found.match is not None:
        yield from found.match.notices
    even = None if deciding is None else deciding.break_even
    if found.far_outside or (even is not None and even.low_tokens is None):
        yield warning(
            "serving_far_outside",
            "so far outside the fitted range the law cannot say how sure the break-even is",
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
        "it was not measured",
    )
    machine = question.scenario.machine
    if machine is not None:
        yield information(
            "serving_full_load",
            "hours of serving assume GPUs that are always full of requests of one length; idle "
            "ones cost as much, so what you pay is more",
        )


def _of_shapes(question: ServingQuestion, found: Serving) -> Iterator[Notice]:
    """Which models are costed as sizes of the paper's family although a shape is known."""
    match = question.match
    both = None if match is None else match.model, question.scenario.student_model
    named = [one.name for one in both if one is not None and one.shape is not None]
    if len(named) == 1:
        yield warning(
            "serving_as_sizes",
            f"{named[0]} is costed as a size of the paper's family, as the other model is only a "
            "size; name both (--match and --student) to cost their shapes",
        )
    elif named and any(one.role is ServedRole.CHEAPEST for one in found.models):
        yield warning(
            "serving_cheapest_as_size",
            "the cheapest is costed as a size of the paper's family, and the named models by their "
            "own shapes, which may store far less of each token: compare those",
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
