"""Answers about students of several sizes that share one budget; nothing is computed here."""

from enum import StrEnum
from typing import TYPE_CHECKING

from distillplan.accounting import Accounting, Flops
from distillplan.laws.formulas import FloatArray
from distillplan.laws.provenance import PublishedLaw
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice
from distillplan.optimize.problems import GivenTeacher
from distillplan.planning.results import Band, Reason
from distillplan.planning.scenario import Scenario
from distillplan.planning.sizes import SearchStatus
from distillplan.planning.verdict_records import Odds, Verdict

if TYPE_CHECKING:
    from distillplan.planning.option_bill import OptionBill


Way = Accounting | None
"""Teacher costs that the budget covers; None for supervised training."""


class Costing(NamedTuple):
    """Costs per token in the unit of the budget; arrays of shape (members,)."""

    training: FloatArray
    teacher: GivenTeacher | None = None
    """None where it is chosen."""


class FamilyMember(NamedTuple):
    """Students of one size, as asked for."""

    scenario: Scenario
    """The question of the family with this student; its number of students is that of the size."""
    weight: float = 1.0
    """Of the loss of each of them."""
    target_loss: float | None = None
    """Loss to reach, nats per token; None where the budget is given."""

    @property
    def params(self) -> float:
        """Parameters of each, as the law counts them."""
        return self.scenario.student_params or 0.0

    @property
    def number(self) -> int:
        """How many there are."""
        return self.scenario.students


class FamilyGoal(StrEnum):
    """What is sought."""

    MEAN_LOSS = "mean_loss"
    """The least weighted mean of the losses."""
    COMPUTE = "compute"
    """The least compute with which each student reaches its own loss."""


class FamilyMethod(StrEnum):
    """How the students are trained."""

    SUPERVISED = "supervised"
    """Each from data alone."""
    DISTILL = "distill"
    """Each by one teacher."""
    CASCADE = "cascade"
    """Each by the next larger one; the largest from data alone, or by the given teacher."""


class MemberRun(NamedTuple):
    """The students of one size, trained one way."""

    student_params: float
    """Parameters as the law counts them."""
    student_model: str | None
    """The model that was named; None where a size was given."""
    students: int
    """How many there are."""
    weight: float
    """Of the loss of each of them."""
    loss: float | None
    """Nats per token; None where the family is over budget, as is everything below."""
    loss_band: Band | None
    """90% band, if the law holds."""
    gain_nats: float | None
    """Loss of the same student in the supervised family minus this one, nats per token."""
    student_tokens: float | None
    """Training tokens of each."""
    student_tokens_band: Band | None
    tokens_per_param: float | None
    """Training tokens per parameter."""
    teacher_params: float | None
    """Of the model that teaches them; None from data alone, or where it does not matter."""
    teacher_loss: float | None
    """Its loss, nats per token; None from data alone."""
    share: float | None
    """Of the compute: their own training, and in a cascade the passes of their teacher."""
    is_guess: bool
    """Whether they lie so far outside the fitted range that their loss is a guess."""


class FamilyWay(NamedTuple):
    """One way to train the whole family."""

    method: FamilyMethod
    accounting: Accounting | None
    """Teacher costs that the budget covers; None from data alone and in a cascade without a
    teacher of its own."""
    decides: bool
    """Whether the verdict compares this way with supervised training."""
    recommended: bool
    """Whether this is what to do; at a tie supervised training, which is simpler."""
    status: SearchStatus
    """How the search ended."""
    loss: float | None
    """Weighted mean of the members' losses, nats per token; None where it is over budget."""
    gain_nats: float | None
    """That of the supervised family minus this one."""
    gain_band: Band | None
    """90% band of the gain, on other data than the law's unless its runs are one's own."""
    odds: Odds | None
    """Of each verdict, were this the way that is weighed."""
    teacher_name: str | None
    """The model that teaches all, where it was named or is proposed."""
    teacher_params: float | None
    """Of the one teacher, as the law counts them; None without one."""
    teacher_tokens: float | None
    teacher_loss: float | None
    """Nats per token."""
    members: tuple[MemberRun, ...]
    """In the order of the question."""
    total_flops: float | None
    """FLOPs of all students and of the teacher costs that are paid."""
    over_supervised: float | None
    """The same divided by those of the supervised family, where the compute is sought."""
    flops: Flops | None
    """The same by what they are spent on."""
    is_guess: bool
    """Whether a member's loss is a guess."""
    bill: "OptionBill | None"
    """Hours, money and memory on the scenario's machine; None where none was named."""
    pretrained_loss: float | None = None
    """Of the supervised family with the vocabulary of a model that is proposed, over which the gain
    is; nats per token. None: the gain is over the first way."""

    @property
    def teacher_share(self) -> float:
        """The part of the training FLOPs that goes into teachers; 0 where it is over budget."""
        return 0.0 if self.flops is None else self.flops.teacher_share


