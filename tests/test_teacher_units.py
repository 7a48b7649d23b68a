"""Teachers' losses in another unit than their students' are noticed where the runs show it."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distillplan.fitting.rows import Rows
from distillplan.fitting.teacher_units import CODE, unit_doubts
from distillplan.laws.law_catalog import law
from distillplan.laws.loss_units import LossUnit
from tests.fitting_cases import published_runs
from tests.shell import answer, run

LAW = law("busbridge2025").distillation
RUNS = Path(__file__).parents[1] / "examples" / "runs.csv"
IN_BITS, IN_NATS = 1 / math.log(2), math.log(2)
"""What teachers in bits are times those in nats that the students' losses are in; and the other
way around."""


def told(rows: Rows, unit: LossUnit = LossUnit.NATS) -> list[str]:
    return [one.message for one in unit_doubts(rows, LAW, unit)]


def read_as(rows: Rows, factor: float) -> Rows:
    return replace(rows, log_teacher_loss=rows.log_teacher_loss + math.log(factor))


PUBLISHED = published_runs()
SIZES = [
    (size, PUBLISHED.take(size == PUBLISHED.log_params)) for size in np.unique(PUBLISHED.log_params)
]


@pytest.mark.parametrize("rows", [PUBLISHED, *(rows for _, rows in SIZES)])
def test_the_published_runs_are_in_one_unit(rows):
    """The 284 students of Figure 1 of arXiv:2502.08606, and those of each size."""
    assert told(rows) == []
    assert told(rows, LossUnit.BITS) == []


@pytest.mark.parametrize("rows", [PUBLISHED, *(rows for _, rows in SIZES)])
def test_the_published_runs_with_teachers_in_bits_are_noticed(rows):
    (message,) = told(read_as(rows, IN_BITS))
    assert message.startswith("teacher_loss looks like bits/token beside loss in nats/token")
    assert message.endswith("multiply teacher_loss by 0.6931")


@pytest.mark.parametrize("rows", [PUBLISHED, *(rows for size, rows in SIZES if size < 20.5)])
def test_the_published_runs_with_students_in_bits_are_noticed(rows):
    """Those of 975M are not: teachers of 1.3 to 1.9 are not known to be none of theirs."""
    (message,) = told(read_as(rows, IN_NATS), LossUnit.BITS)
    assert message.startswith("loss looks like bits/token beside teacher_loss in nats/token")
    assert message.endswith("multiply loss by 0.6931 and leave --loss-unit out")


@pytest.mark.parametrize("level", [0.75, 1.3])
def test_a_tokenizer_is_no_other_unit(level):
    """All losses are that much higher or lower."""
    moved = replace(read_as(PUBLISHED, level), log_loss=PUBLISHED.log_loss + math.log(level))
    assert told(moved) == []
    assert len(told(read_as(moved, IN_BITS))) == 1


def test_units_that_show_otherwise_and_few_runs_are_left_alone():
    assert told(read_as(PUBLISHED, IN_BITS), LossUnit.PERPLEXITY) == []
    few = PUBLISHED.take(slice(0, 2))
    assert told(read_as(few, IN_BITS)) == []
    assert told(replace(PUBLISHED, log_teacher_loss=None)) == []


def test_few_worlds_unlike_the_law_are_doubted():
    """Letters as far off as other laboratories' are: of 200 tables in one unit at most 3%."""
    random, doubted, found = np.random.default_rng(20261102), 0, 0
    for _ in range(200):
        far = dict(zip(("E", "A", "B"), np.exp(random.normal(0, (0.1, 0.4, 0.4))), strict=True))
        alone = LAW.supervised._replace(
            **{name: getattr(LAW.supervised, name) * factor for name, factor in far.items()}
        )
        world = LAW._replace(supervised=alone, d1=LAW.d1 * math.exp(random.normal(0, 0.05)))
        params = random.choice(10 ** random.uniform(8, 9.9, 4), 12)
        tokens = params * 10 ** random.uniform(1.2, 2.5, 12)
        taught = 10 ** random.uniform(9, 10.8, 2)
        teachers = random.choice(alone.loss(taught, taught * 10 ** random.uniform(1.3, 2.8, 2)), 12)
        logs = np.log(params), np.log(tokens), np.log(teachers)
        losses = world.loss_at_logs(*logs) * np.exp(random.normal(0, 0.01, 12))
        rows = Rows(
            log_params=logs[0],
            log_tokens=logs[1],
            log_loss=np.log(losses),
            log_teacher_loss=logs[2],
        )
        doubted += bool(told(rows))
        found += bool(told(read_as(rows, IN_BITS)))
    assert doubted <= 6
    assert found >= 160


def test_fit_says_it_with_the_remedy(tmp_path):
    """The example's losses in bits and its teachers in nats, under --loss-unit bits."""
    source = RUNS.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in source if not line.startswith("#")))
    file = tmp_path / "mixed.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        table = csv.DictWriter(out, rows[0])
        table.writeheader()
        table.writerows({**row, "loss": float(row["loss"]) * IN_BITS} for row in rows)
    words = ("--same-tokenizer-as", "busbridge2025", "--resamples", "0", "--loss-unit", "bits")
    found = answer("fit", file, *words)
    (message,) = [one["message"] for one in found["warnings"] if one["code"] == CODE]
    assert "multiply loss by 0.6931 and leave --loss-unit out" in message
    right = answer("fit", RUNS, *words[:4])
    assert CODE not in json.dumps(right["warnings"])


def test_a_column_of_teachers_that_says_nats_is_refused_beside_bits(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text(
        "params,tokens,loss,teacher_loss (nats)\n1B,20B,3.4,\n2B,20B,3.2,2.1\n2B,40B,3.1,2.1\n"
    )
    refused = run("fit", file, "--loss-unit", "bits", "--resamples", "0")
    assert refused.returncode == 2
    assert (
        "the losses are in bits/token, and the column 'teacher_loss (nats)' says" in refused.stderr
    )
