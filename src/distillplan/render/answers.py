"""Every answer, registered once: its record, its document, its view for people, its rows.

Modules are named, not imported: a command does without those of the others.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from distillplan.render.document_forms import (
    CALIBRATION_ROW,
    FAMILY_ROW,
    FORMS,
    OPTION_ROW,
    PLAN_ROW,
    SERVED_ROW,
    STAGE_ROW,
    TEACHER_ROW,
    WAY_ROW,
    WHOLE_LAW,
    DocumentForm,
    RowForm,
)


class Registered(NamedTuple):
    """One kind of answer."""

    record: str
    """Module and class of the answer."""
    document: str
    """Name of its JSON document and of the schema."""
    asked_with: str
    """The command that gives it."""
    view: str | None = None
    """Module and function that give its blocks, the function alone where the module is named
    after it; None: it is never shown whole."""
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
        rows=RowForm("every_way", OPTION_ROW),
    ),
    Registered(
        record="questions.ensemble:Ensemble",
        document="ensemble",
        asked_with="budget --laws",
        view="ensemble_view",
        form=DocumentForm(scenario_without=("law",)),
        rows=RowForm("said"),
    ),
    Registered(
        record="questions.teachers:Teachers",
        document="teachers",
        asked_with="teachers",
        view="teachers_view",
        rows=RowForm("teachers", TEACHER_ROW),
    ),
    Registered(
        record="questions.comparison:Comparison",
        document="comparison",
        asked_with="compare",
        view="comparison_view",
        form=DocumentForm(lifted={"assertions": "assertions"}),
        rows=RowForm("plans", PLAN_ROW, whole="plans"),
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
        rows=RowForm("ways", WAY_ROW),
    ),
    Registered(
        record="questions.family_records:FamilyPlan",
        document="family",
        asked_with="family",
        view="family_view",
        rows=RowForm("rows", FAMILY_ROW),
    ),
    Registered(
        record="questions.crossover:Crossovers",
        document="crossover",
        asked_with="crossover",
        view="crossover_view",
        rows=RowForm("points", FORMS["CrossingPoint"]),
    ),
    Registered(
        record="questions.prediction:Prediction",
        document="prediction",
        asked_with="predict",
        view="prediction_view",
    ),
    Registered(
        record="estimate.records:Estimate",
        document="estimate",
        asked_with="estimate",
        view="estimate_view",
    ),
    Registered(
        record="estimate.run_parts:RunParts",
        document="parts",
        asked_with="plot estimate",
        rows=RowForm("parts"),
        figure="estimate_figure",
    ),
    Registered(
        record="questions.serving_records:Serving",
        document="serving",
        asked_with="serve",
        view="serving_view",
        rows=RowForm("models", SERVED_ROW),
    ),
    Registered(
        record="questions.onpolicy_records:OnPolicy",
        document="onpolicy",
        asked_with="onpolicy",
        view="onpolicy_view",
        rows=RowForm("teachers", STAGE_ROW),
    ),
    Registered(
        record="questions.pilot_records:Pilot",
        document="pilot",
        asked_with="pilot",
        view="pilot_view",
        rows=RowForm("table"),
    ),
    Registered(
        record="questions.track_records:Track",
        document="track",
        asked_with="track",
        view="track_view",
        rows=RowForm("points"),
    ),
    Registered(
        record="questions.recipe_records:Recipe",
        document="recipe",
        asked_with="recipe",
        view="recipe_view",
        rows=RowForm("lines"),
    ),
    Registered(
        record="fitting.fit_records:FitReport",
        document="fit",
        asked_with="fit",
        view="fit_view",
        form=DocumentForm(
            without=("draws", "fitted"), lifted={"draws": "draw_count"}, inner={"law": WHOLE_LAW}
        ),
    ),
    Registered(
        record="fitting.pruned_fit:PrunedFit",
        document="pruned_fit",
        asked_with="fit --form p2",
        view="pruned_fit_view",
        form=DocumentForm(without=("fitted",)),
    ),
    Registered(
        record="questions.fitted_runs:FittedRuns",
        document="fitted",
        asked_with="plot fit",
        rows=RowForm("points"),
        figure="fitted_figure",
    ),
    Registered(
        record="laws.provenance:PublishedLaw",
        document="law",
        asked_with="laws NAME",
        view="law_view",
        form=WHOLE_LAW,
    ),
    Registered(
        record="laws.law_catalog:LawList",
        document="laws",
        asked_with="laws",
        view="law_view:laws_view",
        form=DocumentForm(inner={"laws": WHOLE_LAW}),
    ),
    Registered(
        record="hardware.gpu_catalog:GpuCard",
        document="gpu",
        asked_with="gpus NAME",
        view="inventory_view:gpu_view",
    ),
    Registered(
        record="hardware.gpu_catalog:GpuList",
        document="gpus",
        asked_with="gpus",
        view="inventory_view:gpus_view",
    ),
    Registered(
        record="models.model_inventory:ModelCard",
        document="model",
        asked_with="models NAME",
        view="inventory_view:model_view",
    ),
    Registered(
        record="models.model_inventory:ModelList",
        document="models",
        asked_with="models",
        view="inventory_view:models_view",
    ),
    Registered(
        record="checks.check_records:CheckReport",
        document="check",
        asked_with="check",
        view="check_view",
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
    ),
    Registered(
        record="questions.odds_map:OddsMap",
        document="map",
        asked_with="plot map",
        rows=RowForm("cells"),
        figure="odds_map_figure",
    ),
    Registered(
        record="questions.budget_losses:BudgetLosses",
        document="losses",
        asked_with="plot losses",
        rows=RowForm("points"),
        figure="losses_figure",
    ),
    Registered(
        record="checks.paper_records:PaperFigure",
        document="paper",
        asked_with="plot paper",
        rows=RowForm("rows"),
        figure="redrawn_figure",
    ),
    Registered(
        record="questions.teacher_losses:TeacherLosses",
        document="teacher_losses",
        asked_with="plot teacher",
        rows=RowForm("points"),
        figure="teacher_losses_figure",
    ),
    Registered(
        record="questions.budget_optima:BudgetOptima",
        document="optima",
        asked_with="plot optimum",
        rows=RowForm("points"),
        figure="budget_optima_figure",
    ),
    Registered(
        record="demos.kernel_regression:KernelDemo",
        document="kernel",
        asked_with="demo kernel",
        view="demo_views:kernel_view",
        form=DocumentForm(lifted={"held": "held"}),
        rows=RowForm("curves"),
        figure="demo_figures:demo_figure",
    ),
    Registered(
        record="demos.mapping_records:MappingDemo",
        document="mapping",
        asked_with="demo mapping",
        view="demo_views:mapping_view",
        form=DocumentForm(lifted={"held": "held"}),
        rows=RowForm("rows"),
        figure="demo_figures:demo_figure",
    ),
    Registered(
        record="demos.calibration:CalibrationDemo",
        document="calibration",
        asked_with="demo calibration",
        view="demo_views:calibration_view",
        form=DocumentForm(lifted={"held": "held"}),
        rows=RowForm("rows", CALIBRATION_ROW),
        figure="demo_figures:demo_figure",
    ),
    Registered(
        record="scenarios.validation:Validation",
        document="validation",
        asked_with="validate",
        view="validation_view",
    ),
    Registered(
        record="questions.glossary.explanation:Explanation",
        document="explanation",
        asked_with="explain WORD",
        view="explanation_view",
    ),
    Registered(
        record="questions.glossary.explanation:WordList",
        document="words",
        asked_with="explain",
        view="explanation_view:word_list_view",
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


def view_of(answer: object) -> Callable[..., Any]:
    """The function that gives the blocks of an answer.

    Raises:
        TypeError: for an answer that is never shown whole, which is a bug.
    """
    view = registered(answer).view
    if view is None:
        raise TypeError(f"{type(answer).__name__} has no view")
    found: Callable[..., Any] = named(view, "distillplan.render")
    return found
