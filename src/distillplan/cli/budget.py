"""`distillplan budget`: one scenario from options."""

from typing import TYPE_CHECKING

from distillplan.accounting import Logits
from distillplan.cli import options
from distillplan.cli.answer import answer
from distillplan.cli.gate import gate, outcomes
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.models.architecture import FixedAspect
from distillplan.planning.scenario import TIE_NATS, Scenario
from distillplan.render import show
from distillplan.scenarios.keys import scenario_from_options

if TYPE_CHECKING:
    from distillplan.questions.ensemble import Ensemble

_FAMILY = FixedAspect()


def budget(
    compute: options.Compute,
    student: options.Params = None,
    students: options.Students = 1,
    teacher: options.Teacher = None,
    teacher_loss: options.TeacherLoss = None,
    teacher_params: options.TeacherParams = None,
    teacher_bpb: options.TeacherBpb = None,
    loss_unit: options.LossUnits = None,
    bytes_per_token: options.BytesPerToken = None,
    teacher_bytes_per_token: options.TeacherBytesPerToken = None,
    logits: options.LogitsSource = Logits.ONLINE,
    accounting: options.Pays = None,
    law: options.LawName = law_catalog.DEFAULT_LAW,
    laws: options.Laws = None,
    tie: options.Tie = TIE_NATS,
    max_student_params: options.MaxStudentParams = None,
    max_student_tokens: options.MaxStudentTokens = None,
    max_teacher_params: options.MaxTeacherParams = None,
    max_teacher_tokens: options.MaxTeacherTokens = None,
    inference_tokens: options.InferenceTokens = 0.0,
    max_unique_tokens: options.MaxUniqueTokens = None,
    context: options.Context = _FAMILY.context,
    vocab: options.Vocab = _FAMILY.vocab,
    aspect: options.Aspect = _FAMILY.aspect,
    omega: options.Omega = _FAMILY.omega,
    gpu: options.GpuName = None,
    gpus: options.Gpus = None,
    price: options.PricePerHour = None,
    prices: options.Prices = None,
    mfu: options.Mfu = None,
    teacher_mfu: options.TeacherMfu = None,
    goodput: options.Goodput = None,
    precision: options.Precision = None,
    checkpointing: options.Checkpointing = None,
    teacher_precision: options.TeacherPrecision = None,
    pue: options.Pue = None,
    country: options.Country = None,
    deadline: options.Deadline = None,
    max_cost: options.MaxCost = None,
    max_memory: options.MaxMemory = None,
    quick: options.Quick = False,
    asserted: options.Asserted = None,
    output: options.Show = "table",
) -> None:
    """Distill or train supervised with this much compute: verdict, sizes, what would flip it.

    Without a teacher it must be trained first, and the table shows what one would be worth.

    Examples:
    distillplan budget 1e21 --student 1B

    distillplan budget 1e21 --student 1B --teacher 7B:2T

    distillplan budget 1e21 --student 1B --teacher-loss 1.95 --teacher-params 7B

    distillplan budget 1e21 --student 1B --teacher-bpb 0.72 --bytes-per-token 4.3 --logits cached

    distillplan budget 1e22 --student 3B --students 8 -o json

    distillplan budget "64 h100-sxm for 7 days" --student 1B

    distillplan budget '$20k' --gpu h100-sxm --student 1B

    distillplan budget 1e21 --student 1B --laws all

    distillplan budget 1e22 --inference-tokens 1T --assert "verdict = distill"
    """
    if laws is not None and (law != law_catalog.DEFAULT_LAW or asserted):
        named = "--assert demands one plan" if asserted else "--law and --laws both name laws"
        raise InputError(f"laws: {named}; leave one out")
    scenario = scenario_from_options(
        compute=compute,
        student=student,
        students=students,
        teacher=teacher,
        teacher_loss=teacher_loss,
        teacher_bpb=teacher_bpb,
        loss_unit=loss_unit,
        bytes_per_token=bytes_per_token,
        teacher_bytes_per_token=teacher_bytes_per_token,
        teacher_params=teacher_params,
        logits=logits,
        accounting=accounting,
        law=law,
        tie_nats=tie,
        inference_tokens=inference_tokens,
        max_unique_tokens=max_unique_tokens,
        max_student_params=max_student_params,
        max_student_tokens=max_student_tokens,
        max_teacher_params=max_teacher_params,
        max_teacher_tokens=max_teacher_tokens,
        context=context,
        vocab=vocab,
        aspect=aspect,
        omega=omega,
        gpu=gpu,
        gpus=gpus,
        price=price,
        prices=prices,
        mfu=mfu,
        teacher_mfu=teacher_mfu,
        goodput=goodput,
        precision=precision,
        checkpointing=checkpointing,
        teacher_precision=teacher_precision,
        pue=pue,
        country=country,
        deadline=deadline,
        max_cost_usd=max_cost,
        max_memory_bytes=max_memory,
    )
    if laws is not None:
        show(_under(laws, scenario), output)
        return
    plan = answer(scenario, quick=quick)
    found = outcomes(asserted, plan)  # before anything is written
    show(plan, output)
    gate(("", outcome) for outcome in found)


def _under(laws: str, scenario: Scenario) -> "Ensemble":
    """The same question to several laws."""
    from distillplan.questions.ensemble import ensemble  # not for one law

    return ensemble(scenario, law_catalog.laws_named(laws))
