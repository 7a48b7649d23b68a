"""Readers read or refuse anything in one sentence; hypothesis shrinks what they do not."""

import json
import math
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.fitting.columns import parse_columns
from distillplan.fitting.runs_file import Reading, read_runs
from distillplan.laws import law_catalog
from distillplan.planning import budget_text
from distillplan.scenarios import key_table
from distillplan.scenarios.scenario_file import MOST_SCENARIOS, read_grid, read_scenarios
from distillplan.units import quantities, times
from tests.fuzz.case import Case
from tests.fuzz.data_files import sound_files
from tests.fuzz.mutations import as_flow
from tests.fuzz.oracles import sentence
from tests.fuzz.trials import not_finite
from tests.fuzz.written import NUMBERS, WORDS

IN_A_FOLDER = settings(
    deadline=None,  # a busy machine is no fault
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # each example writes its file anew
)
OFTEN = pytest.mark.parametrize("often", [30, pytest.param(100, marks=pytest.mark.slow)])
"""Examples: the fuzzer, which the slow tests run, tries many times as many of these files."""
NUMBER = st.floats() | st.integers() | st.sampled_from(NUMBERS)
SCALAR = NUMBER | st.booleans() | st.none() | st.text(max_size=8) | st.sampled_from(WORDS)
TREE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
KEY = st.sampled_from(sorted(key_table.TABLE.keys) + sorted(key_table.TABLE.aliases))
PART = st.dictionaries(KEY, SCALAR | TREE, max_size=4)
FILE = st.fixed_dictionaries(
    {"base": PART.map(lambda part: {"compute": 1e21, "student": "1B", **part})},
    optional={
        "scenarios": st.dictionaries(st.text(max_size=5), PART, max_size=3),
        "matrix": st.dictionaries(KEY, st.lists(SCALAR, max_size=3), max_size=2),
        "assert": st.dictionaries(st.text(max_size=8), SCALAR, max_size=2),
    },
)


def refused(error: InputError) -> None:
    """One sentence each, and nothing of ours in it."""
    assert not list(sentence(str(error), Case(words=())))


@OFTEN
def test_any_scenario_file_is_read_as_validate_says(tmp_path, often):
    path = tmp_path / "s.yaml"

    @given(FILE)
    @settings(max_examples=often)
    def holds(data):
        path.write_text(as_flow(data), encoding="utf-8", errors="surrogatepass")
        try:
            size = read_grid(str(path)).size
        except InputError as error:
            refused(error)
            with pytest.raises(InputError):
                read_scenarios(str(path))
            return
        if size <= MOST_SCENARIOS:
            for one in read_scenarios(str(path)):
                assert not list(not_finite(one.scenario))

    holds()


@cache
def law_tree():
    return json.loads(sound_files()["law.yaml"])


PLACES = [
    "coefficients",
    "supervised",
    "distillation",
    "valid",
    "E",
    "A",
    "alpha",
    "gamma",
    "value",
]


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(PLACES), max_size=4), KEY | st.text(max_size=5), TREE),
        max_size=3,
    )
)
@IN_A_FOLDER
def test_any_law_has_finite_coefficients(tmp_path, changes):
    tree = json.loads(json.dumps(law_tree()))
    for place, name, value in changes:
        inner = tree
        for step in place:
            inner = (
                inner[step]
                if isinstance(inner, dict) and isinstance(inner.get(step), dict)
                else inner
            )
        known = sorted(inner)
        inner[known[len(name) % len(known)] if known else name] = value
    path = tmp_path / "mine.yaml"
    path.write_text(as_flow(tree), encoding="utf-8", errors="surrogatepass")
    try:
        law = law_catalog.law(str(path))
    except InputError as error:
        refused(error)
        return
    assert not list(not_finite((law.supervised, law.distillation)))
    assert law.supervised.E >= 0


@given(
    rows=st.lists(st.tuples(SCALAR, SCALAR, SCALAR), max_size=5),
    columns=st.lists(
        st.tuples(st.sampled_from(["params", "tokens", "loss", "x"]), st.text(max_size=6)),
        max_size=3,
    ),
    where=st.sampled_from(["", "loss < 3", "params > 1B and x = 1", "x"]) | st.text(max_size=12),
)
@IN_A_FOLDER
def test_any_columns_of_any_runs_are_read_or_refused(tmp_path, rows, columns, where):
    path = tmp_path / "runs.csv"
    sound = ["1B,20B,2.4", "2B,40B,2.2"]
    lines = ["params,tokens,loss", *sound, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    mapped = ",".join(f"{name}={column}" for name, column in columns)
    try:
        runs = read_runs([str(path)], Reading(columns=mapped, where=(where,) if where else ()))
    except InputError as error:
        refused(error)
        return
    assert len(runs) > 0
    for values in (runs.params, runs.tokens, runs.loss):
        assert (values > 0).all()


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_mapping_of_columns_is_read_or_refused(text):
    try:
        parse_columns(text)
    except InputError as error:
        refused(error)


@pytest.mark.parametrize(
    "read",
    [
        quantities.parse_count,
        budget_text.parse_compute,
        times.parse_hours,
        quantities.parse_bytes,
    ],
)
@given(text=st.text(max_size=70) | st.sampled_from((*NUMBERS, *WORDS)))
@settings(deadline=None)
def test_any_number_is_positive_and_finite_or_refused(read, text):
    try:
        found = read(text)
    except InputError as error:
        refused(error)
        return
    assert 0 < found < math.inf


@given(st.floats(min_value=1e-3, max_value=1e300), st.integers(3, 6))
def test_a_number_is_read_again_as_it_is_shown(value, digits):
    again = quantities.parse_count(quantities.format_count(value, digits))
    assert math.isclose(again, value, rel_tol=10.0 ** (1 - digits))
