"""`distillplan onpolicy`: what a stage of on-policy distillation reaches and costs."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.render.show import show
from distillplan.scenarios import values

if TYPE_CHECKING:
    from distillplan.laws.on_policy_law import OnPolicyLaw

_stage = partial(flags.option, rich_help_panel="Length of the stage", metavar="N")


def _study() -> "OnPolicyLaw":
    from distillplan.laws.on_policy_law import on_policy_law  # for help, and not at every start

    return on_policy_law()


@options("onpolicy")
def onpolicy(
    *,
    student: Annotated[
        str,
        typer.Option(
            "--student",
            "-s",
            metavar="MODEL",
            help="Student: a size as Qwen2.5 names it (1.5B), or a model.",
        ),
    ],
    teacher: Annotated[
        str | None,
        typer.Option(
            "--teacher",
            metavar="MODEL",
            help="Teacher after RL, named as the student.",
            show_default="all sizes of the study",
        ),
    ] = None,
    teacher_score: Annotated[
        float | None,
        flags.option(
            "--teacher-score",
            "The teacher's accuracy on the task, e.g. 0.66 or 66%.",
            value=values.SCORE,
            metavar="SHARE",
            show_default="as in the study",
        ),
    ] = None,
    answer_tokens: Annotated[
        int | None,
        _stage(
            "--answer-tokens",
            "Mean length of an answer in tokens; needed with --gpu.",
            value=values.whole("1000"),
        ),
    ] = None,
    updates: Annotated[
        int | None,
        _stage(
            "--updates",
            "Optimizer steps of the stage.",
            value=values.whole("200"),
            show_default=lambda: f"{_study().most_updates}, the most of the study",
        ),
    ] = None,
    answers: Annotated[
        int | None,
        _stage(
            "--answers",
            "Answers of each update.",
            value=values.whole("512"),
            show_default=lambda: (
                f"{_study().problems_per_update}, one for each problem of the study's updates"
            ),
        ),
    ] = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Predict what on-policy distillation reaches after SFT: the peak score, by teacher, and hours.

    From the one published law: math with Qwen2.5 from 0.5B to 14B. Other families and tasks have no
    law, which is said; their hours can be computed.

    Examples:
    distillplan onpolicy --student 1.5B --teacher 7B

    distillplan onpolicy --student 7B --teacher 3B --teacher-score 66%

    distillplan onpolicy --student 7B --gpu h100-sxm --gpus 64 --answer-tokens 1000

    distillplan onpolicy --student qwen3-8b --teacher qwen3-32b --gpu h100-sxm --answer-tokens 8k
    """
    from distillplan.hardware.machine import machine  # not at every start
    from distillplan.models.architecture import FixedAspect
    from distillplan.questions.onpolicy import onpolicy as answered
    from distillplan.questions.onpolicy import stage_model, stage_size
    from distillplan.questions.onpolicy_records import OnPolicyQuestion
    from distillplan.scenarios.layers import values_of_options, values_within

    hardware = values_within(values_of_options(given, told_as("onpolicy")), "hardware")
    stage = stage_size(answer_tokens, updates, answers, hardware)
    found = None
    if stage is not None:
        family = FixedAspect(context=stage.answer_tokens)
        words = {"batch_tokens": stage.update_tokens, **hardware}
        found = machine(words, family)
    question = OnPolicyQuestion(
        student=stage_model(student, "--student"),
        teacher=None if teacher is None else stage_model(teacher, "--teacher"),
        teacher_score=teacher_score,
        machine=found,
        stage=stage,
    )
    show(answered(question), output, details=details)
