"""How records stand in documents: plain dicts, lists, strings and floats.

A record is written field by field under its own names. A `DocumentForm` says what differs, and says
it as data, so that the JSON Schemas are made from the same place (`render.schema_generator`).
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any

from distillplan.named_tuples import NamedTuple
from distillplan.scenarios.block import scenario_block
from distillplan.schemas.reader import schema_id


class DocumentForm(NamedTuple):
    """What differs from writing each field of a record under its own name."""

    only: tuple[str, ...] | None = None
    """The fields to write; None: all."""
    without: tuple[str, ...] = ()
    """Fields to leave out."""
    lifted: Mapping[str, str] = MappingProxyType({})
    """Further keys, each with the path to its value; null where a part of the path is None."""
    merged: str | None = None
    """A mapping or record whose own keys stand among these."""
    inner: "Mapping[str, DocumentForm]" = MappingProxyType({})
    """Forms of the records in some fields, in place of those in `FORMS`."""
    scenario_without: tuple[str, ...] = ()
    """Keys to leave out of the scenario."""
    document: str | None = None
    """The document whose `schema` stands among the keys."""


PLAIN = DocumentForm()
"""Every field under its own name."""


_TOTALS = ("gpu_hours", "wall_seconds", "cost_usd", "energy_kwh", "co2_kg", "memory_bytes_per_gpu")
_BILLED = {**{name: f"bill.{name}" for name in (*_TOTALS, "fits")}, "bill": "bill.phases"}
_LAW = ("name", "title", "status", "source", "counts", "loss_unit", "corpus", "tokenizer", "valid")
ODDS = ("distill", "tie", "supervised")
_WINDOW = ("from_", "to", "from_tokens_per_param", "to_tokens_per_param")
_LAYOUT = ("sharding", "checkpointing", "tp", "pp", "micro_batch", "loss")
SIZES = ("student_params", "student_tokens", "teacher_params", "teacher_tokens", "teacher_loss")

WHOLE_LAW = DocumentForm(
    only=(*_LAW, "form", "coefficients", "accuracy", "errata", "notes", "checks"),
)
"""A law where it is the answer."""

FORMS: Mapping[str, DocumentForm] = {
    "Plan": DocumentForm(lifted={"accounting": "accounting", "models": "models"}),
    "KnownModel": DocumentForm(without=("shape", "passed_flops")),
    "NamedModels": DocumentForm(without=("parent",)),  # the scenario names it
    "CrossingPoint": DocumentForm(
        only=("student_params", "accounting", "gain_nats"),
        lifted={
            **{name.rstrip("_"): f"window.{name}" for name in _WINDOW},
            **{f"odds_{name}": f"window.odds.{name}" for name in ODDS},
        },
    ),
    "PublishedLaw": DocumentForm(only=_LAW),
    "FittedPruning": DocumentForm(without=("law", "draws")),
    "Option": DocumentForm(
        without=("bill",),
        lifted={**_BILLED, "loss_implementation": "bill.run.strategy.loss"},
    ),
    "FamilyWay": DocumentForm(
        without=("bill",),
        lifted=_BILLED,
    ),
    "Layout": DocumentForm(
        only=(),
        lifted={
            "gpus": "run.gpus",
            **{name: f"run.strategy.{name}" for name in _LAYOUT},
            "memory_bytes_per_gpu": "memory.total",
        },
    ),
    "ModelFacts": DocumentForm(
        only=(),
        lifted={
            **{name: f"named.{name}" for name in ("name", "basis")},
            "params": "params",
            "active_params": "work.block_params",
            "total_params": "work.stored_params",
            "forward_flops_per_token": "work.forward_flops",
            **{name: f"work.{name}" for name in ("layers", "width", "vocab")},
            "source": "named.source",
        },
    ),
    "LogitFormat": DocumentForm(without=("months",)),  # beside it
    "Match": DocumentForm(without=("model",), lifted={"student_model": "model.name"}),
    "Question": DocumentForm(
        only=(),
        lifted={
            "model": "model.name",
            **{name: name for name in ("tokens", "students")},
            "teacher": "teacher.name",
            "teacher_tokens": "teacher_tokens",
            "teacher_precision": "loaded.weights",
            "logits": "loaded.logits",
            "logit_format": "kept.name",
            "gpu": "machine.gpu.name",
            **{name: f"machine.{name}" for name in ("gpus", "teacher_gpus")},
            **{name: f"machine.strategy.{name}" for name in ("seq_len", "micro_batch")},
            "batch_tokens": "machine.batch_tokens",
            **{
                name: f"machine.strategy.{name}"
                for name in (
                    *("precision", "checkpointing", "sharding", "tp", "pp", "interleave", "cp"),
                    *("ep", "sequence_parallel", "attention", "stack", "optimizer", "gradients"),
                    *("offload", "loss"),
                )
            },
            **{name: f"machine.{name}" for name in ("mfu", "teacher_mfu", "tokens_per_s")},
            "goodput": "machine.allocated_share",
            "pue": "machine.pue",
            "country": "country",
        },
    ),
    "RunParts": DocumentForm(without=("beside",)),
    "NamedPlan": DocumentForm(only=("name",), merged="plan", document="plan"),
    "NamedOutcome": DocumentForm(only=("name",), merged="outcome"),
    "Cell": DocumentForm(
        only=(),
        merged="at",
        lifted={
            "verdict": "verdict",
            "verdict_reason": "verdict_reason",
            **{f"odds_{name}": f"odds.{name}" for name in ODDS},
            "margin_nats": "margin_nats",
            "supervised_status": "supervised.status",
            "supervised_loss": "supervised.loss",
            **{f"supervised_{name}": f"supervised.{name}" for name in SIZES[:2]},
            "supervised_gpu_hours": "supervised.bill.gpu_hours.mid",
            "supervised_cost_usd": "supervised.bill.cost_usd.mid",
            "distill_accounting": "deciding.accounting",
            "distill_status": "deciding.status",
            "distill_loss": "deciding.loss",
            **{f"distill_{name}": f"deciding.{name}" for name in SIZES},
            "distill_gpu_hours": "deciding.bill.gpu_hours.mid",
            "distill_cost_usd": "deciding.bill.cost_usd.mid",
            "warnings": "warnings",
        },
    ),
}
"""By the name of the record's class, for those that are not `PLAIN` wherever they stand."""


