"""What a stage of on-policy distillation reaches: which teacher, which score, which hours.

The score is that of the one published law (`laws.on_policy_law`), and there is none outside of it.
Hours follow from the machine for any models: the student generates, the teacher reads what it has
written, the student takes a step on it.
"""

from collections.abc import Mapping
from typing import Any

from distillplan.errors import EXAMPLE_GPU, InputError, Word
from distillplan.hardware.generation import generation_speed
from distillplan.hardware.machine import DEFAULT_GPUS, Machine
from distillplan.hardware.range import Range
from distillplan.laws.on_policy_law import (
    Z90,
    Objective,
    OnPolicyLaw,
    between_sizes,
    on_policy_law,
    peak_score,
    slope,
)
from distillplan.models.architecture import check_context
from distillplan.models.known_model import known_model, names_a_model
from distillplan.models.model_sizes import MOST_TOKENS, parse_params
from distillplan.questions.onpolicy_memory import memory_notices, shaped
from distillplan.questions.onpolicy_notices import headline_of, warnings_of
from distillplan.questions.onpolicy_records import (
    ExpectedPeak,
    OnPolicy,
    OnPolicyQuestion,
    ScoreBasis,
    StageModel,
    StageSize,
    StageTeacher,
    StageTime,
    TeacherServing,
)
from distillplan.questions.onpolicy_serving import teacher_serving
from distillplan.units.quantities import SECONDS_PER_HOUR, plain_count


def stage_model(text: str, what: str) -> StageModel:
    """A model by its size or name.

    Args:
        text: as written; a size is one of the study's family.
        what: the option, for errors.

    Raises:
        InputError: when nobody knows it.
    """
    law = on_policy_law()
    if not names_a_model(text):
        params = parse_params(text, what)
        measured = law.measured(params)
        name = plain_count(params)
        named = text if measured is None else measured.model
        return StageModel(name=name, params=params, of_study=True, named=named)
    known = known_model(text, what)
    alike = (one for one in law.sizes if one.model == known.name and not known.notices)
    measured = next(alike, None)
    if known.shape is None:
        raise InputError(f"{what}: {text!r} says two sizes and no shape; give its name")
    return StageModel(
        name=known.name,
        params=measured.params if measured else known.total_params or known.all_params,
        of_study=measured is not None,
        named=measured.model if measured else text,
        model=known,
    )


def onpolicy(question: OnPolicyQuestion) -> OnPolicy:
    """The peak scores and hours of a stage, by teacher.

    Raises:
        InputError: for a teacher's score without a teacher, or one that is no share.
        InfeasibleError: when a model does not fit on the machine.
    """
    law, student = on_policy_law(), question.student
    _check_teacher_score(question)
    asked = (
        [question.teacher]
        if question.teacher is not None
        else [stage_model(one.model, "teacher") for one in law.sizes]
    )
    covered = student.of_study and law.covers(student.params)
    teachers = tuple(_teacher(question, one, law) for one in asked)
    peaks = {i: one.vanilla.peak for i, one in enumerate(teachers) if one.vanilla is not None}
    found = OnPolicy(
        headline="",
        scope=law.scope,
        covered=covered,
        student=student.name,
        student_params=student.params,
        start_score=between_sizes(law, student.params, "start") if covered else None,
        rl_score=between_sizes(law, student.params, "rl") if covered else None,
        teachers=teachers,
        best=max(peaks, key=lambda i: peaks[i], default=None),
        stop_divergence=law.divergence,
        stage=question.stage,
        gpu=None if question.machine is None else question.machine.gpu.name,
        gpus=None if question.machine is None else question.machine.gpus,
        published=law.published,
        findings=law.findings,
        warnings=(),
        sources=(law.source, law.published.source),
    )
    machine = question.machine
    memory = () if machine is None else memory_notices(machine, student, asked)
    notices = (*memory, *warnings_of(question, found, law))
    return found._replace(headline=headline_of(question, found, law), warnings=notices)


def _check_teacher_score(question: OnPolicyQuestion) -> None:
    """Refuse a score that is no share, or nobody's."""
    score = question.teacher_score
    if score is not None and question.teacher is None:
        raise InputError("--teacher-score is of one teacher; name it with --teacher")
    if score is not None and not 0 < score < 1:
        raise InputError("--teacher-score: give a share above 0 and below 1, such as 0.66")


