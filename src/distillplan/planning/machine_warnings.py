"""What a reader must know about the hours, the money and the memory of a plan."""

from collections.abc import Callable, Iterator, Sequence

from distillplan.accounting import way_in_words
from distillplan.hardware.bill import Phase, months_of
from distillplan.hardware.memory_fit import Fits, options_to_fit, steps_to_fit
from distillplan.hardware.range import Range
from distillplan.hardware.strategy import FREE, LayoutChoice, Strategy
from distillplan.laws.format_notices import months_notices
from distillplan.laws.step_notices import step_notices
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, information, warning
from distillplan.planning.kept_limits import SpendsFlops, is_cut
from distillplan.planning.option_bill import OptionBill, room, trained_sizes
from distillplan.planning.results import Option
from distillplan.planning.scenario import Limits, Scenario
from distillplan.planning.stored_logits import unpriced_notices
from distillplan.units.articles import so_many, with_article
from distillplan.units.quantities import (
    SECONDS_PER_HOUR,
    format_bytes,
    format_count,
    format_duration,
    format_flops,
    format_usd,
)

DOES_NOT_FIT = "does_not_fit"
"""Code of the warning that an option has no room on its GPUs."""
OVER_MEMORY = "over_memory"
"""Code of the warning about the memory limit."""
MUCH_LARGER = 1.25
"""Parameters, over those asked for, of a model with enough heads that is another model."""
_HELD = {
    Phase.STUDENT_TRAINING: "training the student",
    Phase.TEACHER_TRAINING: "training the teacher",
    Phase.TEACHER_LOGITS: "the teacher's pass",
}
"""What has to fit in a phase."""
ROUNDING = 1e-6
"""A limit that sets the budget is met to rounding."""


class _Limit(NamedTuple):
    """A limit, and how an option is measured against it."""

    code: str
    words: str
    verb: str
    most: float
    of: Callable[[OptionBill], Range | None]
    show: Callable[[float], str]


def machine_warnings(
    scenario: Scenario, compared: tuple[Option, ...], gpu: str
) -> Iterator[Notice]:
    """What to know about hours, money and memory.

    Args:
        scenario: the question.
        compared: supervised training, and the distillation that it is compared with.
        gpu: name of the machine's GPU.
    """
    bills = [(way_in_words(one.accounting), one.bill) for one in compared if one.bill is not None]
    yield from budget_cut(scenario, compared)
    for one in compared:
        yield from _fit_warning(scenario, one, gpu)
    yield from _layout_found(scenario)
    if bills and scenario.inference_tokens:
        yield information(
            "serving_not_billed",
            "GPU-hours, time and cost cover training and logits only; serving counts in the "
            "FLOPs, since its speed is not modeled",
        )
    yield from _kept_too_short(scenario, compared)
    for one in compared:
        yield from unpriced_notices(scenario, one)
    yield from _batch_over_run(scenario, compared)
    if scenario.machine is not None:
        yield from step_notices(scenario.machine.batch_tokens)
    yield from _divided_too_far(scenario, compared)
    for _, bill in bills[:1]:  # the same for all of them
        yield from bill.notices
    yield from _over_limits(scenario.limits, bills)


