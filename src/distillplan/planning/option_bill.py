"""What an option takes on the scenario's machine: hours, money, energy, memory."""

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from distillplan.accounting import Accounting, Logits, Share
from distillplan.hardware.bill import BillLine, Phase, bill_of, price_notices
from distillplan.hardware.machine import Machine
from distillplan.hardware.memory import LoadedTeacher, Run, memory_estimate, pass_estimate
from distillplan.hardware.memory_fit import Fits, Layout, fits, usable_bytes, with_open_loss
from distillplan.hardware.range import Range
from distillplan.hardware.storage import LogitFormat, stored_logits
from distillplan.models.named_models import Model, usual_shape
from distillplan.models.shapes import ModelShape
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.optimize.keeping import KeptWhileRead, bought
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import Sizes
from distillplan.planning.token_costs import TokenSeconds, non_embedding, token_seconds
from distillplan.units.quantities import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from distillplan.planning.results import Option


class OptionBill(NamedTuple):
    """Hours, money and memory of one option: of all students, one phase after the other."""

    gpu_hours: Range
    """Allocated GPU-hours."""
    wall_seconds: Range
    """Seconds from start to end."""
    cost_usd: Range | None
    """US dollars; None where no price is known."""
    energy_kwh: Range | None
    """Energy of the data center, kWh; None where the GPU's power is not known."""
    co2_kg: Range | None
    """Kilograms of CO2; None where no grid is named."""
    memory_bytes_per_gpu: Range
    """Bytes on the fullest GPU in the phase that needs most."""
    fits: Fits
    """Whether that phase fits in the GPU's memory."""
    fullest: Phase
    """The phase that needs most memory."""
    run: Run
    """The training of that phase, or the one that a pass of the teacher comes before; with a
    chunked loss where nobody chose one and no other fits."""
    phases: tuple[BillLine, ...]
    """The same by phase; they sum to the above."""
    notices: tuple[Notice, ...]
    """What to know about these numbers."""
    student_tokens: Range
    """Tokens of each student that a budget in GPU-hours may turn out to buy, as far as the speed is
    known; exact for a budget in FLOPs."""


def affordable_tokens(
    scenario: Scenario, accounting: Accounting | None, sizes: Sizes, budget: float
) -> float:
    """Training tokens of each student that spend a budget, or its money, exactly.

    Args:
        scenario: a question whose budget is in GPU-hours.
        accounting: teacher costs that the budget covers; None for supervised training.
        sizes: sizes of student and teacher, and the teacher's training tokens.
        budget: GPU-seconds for all students; its money is in proportion to the scenario's.

    Raises:
        ValueError: when the scenario has no machine.
    """
    paid = scenario.share(accounting or Accounting.FREE)
    seconds = seconds_of(scenario, accounting, sizes)
    once = paid.training * seconds.teacher_training * (sizes.teacher_tokens or 0.0)
    passes, own = paid.logits * seconds.teacher_forward, seconds.student_training
    each, most = budget / scenario.students, scenario.most_passed
    found = float(bought(each - once, own, passes, most))
    kept = paid.logits * scenario.storage_seconds
    if not kept:
        return found
    rest, stored = each * scenario.money_over_budget - once, scenario.stored
    if stored is None or stored.months is not None:
        return min(found, float(bought(rest, own, passes + kept, most)))
    months = scenario.students / (_machine(scenario).gpus * SECONDS_PER_MONTH)
    reading = KeptWhileRead(
        training=own, passes=passes, per_month=kept, months=months, most_first=most
    )
    return min(found, float(reading.bought(rest)))


def option_bill(
    scenario: Scenario, accounting: Accounting | None, sizes: Sizes, paid: Share | None = None
) -> OptionBill:
    """Hours, money, energy and memory of one option, with their ranges.

    Args:
        scenario: a question with a machine.
        accounting: teacher costs that the budget covers; None for supervised training.
        sizes: what is trained, and on how many tokens.
        paid: one student's share of the teacher's costs; None for that of the accounting.

    Raises:
        ValueError: when the scenario has no machine.
    """
    machine = _machine(scenario)
    student, teacher = non_embedding(scenario.family, _student(scenario, sizes)), None
    vocab = round(scenario.architecture.vocab)
    if accounting is not None:  # even a free teacher makes it a distillation run
        taught = _teacher(scenario, sizes)
        teacher = student if taught is None else non_embedding(scenario.family, taught)
    stored = None if scenario.stored is None else stored_logits(scenario.stored, vocab)
    whole = partial(
        bill_of,
        machine,
        student=student,
        student_tokens=sizes.student_tokens,
        students=scenario.students,
        teacher=teacher,
        teacher_tokens=sizes.teacher_tokens or 0.0,
        paid=paid or scenario.share(accounting or Accounting.FREE),
        logits=scenario.passes,
        stored=stored if scenario.logits is Logits.STORED else None,
        most_passed=scenario.most_passed,
    )
    bill, tokens = whole(), Range.exact(sizes.student_tokens)
    if scenario.gpu_hours is not None:
        hours, most = bill.total.gpu_hours, scenario.bounds.student_tokens[1]
        tokens = hours.divide_into(sizes.student_tokens)
        if sizes.student_tokens < most:
            bill = whole(spent=True)
        else:  # the budget outlasts the most tokens, unless the speed is lower
            low = min(most, tokens.low * scenario.gpu_hours / hours.mid)
            tokens = Range(low=low, mid=most, high=most)
    phase, fullest = _fullest(scenario, bill.lines, student, teacher, stored)
    return OptionBill(
        gpu_hours=bill.total.gpu_hours,
        wall_seconds=bill.total.wall_seconds,
        cost_usd=bill.total.cost_usd,
        energy_kwh=bill.total.energy_kwh,
        co2_kg=bill.total.co2_kg,
        memory_bytes_per_gpu=fullest.memory.total,
        fits=fits(fullest.memory.total, usable_bytes(machine.gpu)),
        fullest=phase,
        run=fullest.run,
        phases=bill.lines,
        notices=price_notices(bill.price, machine.today, machine.gpu.prices),
        student_tokens=tokens,
    )


