"""What the format of stored logits does to a plan: what it costs the student, and the disks."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError, Word
from distillplan.laws.formulas import FloatArray
from distillplan.laws.logit_formats import penalty_of
from distillplan.laws.transfer import error_quantile
from distillplan.optimize.problems import Storage
from distillplan.units.quantities import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from distillplan.planning.results import Option
    from distillplan.planning.scenario import Scenario

_HIGH: Final = 0.95
"""The ends of a penalty's range are taken as those of a 90% interval."""


class OptionLogits(NamedTuple):
    """The logits that an option reads from disk, and what their format costs."""

    format: str
    """With its number of entries, such as top-12."""
    bytes_per_token: float
    total_bytes: float
    """For the training tokens of one student, which all students share."""
    months: float
    """How long they are kept."""
    storage_usd: float
    read_bytes_per_s: float | None
    """Read by all GPUs together; None: no machine was named."""
    penalty_nats: float | None
    """What the format costs the student, nats per token; None: of a start from an open model, of
    which nobody knows."""
    penalty_low: float | None
    penalty_high: float | None
    kept_share: float | None
    """Of the gain that full logits would bring; below 0: worse than no teacher. None: full logits
    gain nothing either."""
    kept_low: float | None
    kept_high: float | None
    penalty_source: str | None
    """Where the cost is from, or what it is inferred from; None where there is none."""


def unread(scenario: "Scenario") -> Iterator[InputError]:
    """What is wrong with the format of a scenario's logits."""
    if scenario.stored is None:
        return
    online = scenario.logits is Logits.ONLINE
    if online and scenario.pays in (Accounting.EXISTS, Accounting.TRAIN):
        yield InputError(
            Word("logit_format"),
            ": the teacher runs beside the student, so no logits are stored; add ",
            Word("logits", "stored"),
            also=("logits", "accounting"),
        )
    from distillplan.hardware.storage import stored_logits  # for those who name a format

    try:
        stored_logits(scenario.stored, round(scenario.architecture.vocab))
    except InputError as error:
        yield InputError(*error.parts, also=("logit_format", "logit_k"))


def storage_seconds(scenario: "Scenario") -> float:
    """As `Scenario.storage_seconds`.

    Raises:
        InputError: when a budget of money has no price.
    """
    stored, machine = scenario.stored, scenario.machine
    stores = scenario.pays_storage and scenario.logits is Logits.STORED
    if not stores or stored is None or machine is None:
        return 0.0
    from distillplan.hardware.machine import usd_per_gpu_hour  # for those who name a format
    from distillplan.hardware.storage import stored_logits

    each = stored_logits(stored, round(scenario.architecture.vocab)).usd(1.0)
    return each / usd_per_gpu_hour(machine) * SECONDS_PER_HOUR


def storage_of(
    scenarios: Sequence["Scenario"], budget: FloatArray, logits: FloatArray
) -> Storage | None:
    """What keeping the teacher's logits costs, where money is counted; else None.

    Args:
        scenarios: of one kind (`evaluate.MAY_DIFFER`): one of each problem, or one for all.
        budget: of one student, in GPU-seconds, shape (problems,).
        logits: share of the teacher's forward passes that one student pays, shape (problems,).
    """
    seconds = np.array([one.storage_seconds for one in scenarios])
    if not np.any(seconds):
        return None
    return Storage(
        money=budget * np.array([one.money_over_budget for one in scenarios]),
        per_token=logits * seconds,
        most_tokens=scenarios[0].unique_tokens,
    )


def lost_nats(scenario: "Scenario", logits: Any) -> Any:
    """What the format costs, nats per token, of the shape of the argument.

    Args:
        scenario: the question.
        logits: share of the teacher's forward passes that one student pays; where they are paid
            and not stored, the teacher runs beside the student and no format is in the way.
    """
    penalty = penalty_of(scenario.stored)
    if not penalty.nats:
        return np.zeros_like(logits, float)
    return penalty.nats * reads(scenario, logits)


def format_error(scenario: "Scenario", logits: Any) -> Any:
    """Scale of the error of that cost, nats per token: its farther end is that of a 90% range."""
    penalty = penalty_of(scenario.stored)
    half = max(penalty.nats - penalty.low, penalty.high - penalty.nats)
    return half / error_quantile(_HIGH) * reads(scenario, logits)


def reads(scenario: "Scenario", logits: Any) -> Any:
    """Whether students read logits from disk, of the shape of the argument.

    Args:
        scenario: the question.
        logits: share of the teacher's forward passes that one student pays.
    """
    return (np.asarray(logits) == 0) | (scenario.logits is Logits.STORED)


def option_logits(scenario: "Scenario", option: "Option") -> OptionLogits | None:
    """What an option stores; None where no format was named, or where it reads none."""
    stored, way = scenario.stored, option.accounting
    if stored is None or way is None or option.student_tokens is None:
        return None
    if not reads(scenario, scenario.share(way).logits):
        return None
    from distillplan.hardware.storage import stored_logits  # for those who name a format

    kept = stored_logits(stored, round(scenario.architecture.vocab))
    tokens = min(option.student_tokens, scenario.unique_tokens)
    penalty = penalty_of(stored)
    shares: dict[str, float | None] = dict.fromkeys(("nats", "low", "high"))
    if option.gain_nats is not None:
        full = option.gain_nats + penalty.nats
        if full > 0:
            shares = {name: 1 - getattr(penalty, name) / full for name in shares}
    return OptionLogits(
        format=kept.format.name,
        bytes_per_token=kept.format.bytes_per_token,
        total_bytes=kept.format.bytes_per_token * tokens,
        months=kept.months,
        storage_usd=kept.usd(tokens),
        read_bytes_per_s=_read_rate(option, scenario.students, kept.format.bytes_per_token),
        penalty_nats=penalty.nats,
        penalty_low=penalty.low,
        penalty_high=penalty.high,
        kept_share=shares["nats"],
        kept_low=shares["high"],
        kept_high=shares["low"],
        penalty_source=penalty.source,
    )


def _read_rate(option: "Option", students: int, bytes_per_token: float) -> float | None:
    """Bytes per second that one student's training reads, at the middle of its time.

    The students train one after another, each reading all of it.
    """
    bill = option.bill
    if bill is None or option.student_tokens is None:
        return None
    seconds = bill.phases[0].wall_seconds.mid / students  # their training comes first
    return bytes_per_token * option.student_tokens / seconds if seconds else None
