"""What other estimators say of published runs, and the errors of theirs and ours side by side."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from distillplan.accounting import TRAINING_PASSES
from distillplan.checks.check_records import CheckRow, compared
from distillplan.checks.described_runs import described_machine, described_shape
from distillplan.checks.left_out import model_without
from distillplan.checks.whole_runs import whole_run_hours
from distillplan.files.entries import read_shipped
from distillplan.hardware.step_time import dense_peak


def peer_rows() -> Iterator[CheckRow]:
    """Median relative errors of each estimator and of ours, which should not be larger.

    What is published is theirs, in percent, and what is computed ours.
    """
    errors: dict[tuple[str, str], list[tuple[float, float]]] = {}
    known: dict[tuple[str, str], str | None] = {}
    for group in peer_groups():
        place = (group["where"], group["what"])
        known[place] = group.get("known")
        for given in group["rows"]:
            run = {**group.get("shared", {}), **given}
            published = float(run["published"])
            found = float(run["theirs"]), peer_figure(group, run)
            errors.setdefault(place, []).append(
                (abs(found[0] / published - 1), abs(found[1] / published - 1))
            )
    for (where, what), both in errors.items():
        theirs, ours = map(statistics.median, zip(*both, strict=True))
        row = compared(
            "peers",
            where,
            f"median % off: {len(both)} {what}",
            100 * theirs,
            100 * ours,
            low=-100 * theirs,
            high=0.0,
        )
        yield row if row.passed else row._replace(known=known[where, what])


def peer_figure(group: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """What ours says of a run that a peer computed, in the unit of its table."""
    speeds = model_without(row.get("left_out", group.get("left_out", "")))
    if group["unit"] == "gpu_hours":
        return whole_run_hours(group, row, speeds).mid
    machine, shape = described_machine(group, row, speeds), described_shape(row)
    rate = machine.training_speed(shape).tokens_per_s_per_gpu.mid
    if group["unit"] == "seconds":
        return float(row["batch_tokens"]) / (rate * machine.gpus)
    if group["unit"] == "mfu":
        # two FLOPs per parameter and pass, as pages count them
        flops = 2 * TRAINING_PASSES * shape.total_active_params * row.get("flops_factor", 1.0)
        return rate * flops / dense_peak(machine.gpu)
    return rate


def peer_groups() -> tuple[Mapping[str, Any], ...]:
    """The figures of other estimators; the data file explains its keys."""
    return tuple(read_shipped("peers.yaml")["groups"])
