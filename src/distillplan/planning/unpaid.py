"""Budgets and costs of a teacher that a scenario asks for without what they depend on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError, Word, needs_gpu

if TYPE_CHECKING:
    from distillplan.planning.scenario import Scenario


def unfunded(scenario: "Scenario") -> Iterator[InputError]:
    """What is missing or contradictory in the budget, and in what needs a machine."""
    if (scenario.compute is None) == (scenario.gpu_hours is None):
        yield InputError(
            "budget: give ", Word("compute"), " or ", Word("gpu_hours"), ", and only one"
        )
    if scenario.machine is not None and scenario.machine.teacher_gpus is not None:
        yield InputError(
            Word("teacher_gpus"),
            " is for `estimate`: in a plan each size of teacher and student would need a "
            "division of the GPUs of its own",
        )
    if scenario.gpu_hours is not None and scenario.machine is None:
        yield needs_gpu(Word("gpu_hours"))
    if scenario.gpu_hours is not None and scenario.inference_tokens:
        yield InputError(
            Word("inference_tokens"),
            ": hours of serving are not modeled; give the budget in FLOPs with ",
            Word("compute"),
        )
    if scenario.machine is None:
        for key, limit in scenario.limits.by_key():
            if limit is not None:
                yield needs_gpu(Word(key))


def unpaid(scenario: "Scenario") -> Iterator[InputError]:
    """What is missing or contradictory in who pays for the teacher."""
    teacher, pays = scenario.teacher, scenario.pays
    if scenario.logits is Logits.CACHED:
        if teacher is None and scenario.accounting is not Accounting.FREE:
            yield InputError(
                Word("logits"),
                ": they cannot be cached when no teacher has written them; add ",
                Word("teacher"),
                ", or leave cached out",
            )
            return
        if pays in (Accounting.EXISTS, Accounting.TRAIN):
            yield InputError(
                Word("accounting"),
                f": {pays} pays for the teacher's forward passes, but the logits are cached; "
                "use free, or ",
                Word("logits", "online"),
            )
            return
    if teacher is None:
        return
    if pays in (Accounting.EXISTS, Accounting.TRAIN) and teacher.params is None:
        yield InputError(
            Word("teacher"),
            ": its forward passes cannot be priced without its parameters; give ",
            Word("teacher.params"),
            ", or say that its logits are on disk with ",
            Word("logits", "cached"),
        )
        return
    trained = pays in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
    if trained and (teacher.params is None or teacher.tokens is None):
        yield InputError(
            Word("accounting"),
            f": {pays} pays for the teacher's training, which needs its parameters and tokens (",
            Word("teacher", "7B:2T"),
            ")",
        )
