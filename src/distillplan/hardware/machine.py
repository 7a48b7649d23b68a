"""What a plan runs on, from the words of a user, and what its parts cost there.

Seconds are GPU-seconds per token of allocated time, goodput included. A model is an exact shape or
the non-embedding parameters of a model of the paper's family (a float, so that a planner can
tabulate seconds over sizes).
"""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from distillplan.accounting import Logits
from distillplan.errors import InputError, Word
from distillplan.fields import settle
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.hardware import gpu_catalog, price_list
from distillplan.hardware.gpu import GIVEN, Gpu, Precision, Price, listed_price, refuse_precision
from distillplan.hardware.gpu_words import named_machine
from distillplan.hardware.memory import LoadedTeacher, Run, WeightFormat
from distillplan.hardware.model_states import bytes_of
from distillplan.hardware.range import Range
from distillplan.hardware.step_time import DEFAULT_REPLICA_TOKENS, loss_rate
from distillplan.hardware.strategy import FREE, Gradients, LayoutChoice, Sharding, Strategy
from distillplan.hardware.throughput import (
    RateBasis,
    ThroughputEstimate,
    ThroughputModel,
    throughput,
    throughput_model,
)
from distillplan.hardware.workload import Workload, workload_of
from distillplan.models.architecture import FixedAspect
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape
from distillplan.units.articles import so_many
from distillplan.units.quantities import format_count

DEFAULT_GPUS: Final = 8
"""One node."""