def _kept_too_short(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """Where stored logits are deleted before their students have read them."""
    given = None if scenario.stored is None else scenario.stored.months
    for one in compared:
        if one.stored is not None and one.bill is not None:
            yield from months_notices(given, months_of(one.bill.phases))


def budget_cut(scenario: Scenario, compared: Sequence[SpendsFlops]) -> Iterator[Notice]:
    """Where a limit leaves less than the budget.

    Args:
        scenario: the question.
        compared: ways to spend it.
    """
    asked = scenario.limits.asked_gpu_hours
    ways = [one for one in compared if is_cut(scenario, one)]
    told = [f"{way_in_words(one.accounting)} gets {format_flops(one.total_flops)}" for one in ways]
    if asked is not None:
        left = f"the plan spends {format_count(scenario.gpu_hours)} of the {format_count(asked)}"
        left = f"{left} GPU-hours"
    elif told:
        left = f"{' and '.join(told)} of the {format_flops(scenario.compute)} FLOPs"
    else:
        return
    bills = [one.bill for one in ways if one.bill is not None]
    yield warning(
        "budget_cut",
        f"{left} of the budget, as no more keeps to the {_binding(scenario.limits, bills)}",
    )


def _binding(limits: Limits, bills: list[OptionBill]) -> str:
    """The limits of time and money that some bills take all of, or all of both without bills."""
    return " and the ".join(
        one.words
        for one in _given_limits(limits._replace(bytes_per_gpu=None))
        if not bills or any(_takes_all(one, bill) for bill in bills)
    )


def _takes_all(limit: _Limit, bill: OptionBill) -> bool:
    amount = limit.of(bill)
    return amount is not None and amount.mid > limit.most * (1 - ROUNDING)


def _batch_over_run(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """Where a run is shorter than one optimizer step."""
    if scenario.machine is None:
        return
    batch, gpus = scenario.machine.batch_tokens, scenario.machine.gpus
    runs = [one.student_tokens for one in compared if one.student_tokens is not None]
    if runs and batch > min(runs):
        yield warning(
            "batch_over_run",
            f"a step of {so_many(gpus, 'GPU')} has {format_count(batch)} tokens, more than a "
            f"whole run of {format_count(min(runs))}; no training can use so many GPUs",
        )


def _divided_too_far(scenario: Scenario, compared: tuple[Option, ...]) -> Iterator[Notice]:
    """Where the smallest model that is trained has too few layers or heads for the layout.

    Its memory is then that of a model with more of them (`option_bill`).
    """
    sizes = [size for one in compared for size in trained_sizes(scenario, one)]
    if scenario.machine is None or not sizes:
        return
    layout, smallest = scenario.machine.strategy, min(sizes)
    own = scenario.architecture.nearest_shape(smallest)
    cut = scenario.architecture.nearest_shape(smallest, layout.tp, layout.pp)
    if own.layers >= layout.pp and cut.params <= MUCH_LARGER * own.params:
        return
    yield warning(
        "divided_too_far",
        f"{with_article(format_count(smallest))} model of the law's family is too small for tp "
        f"{layout.tp} x pp {layout.pp} (layers {own.layers}, heads {own.heads}); its memory is "
        f"computed with layers {cut.layers}, heads {cut.heads} and {format_count(cut.params)} "
        "parameters; use smaller groups",
    )


def _fit_warning(scenario: Scenario, option: Option, gpu: str) -> Iterator[Notice]:
    """Whether an option fits, and with what."""
    bill, machine = option.bill, scenario.machine
    if bill is None or machine is None:
        return
    what, run = f"{way_in_words(option.accounting)}: {_HELD[bill.fullest]}", bill.run
    if bill.fits is Fits.YES:
        training = bill.fullest is not Phase.TEACHER_LOGITS
        if training and run.strategy.loss is not machine.strategy.loss:
            yield information(
                "loss_in_chunks",
                f"{what} fits with a loss that is computed in chunks, and not with the plain one; "
                "this assumes it (--loss chunked)",
            )
        return
    changes = changes_to_fit(scenario, bill)
    if bill.fits is Fits.NO:
        what += f" does not fit in the memory of one {gpu}"
        end = f"it fits with {changes}" if changes else "take more GPUs, or larger ones"
        yield warning(DOES_NOT_FIT, f"{what}; {end}")
    else:
        end = f"; to be sure, use {changes}" if changes else ""
        yield warning("may_not_fit", f"{what} may not fit in the memory of one {gpu}{end}")


def _layout_found(scenario: Scenario) -> Iterator[Notice]:
    """Which layout the plan is on, where it was left open."""
    machine = scenario.machine
    if machine is not None and machine.layout_found:
        chosen = layout_in_words(machine.strategy)
        yield information("layout_found", f"the fastest layout that fits is {chosen}")


def layout_in_words(strategy: Strategy, *, all_of_it: bool = True) -> str:
    """What a search for a layout chooses, with parts that are 1 last, or without them."""
    names = sorted(FREE, key=lambda name: getattr(strategy, name) == 1)
    return ", ".join(
        f"{name.replace('_', '-')} {getattr(strategy, name)}"
        for name in names
        if all_of_it or getattr(strategy, name) != 1
    )


def changes_to_fit(scenario: Scenario, bill: OptionBill) -> str:
    """What to add so that an option fits, the cheapest first; empty where nothing is enough."""
    if scenario.machine is None:
        return ""
    machine = scenario.machine
    steps = steps_to_fit(bill.run, machine.gpu, room(scenario, machine))
    chosen = FREE if machine.layout is LayoutChoice.AUTO else ()  # a search would find these itself
    return options_to_fit(steps, without=chosen)


def _over_limits(limits: Limits, bills: list[tuple[str, OptionBill]]) -> Iterator[Notice]:
    """What takes longer, costs more or needs more memory than it may, by the middle of its range.

    Budgets are cut to what time and money leave; what passes them all the same is a teacher's
    training.
    """
    for limit in _given_limits(limits):
        over = [f"{way} {text}" for way, bill in bills for text in _over(limit, bill)]
        if over:
            yield warning(
                limit.code,
                f"{' and '.join(over)}, over the {limit.words} of {limit.show(limit.most)}",
            )


def limits_passed(limits: Limits, bill: OptionBill) -> dict[str, str]:
    """What a bill has more of than it may, in words, by the code of its warning."""
    return {
        limit.code: f"{text}, over the {limit.words} of {limit.show(limit.most)}"
        for limit in _given_limits(limits)
        for text in _over(limit, bill)
    }


def _over(limit: _Limit, bill: OptionBill) -> Iterator[str]:
    amount = limit.of(bill)
    if amount is not None and amount.mid > limit.most * (1 + ROUNDING):
        yield f"{limit.verb} {limit.show(amount.mid)}"


def _given_limits(limits: Limits) -> Iterator[_Limit]:
    if limits.hours is not None:
        yield _Limit(
            code="over_deadline",
            words="deadline",
            verb="takes",
            most=limits.hours * SECONDS_PER_HOUR,
            of=lambda bill: bill.wall_seconds,
            show=format_duration,
        )
    if limits.usd is not None:
        yield _Limit(
            code="over_cost",
            words="cost limit",
            verb="costs",
            most=limits.usd,
            of=lambda bill: bill.cost_usd,
            show=format_usd,
        )
    if limits.bytes_per_gpu is not None:
        yield _Limit(
            code=OVER_MEMORY,
            words="memory limit",
            verb="needs",
            most=limits.bytes_per_gpu,
            of=lambda bill: bill.memory_bytes_per_gpu,
            show=lambda amount: f"{format_bytes(amount)} per GPU",
        )
