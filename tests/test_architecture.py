"""Parameters and FLOPs from shapes: Table 13, and a model small enough to count by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.checks.law_checks import check_groups
from distillplan.errors import InputError
from distillplan.models.architecture import FixedAspect, WithEmbedding
from distillplan.models.uniform import uniform_shape

TABLE_13 = next(group for _, group in check_groups() if group.where == "Table 13")
CONTEXT = 4096


def four_digits(value):
    return float(f"{value:.4g}")


@pytest.mark.parametrize("row", TABLE_13.rows, ids=lambda row: f"{row[3] / 1e9:g}B")
def test_table_13_to_its_printed_digits(row):
    layers, width, ffn_width, params, total, flops = row
    shape = uniform_shape(
        layers=layers, width=width, ffn_width=ffn_width, heads=width // 128, vocab=32768
    )
    assert four_digits(shape.params) == params
    if layers == 32:
        # 6.61050 is printed as 6.611: rounded twice, by way of 6.6105
        assert shape.total_params == pytest.approx(6.6105e9, rel=1e-6)
    else:
        assert four_digits(shape.total_params) == total
    # "2N + sigma (used)": 2 N + 2 layers context width + 2 vocabulary width
    used = 2 * (shape.params + layers * CONTEXT * width + 32768 * width)
    assert four_digits(used) == flops


@pytest.mark.parametrize("row", TABLE_13.rows, ids=lambda row: f"{row[3] / 1e9:g}B")
def test_equation_69_agrees_with_table_13(row):
    """0.42 % at 103M, at most 0.15 % from 340M up (Appendix G)."""
    layers, _, _, params, _, flops = row
    bound = 0.0015 if layers >= 12 else 0.00425  # 0.42, as printed
    assert FixedAspect().forward_flops(params) == pytest.approx(flops, rel=bound)


def test_constants_of_equation_69():
    """Appendix G with aspect 128, omega 12, context 4096: c1 = 155.061, c2 = 72131.7."""
    assert FixedAspect().c1 == pytest.approx(155.061, rel=1e-6)
    assert FixedAspect().c2 == pytest.approx(72131.7, rel=1e-6)
    assert FixedAspect(vocab=32168).c2 == pytest.approx(70810.9, rel=1e-6)


def test_a_tiny_model_counted_by_hand():
    """One layer of width 4, two heads of 2, one key-value head, plain feed-forward of 8."""
    shape = uniform_shape(
        layers=1, width=4, ffn_width=8, heads=2, kv_heads=1, vocab=10, ffn_matrices=2, qk_norm=False
    )
    queries, keys_values, projection, ffn = 4 * 4, 2 * 4 * 2, 4 * 4, 2 * 4 * 8
    weights = queries + keys_values + projection + ffn
    assert shape.params == weights + 2 * 4 + 4
    assert shape.total_params == shape.params + 10 * 4
    # per token: 2 per weight; scores and values over half of 6 positions, 2 each per channel;
    # softmax 2.5 per head and position; embedding 2 per channel; logits 2 per entry
    attention = 2 * (4 * 6) + 2.5 * 2 * 6
    assert shape.forward_flops(6) == 2 * weights + attention + 2 * 4 + 2 * 10 * 4


def test_untied_head_counts_twice():
    tied = uniform_shape(layers=2, width=64, ffn_width=128, heads=4, vocab=100)
    untied = uniform_shape(layers=2, width=64, ffn_width=128, heads=4, vocab=100, tied=False)
    assert untied.total_params - tied.total_params == 100 * 64
    assert untied.params == tied.params


@pytest.mark.parametrize(
    "change",
    [{"layers": 0}, {"width": -1}, {"heads": 3}, {"kv_heads": 3}, {"vocab": 0}, {"ffn_width": 0}],
)
def test_impossible_shapes_are_refused(change):
    good = {"layers": 2, "width": 64, "ffn_width": 128, "heads": 4, "vocab": 100}
    with pytest.raises(InputError, match="model shape"):
        uniform_shape(**{**good, **change})


@pytest.mark.parametrize("change", [{"aspect": 0}, {"omega": -1}, {"context": math.nan}])
def test_impossible_families_are_refused(change):
    with pytest.raises(InputError, match="architecture"):
        FixedAspect(**change)


@given(st.floats(4, 17).map(lambda x: 10**x))
def test_flops_and_their_inverse(N):
    for family in (FixedAspect(), WithEmbedding(FixedAspect())):
        log_params = family.log_params_for_flops(family.forward_flops(N))
        assert float(log_params) == pytest.approx(math.log(N), abs=1e-12)


def test_no_model_is_free():
    assert float(FixedAspect().log_params_for_flops(-1.0)) == -math.inf


def test_large_models_tend_to_two_flops_per_parameter():
    assert FixedAspect().forward_flops(1e18) == pytest.approx(2e18, rel=1e-3)


def test_counting_the_embedding_costs_less_per_parameter():
    """1B in all are fewer than 1B beside the embedding; they meet where it does not matter."""
    family, whole = FixedAspect(), WithEmbedding(FixedAspect())
    total = 1.8209e9 + 32768 * 2688  # the 1.82B model of Table 13, embedding of 32768 x 2688
    assert whole.forward_flops(total) == pytest.approx(family.forward_flops(1.8209e9), rel=1e-3)
    assert whole.forward_flops(1e15) == pytest.approx(family.forward_flops(1e15), rel=1e-5)


def test_array_and_float_agree():
    N = np.array([1e8, 1e10])
    assert FixedAspect().forward_flops(N) == pytest.approx(
        [FixedAspect().forward_flops(float(one)) for one in N], rel=1e-15
    )


@pytest.mark.parametrize("row", TABLE_13.rows, ids=lambda row: f"{row[3] / 1e9:g}B")
def test_the_nearest_shape_is_the_papers(row):
    """The models of Table 13 are found again from their parameter counts."""
    layers, width, _, params, _, _ = row
    shape = FixedAspect().nearest_shape(params)
    assert (shape.layers, shape.width) == (layers, width)
    ffn = shape.blocks[0].feed_forward
    assert ffn is not None
    if layers == 37:
        assert ffn.hidden == 12672  # as printed; its N asks for 12800
    else:
        assert four_digits(shape.params) == params


@given(st.floats(8, 12.5).map(lambda x: 10**x))
def test_the_nearest_shape_is_near(N):
    """A step of 128 in 1024 channels is 12 % of the width, so half of it 13 % of the parameters."""
    assert FixedAspect().nearest_shape(N).params == pytest.approx(N, rel=0.15)


@pytest.mark.parametrize(
    "numbers",
    [{"aspect": 1e308}, {"omega": 1e308}, {"omega": 1e-200}, {"omega": 4}, {"vocab": 1e300}],
)
def test_a_family_of_no_possible_model_is_refused(numbers):
    """Found by the fuzzer: such families ended in OverflowError and ZeroDivisionError.

    Attention alone has 4 width^2 parameters a layer (Table 9), so omega is larger.
    """
    with pytest.raises(InputError, match="it must be from"):
        FixedAspect(**numbers)


@pytest.mark.parametrize("aspect", [0.01, 1e6])
@pytest.mark.parametrize("omega", [4.1, 1e6])
@pytest.mark.parametrize("params", [1.0, 1e20])
def test_every_family_that_is_taken_has_finite_costs_and_a_shape(aspect, omega, params):
    family = FixedAspect(aspect=aspect, omega=omega, context=1e9, vocab=1e12)
    assert 0 < family.forward_flops(params) < math.inf
    assert 0 < family.nearest_shape(params).params < math.inf
