"""The JSON documents; their schemas ship beside this package in `schemas`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from distillplan.laws.provenance import PublishedLaw
from distillplan.planning.results import Option, Plan, Prediction
from distillplan.planning.scenario import Scenario
from distillplan.render.plain import plain

if TYPE_CHECKING:
    from distillplan.checks.check_records import CheckReport
    from distillplan.estimate.records import Estimate
    from distillplan.fitting.fit_records import FitReport
    from distillplan.hardware.inventory import Inventory
    from distillplan.hardware.machine import Machine
    from distillplan.questions.comparison import Comparison
    from distillplan.questions.crossover import Crossovers
    from distillplan.questions.ensemble import Ensemble
    from distillplan.questions.target import Target

About: TypeAlias = "Estimate | Inventory"
"""Answers about machines and models; each knows the name of its document."""
Answer: TypeAlias = (
    "Plan | Prediction | PublishedLaw | tuple[PublishedLaw, ...] | CheckReport | FitReport"
    " | Ensemble | Comparison | Target | Crossovers | About"
)


def document(answer: Answer) -> dict[str, Any]:
    """The document of any answer: plain dicts, lists, strings, floats, None."""
    found: Any = answer
    if type(found).__name__ in _DOCUMENTS:  # by name: most commands do without most modules
        return _DOCUMENTS[type(found).__name__](found)
    if hasattr(found, "document_name"):
        return {"schema": f"distillplan/{found.document_name}@1", **plain(found)}
    return {"schema": "distillplan/laws@1", "laws": [_law(one) for one in found]}


def plan_document(plan: Plan) -> dict[str, Any]:
    """The document of a plan."""
    return {
        "schema": "distillplan/plan@1",
        "verdict": plan.verdict,
        "headline": plan.headline,
        "margin_nats": plan.margin_nats,
        "accounting": plan.scenario.pays if plan.verdict else None,
        "options": [_option(option) for option in plan.options],
        "flips": plain(plan.flips),
        "confidence": plain(plan.confidence),
        "warnings": [plain(one) for one in plan.warnings],
        "law": _law_reference(plan.law),
        "scenario": _scenario(plan.scenario),
    }


def _ensemble(ensemble: "Ensemble") -> dict[str, Any]:
    values = plain(ensemble)
    values["scenario"] = _scenario(ensemble.scenario)
    del values["scenario"]["law"]
    return {"schema": "distillplan/ensemble@1", **values}


BILL = ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg", "memory_bytes_per_gpu")
"""Parts of an option's bill that stand beside its sizes."""


def _option(option: Option) -> dict[str, Any]:
    """An option, with the totals of its bill where everybody looks for them."""
    values = plain(option)
    bill = values.pop("bill")
    totals = {name: None if bill is None else bill[name] for name in (*BILL, "fits")}
    lines = None if bill is None else bill["phases"]
    return {**values, **totals, "bill": lines}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    values = plain(prediction)
    values["law"] = _law_reference(prediction.law)
    return {"schema": "distillplan/prediction@1", **values}


def _law_reference(law: PublishedLaw) -> dict[str, Any]:
    """What every answer says of its law."""
    return {
        "name": law.name,
        "title": law.title,
        "status": law.status,
        "source": law.source,
        "counts": law.counts,
        "loss_unit": law.loss_unit,
        "corpus": law.corpus,
        "tokenizer": law.tokenizer,
        "valid": plain(law.valid),
    }


def _law(law: PublishedLaw) -> dict[str, Any]:
    return {
        **_law_reference(law),
        "form": "supervised" if law.distillation is None else "distillation",
        "coefficients": {name: plain(one) for name, one in law.coefficients.items()},
        "accuracy": list(law.accuracy),
        "errata": list(law.errata),
        "notes": list(law.notes),
        "checks": [plain(one) for one in law.checks],
    }


