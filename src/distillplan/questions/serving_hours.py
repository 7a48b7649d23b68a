"""What serving takes on a machine: GPU-hours of training, and of each token that is served."""

import math

from distillplan.errors import InputError
from distillplan.hardware.generation import generation_speed
from distillplan.hardware.model_states import bytes_of
from distillplan.hardware.range import Range
from distillplan.laws.quantization import QuantizedWeights
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Option
from distillplan.planning.scenario import Scenario
from distillplan.questions.serving_measure import Taken, price_on, taken
from distillplan.questions.serving_records import ServedHours, ServedRequest
from distillplan.units.quantities import SECONDS_PER_HOUR, parse_count

EXAMPLE = "1000:200"
_BILLION = 1e9
_MILLION = 1e6


class ServedAmount(NamedTuple):
    """What is served."""

    tokens: float
    """Over the whole service, prompts included."""
    days: float


def parse_request(text: str, what: str) -> ServedRequest:
    """The mean length of a request, from PROMPT:ANSWER.

    Args:
        text: as written.
        what: the option, for errors.

    Raises:
        InputError: when either is not a whole number of tokens.

    >>> parse_request("1k:200", "--request")
    ServedRequest(prompt_tokens=1000, answer_tokens=200)
    """
    prompt, _, answer = text.partition(":")
    wrong = InputError(f"{what}: {text!r} is not PROMPT:ANSWER in tokens, e.g. {EXAMPLE}")
    try:
        numbers = [parse_count(one, what) if one.strip() != "0" else 0 for one in (prompt, answer)]
    except InputError:
        raise wrong from None
    if not all(float(one).is_integer() for one in numbers):
        raise wrong
    found = ServedRequest(prompt_tokens=int(numbers[0]), answer_tokens=int(numbers[1]))
    if found.answer_tokens < 1 or max(found) > _MILLION:
        raise InputError(f"{what}: {text!r} is not a request of up to a million tokens")
    return found


def served_hours(
    scenario: Scenario,
    option: Option,
    request: ServedRequest,
    weights: QuantizedWeights | None,
    amount: ServedAmount | None,
) -> ServedHours | None:
    """What a model takes on the scenario's machine; None where no machine was named.

    Args:
        scenario: the question that the model is the student of.
        option: its training.
        request: mean length of what it serves.
        weights: None: 16 bits.
        amount: what is served; None: not said.

    Raises:
        InfeasibleError: when no group of GPUs holds the model.
    """
    machine, bill = scenario.machine, option.bill
    if machine is None or bill is None:
        return None
    params = option.student_params or 1.0
    shape = _shape(scenario, params)
    speed = generation_speed(
        shape,
        machine.gpu,
        machine.model,
        prompt=request.prompt_tokens,
        generated=request.answer_tokens,
        weight_bytes=None if weights is None else bytes_of("weights", weights),
    )
    # the speed counts generated tokens, and with each of them a part of a prompt is read
    part = request.answer_tokens / (request.prompt_tokens + request.answer_tokens)
    # whole layers and widths are not exactly the size that was asked for
    size = scenario.student_forward(params) / shape.forward_flops(
        round(scenario.architecture.context)
    )
    each = speed.tokens_per_s_per_gpu.divide(part * size / SECONDS_PER_HOUR)
    price, cost = price_on(machine), None
    lifetime = None if amount is None else bill.gpu_hours + each.scale(amount.tokens)
    if amount is not None and price is not None and bill.cost_usd is not None:
        cost = bill.cost_usd + each.scale(amount.tokens * price)
    busy = None if amount is None else each.scale(amount.tokens / (24 * amount.days))
    return ServedHours(
        training_gpu_hours=bill.gpu_hours,
        training_cost_usd=bill.cost_usd,
        gpu_hours_per_billion=each.scale(_BILLION),
        usd_per_million=None if price is None else each.scale(_MILLION * price),
        gpus_per_copy=speed.gpus,
        busy_gpus=busy,
        lifetime_gpu_hours=lifetime,
        lifetime_cost_usd=cost,
    )


def _shape(scenario: Scenario, params: float) -> ModelShape:
    """The exact shape of the student that was named, or the nearest of the family."""
    if scenario.student_shape is not None and params == scenario.student_params:
        return scenario.student_shape
    return scenario.architecture.nearest_shape(params)


def hours_break_even(
    larger: ServedHours, smaller: ServedHours
) -> tuple[float | None, float | None, float | None]:
    """Tokens from which on the smaller model costs less, and both ends of that.

    By GPU-hours where no price is known. The speed of training is off by one factor for both
    models, and so is that of serving, so the ends are those of the four corners. None where no
    tokens make up for its training.
    """
    both = taken(larger), taken(smaller)
    corners = [
        _crossing(*both, training, served)
        for training in ("low", "high")
        for served in ("low", "high")
    ]
    middle = _crossing(*both, "mid", "mid")
    found = [one for one in (*corners, middle) if one is not None]
    high = None if len(found) <= len(corners) else max(found)
    return middle, min(found, default=None), high


def _crossing(larger: Taken, smaller: Taken, training: str, served: str) -> float | None:
    """Tokens at which both have taken as much; None where there are none."""
    extra = _end(smaller.training, training) - _end(larger.training, training)
    saved = _end(larger.each, served) - _end(smaller.each, served)
    if extra <= 0 and saved >= 0:
        return 0.0
    if saved <= 0:
        return None
    found = extra / saved
    return found if math.isfinite(found) and found > 0 else None


def _end(value: Range, name: str) -> float:
    end: float = getattr(value, name)
    return end