PUE: Final = 1.2
"""Default power usage effectiveness: that of the cluster of OLMo 2 7B (arXiv 2501.00656)."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """GPUs, the layout of runs on them, the user's own measurements, and prices."""

    gpu: Gpu
    gpus: int
    """Of that kind."""
    model: ThroughputModel
    strategy: Strategy = field(default_factory=Strategy)
    family: FixedAspect = field(default_factory=FixedAspect)
    """The family of models that are given as a size; the context is the strategy's."""
    global_tokens: float | None = None
    """Tokens per optimizer step; None: as `Strategy.step_tokens` has it."""
    teacher_gpus: int | None = None
    """GPUs of an online teacher alone, beside those of the student; None: it runs on these."""
    loss_is_open: bool = False
    """Whether the strategy's loss was not asked for, so that a chunked one may take its place."""
    stack_is_open: bool = field(default=False, compare=False)  # documents have the stack itself
    """Whether its stack was not, so that it is the layout's usual one."""
    layout: LayoutChoice = LayoutChoice.GIVEN
    """Whether the strategy is what is asked for, or where the search for the fastest begins."""
    layout_found: bool | None = None
    """Whether that search has found one, for a plan; None: it has not been made."""
    mfu: float | None = None
    """The user's own, in training: model FLOPs over the dense 16-bit peak."""
    teacher_mfu: float | None = None
    """The user's own, in a teacher's forward passes."""
    tokens_per_s: float | None = None
    """The user's own tokens/s/GPU in training the student alone; takes precedence over `mfu`."""
    teacher_precision: WeightFormat = WeightFormat.BF16
    """Of the frozen teacher's weights; in fp8 it also computes in fp8 where the GPU can."""
    goodput: Range | None = None
    """Productive share of allocated time; None: the speed model's."""
    price_usd_per_gpu_hour: float | None = None
    """The user's own price, which replaces the catalog's."""
    pue: float = PUE
    """Power usage effectiveness of the building."""
    grid_g_co2_per_kwh: float | None = None
    """Carbon intensity of the grid; None: not known."""
    today: dt.date
    """The day on which the age of a price is judged."""
    gpu_file: str | None = None
    price_file: str | None = None
    """Where the user's own GPU and prices were read from, to ask the same again."""

    def __post_init__(self) -> None:
        """Check what takes several keys.

        Raises:
            InputError: for groups that do not divide the GPUs or a sequence, a step of less than
                one pass, a precision that the GPU does not have, or a PUE below 1.
        """
        settle(self)
        self.strategy.refuse_odd_groups(self.gpus)
        cp, seq_len = self.strategy.cp, self.strategy.seq_len
        if cp > seq_len:
            wrong = f": {cp} GPUs cannot share a sequence of {seq_len} tokens; use fewer"
            raise InputError(Word("cp"), wrong)
        if self.layout is LayoutChoice.GIVEN or self.layout_found:
            self.refuse_small_step()
        refuse_precision(self.gpu, self.strategy.precision)
        if not (math.isfinite(self.pue) and self.pue >= 1):
            raise InputError(Word("pue"), f": {self.pue:g}; it must be at least 1")

    def refuse_small_step(self) -> None:
        """Check that a step has at least one pass of all GPUs, and no more where it must.

        Raises:
            InputError: when it has fewer tokens, or more than gradients that are not kept allow.
        """
        passed, step = self.strategy.pass_tokens(self.gpus), self.batch_tokens
        asked, least, name = format_count(step), format_count(passed), Word("batch_tokens")
        if step < passed:
            few = f": {asked} tokens are fewer than one pass of {so_many(self.gpus, 'GPU')} takes "
            few += f"({least}); use more tokens or fewer GPUs"
            raise InputError(name, few, also=("micro_batch", "gpus"))
        if step > passed and self.strategy.gradients is Gradients.IN_BACKWARD:
            kept, said = Word("gradients", Gradients.IN_BACKWARD), " keeps no gradients, so a step "
            said += f"is one pass, here of {least} tokens, and not {asked}; leave "
            raise InputError(kept, said, name, " out", also=("batch_tokens",))

    def __hash__(self) -> int:  # its mappings have none
        return hash((self.gpu.name, self.gpus, self.strategy))

    @property
    def allocated_share(self) -> Range:
        """Productive share of allocated time, default included."""
        return self.model.goodput if self.goodput is None else self.goodput

    @property
    def all_gpus(self) -> int:
        """GPUs of a run with its teacher."""
        return self.gpus + (self.teacher_gpus or 0)

    @property
    def batch_tokens(self) -> float:
        """Tokens per optimizer step, default included."""
        return self.strategy.step_tokens(self.gpus, self.global_tokens)

    @property
    def searches_layout(self) -> bool:
        """Whether the layout is to be found for a run."""
        return self.layout is LayoutChoice.AUTO and self.layout_found is None

    @property
    def price(self) -> Price | None:
        """Price of a GPU-hour: the user's, else the catalog's (`listed_price`); None: not known."""
        usd = self.price_usd_per_gpu_hour
        if usd is None:
            return listed_price(self.gpu.prices)
        return Price(usd_per_hour=usd, seller=GIVEN, date=str(self.today), source=GIVEN)

    def work_of(self, model: Model, precision: Precision | None = None) -> Workload:
        """The workload of a model on one GPU, in a precision or the strategy's."""
        strategy = self.strategy
        if precision is not None:
            strategy = replace(strategy, precision=precision)
        return workload_of(model, self.family, strategy, self.gpus, self.batch_tokens)

    def run_of(
        self, shape: ModelShape, teacher: LoadedTeacher | None = None, stored: float = 0.0
    ) -> Run:
        """A training that has to fit, with a teacher or the bytes per token of stored logits."""
        return Run(
            shape=shape,
            strategy=self.strategy,
            gpus=self.gpus,
            teacher=teacher,
            stored_bytes_per_token=stored,
            global_tokens=self.global_tokens,
        )

    def loaded_teacher(self, shape: ModelShape, logits: Logits = Logits.ONLINE) -> LoadedTeacher:
        """A teacher in the format, and on the GPUs, that there are for it."""
        weights, apart = self.teacher_precision, self.teacher_gpus is not None
        return LoadedTeacher(shape=shape, weights=weights, logits=logits, apart=apart)

    def training_speed(self, model: Model, tokens_per_s: float | None = None) -> ThroughputEstimate:
        """Tokens/s/GPU in training a model alone, at its measured rate or the MFU if any."""
        work = self.work_of(model)
        return throughput(work, self.gpu, self.model, mfu=self.mfu, tokens_per_s=tokens_per_s)

    def teacher_speed(self, teacher: Model) -> ThroughputEstimate:
        """Tokens/s/GPU in a teacher's forward passes on the same GPUs."""
        fp8 = self.teacher_precision is WeightFormat.FP8 and "fp8" in self.gpu.peak_flops_per_s
        work = self.work_of(teacher, Precision.FP8 if fp8 else Precision.BF16)
        return throughput(work, self.gpu, self.model, 1.0, mfu=self.teacher_mfu)

    def training_seconds(self, model: Model) -> Range:
        """GPU-seconds per token in training a model alone; a measured rate is the student's."""
        return self._allocated(self.training_speed(model))

    def student_seconds(self, student: Model, *, distilling: bool) -> Range:
        """GPU-seconds per token of a student: training alone, or its step in a distillation."""
        speed = self.training_speed(student, self.tokens_per_s)
        return self._allocated(speed, distilling=distilling)

    def teacher_seconds(self, teacher: Model, *, beside: bool) -> Range:
        """GPU-seconds per token of a teacher's forward pass.

        Beside the student they take turns, and the pass has what its logits add to the loss; alone
        it writes them to storage.
        """
        forward = self._allocated(self.teacher_speed(teacher), distilling=beside)
        return forward + self.divergence_seconds(teacher) if beside else forward

    def divergence_seconds(self, teacher: Model) -> Range:
        """GPU-seconds per token that an online teacher's logits add to the student's loss."""
        moved = bytes_of("losses", self.strategy.loss)["moved_by_teacher"]
        rate = loss_rate(moved, self.work_of(teacher).vocab, self.gpu)
        return Range.independent_product((rate, self.allocated_share)).divide(1.0)

    def _allocated(self, speed: ThroughputEstimate, *, distilling: bool = False) -> Range:
        """GPU-seconds; what is given, of the speed or the goodput, has all of it in it."""
        factors, computed = [self.allocated_share], speed.basis is RateBasis.MODEL
        if computed and self.goodput is None:
            factors.append(self.model.whole_run)
        if computed and distilling:
            factors.append(self.model.distillation)
        return speed.seconds(*factors)