def _scenario(scenario: Scenario) -> dict[str, Any]:
    """The question as asked, in the keys of a scenario file."""
    return {
        "compute": scenario.compute,
        "gpu_hours": scenario.gpu_hours,
        "hardware": None if scenario.machine is None else _hardware(scenario.machine),
        "student_params": scenario.student_params,
        "students": scenario.students,
        "teacher": plain(scenario.teacher),
        "logits": scenario.logits,
        "accounting": scenario.accounting,
        "tie_nats": scenario.tie_nats,
        "law": scenario.law.file or scenario.law.name,
        "bounds": plain(scenario.bounds),
        "architecture": plain(scenario.architecture),
        "inference_tokens": scenario.inference_tokens,
        "max_unique_tokens": scenario.max_unique_tokens,
        "deadline": scenario.limits.hours,
        "max_cost_usd": scenario.limits.usd,
        "max_memory_bytes": scenario.limits.bytes_per_gpu,
    }


def _hardware(machine: "Machine") -> dict[str, Any]:
    """The machine, in the words it is asked for with."""
    layout = machine.strategy
    return {
        "gpu": machine.gpu_file or machine.cluster.gpu.name,
        "gpus": machine.cluster.gpus,
        "price": machine.cluster.price_usd_per_gpu_hour,
        "prices": machine.price_file,
        "mfu": machine.mfu,
        "teacher_mfu": machine.teacher_mfu,
        "tokens_per_s": machine.tokens_per_s,
        "goodput": None if machine.goodput is None else machine.goodput.mid,
        "precision": layout.precision.value,
        "checkpointing": layout.checkpointing.value,
        "sharding": layout.sharding.value,
        **{name: getattr(layout, name) for name in ("tp", "pp", "cp", "micro_batch")},
        "interleave": machine.interleave,
        "batch_tokens": machine.global_tokens,
        **{name: plain(getattr(layout, name)) for name in ("attention", "optimizer", "loss")},
        "teacher_precision": machine.teacher_precision.value,
        "pue": machine.pue,
        "grid_g_co2_per_kwh": machine.grid_g_co2_per_kwh,
    }


def _comparison(found: "Comparison") -> dict[str, Any]:
    return {
        "schema": "distillplan/comparison@1",
        "winner": found.winner,
        "reason": found.reason,
        "baseline": found.baseline,
        "differences": [plain(one) for one in found.differences],
        "assertions": [
            {"name": one.name, **plain(outcome)} for one in found.plans for outcome in one.outcomes
        ],
        "plans": [{"name": one.name, **plan_document(one.plan)} for one in found.plans],
    }


def _target(found: "Target") -> dict[str, Any]:
    scenario = _scenario(found.scenario)
    if found.minimise != "student":
        scenario["compute"] = scenario["gpu_hours"] = None  # they were not asked
    match = None
    if found.match is not None:
        match = {"student_params": found.match[0], "student_tokens": found.match[1]}
    ways = [
        {**plain(one), "option": None if one.option is None else _option(one.option)}
        for one in found.ways
    ]
    return {
        "schema": "distillplan/target@1",
        "loss": found.loss,
        "match": match,
        "minimise": found.minimise.value,
        "headline": found.headline,
        "ways": ways,
        "warnings": [plain(one) for one in found.warnings],
        "law": _law_reference(found.law),
        "scenario": scenario,
    }


def _crossovers(found: "Crossovers") -> dict[str, Any]:
    return {
        "schema": "distillplan/crossover@1",
        "gains_nats": list(found.levels),
        "rows": [plain(one) for one in found.rows],
        "note": found.note,
        "law": _law_reference(found.law),
        "scenario": {
            **_scenario(found.scenario),
            **dict.fromkeys(("compute", "gpu_hours", "student_params")),
        },
    }


def _check(report: "CheckReport") -> dict[str, Any]:
    return {"schema": "distillplan/check@1", **plain(report)}


def _fit(report: "FitReport") -> dict[str, Any]:
    from distillplan.render.fit_document import fit_document  # not for the other commands

    return fit_document(report, _law(report.law))


def _whole_law(law: PublishedLaw) -> dict[str, Any]:
    return {"schema": "distillplan/law@1", **_law(law)}


_DOCUMENTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "Plan": plan_document,
    "Prediction": _prediction,
    "PublishedLaw": _whole_law,
    "CheckReport": _check,
    "FitReport": _fit,
    "Ensemble": _ensemble,
    "Comparison": _comparison,
    "Target": _target,
    "Crossovers": _crossovers,
}
"""By the name of the answer's type."""
