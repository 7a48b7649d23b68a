"""What the format of stored logits does to a plan: what it costs the student, and the disks."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError, Word
from distillplan.laws.format_notices import STORAGE_UNPRICED
from distillplan.laws.formulas import FloatArray
from distillplan.laws.logit_formats import LogitKind, StoredFormat, penalty_of
from distillplan.laws.transfer import error_quantile
from distillplan.named_tuples import NamedTuple
from distillplan.notices import Notice, warning
from distillplan.optimize.keeping import Storage, at_least
from distillplan.optimize.problems import Optima, Problems
from distillplan.units.quantities import (
    SECONDS_PER_HOUR,
    SECONDS_PER_MONTH,
    format_count,
    format_months,
    format_usd,
)

if TYPE_CHECKING:
    from distillplan.planning.results import Option
    from distillplan.planning.scenario import Scenario

_HIGH: Final = 0.95
"""The ends of a penalty's range are taken as those of a 90% interval."""
LEAST_SHARE: Final = 0.01
"""Of what an option costs; storage below it is not worth a word."""
SAME_MONTHS: Final = 1e-6
"""Months that differ by less lead to the same sizes; the tokens of a plan are exact
(`option_bill.affordable_tokens`)."""
MOST_ROUNDS: Final = 20
"""In which sizes and months settle; two are enough where student and teacher are given."""


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
    """As `Scenario.storage_seconds`: for a month where nobody says for how long.

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
    scenarios: Sequence["Scenario"], budget: FloatArray, logits: FloatArray, students: FloatArray
) -> Storage | None:
    """What keeping the teacher's logits costs, where money is counted; else None.

    Args:
        scenarios: of one kind (`side_by_side.MAY_DIFFER`): one of each problem, or one for all.
        budget: of one student, in GPU-seconds, shape (problems,).
        logits: share of the teacher's forward passes that one student pays, shape (problems,).
        students: how many are trained, shape (problems,).
    """
    seconds, stored = np.array([one.storage_seconds for one in scenarios]), scenarios[0].stored
    machine = scenarios[0].machine
    if not np.any(seconds) or machine is None or stored is None:
        return None
    found = Storage(
        money=budget * np.array([one.money_over_budget for one in scenarios]),
        per_token=logits * seconds,
    )
    if stored.months is not None:
        return found
    months = students / (machine.gpus * SECONDS_PER_MONTH)
    return found._replace(per_month=found.per_token, months=months)


def kept_while_read(problems: Problems, solve: Callable[[Problems], Optima]) -> Optima:
    """Optima whose logits are kept for as long as their training takes, where no time is given.

    Args:
        problems: to solve.
        solve: answers them, their logits kept for a given time.
    """
    found, kept = solve(problems), problems.storage
    if kept is None or kept.per_month is None:
        return found
    months = at_least(np.zeros(problems.budget.size))
    for _ in range(MOST_ROUNDS):
        needed = at_least(problems.months_of(found))
        paid = np.isfinite(found.loss) & (problems.logits > 0)
        needed = np.where(paid, needed, months)
        if np.all(np.abs(needed - months) <= SAME_MONTHS * months):
            break
        months = needed
        found = solve(problems._replace(storage=kept.kept_for(months)))
    return found


def kept_as_long(problems: Problems, known: Optima) -> Problems:
    """Problems whose logits are kept for as long as in known optima, where no time is given."""
    kept = problems.storage
    if kept is None or kept.per_month is None:
        return problems
    return problems._replace(storage=kept.kept_for(at_least(problems.months_of(known))))


def lost_nats(scenario: "Scenario", logits: Any) -> Any:
    """What the format costs, nats per token, of the shape of the argument.

    Args:
        scenario: the question.
        logits: share of the teacher's forward passes that one student pays; where they are paid
            and not stored, the teacher runs beside the student and no format is in the way.
    """
    penalty = penalty_of(scenario.stored, scenario.architecture.vocab)
    if not penalty.nats:
        return np.zeros_like(logits, float)
    return penalty.nats * reads(scenario, logits)


def format_error(scenario: "Scenario", logits: Any) -> Any:
    """Scale of the error of that cost, nats per token: its farther end is that of a 90% range."""
    penalty = penalty_of(scenario.stored, scenario.architecture.vocab)
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
    penalty, needed = penalty_of(stored, scenario.architecture.vocab), 0.0
    if option.bill is not None:
        from distillplan.hardware.bill import months_of  # where something runs on a machine

        needed = months_of(option.bill.phases)
    shares: dict[str, float | None] = dict.fromkeys(("nats", "low", "high"))
    if option.gain_nats is not None:
        full = option.gain_nats + penalty.nats
        if full > 0:
            shares = {name: 1 - getattr(penalty, name) / full for name in shares}
    return OptionLogits(
        format=kept.name,
        bytes_per_token=kept.bytes_per_token,
        total_bytes=kept.bytes_per_token * tokens,
        months=kept.kept_for(needed),
        storage_usd=kept.usd(tokens, needed),
        read_bytes_per_s=_read_rate(option, scenario.students, kept.bytes_per_token),
        penalty_nats=penalty.nats,
        penalty_low=penalty.low,
        penalty_high=penalty.high,
        kept_share=shares["nats"],
        kept_low=shares["high"],
        kept_high=shares["low"],
        penalty_source=penalty.source,
    )


def unpriced_notices(scenario: "Scenario", option: "Option") -> Iterator[Notice]:
    """Where a bill has nothing for storing logits, because nobody says in which format.

    Args:
        scenario: the question.
        option: a distillation of it.
    """
    bill, paid = option.bill, scenario.share(option.accounting or Accounting.FREE).logits
    stores = scenario.logits is Logits.STORED and scenario.stored is None and paid > 0
    if not stores or bill is None or bill.cost_usd is None or option.student_tokens is None:
        return
    from distillplan.hardware.bill import months_of  # where something runs on a machine
    from distillplan.hardware.storage import stored_logits

    needed, vocab = months_of(bill.phases), round(scenario.architecture.vocab)
    tokens = min(option.student_tokens, scenario.unique_tokens)
    full, sampled = (
        stored_logits(StoredFormat(kind=kind), vocab)
        for kind in (LogitKind.FULL, LogitKind.SAMPLED)
    )
    costs = [kept.usd(tokens, needed) for kept in (full, sampled)]
    if costs[0] < LEAST_SHARE * bill.cost_usd.mid:
        return
    yield warning(
        STORAGE_UNPRICED,
        f"storing the logits is not in the cost: {format_usd(costs[0])} for full ones, "
        f"{format_usd(costs[1])} for sampled ones ({format_count(tokens)} tokens, "
        f"{format_months(full.kept_for(needed))}); choose with --logit-format",
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
