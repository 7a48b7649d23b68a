"""How answers stand in rows of CSV and JSON Lines: which of their values, under which columns."""

from distillplan.laws.formulas import DISTILLATION_LETTERS, SUPERVISED_LETTERS
from distillplan.laws.provenance import primed
from distillplan.named_tuples import NamedTuple
from distillplan.render.document_forms import FORMS, ODDS, PLAIN, SIZES, DocumentForm


class RowForm(NamedTuple):
    """How an answer is written as rows of CSV or JSON Lines."""

    of: str
    """The field or property of the answer that holds the records, one a row; empty: it is one."""
    form: DocumentForm = PLAIN
    whole: tuple[str, ...] = ()
    """The keys of the document whose items are the lines of JSON Lines; none: the rows are."""


_ROW_BILL = {
    "gpu_hours": "bill.gpu_hours.mid",
    "cost_usd": "bill.cost_usd.mid",
    "wall_seconds": "bill.wall_seconds.mid",
    "memory_bytes_per_gpu": "bill.memory_bytes_per_gpu.mid",
}
_BANDED = (
    ("supervised_loss", "plan.supervised.loss"),
    ("distill_loss", "plan.deciding.loss"),
    ("gain", "plan.deciding.gain"),
)
_ENDS = (("low", 0), ("high", 1))
_LINKS = ("memory_bytes", "intra_node_bytes", "inter_node_bytes")
PLAN_ROW = DocumentForm(
    only=("name",),
    lifted={
        "compute": "plan.scenario.compute",
        "verdict": "plan.verdict",
        "verdict_reason": "plan.verdict_reason",
        **{f"odds_{name}": f"plan.odds.{name}" for name in ODDS},
        "margin_nats": "plan.margin_nats",
        "method": "plan.recommended.method",
        "accounting": "plan.accounting",
        "status": "plan.recommended.status",
        "loss": "plan.recommended.loss",
        "supervised_loss": "plan.supervised.loss",
        "distill_loss": "plan.deciding.loss",
        **{f"{name}_{end}": f"{path}_band.{at}" for name, path in _BANDED for end, at in _ENDS},
        "supervised_is_guess": "plan.supervised.is_guess",
        "distill_is_guess": "plan.deciding.is_guess",
        **{name: f"plan.recommended.{name}" for name in (*SIZES, "total_flops")},
        **{name: f"plan.recommended.{path}" for name, path in _ROW_BILL.items()},
        "warnings": "plan.warning_codes",
        "start": "plan.scenario.start.kind",
        "why": "why",
    },
)
"""A plan in a row of CSV, or why there is none."""
_RANGED = (
    *("tokens_per_s_per_gpu", "mfu", "gpu_hours", "wall_seconds", "cost_usd", "energy_kwh"),
    *("co2_kg", "memory_bytes_per_gpu"),
)
ESTIMATE_ROW = DocumentForm(
    only=(),
    lifted={
        **{name: f"question.{path}" for name, path in FORMS["Question"].lifted.items()},
        "goodput": "question.machine.allocated_share.mid",
        "total_flops": "total_flops",
        **{
            f"{name}{end}": f"{name}.{part}"
            for name in _RANGED
            for end, part in (("", "mid"), ("_low", "low"), ("_high", "high"))
        },
        "fits": "fits",
        "warnings": "warning_codes",
    },
)
"""A run in a row of CSV."""
PRACTICE_ROW = DocumentForm(
    without=("before", "now"),
    lifted={name: f"now.{name}" for name in ("says", "odds", "gain_nats", "asked")},
)
"""A published case in a row of CSV."""
MODEL_ROW = DocumentForm(
    without=("shape", "license", "distillation_licence", "warnings"),
    lifted={
        **{name: f"shape.{name}" for name in ("layers", "width", "vocab")},
        "license": "license.key",
        **{name: f"license.{name}" for name in ("commercial", "distilling", "terms")},
    },
)
"""An open model in a row of CSV."""
GPU_ROW = DocumentForm(
    only=(),
    lifted={
        **{name: f"gpu.{name}" for name in ("name", "vendor", "arch", "memory_bytes")},
        **{name: name for name in ("usable_memory_bytes", "dense_flops_per_s")},
        "matmul_flops_per_s": "matmul_flops_per_s",
        **{f"{name}_per_s": f"gpu.{name}_per_s" for name in _LINKS},
        **{name: f"gpu.{name}" for name in ("gpus_per_node", "power_watts", "calibrated")},
        **{name: f"listed_price.{name}" for name in ("usd_per_hour", "seller", "date")},
    },
)
"""A GPU in a row of CSV."""
LAW_ROW = DocumentForm(
    only=("name", "title", "status", "counts", "loss_unit", "corpus", "tokenizer"),
    lifted={
        **{letter: f"supervised.{letter}" for letter in SUPERVISED_LETTERS},
        **{primed(letter): f"distillation.{letter}" for letter in DISTILLATION_LETTERS},
        "source": "source",
    },
)
"""A law in a row of CSV."""
PREDICTION_ROW = DocumentForm(
    only=(
        *("student_params", "student_tokens", "teacher_loss", "distilled_loss", "supervised_loss"),
        *("gain_nats", "supervised_equivalent_tokens", "best_teacher_loss"),
        "loss_with_best_teacher",
    ),
    lifted={
        **{
            f"{name}_{end}": f"{name}_band.{at}"
            for name in ("distilled_loss", "supervised_loss", "gain")
            for end, at in _ENDS
        },
        "law": "law.name",
        "warnings": "warning_codes",
    },
)
"""A prediction in a row of CSV."""
TEACHER_ROW = DocumentForm(
    only=("distilling", "left_out", "verdict", "gain_nats", "loss", "law_loss", "measured"),
    lifted={
        "name": "model.name",
        **{f"odds_{name}": f"odds.{name}" for name in ODDS},
        "tokenizer": "model.tokenizer",
        "teacher_params": "model.params",
        "trained_tokens": "model.trained_tokens",
        "pretrained_loss": "pretrained_loss",
        "student_loss": "distilled.loss",
        "student_tokens": "distilled.student_tokens",
        **{name: f"distilled.{path}" for name, path in _ROW_BILL.items()},
    },
)
"""A teacher in a row of CSV."""
OPTION_ROW = DocumentForm(
    only=(
        *("method", "accounting", "decides", "recommended", "is_guess", "status", "loss"),
        *("loss_error", "gain_nats", *SIZES, "tokens_per_param", "teacher_name"),
        *("compute_multiplier", "total_flops"),
    ),
    lifted={**{f"odds_{name}": f"odds.{name}" for name in ODDS}, **_ROW_BILL, "start": "start"},
)
"""A way to spend the budget in a row of CSV."""
FAMILY_ROW = DocumentForm(
    only=(),
    lifted={
        **{name: f"way.{name}" for name in ("method", "accounting", "decides", "recommended")},
        "teacher_name": "way.teacher_name",
        **{
            name: f"member.{name}"
            for name in (
                *("student_params", "student_model", "students", "weight", "loss", "gain_nats"),
                *("student_tokens", "tokens_per_param", "teacher_params", "teacher_loss", "share"),
            )
        },
        "mean_loss": "way.loss",
        "total_flops": "way.total_flops",
    },
)
"""A student of a family under one way, in a row of CSV."""
STAGE_ROW = DocumentForm(
    without=("vanilla", "delta", "time"),
    lifted={
        **{
            f"{objective}_{name}": f"{objective}.{name}"
            for objective in ("vanilla", "delta")
            for name in ("peak", "low", "high")
        },
        **{
            name: f"time.{name}.mid"
            for name in ("gpu_hours", "generation_gpu_hours", "scoring_gpu_hours")
        },
        "training_gpu_hours": "time.training_gpu_hours.mid",
        "cost_usd": "time.cost_usd.mid",
    },
)
"""A teacher of an on-policy stage in a row of CSV."""
SERVED_ROW = DocumentForm(
    without=("nearest_loss", "option", "penalty", "break_even", "hours"),
    lifted={
        **{name: f"option.{name}" for name in ("loss", *SIZES)},
        "penalty_nats": "penalty.nats",
        **{
            f"break_even_{name}": f"break_even.{name}"
            for name in ("tokens", "low_tokens", "high_tokens", "hours_tokens")
        },
        "training_gpu_hours": "hours.training_gpu_hours.mid",
        "gpu_hours_per_billion": "hours.gpu_hours_per_billion.mid",
        "usd_per_million": "hours.usd_per_million.mid",
        "lifetime_cost_usd": "hours.lifetime_cost_usd.mid",
    },
)
"""A model that could be served in a row of CSV."""
CALIBRATION_ROWS = RowForm("rows", DocumentForm(without=("bins",)))
"""A student of the demonstration of calibration in a row of CSV."""
WAY_ROW = DocumentForm(
    only=("method", "accounting", "decides", "total_flops", "over_supervised", "nearest_loss"),
    lifted={
        **{name: f"option.{name}" for name in SIZES},
        **{name: f"option.{path}" for name, path in _ROW_BILL.items()},
    },
)
"""A way to a loss in a row of CSV."""
