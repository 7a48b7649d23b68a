"""What a start reads quickly is what it would read slowly."""

import json

import pytest

from distillplan.files import entries
from distillplan.files.yaml_reader import read_yaml
from distillplan.models.model_sizes import is_size, split_pair
from distillplan.units.numerals import split_number
from tests.shipped import COEFFICIENTS


@pytest.mark.parametrize("path", sorted(COEFFICIENTS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_json_has_a_word_for_every_value(path):
    """A wheel has them as JSON; see `hatch_build.py`."""
    values = read_yaml(path)
    assert json.loads(json.dumps(values, ensure_ascii=False, allow_nan=False)) == values


def test_the_values_of_a_wheel_are_read_instead_of_its_yaml(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "coefficients_dir", lambda: tmp_path)
    (tmp_path / "checkout.yaml").write_text("from: yaml")
    (tmp_path / "wheel.yaml").write_text("from: yaml")
    (tmp_path / "wheel.json").write_text('{"from": "json"}')
    assert entries.read_shipped.__wrapped__("checkout.yaml") == {"from": "yaml"}
    assert entries.read_shipped.__wrapped__("wheel.yaml") == {"from": "json"}


@pytest.mark.parametrize(
    "text", ["7", "7B", "1e21", "1E+21", "1.5e-3", "2.5million", "7x", "1e", "1e21e", "0.6b", "3Q"]
)
def test_usual_numbers_are_read_as_all_others(text):
    """With a space in front the patterns for all that people write read it."""
    assert split_number(text) == split_number(f" {text}")
    assert is_size(text) == is_size(f" {text}")
    assert split_pair(text, "student")[0] == split_pair(f" {text}", "student")[0].strip()
