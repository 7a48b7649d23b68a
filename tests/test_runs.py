"""Cells and columns of a table of runs, and the record that a fit reads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.fitting.cells import is_missing, is_unknown, number_in, uses_decimal_commas
from distillplan.fitting.columns import parse_columns, place_columns
from distillplan.fitting.replicates import above_the_lowest, differing, replicate_groups
from distillplan.fitting.rows import Rows
from distillplan.fitting.runs import Runs
from distillplan.fitting.selection import parse_selection
from distillplan.fitting.tables import parse_table
from distillplan.laws.loss_units import LossUnit
from distillplan.models.model_sizes import parse_params, parse_tokens


def some_runs(unit=LossUnit.NATS, bytes_per_token=None, teachers=(np.nan, 2.1, np.nan)):
    return Runs(
        params=np.array([1e9, 2e9, 3e9]),
        tokens=np.array([2e10, 4e10, 6e10]),
        loss=np.array([2.4, 2.3, 2.2]),
        teacher_loss=np.array(teachers),
        lines=("line 2", "line 3", "line 4"),
        source="runs.csv",
        unit=unit,
        bytes_per_token=bytes_per_token,
        notices=(),
    )


def test_runs_are_taken_by_mask_or_index():
    runs = some_runs()
    assert runs.distilled.tolist() == [False, True, False]
    for which in (~runs.distilled, np.array([0, 2])):
        taken = runs.take(which)
        assert taken.lines == ("line 2", "line 4")
        assert taken.params.tolist() == [1e9, 3e9]
        assert (len(taken), taken.kind, taken.source) == (2, "supervised", "runs.csv")


def test_runs_become_logarithms():
    rows = Rows.of(some_runs(teachers=(2.0, 2.1, 2.2)))
    assert np.exp(rows.log_params).tolist() == pytest.approx([1e9, 2e9, 3e9])
    assert np.exp(rows.log_teacher_loss).tolist() == pytest.approx([2.0, 2.1, 2.2])
    assert Rows.of(some_runs(teachers=(np.nan,) * 3)).log_teacher_loss is None


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "null", "None", "N/A", "-", None, np.nan])
def test_a_cell_can_say_that_there_is_no_value(cell):
    assert is_unknown(cell)
    assert is_missing(cell)


def test_an_infinite_loss_is_missing_but_known():
    for cell in ("inf", "-Infinity", np.inf):
        assert is_missing(cell)
        assert not is_unknown(cell)
    assert not is_missing("0")


@pytest.mark.parametrize("cell", ["-1", "0", "1Q", "7", True, [1], {"a": 1}, "1e16", "1B2"])
def test_what_is_no_size_is_a_fault(cell):
    with pytest.raises(InputError, match="line 2, N: "):
        number_in(cell, "params", "line 2, N")


@given(st.floats(1.0, 9.9), st.integers(10**6, 10**12))
def test_a_table_with_decimal_commas_reads_like_one_with_points(loss, tokens):
    """Inverse: what a spreadsheet of such a country writes."""
    written = f"{loss:.4f}".replace(".", ",")
    assert uses_decimal_commas([("loss", written)])
    read = number_in(written, "loss", "", decimal_commas=True)
    assert read == pytest.approx(loss, abs=1e-4)
    grouped = f"{tokens:,}".replace(",", ".")
    if grouped.count(".") > 1:
        assert number_in(grouped, "tokens", "", decimal_commas=True) == tokens
    assert number_in(f"{tokens:,}", "tokens", "") == tokens


def test_three_digits_after_a_comma_are_not_guessed_at_in_a_count():
    with pytest.raises(InputError, match="thousands or decimals"):
        number_in("1,500B", "tokens", "line 2, tokens", decimal_commas=True)
    assert number_in("1,5B", "tokens", "", decimal_commas=True) == 1.5e9
    assert not uses_decimal_commas([("loss", "2,310")], perplexity=True)


def test_columns_are_mapped_by_either_name_and_quotes_hold_commas():
    assert parse_columns("student_params=N,loss='val, loss',teacher_loss=2.1") == {
        "params": ("N",),
        "loss": ("val, loss",),
        "teacher_loss": ("2.1",),
    }
    assert parse_columns("") == {}


@pytest.mark.parametrize("text", ["params", "size=N", "loss=", "loss=a,loss=a", "params=1,5", "=N"])
def test_a_bad_mapping_is_refused(text):
    with pytest.raises(InputError, match="columns: "):
        parse_columns(text)


def placed(text, columns="", **settings):
    settings.setdefault("teacher", None)
    return place_columns([parse_table(text, "a.csv")], parse_columns(columns), **settings)[0]


def test_a_number_is_a_value_unless_a_column_has_that_name():
    text = "190,tokens,loss\n1B,2B,2.5\n"
    assert placed(text, "params=190")["params"].column == "190"
    found = placed(text, "params=190M")["params"]
    assert (found.column, found.constant) == (None, 190e6)


@pytest.mark.parametrize(
    ("header", "near"),
    [
        ("params,tokens,train/loss", "did you mean train/loss? write --columns loss=train/loss"),
        ("params,tokens,train/loss,smooth/loss", "loss=smooth/loss"),
        ("N (core),D,loss", "did you mean N (core)? write --columns 'params=N (core)'"),
        ("parms,tokens,loss", "did you mean parms?"),
        ("params,tokens,smooth loss", "--columns 'loss=smooth loss'"),
        ("params,tokens,a,b,c,d,e,f", "has params, tokens, a, b, c and 3 more"),
        ("FLOPs,Eff Params,Tokens,Val BPB", "did you mean Eff Params and Val BPB?"),
    ],
)
def test_a_missing_column_names_the_nearest(header, near):
    row = ",".join("1" for _ in header.split(","))
    with pytest.raises(InputError) as caught:
        placed(f"{header}\n{row}\n")
    assert near in str(caught.value)


@pytest.mark.parametrize(
    "header", ["N (M),D (B),loss (nats)", "Params [millions],Tokens (in billions),L (nats/token)"]
)
def test_a_unit_in_a_header_is_the_suffix_of_its_numbers(header):
    """30 in a column of millions is 30M; a suffix of its own goes first, and so does a count."""
    text = f"{header}\n30,1.5,2.5\n1.2B,40G,2.5\n3e7,1500000000,2.5\n"
    place = placed(text, teacher=False)
    cells = [
        [place[name].cell(row) for name in ("params", "tokens")]
        for row in parse_table(text, "a.csv").rows
    ]
    assert cells == [["30M", "1.5B"], ["1.2B", "40G"], ["3e7", "1500000000"]]
    assert number_in("30M", "params", "") == number_in("3e7", "params", "") == 30e6
    assert number_in("1.5B", "tokens", "") == number_in("1500000000", "tokens", "") == 1.5e9


@pytest.mark.parametrize("cell", ["5BT", "5B tokens", "5 billion tokens", "5b tok", "5B", "5e9"])
def test_a_cell_of_tokens_is_read_as_the_option_is(cell):
    """An inverse: what `--tokens` takes, a table may have."""
    assert number_in(cell, "tokens", "") == parse_tokens(cell, "") == 5e9
    assert number_in("1B params", "params", "") == parse_params("1B params", "") == 1e9
    assert number_in("5,5B tokens", "tokens", "", decimal_commas=True) == 5.5e9


def test_two_columns_for_one_thing_are_a_question():
    with pytest.raises(InputError, match="params and student_params are both"):
        placed("params,student_params,tokens,loss\n1,2,3,4\n")
    with pytest.raises(InputError, match="a and b are both"):
        placed("params,tokens,a,b\n1,2,3,4\n", "loss=a,loss=b")


def test_conditions_compare_numbers_as_numbers_and_words_as_words():
    cells = ["finished", "crashed", None, "1B", "2e9", 3e9]
    for text, expected in [
        ("x = finished", [1, 0, 0, 0, 0, 0]),
        ("x != finished", [0, 1, 1, 1, 1, 1]),
        ("x >= 2B", [0, 0, 0, 0, 1, 1]),
        ("x == 1000M", [0, 0, 0, 1, 0, 0]),
        ("x < 1.5e9 ", [0, 0, 0, 1, 0, 0]),
    ]:
        (one,) = parse_selection(text).conditions
        assert one.holds(cells).astype(int).tolist() == expected, text


def test_conditions_are_joined_by_and_and_quotes_hold_signs():
    found = parse_selection("val/loss<3 AND \"a = b\" = 'this and that' and State=ok")
    assert [tuple(one) for one in found.conditions] == [
        ("val/loss", "<", "3"),
        ("a = b", "=", "this and that"),
        ("State", "=", "ok"),
    ]


@pytest.mark.parametrize(
    "text", ["", "loss", "loss <", "< 2", "loss < 2 and", "a = b = c", "a ~ 1"]
)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(InputError, match="is not COLUMN < VALUE"):
        parse_selection(text)


@pytest.mark.parametrize("often", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_any_text_is_a_selection_or_an_error(often):
    """The fuzzer tries texts of its own after `--where`."""

    @settings(max_examples=often)
    @given(st.text(max_size=60))
    def holds(text):
        conditions, refused = (), ""
        try:
            conditions = parse_selection(text).conditions
        except InputError as error:
            refused = str(error)
        assert bool(conditions) is not bool(refused)
        assert all(one.column for one in conditions)
        assert "\n" not in refused

    holds()


def test_losses_are_held_out_in_the_unit_of_their_file():
    """2.3 nats/token with 4 bytes per token are 0.83 bits/byte."""
    runs = some_runs(LossUnit.BITS_PER_BYTE, 4.0)
    chosen = parse_selection("loss <= 0.83 and params > 2B").of(runs)
    assert chosen.tolist() == [False, False, True]
    assert parse_selection("teacher_loss > 0.1").of(runs).tolist() == [False, True, False]
    for text, says in [
        ("loss < 0.1", "holds for none of the 3 runs"),
        ("size < 1", "'size' is not a column of the runs"),
        ("params > x", "'x' is not a number"),
    ]:
        with pytest.raises(InputError, match=says):
            parse_selection(text).of(runs)


def test_replicates_are_runs_of_one_size_length_and_teacher():
    params = np.array([1e9, 1e9, 1e9, 2e9, 1e9])
    tokens = np.array([2e10, 2.001e10, 4e10, 2e10, 2e10])
    teacher = np.array([np.nan, np.nan, np.nan, np.nan, 2.1])
    groups = replicate_groups(params, tokens, teacher)
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == 4


def test_seeds_agree_and_sweeps_do_not():
    """Gaussian noise of 0.3% is told from losses that grow with the distance from the best rate."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 3)
    seeds = 2.5 * np.exp(0.003 * generator.standard_normal(60))
    assert not differing(seeds, groups).any()
    sweep = 2.5 * np.exp(np.tile([0.0, 0.02, 0.08], 20))
    assert differing(sweep, groups).all()
    seeds[4] = 7.0  # one diverged
    assert differing(seeds, groups).tolist() == [number == 1 for number in range(20)]
    left_out = above_the_lowest(seeds, groups, differing(seeds, groups))
    assert np.flatnonzero(left_out).size == 2
    assert left_out[4]
    assert not left_out[3 + int(np.argmin(seeds[3:6]))]
