"""A sweep says of each cell what its own plan says."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from distillplan import Bounds, Scenario, Teacher, plan
from distillplan.accounting import Accounting, Logits
from distillplan.errors import InfeasibleError, InputError
from distillplan.laws import law_catalog
from distillplan.laws.logit_formats import LogitKind, StoredFormat
from distillplan.models.architecture import FixedAspect
from distillplan.models.known_model import known_model
from distillplan.planning.scenario import Limits
from distillplan.planning.start import Start, StartKind
from distillplan.planning.verdict import verdict_of
from distillplan.questions.sweep import CHUNK, sweep
from tests.plans import scenario_from_options
from tests.shell import run


def random_scenarios(count, seed):
    random = np.random.default_rng(seed)
    names = ("busbridge2025", "busbridge2025_figure1", "besiroglu2024")
    laws = [law_catalog.law(name) for name in names]
    for index in range(count):
        law = laws[index % 3] if random.random() < 0.5 else laws[0]
        teacher = None
        logits = Logits.ONLINE
        if law.distillation is not None and random.random() < 0.5:
            teacher = Teacher(
                params=float(10 ** random.uniform(8.5, 11)),
                tokens=float(10 ** random.uniform(11, 13)),
                loss=float(random.uniform(1.8, 2.4)) if random.random() < 0.5 else None,
            )
            logits = list(Logits)[random.integers(3)]
        accounting = None
        if teacher is None and law.distillation is not None and random.random() < 0.5:
            accounting = list(Accounting)[random.integers(4)]
        yield Scenario(
            compute=float(10 ** random.uniform(19, 25)),
            law=law,
            student_params=float(10 ** random.uniform(8, 10.7)) if random.random() < 0.8 else None,
            students=int(random.integers(1, 9)),
            teacher=teacher,
            logits=logits,
            accounting=accounting,
            bounds=Bounds(student_tokens=(1e6, 1e12)) if random.random() < 0.2 else Bounds(),
            inference_tokens=1e12 if random.random() < 0.2 else 0.0,
            max_unique_tokens=3e10 if random.random() < 0.2 else None,
        )


def test_a_cell_is_its_plan():
    scenarios = list(random_scenarios(60, seed=1))
    cells = list(sweep(({"index": i}, one) for i, one in enumerate(scenarios)))
    assert [cell.at["index"] for cell in cells] == list(range(60))
    for scenario, cell in zip(scenarios, cells, strict=True):
        try:
            answer = plan(scenario, quick=True)
        except InfeasibleError:
            assert cell.supervised.loss is None
            assert cell.verdict is None
            assert cell.verdict_reason is None
            continue
        assert (cell.verdict, cell.verdict_reason) == (answer.verdict, answer.verdict_reason)
        assert cell.odds is None
        if answer.margin_nats is None:
            assert cell.margin_nats is None
        else:
            assert cell.margin_nats == pytest.approx(answer.margin_nats, abs=1e-9)
        for ours, theirs in (
            (cell.supervised, answer.options[0]),
            (cell.deciding, answer.deciding),
        ):
            if theirs is None:
                assert ours is None
                continue
            assert ours.status == theirs.status
            for name in ("loss", "student_params", "student_tokens", "teacher_loss"):
                # losses are flat at the best sizes, which are known to half of the digits
                close = 1e-9 if name == "loss" else 1e-4
                wanted = getattr(theirs, name)
                if wanted is None:
                    assert getattr(ours, name) is None
                else:
                    assert getattr(ours, name) == pytest.approx(wanted, rel=close)
        assert set(cell.warnings) == set(answer.warning_codes)


def test_the_odds_of_a_cell_are_those_of_its_plan():
    scenarios = list(random_scenarios(24, seed=2))
    cells = sweep((({}, one) for one in scenarios), odds=True)
    weighed = 0
    for scenario, cell in zip(scenarios, cells, strict=True):
        if cell.supervised.loss is None:
            assert cell.odds is None
            continue
        answer = plan(scenario)
        assert (cell.verdict, cell.verdict_reason) == (answer.verdict, answer.verdict_reason)
        if answer.odds is None:
            assert cell.odds is None
            continue
        weighed += 1
        assert cell.odds == pytest.approx(answer.odds, abs=1e-6)
        assert sum(cell.odds) == pytest.approx(1)
        assert verdict_of(cell.odds) is cell.verdict
    assert weighed > 8


OTHER = {
    "law": law_catalog.law("busbridge2025_printed"),
    "compute": 2e21,
    "gpu_hours": 2e4,
    "machine": "a100-80gb",
    "student_params": 2e9,
    "student_model": known_model("llama-3.2-1b"),
    "student_tokens": 2e10,
    "students": 3,
    "teacher": Teacher(params=3e9, tokens=1e12),
    "logits": Logits.CACHED,
    "accounting": Accounting.FREE,
    "tie_nats": 1.0,
    "bounds": Bounds(student_tokens=(1e6, 1e10)),
    "architecture": FixedAspect(context=8192, vocab=128_000),
    "inference_tokens": 1e11,
    "max_unique_tokens": 1e9,
    "limits": Limits(bytes_per_gpu=1.8e10),
    "stored": StoredFormat(kind=LogitKind.TOP_K, entries=12),
    "pays_storage": True,
    "money_over_budget": 1.5,
}
"""Of each field of a scenario a value that changes the answer."""


@pytest.mark.parametrize("name", sorted({one.name for one in fields(Scenario)} - {"start"}))
def test_a_field_that_differs_is_not_lost(name):
    """Cells that differ in one field alone: each has its own plan's answer, in either order."""
    of_money = name in {"pays_storage", "money_over_budget"}
    on_a_machine = name in {"gpu_hours", "machine", "limits"} or of_money
    budget = {"gpu_hours": 10_000, "gpu": "h100-sxm"} if on_a_machine else {"compute": 1e21}
    value = OTHER[name]
    size = value.params if name == "student_model" else 1e9
    read = {"logits": "stored"} if name == "stored" or of_money else {}
    read |= {"logit_format": "full"} if of_money else {}
    one = scenario_from_options(**budget, **read, student=size, teacher="7B:2T")
    one = replace(one, pays_storage=name == "money_over_budget")
    if name == "machine":
        value = scenario_from_options(compute=1e21, gpu=value).machine
    other = replace(one, **{name: value})
    alone = [plan(each, quick=True) for each in (one, other)]
    told = [(each.verdict, each.margin_nats, each.supervised.loss) for each in alone]
    codes = [set(each.warning_codes) for each in alone]
    assert told[0] != told[1] or codes[0] != codes[1]
    for order in ((0, 1), (1, 0)):
        cells = list(sweep(({}, (one, other)[index]) for index in order))
        for index, cell in zip(order, cells, strict=True):
            verdict, margin, loss = told[index]
            assert cell.verdict == verdict
            assert cell.margin_nats == pytest.approx(margin, abs=1e-9)
            assert cell.supervised.loss == pytest.approx(loss, abs=1e-9)
            assert set(cell.warnings) <= codes[index]