class FamilyRow(NamedTuple):
    """A size under one way."""

    way: FamilyWay
    member: MemberRun


class AloneVerdict(NamedTuple):
    """The verdict on one student alone, with the compute that it has in the supervised family."""

    student_params: float
    """Parameters as the law counts them."""
    student_model: str | None
    """The model that was named; None where a size was given."""
    budget: float
    """Of the student, in the unit of the scenario's budget: FLOPs, or GPU-hours."""
    verdict: Verdict | None
    """Where it pays for the teacher by itself; None where nothing can be said."""
    verdict_reason: Reason
    gain_nats: float | None
    """Of distilling it, nats per token; None where that is over budget."""


class LadderStep(NamedTuple):
    """The verdict on the smallest members only, with the whole budget."""

    students: int
    """How many students that is."""
    largest_params: float
    """Parameters of the largest of them, as the law counts them."""
    verdict: Verdict | None
    """None where nothing can be said."""
    gain_nats: float | None
    """Weighted mean, nats per token; None where distillation is over budget."""


class CopiesFlip(NamedTuple):
    """The least number of such families on the same budget with another verdict."""

    copies: int
    """How often each member is trained."""
    students: int
    """How many students that is."""
    verdict: Verdict
    """The verdict there."""


class FamilyPlan(NamedTuple):
    """One answer about a family of students."""

    goal: FamilyGoal
    """What was sought."""
    verdict: Verdict | None
    """Whether to distill the family; None where nothing can be said."""
    verdict_reason: Reason | None
    """Why the verdict is what it is, or why there is none; None where the compute is sought, and
    the verdict is that with the least compute of both ways."""
    headline: str
    """The answer in one sentence."""
    odds: Odds | None
    """Of each verdict, on data and with a recipe of your own; None with `quick`, where the compute
    is sought, and where nothing is weighed."""
    margin_nats: float | None
    """Supervised minus deciding weighted mean loss, nats per token."""
    ways: tuple[FamilyWay, ...]
    """Supervised training first."""
    alone: tuple[AloneVerdict, ...]
    """The verdict on each size alone; none where the compute is sought."""
    ladder: tuple[LadderStep, ...]
    """The verdicts on the smallest one, two, ... sizes; none where the compute is sought."""
    copies: CopiesFlip | None
    """How many such families turn the verdict; None where no number does."""
    warnings: tuple[Notice, ...]
    """What to know before trusting the answer, warnings first."""
    law: PublishedLaw
    scenario: Scenario

    @property
    def supervised(self) -> FamilyWay:
        """Training each from data alone."""
        return self.ways[0]

    @property
    def deciding(self) -> FamilyWay | None:
        """The way that the verdict weighs against supervised training."""
        return next((one for one in self.ways if one.decides), None)

    @property
    def recommended(self) -> FamilyWay | None:
        """What to do; None without a verdict."""
        return next((one for one in self.ways if one.recommended), None)

    @property
    def rows(self) -> tuple[FamilyRow, ...]:
        """Every size under every way."""
        return tuple(FamilyRow(way, member) for way in self.ways for member in way.members)

    @property
    def unasked(self) -> tuple[str, ...]:
        """Keys of the scenario that the question leaves open."""
        kept: tuple[str, ...] = ()
        if self.goal is FamilyGoal.COMPUTE:
            kept = ("compute", "gpu_hours")
        return kept
