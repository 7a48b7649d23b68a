"""The run of an estimate as a question to `budget`: what else the same hours can do."""

from collections.abc import Mapping
from typing import Any, Final

from distillplan.cli.key_options import as_typed
from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple
from distillplan.scenarios import key_table
from distillplan.units.quantities import plain_count

RUN_ALONE: Final = {"ep": 1}
"""Options of `estimate` that are no keys of a scenario, with what they are where not given."""


class PlanOfRun(NamedTuple):
    """The options that a plan takes of a run."""

    asked: str = ""
    """As a shell takes them; empty: no plan is made of such models."""
    note: str = ""
    """What a plan leaves out, or asks for."""


def plan_of_run(given: Mapping[str, Any]) -> PlanOfRun:
    """What `budget` is asked for the run that the options of `estimate` describe.

    Args:
        given: those options: keys by their words, others by the names of their parameters.
    """
    if given["model"] is None:
        return PlanOfRun()
    left, words = _left_out(given), {**_models(given), **_shared(given)}
    notes = [f"without {' and '.join(left)}, which a plan does not take"] if left else []
    if given["teacher_tokens"] is not None and not _is_question(words):
        words["teacher"] += " tokens"  # few without their unit may be the size of another model
    if not _is_question(words):
        if "teacher" not in words or not _is_question({**words, "teacher.loss": "2"}):
            return PlanOfRun()
        words["teacher.loss"] = "LOSS"
        notes.append("LOSS is the teacher's on your corpus, in nats per token")
    return PlanOfRun(as_typed(None, words, "budget"), "; ".join(notes))


def _words(command: str) -> set[str]:
    return {key.word for key in key_table.TABLE.options(command)}


def _shared(given: Mapping[str, Any]) -> dict[str, Any]:
    """What both commands take; where no logits are stored, their format is no part of the run."""
    both = _words("budget") & _words("estimate")
    if given.get("logits", "online") == "online":
        both = {word for word in both if not word.startswith("logit_")}
    return {word: value for word, value in given.items() if word in both}


def _left_out(given: Mapping[str, Any]) -> list[str]:
    """Options that a plan does not take."""
    alone = given.keys() & _words("estimate").difference(_words("budget"))
    others = [name for name, usual in RUN_ALONE.items() if given[name] != usual]
    flags = [key_table.TABLE.keys[word].flags[0] for word in alone]
    return sorted([*flags, *(f"--{name}" for name in others)])


def _models(given: Mapping[str, Any]) -> dict[str, Any]:
    """Student, teacher and their sequences in the words of a plan."""
    from distillplan.models.architecture import FixedAspect  # not at every start

    teacher, tokens, context = given["teacher"], given["teacher_tokens"], given["seq_len"]
    words = {"student": given["model"], "teacher": teacher}
    if tokens is not None:
        words["teacher"] = f"{teacher}:{plain_count(tokens)}"
        words["accounting"] = "train_shared" if given.get("logits") == "cached" else "train"
    words["context"] = None if context == FixedAspect().context else str(context)
    words["vocab"] = given["vocab"] and str(given["vocab"])
    return {word: value for word, value in words.items() if value is not None}


def _is_question(words: Mapping[str, Any]) -> bool:
    """Whether a plan can be asked for."""
    from distillplan.scenarios.keys import scenario_of  # not at every start
    from distillplan.scenarios.layers import values_of_options

    try:
        scenario_of(values_of_options({"compute": "1M GPU-hours", **words}))
    except InputError:
        return False
    return True
