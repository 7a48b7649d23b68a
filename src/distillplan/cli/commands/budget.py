"""`distillplan budget`: one scenario from options."""

from typing import TYPE_CHECKING

from distillplan.accounting import Logits
from distillplan.cli import flags
from distillplan.cli.answer import answer
from distillplan.cli.gate import gate, outcomes
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.models.architecture import FixedAspect
from distillplan.planning.scenario import TIE_NATS, Scenario
from distillplan.render.show import show
from distillplan.scenarios.keys import scenario_from_options

if TYPE_CHECKING:
    from distillplan.questions.ensemble import Ensemble

_FAMILY = FixedAspect()


def budget(
    compute: flags.Compute,
    student: flags.Params = None,
    students: flags.Students = 1,
    teacher: flags.Teacher = None,
    teacher_loss: flags.TeacherLoss = None,
    teacher_params: flags.TeacherParams = None,
    teacher_bpb: flags.TeacherBpb = None,
    loss_unit: flags.LossUnits = None,
    bytes_per_token: flags.BytesPerToken = None,
    teacher_bytes_per_token: flags.TeacherBytesPerToken = None,
    logits: flags.LogitsSource = Logits.ONLINE,
    accounting: flags.Pays = None,
    law: flags.LawName = law_catalog.DEFAULT_LAW,
    laws: flags.Laws = None,
    tie: flags.Tie = TIE_NATS,
    max_student_params: flags.MaxStudentParams = None,
    max_student_tokens: flags.MaxStudentTokens = None,
    max_teacher_params: flags.MaxTeacherParams = None,
    max_teacher_tokens: flags.MaxTeacherTokens = None,
    inference_tokens: flags.InferenceTokens = 0.0,
    max_unique_tokens: flags.MaxUniqueTokens = None,
    context: flags.Context = _FAMILY.context,
    vocab: flags.Vocab = _FAMILY.vocab,
    aspect: flags.Aspect = _FAMILY.aspect,
    omega: flags.Omega = _FAMILY.omega,
    gpu: flags.GpuName = None,
    gpus: flags.Gpus = None,
    price: flags.PricePerHour = None,
    prices: flags.Prices = None,
    mfu: flags.Mfu = None,
    teacher_mfu: flags.TeacherMfu = None,
    goodput: flags.Goodput = None,
    precision: flags.Precision = None,
    checkpointing: flags.Checkpointing = None,
    teacher_precision: flags.TeacherPrecision = None,
    pue: flags.Pue = None,
    country: flags.Country = None,
    deadline: flags.Deadline = None,
    max_cost: flags.MaxCost = None,
    max_memory: flags.MaxMemory = None,
    quick: flags.Quick = False,
    asserted: flags.Asserted = None,
    output: flags.Show = "table",
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