def test_a_cell_that_no_law_weighs_is_refused():
    one = scenario_from_options(compute=1e21, student=1e9, teacher="7B:2T")
    other = replace(one, start=Start(kind=StartKind.PRUNED))
    with pytest.raises(InputError, match="no law weighs a pruned start"):
        list(sweep(({}, each) for each in (one, other)))


def test_cells_keep_their_order_over_chunks(busbridge):
    many = CHUNK + 3
    budgets = np.geomspace(1e19, 1e24, many)
    cells = sweep(
        ({"compute": one}, Scenario(compute=float(one), student_params=1e9, law=busbridge))
        for one in budgets
    )
    losses = [cell.supervised.loss for cell in cells]
    assert len(losses) == many
    assert losses == sorted(losses, reverse=True)


GPU = ("--axis", "gpu=h100-sxm")
CONTRADICTIONS = {
    ("--compute", "1e20,1e21", "--student", "1B:20B"): "--student and --compute both give budget",
    ("--compute", "1e21", "--student", "300M:3B"): "--student and --compute both give budget",
    ("--compute", "1e21", "--axis", "tokens=2B"): "--axis tokens and --compute both give budget",
    ("--compute", "1e21", "--set", "tokens=20B"): "--compute and --set both give budget",
    ("--compute", "1e21", "--axis", "compute=1e20"): "--axis: compute is given twice",
    ("--compute", "1e21", "--axis", "budget=1e20"): "--compute is given twice",
    ("--axis", "students=1", "--axis", "students=2"): "--axis: students is given twice",
}
LISTS = {
    ("--compute", "$20,000", *GPU): "has a comma inside a number, and commas separate values; "
    "write '$20000'",
    ("--compute", "$10,500", *GPU): "commas separate values; write '$10500'",
    ("--compute", "20,000 gpu-hours", *GPU): "write '20000 gpu-hours'",
    ("--compute", "1k gpu-hours:$4k:3", *GPU): "has two ends of different kinds",
    ("--student", "1,5B"): "write decimals with a point: 1.5B",
    ("--axis", "price=2,50", *GPU): "--axis price: '2,50' may be 2.50, or 2 and 50",
    ("--axis", "tie_nats=0,01"): "write '0.01'",
    ("--axis", "deadline=1,2,4 weeks", *GPU): "--axis deadline: '1' does not say 1 of what",
}


@pytest.mark.parametrize("words", [*CONTRADICTIONS, *LISTS], ids=str)
def test_axes_that_cannot_be_meant_are_refused(words):
    found = run("sweep", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert {**CONTRADICTIONS, **LISTS}[words] in found.stderr


def test_pairs_are_a_list_and_dollars_a_range():
    """The middle of equal factors between 10k and 40k is 20k."""
    rows = run("sweep", "--student", "1B:20B,3B:60B", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(row)["student_params"] for row in rows] == ["1B:20B", "3B:60B"]
    words = ("--compute", "$10k:$40k:3", "--student", "1B", *GPU, "-o", "jsonl")
    rows = run("sweep", *words).stdout.splitlines()
    assert [json.loads(row)["compute"] for row in rows] == ["$10000", "$20000", "$40000"]


def test_a_sweep_takes_no_more_cells_than_it_gives(busbridge):
    """It can be left early, and holds one chunk at most."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield {}, Scenario(compute=1e21, student_params=1e9, law=busbridge)

    cells = sweep(endless())
    for _ in range(3):
        next(cells)
    assert taken == CHUNK


def test_a_cell_that_cannot_be_paid_is_a_row(busbridge):
    (cell,) = sweep([({}, Scenario(compute=1e10, student_params=1e9, law=busbridge))])
    assert cell.verdict is None
    assert cell.supervised.status == "infeasible"