def _teacher(question: OnPolicyQuestion, teacher: StageModel, law: OnPolicyLaw) -> StageTeacher:
    student = question.student
    larger = teacher.params > student.params
    taught = min(teacher.params, student.params)
    known = student.of_study and teacher.of_study and law.covers(student.params)
    score, basis = None, None
    if known and law.covers(taught):
        score = between_sizes(law, taught, "rl")
        basis = ScoreBasis.INTERPOLATED if law.measured(taught) is None else ScoreBasis.MEASURED
        given = question.teacher_score
        if given is not None and (not larger or given < score):
            score, basis = given, ScoreBasis.GIVEN
    peaks = {} if score is None else _peaks(law, student.params, teacher.params, score)
    time, serving = _on_machine(question, teacher, law)
    return StageTeacher(
        teacher=teacher.name,
        teacher_params=teacher.params,
        larger_than_needed=larger and score is not None,
        teacher_score=score,
        score_basis=basis,
        vanilla=peaks.get(Objective.VANILLA),
        delta=peaks.get(Objective.DELTA),
        time=time,
        serving=serving,
    )


def _peaks(
    law: OnPolicyLaw, student: float, teacher: float, score: float
) -> dict[Objective, ExpectedPeak]:
    found = {}
    for objective, constants in law.laws.items():
        peak, half = peak_score(constants, student, teacher, score), Z90 * constants.error
        found[objective] = ExpectedPeak(
            peak=peak,
            low=max(peak - half, 0.0),
            high=min(peak + half, 1.0),
            slope=slope(constants, student, teacher, score),
        )
    return found


def _on_machine(
    question: OnPolicyQuestion, teacher: StageModel, law: OnPolicyLaw
) -> tuple[StageTime | None, TeacherServing | None]:
    """What a stage takes on the machine, and what its teacher takes beside it."""
    machine, stage = question.machine, question.stage
    if machine is None or stage is None:
        return None, None
    student, taught = shaped(question.student, machine), shaped(teacher, machine)
    speed = generation_speed(
        student.shape,
        machine.gpu,
        machine.model,
        prompt=0,
        generated=stage.answer_tokens,
        per_gpu=stage.answers / machine.gpus,
    )
    rate = Range.independent_product((speed.tokens_per_s_per_gpu, machine.allocated_share))
    each = {
        "generation": rate.divide(1.0),
        "scoring": machine.teacher_seconds(taught.model, beside=False),
        "training": machine.training_seconds(student.model),
    }
    own = each["generation"] + each["training"]
    return _time(machine, stage, each, law), teacher_serving(machine, taught, own)


def _time(
    machine: Machine, stage: StageSize, each: Mapping[str, Range], law: OnPolicyLaw
) -> StageTime:
    """The time of a stage; ``each`` part in GPU-seconds per token."""
    hours = {name: one.scale(stage.tokens / SECONDS_PER_HOUR) for name, one in each.items()}
    total = Range.total(hours.values())
    price, gpus = machine.price, machine.gpus
    return StageTime(
        gpu_hours=total,
        generation_gpu_hours=hours["generation"],
        scoring_gpu_hours=hours["scoring"],
        training_gpu_hours=hours["training"],
        wall_seconds=total.scale(SECONDS_PER_HOUR / gpus),
        cost_usd=None if price is None else total.scale(price.usd_per_hour),
        tokens_in_published_hours=stage.tokens * law.published.gpu_hours / total.mid,
    )


def stage_size(
    answer_tokens: int | None,
    updates: int | None,
    answers: int | None,
    hardware: Mapping[str, Any],
) -> StageSize | None:
    """How long a stage is; None: nothing was said of it.

    Args:
        answer_tokens: mean length of an answer.
        updates: None: the most of the study.
        answers: in each update; None: one for each problem of the study's updates.
        hardware: words of it that were given.

    Raises:
        InputError: when one is given without what it needs, together they are beyond all stages, or
            an update has fewer answers than there are GPUs.
    """
    law = on_policy_law()
    if "gpu" not in hardware:
        for word in hardware:
            raise InputError(Word(word), " is of a machine; add ", EXAMPLE_GPU)
        if (answer_tokens, updates, answers) != (None, None, None):
            raise InputError("the length of a stage is for its hours; add ", EXAMPLE_GPU)
        return None
    if answer_tokens is None:
        raise InputError(
            Word("gpu"),
            ": hours depend on how long the answers are, which no source states; add "
            "--answer-tokens 1000",
        )
    check_context(answer_tokens, "--answer-tokens")
    many = law.most_updates if updates is None else updates
    each = law.problems_per_update if answers is None else answers
    if many * each * answer_tokens > MOST_TOKENS:
        raise InputError(
            f"a stage of more than {MOST_TOKENS:.0e} tokens cannot be; check --updates, --answers "
            "and --answer-tokens"
        )
    gpus = hardware.get("gpus", DEFAULT_GPUS)
    if each < gpus:
        raise InputError(
            Word("gpus"),
            f": an update has {each} answers, too few for {gpus} GPUs to train on one each; use "
            "fewer GPUs, or more --answers",
        )
    return StageSize(
        updates=many,
        answers=each,
        answer_tokens=answer_tokens,
        tokens=float(many * each) * answer_tokens,
    )
