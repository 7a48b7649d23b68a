"""Every answer, registered once: its record, its document, its view for people, its rows.

Modules are named, not imported: a command does without those of the others.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from distillplan.named_tuples import NamedTuple
from distillplan.render import document_forms as forms
from distillplan.render import row_forms
from distillplan.render.document_forms import DocumentForm
from distillplan.render.row_forms import RowForm

if TYPE_CHECKING:
    from distillplan.render.blocks import Block


class Registered(NamedTuple):
    """One kind of answer."""

    record: str
    """Module and class of the answer."""
    document: str
    """Name of its JSON document and of the schema."""
    asked_with: str
    """The command that gives it."""
    view: str | None = None
    """Module and function of its blocks, or a function that names its module; None: not shown."""
    details: str | None = None
    """Those that give them in full; None: the view is told, where there are more."""
    form: DocumentForm | None = None
    """How it is written in its document; None: as anywhere."""
    rows: RowForm | None = None
    """None where it is no list."""
    figure: str | None = None
    """Module and function that draw it, as for the view; None: it has no picture."""


_REGISTERED = (
    Registered(
        record="planning.results:Plan",
        document="plan",
        asked_with="budget",
        view="plan_view",
        rows=RowForm("every_way", row_forms.OPTION_ROW),
    ),
    Registered(
        record="questions.ensemble:Ensemble",
        document="ensemble",
        asked_with="budget --laws",
        view="ensemble_view",
        details="ensemble_view:ensemble_details",
        form=DocumentForm(scenario_without=("law",)),
        rows=RowForm("said"),
    ),
    Registered(
        record="questions.teachers:Teachers",
        document="teachers",
        asked_with="teachers",
        view="teachers_view",
        details="teachers_view:teachers_details",
        rows=RowForm("teachers", row_forms.TEACHER_ROW),
    ),
    Registered(
        record="questions.comparison_records:Comparison",
        document="comparison",
        asked_with="compare",
        view="comparison_view",
        details="comparison_details",
        form=DocumentForm(lifted={"assertions": "assertions"}),
        rows=RowForm("every", row_forms.PLAN_ROW, whole=("plans", "not_planned")),
        figure="comparison_figure",
    ),
    Registered(
        record="render.sweep_rows:Swept",
        document="sweep",
        asked_with="sweep",
        view="sweep_map:map_view",
    ),
    Registered(
        record="questions.target:Target",
        document="target",
        asked_with="target",
        view="target_view",
        details="target_view:target_details",
        form=DocumentForm(lifted={"minimize": "minimize"}),
        rows=RowForm("ways", row_forms.WAY_ROW),
    ),
    Registered(
        record="questions.family_records:FamilyPlan",
        document="family",
        asked_with="family",
        view="family_view",
        details="family_details",
        rows=RowForm("rows", row_forms.FAMILY_ROW),
    ),
    Registered(
        record="questions.crossover:Crossovers",
        document="crossover",
        asked_with="crossover",
        view="crossover_view",
        details="crossover_view:crossover_details",
        rows=RowForm("points", forms.FORMS["CrossingPoint"]),
    ),
    Registered(
        record="questions.prediction:Prediction",
        document="prediction",
        asked_with="predict",
        view="prediction_view",
        details="prediction_view:prediction_details",
        rows=RowForm("", row_forms.PREDICTION_ROW),
    ),
    Registered(
        record="estimate.records:Estimate",
        document="estimate",
        asked_with="estimate",
        view="estimate_view",
        rows=RowForm("", row_forms.ESTIMATE_ROW),
    ),
    Registered(
        record="questions.serving_records:Serving",
        document="serving",
        asked_with="serve",
        view="serving_view",
        details="serving_view:serving_details",
        rows=RowForm("models", row_forms.SERVED_ROW),
    ),
    Registered(
        record="questions.onpolicy_records:OnPolicy",
        document="onpolicy",
        asked_with="onpolicy",
        view="onpolicy_view",
        details="onpolicy_view:onpolicy_details",
        rows=RowForm("teachers", row_forms.STAGE_ROW),
    ),
    Registered(
        record="questions.pilot_records:Pilot",
        document="pilot",
        asked_with="pilot",
        view="pilot_view",
        details="pilot_view:pilot_details",
        rows=RowForm("table"),
    ),
    Registered(
        record="questions.track_records:Track",
        document="track",
        asked_with="track",
        view="track_view",
        details="track_view:track_details",
        rows=RowForm("points"),
    ),
    Registered(
        record="questions.recipe_records:Recipe",
        document="recipe",
        asked_with="recipe",
        view="recipe_view",
        details="recipe_view:recipe_details",
        rows=RowForm("lines"),
    ),
    Registered(
        record="fitting.fit_records:FitReport",
        document="fit",
        asked_with="fit",
        view="fit_view",
        form=DocumentForm(
            without=("draws", "fitted"),
            lifted={"draws": "draw_count"},
            inner={"law": forms.WHOLE_LAW},
        ),
        rows=RowForm("coefficients"),
    ),
    Registered(
        record="fitting.pruned_fit:PrunedFit",
        document="pruned_fit",
        asked_with="fit --form p2",
        view="pruned_fit_view",
        form=DocumentForm(without=("fitted",)),
        rows=RowForm("letters"),
    ),
    Registered(
        record="laws.provenance:PublishedLaw",
        document="law",
        asked_with="laws NAME",
        view="law_view",
        form=forms.WHOLE_LAW,
        rows=RowForm("", row_forms.LAW_ROW),
    ),
    Registered(
        record="laws.law_catalog:LawList",
        document="laws",
        asked_with="laws",
        view="law_view:laws_view",
        form=DocumentForm(inner={"laws": forms.WHOLE_LAW}),
        rows=RowForm("laws", row_forms.LAW_ROW),
    ),
    Registered(
        record="hardware.gpu_catalog:GpuCard",
        document="gpu",
        asked_with="gpus NAME",
        view="inventory_view:gpu_view",
        rows=RowForm("", row_forms.GPU_ROW),
    ),
    Registered(
        record="hardware.gpu_catalog:GpuList",
        document="gpus",
        asked_with="gpus",
        view="inventory_view:gpus_view",
        rows=RowForm("gpus", row_forms.GPU_ROW),
    ),
    Registered(
        record="models.model_inventory:ModelCard",
        document="model",
        asked_with="models NAME",
        view="inventory_view:model_view",
        rows=RowForm("", row_forms.MODEL_ROW),
    ),
    Registered(
        record="models.model_inventory:ModelList",
        document="models",
        asked_with="models",
        view="inventory_view:models_view",
        rows=RowForm("models", row_forms.MODEL_ROW),
    ),
    Registered(
        record="checks.check_records:CheckReport",
        document="check",
        asked_with="check",
        view="check_view",
        rows=RowForm("rows"),
    ),
    Registered(
        record="checks.transfer_checks:TransferReport",
        document="transfer",
        asked_with="check transfer",
        view="transfer_view",
        rows=RowForm("rows"),
        figure="transfer_figure",
    ),
    Registered(
        record="checks.practice_checks:PracticeReport",
        document="practice",
        asked_with="check practice",
        view="practice_view",
        rows=RowForm("rows", row_forms.PRACTICE_ROW),
    ),
    *(
        Registered(
            record=record,
            document=document,
            asked_with=f"plot {asked}",
            rows=RowForm(of),
            figure=figure,
        )
        for asked, record, document, of, figure in (
            ("estimate", "questions.run_parts:RunParts", "parts", "parts", "estimate_figure"),
            ("fit", "questions.fitted_runs:FittedRuns", "fitted", "points", "fitted_figure"),
            ("map", "questions.odds_map:OddsMap", "map", "cells", "odds_map_figure"),
            ("losses", "questions.budget_losses:BudgetLosses", "losses", "points", "losses_figure"),
            ("paper", "checks.paper_records:PaperFigure", "paper", "rows", "redrawn_figure"),
            (
                "teacher",
                "questions.teacher_losses:TeacherLosses",
                "teacher_losses",
                "points",
                "teacher_losses_figure",
            ),
            (
                "optimum",
                "questions.budget_optima:BudgetOptima",
                "optima",
                "points",
                "budget_optima_figure",
            ),
        )
    ),
    *(
        Registered(
            record=f"demos.{record}",
            document=name,
            asked_with=f"demo {name}",
            view=f"demo_views:{name}_view",
            form=DocumentForm(lifted={"held": "held"}),
            rows=rows,
            figure="demo_figures:demo_figure",
        )
        for name, record, rows in (
            ("kernel", "kernel_regression:KernelDemo", RowForm("curves")),
            ("mapping", "mapping_records:MappingDemo", RowForm("rows")),
            ("calibration", "calibration:CalibrationDemo", row_forms.CALIBRATION_ROWS),
        )
    ),
    Registered(
        record="scenarios.validation:Validation",
        document="validation",
        asked_with="validate",
        view="validation_view",
        rows=RowForm("faults"),
    ),
    Registered(
        record="questions.glossary.explanation:Explanation",
        document="explanation",
        asked_with="explain WORD",
        view="explanation_view",
        rows=RowForm(""),
    ),
    Registered(
        record="questions.glossary.explanation:WordList",
        document="words",
        asked_with="explain",
        view="explanation_view:word_list_view",
        rows=RowForm("explained"),
    ),
)

ANSWERS = {one.record.partition(":")[2]: one for one in _REGISTERED}
"""Every kind of answer, by the name of its record's class."""


def registered(answer: object) -> Registered:
    """What is registered for the kind of an answer."""
    return ANSWERS[type(answer).__name__]


def named(place: str, package: str = "distillplan") -> Any:
    """The function or class of a place such as ``planning.results:Plan``, or ``plan_view``."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"{package}.{module}"), name or module)


def blocks_of(answer: object, *, details: bool = False, **how: Any) -> "Iterable[Block]":
    """The blocks of an answer.

    Args:
        answer: a registered one.
        details: all of it instead of one screen.
        how: what else its view is told.

    Raises:
        TypeError: for an answer that is never shown whole, which is a bug.
    """
    known = registered(answer)
    if known.view is None:
        raise TypeError(f"{type(answer).__name__} has no view")
    if details and known.details is not None:
        return named(known.details, "distillplan.render")(answer, **how)
    if details:
        how["details"] = True
    return named(known.view, "distillplan.render")(answer, **how)