def written(value: Any, form: DocumentForm | None = None) -> Any:
    """A value in JSON's own types.

    Args:
        value: a record, a number, an enumeration's member, or a collection of them.
        form: of the records in it; that of `FORMS` unless given.
    """
    if value is None or type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: written(one) for key, one in value.items()}
    if hasattr(value, "_fields") or hasattr(value, "__dataclass_fields__"):
        return _record(value, form)
    return [written(one, form) for one in value]


_AS_IT_IS = (float, str, int, bool)


def _record(record: Any, form: DocumentForm | None) -> dict[str, Any]:
    """A NamedTuple or a dataclass."""
    name = type(record).__name__
    if name == "Scenario":
        return written(scenario_block(record))
    form = form or FORMS.get(name, PLAIN)
    fields = getattr(record, "_fields", None) or tuple(record.__dataclass_fields__)
    found: dict[str, Any] = {}
    if form.document is not None:
        found["schema"] = schema_id(form.document)
    for name in fields if form.only is None else form.only:
        if name not in form.without:
            found[name.rstrip("_")] = written(getattr(record, name), form.inner.get(name))
    if form.merged is not None:
        found |= written(getattr(record, form.merged))
    for key, value in _lifted(record, form):
        found[key] = value if value is None or type(value) in _AS_IT_IS else written(value)
    if "scenario" in found:
        for key in form.scenario_without:
            del found["scenario"][key]
        for key in getattr(record, "unasked", ()):
            found["scenario"][key] = None
    return found


def lifted(record: Any) -> dict[str, Any]:
    """The values of the keys that the form of a record lifts, as they are."""
    return dict(_lifted(record, FORMS[type(record).__name__]))


def _lifted(record: Any, form: DocumentForm) -> Iterator[tuple[str, Any]]:
    """Each key with the value at its path of names; None where a part of it is."""
    for key, path in form.lifted.items():
        value = record
        for name in _steps(path):
            if value is None:
                break
            value = getattr(value, name) if type(name) is str else value[name]
        yield key, value


@cache
def _steps(path: str) -> tuple[str | int, ...]:
    """The names in a path, and places in tuples."""
    return tuple(int(name) if name.isdigit() else name for name in path.split("."))
