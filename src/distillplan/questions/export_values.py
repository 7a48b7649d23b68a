"""The numbers and names that exports write, by the names under which the records ask for them."""

from collections.abc import Mapping
from typing import Any

from distillplan.laws.logit_formats import DISTILLKIT_K, LogitKind
from distillplan.models.mixers import Mixing
from distillplan.models.shapes import ModelShape
from distillplan.questions.export_records import Trainer
from distillplan.questions.plan_settings import PlannedModel, PlanSettings
from distillplan.questions.recipe_file import practice
from distillplan.questions.recipe_records import PlannedRun

_WHOLE = ("seed", "warmup_steps", "batch_group")
"""Settings of the recipe that are whole numbers."""


def values_of_run(run: PlannedRun, settings: PlanSettings, trainer: Trainer) -> Mapping[str, Any]:
    """All values; None where one is not known.

    Args:
        run: the run in numbers.
        settings: the plan's models.
        trainer: whose names of models are asked for.

    Raises:
        InputError: when the recipe's file is not what it should be.
    """
    student, teacher = settings.student, settings.teacher
    given = practice()
    rate = float(f"{run.learning_rate:.3g}")  # a starting point; more digits would look measured
    return {
        **{key: round(one) if key in _WHOLE else one for key, one in given.items()},
        "pure": given["distill_weight"] == 1,
        "label_weight": round(1 - given["truncated_weight"], 6),
        **_stored(run),
        "context": run.context,
        "vocab": round(trainer.rows.get(teacher.listed_name, run.vocab) if teacher else run.vocab),
        "sequences": run.batch_sequences,
        **_of_layout(run, settings),
        "steps": run.steps,
        "warmup": run.warmup_steps,
        "warmup_fraction": float(f"{run.warmup_steps / run.steps:.4g}"),
        "rate": rate,
        "final_rate": min(run.final_learning_rate, rate),
        "final_fraction": float(f"{min(run.final_learning_rate / rate, 1.0):.4g}"),
        "student_hub": None if student is None else student.hub,
        "teacher_hub": None if teacher is None else teacher.hub,
        "student_there": "default" if student is None else trainer.names.get(student.listed_name),
        "teacher_there": None if teacher is None else trainer.names.get(teacher.listed_name),
        **_of_shape(_shape(student, run, settings)),
    }


def _of_layout(run: PlannedRun, settings: PlanSettings) -> Mapping[str, Any]:
    """The layout on the plan's machine; nothing where it has none."""
    if settings.layout is None:
        return {}
    shape = None if settings.student is None else settings.student.shape
    return settings.layout.values(
        run.batch_sequences, experts=shape is not None and bool(shape.experts)
    )


def _stored(run: PlannedRun) -> dict[str, Any]:
    """Entries of stored logits, how many of them are exact, and the curve of the others.

    The exact number and the curve are those of DistillKit's recommended configuration.
    """
    if run.logit_format is LogitKind.TOP_K and run.logit_k is not None:
        kept = round(run.logit_k)
        return {"stored_k": kept, "exact_k": kept, "curve": []}
    return {"stored_k": DISTILLKIT_K, "exact_k": 16, "curve": [0, 1, 2, 3, 4, "sqrt"]}


def _shape(student: PlannedModel | None, run: PlannedRun, settings: PlanSettings) -> Any:
    """The student's shape; of a size the nearest whole one that the layout divides."""
    if student is not None:
        return student.shape
    layout = settings.layout
    tp, pp = (1, 1) if layout is None else (layout.strategy.tp, layout.strategy.pp)
    return settings.family.nearest_shape(run.student_params, tp, pp)


def _of_shape(shape: ModelShape | None) -> dict[str, Any]:
    """Layers and widths where all blocks are alike: attention of one kind, and a gated dense part.

    None of them where they are not, or where the shape is not known.
    """
    names = ("layers", "width", "ffn_width", "heads", "kv_heads", "kv_groups", "head_width")
    unknown = dict.fromkeys((*names, "grouped", "tied", "untied"))
    if shape is None or len(shape.runs) != 1:
        return unknown
    ((block, layers),) = shape.runs
    dense = block.feed_forward
    if len(block.mixers) != 1 or dense is None or dense.experts or dense.matrices != 3:  # gated
        return unknown
    (mixer,) = block.mixers
    if mixer.kind is not Mixing.FULL or mixer.query_width % mixer.heads:
        return unknown
    head = mixer.query_width // mixer.heads
    kv_heads = mixer.cached_per_token // (2 * head)  # keys and values
    grouped = kv_heads != mixer.heads
    return {
        "layers": layers,
        "width": shape.width,
        "ffn_width": dense.hidden,
        "heads": mixer.heads,
        "kv_heads": kv_heads,
        "kv_groups": kv_heads if grouped else None,
        "head_width": head,
        "grouped": grouped or None,
        "tied": shape.tied,
        "untied": not shape.tied or None,
    }
