"""Conversions against closed forms and published numbers."""

import math

import pytest

from distillplan.errors import InputError
from distillplan.laws.loss_units import (
    LossUnit,
    between_tokenizers,
    parse_loss_unit,
    to_nats_per_token,
)


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        # a uniform guess over 256 tokens of one byte: ln 256 nats = 8 bits = 8 bits per byte
        (LossUnit.NATS, math.log(256)),
        (LossUnit.BITS, 8.0),
        (LossUnit.BITS_PER_BYTE, 8.0),
        (LossUnit.PERPLEXITY, 256.0),
    ],
)
def test_a_uniform_guess_over_bytes_is_one_loss_in_every_unit(unit: LossUnit, value: float) -> None:
    assert to_nats_per_token(value, unit, bytes_per_token=1.0) == pytest.approx(math.log(256))


def test_bits_per_byte_by_hand() -> None:
    """nats/token = bits/byte × bytes/token × ln 2: 0.8 bits at 4 bytes per token."""
    assert to_nats_per_token(0.8, LossUnit.BITS_PER_BYTE, bytes_per_token=4.0) == pytest.approx(
        0.8 * 4 * 0.6931471805599453
    )


def test_two_tokenizers_meet_in_bits_per_byte() -> None:
    there = between_tokenizers(2.4, bytes_per_token=4.8, law_bytes_per_token=4.0)
    assert there == pytest.approx(2.0)
    bits = 2.4 / 4.8 / math.log(2)
    for nats, width in ((2.4, 4.8), (there, 4.0)):
        assert to_nats_per_token(
            bits, LossUnit.BITS_PER_BYTE, bytes_per_token=width
        ) == pytest.approx(nats)


def test_a_missing_width_is_named() -> None:
    with pytest.raises(
        InputError, match=r"teacher loss: 0\.72 bits/byte needs the bytes per token"
    ):
        to_nats_per_token(0.72, LossUnit.BITS_PER_BYTE, what="teacher loss")
    with pytest.raises(InputError, match="bytes per token of the law's, which are missing"):
        between_tokenizers(2.0, bytes_per_token=4.0, law_bytes_per_token=None)
    with pytest.raises(InputError, match="bytes per token of the tokenizer, which are missing"):
        between_tokenizers(2.0, bytes_per_token=None, law_bytes_per_token=4.0)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_loss_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="is not a finite number above"):
        to_nats_per_token(value, LossUnit.BITS)


def test_a_perplexity_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="above 1"):
        to_nats_per_token(0.9, LossUnit.PERPLEXITY)


@pytest.mark.parametrize("width", [0.0, -4.0, math.nan, 1000.0])
def test_an_impossible_width_is_refused(width: float) -> None:
    with pytest.raises(InputError, match="bytes per token is not between"):
        to_nats_per_token(0.7, LossUnit.BITS_PER_BYTE, bytes_per_token=width)


def test_units_are_known_by_their_names() -> None:
    assert parse_loss_unit(" Bits/Byte ") is LossUnit.BITS_PER_BYTE
    assert parse_loss_unit("nats_per_token") is LossUnit.NATS
    assert parse_loss_unit("PPL") is LossUnit.PERPLEXITY
    with pytest.raises(InputError, match="'bits/char' is unknown"):
        parse_loss_unit("bits/char")