def usual_strategy(
    *, seq_len: int, micro_batch: int | None = None, most_tokens: float = math.inf, **layout: Any
) -> Strategy:
    """A strategy with the usual micro-batch, `DEFAULT_REPLICA_TOKENS`, sharding and stack.

    The micro-batch is one sequence where that is longer, where a GPU has but `most_tokens` of a
    step, or where the model is split over GPUs, as the calibration assumes of runs that do not
    state it. There ZeRO-1 is usual too, as gathering weights for every micro-batch would cost most
    of the time, and a tuned stack, as such layouts are those of Megatron Core.

    Raises:
        InputError: when a count is below 1, or a word is not known.

    >>> usual_strategy(seq_len=2048).micro_batch, usual_strategy(seq_len=2048, tp=8).micro_batch
    (4, 1)
    """
    given = Strategy(seq_len=seq_len, **layout)
    usual: dict[str, Any] = {"stack": given.usual_stack}
    if given.tp * given.pp > 1:
        usual["sharding"] = Sharding.ZERO1
    if micro_batch is None:
        split = given.replica_gpus > 1
        tokens = min(seq_len if split else DEFAULT_REPLICA_TOKENS, most_tokens)
        micro_batch = max(int(tokens) // seq_len, 1)
    return replace(given, **{**usual, **layout, "micro_batch": micro_batch})


def machine(words: Mapping[str, Any], architecture: FixedAspect) -> Machine:
    """The machine that a user described.

    Args:
        words: what was written, by the keys of `scenarios.hardware_keys` without their group: a GPU
            at least. Those that are no others here are fields of `Strategy` and `Machine`.
        architecture: of student and teacher; its context is the sequence length.

    Raises:
        InputError: for an unknown name or an impossible number.
    """
    said = {name: value for name, value in words.items() if value is not None}
    named, prices = said.pop("gpu"), said.pop("prices", None)
    gpu = gpu_catalog.gpu(named)
    whole = None if "gpus" in said else named_machine(named)
    if whole is not None:
        told = (Word("gpu", gpu.name), " ", Word("gpus", str(whole.gpus)))
        has = f": {named!r} has {so_many(whole.gpus, 'GPU')}; write "
        raise InputError(Word("gpu"), has, *told)
    if prices is not None:
        gpu = price_list.with_prices(gpu, prices)
    layout = {name: said.pop(name) for name in Strategy.__dataclass_fields__.keys() & said}
    for name in FREE if said.get("layout") == LayoutChoice.AUTO else ():
        if layout.get(name) not in (None, 1):  # one expert group stands for none
            auto = Word("layout", LayoutChoice.AUTO)
            raise InputError(Word(name), ": ", auto, " chooses it; leave one of the two out")
    gpus, step = said.pop("gpus", DEFAULT_GPUS), said.pop("batch_tokens", None)
    country, goodput = said.pop("country", None), said.pop("goodput", None)
    if country is not None:
        said["grid_g_co2_per_kwh"] = gpu_catalog.grid(country).g_co2_per_kwh
    return Machine(
        gpu=gpu,
        gpus=gpus,
        model=throughput_model(),
        strategy=usual_strategy(
            seq_len=round(architecture.context), most_tokens=(step or math.inf) / gpus, **layout
        ),
        loss_is_open="loss" not in layout,
        stack_is_open="stack" not in layout,
        family=architecture,
        global_tokens=step,
        goodput=None if goodput is None else Range.exact(goodput),
        price_usd_per_gpu_hour=said.pop("price", None),
        today=dt.datetime.now(tz=dt.UTC).date(),
        gpu_file=named if named.endswith(YAML_ENDINGS) else None,
        price_file=prices,
        **said,
    )


def usd_per_gpu_hour(found: Machine) -> float:
    """The price of a GPU-hour in dollars, for a budget in dollars.

    Raises:
        InputError: when no price is known, or hours cost nothing.
    """
    price = found.price
    if price is not None and price.usd_per_hour == 0:
        free = ": hours that cost nothing are no budget in dollars; give GPU-hours"
        raise InputError(Word("price", "0"), free)
    if price is None:
        add, unit = f"no price is known for {found.gpu.name}; add ", " (dollars per GPU-hour)"
        raise InputError(add, Word("price", "2.5"), unit)
    return price.usd_per_hour