def _fullest(
    scenario: Scenario,
    lines: tuple[BillLine, ...],
    student: Model,
    teacher: Model | None,
    stored: LogitFormat | None,
) -> tuple[Phase, Layout]:
    """The phase that needs most memory, and its memory."""
    machine = _machine(scenario)
    phases = {line.phase for line in lines}
    loaded = None
    if teacher is not None and Phase.TEACHER_LOGITS in phases:
        loaded = machine.loaded_teacher(_shape(machine, scenario, teacher), scenario.passes)
    beside = loaded is not None and scenario.passes is Logits.ONLINE
    unread = teacher is None or stored is None or beside
    read = 0.0 if unread or stored is None else stored.bytes_per_token
    training = _laid_out(machine, scenario, student, loaded, read)
    found = {Phase.STUDENT_TRAINING: training}
    if training.run.passed is not None:
        alone = pass_estimate(training.run.passed, machine.strategy, machine.gpus)
        found[Phase.TEACHER_LOGITS] = training._replace(memory=alone)
    if teacher is not None and Phase.TEACHER_TRAINING in phases:
        found[Phase.TEACHER_TRAINING] = _laid_out(machine, scenario, teacher)
    fullest = max(found, key=lambda phase: found[phase].memory.total.mid)
    return fullest, found[fullest]


def _laid_out(
    machine: Machine,
    scenario: Scenario,
    model: Model,
    teacher: LoadedTeacher | None = None,
    stored_bytes: float = 0.0,
) -> Layout:
    """A training that has to fit, and its memory."""
    run = machine.run_of(_shape(machine, scenario, model), teacher, stored_bytes)
    run = with_open_loss(run, machine, room(scenario, machine))
    return Layout(run=run, memory=memory_estimate(run))


def room(scenario: Scenario, machine: Machine) -> float:
    """Bytes that a run may take on one GPU: what it has, or the limit of the scenario."""
    limit = scenario.limits.bytes_per_gpu
    return min(usable_bytes(machine.gpu), math.inf if limit is None else limit)


def _shape(machine: Machine, scenario: Scenario, model: Model) -> ModelShape:
    """The exact shape of a model, or that of its size on the layout, as an estimate has it."""
    if isinstance(model, ModelShape):
        return model
    layout = machine.strategy
    return usual_shape(scenario.architecture, model, layout.tp, layout.pp)


def trained_sizes(scenario: Scenario, option: "Option") -> Iterator[float]:
    """Non-embedding parameters of the models that an option trains and that have no exact shape."""
    if option.bill is None or option.student_params is None:
        return
    sizes = [] if scenario.student_shape else [option.student_params]
    if any(line.phase is Phase.TEACHER_TRAINING for line in option.bill.phases):
        sizes += [option.teacher_params] if option.teacher_params else []
    models = (non_embedding(scenario.family, size) for size in sizes)
    yield from (model for model in models if isinstance(model, float))


def _student(scenario: Scenario, sizes: Sizes) -> Model:
    """Its shape where it is known, or its parameters as the law counts them."""
    if scenario.student_shape is not None and sizes.student_params == scenario.student_params:
        return scenario.student_shape
    return sizes.student_params


def _teacher(scenario: Scenario, sizes: Sizes) -> Model | None:
    """The same of the teacher."""
    given = scenario.teacher
    if given is not None and given.shape is not None and sizes.teacher_params == given.params:
        return given.shape
    return sizes.teacher_params


def seconds_of(scenario: Scenario, accounting: Accounting | None, sizes: Sizes) -> TokenSeconds:
    """GPU-seconds per token of an option, exact at its sizes.

    Raises:
        ValueError: when the scenario has no machine.
    """
    return token_seconds(
        _machine(scenario),
        scenario.family,
        _student(scenario, sizes),
        _teacher(scenario, sizes),
        distilling=accounting is not None,
        beside=scenario.passes is Logits.ONLINE,
    )


def _machine(scenario: Scenario) -> Machine:
    if scenario.machine is None:
        raise ValueError("a bill needs a machine")
    return scenario.machine
