"""Every coefficient file: loads, is sourced, positive, and reproduces its own checks."""

import pytest
import yaml

from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.laws.provenance import LawStatus, ParameterCount
from distillplan.planning.options import option_of
from distillplan.planning.scenario import Scenario
from distillplan.schemas.reader import schema_names, schema_text

LAWS = law_catalog.all_laws()
GOOD = {
    "title": "A law",
    "form": "supervised",
    "source": "somebody 2030",
    "counts": "non-embedding parameters",
    "loss_unit": "nats per token",
    "corpus": "text",
    "tokenizer": "none",
    "valid": {"params": [1.0e8, 1.0e10]},
    "coefficients": {
        "supervised": {name: {"value": 1.0} for name in ("E", "A", "B", "alpha", "beta")}
    },
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_law_is_documented(law):
    for text in (law.title, law.source, law.counts, law.loss_unit, law.corpus, law.tokenizer):
        assert text
    assert {"params", "tokens"} <= set(law.valid)
    for low, high in law.valid.values():
        assert 0 < low < high
    assert all(one.value > 0 for name, one in law.coefficients.items() if name != "E")
    for one in law.coefficients.values():
        if one.low is not None:
            assert one.low <= one.value <= one.high
            assert one.level in (0.9, 0.95)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_law_reproduces_its_checks(law):
    assert law.checks
    for check in law.checks:
        assert law.computed(check) == pytest.approx(check.published, abs=check.within), check.where


# Table 6 of arXiv:2502.08606 as it is printed, digit for digit, but for B'
TABLE_6 = {
    "E": "1.220",
    "A": "3355",
    "B": "18186",
    "alpha": "0.408",
    "beta": "0.431",
    "gamma": "0.452",
    "c0'": "2.549",
    "c1'": "522.6",
    "f1'": "0.090",
    "d1'": "1.315",
    "A'": "2243",
    "alpha'": "0.321",
    "beta'": "0.637",
    "gamma'": "0.764",
}


def test_every_printed_digit_of_the_default_holds():
    """Rounded to the digits of Table 6 the default law is Table 6, B' excepted."""
    law = law_catalog.law()
    assert law.name == "busbridge2025"
    assert law.status is LawStatus.DEFAULT
    assert law.errata
    for name, printed in TABLE_6.items():
        digits = len(printed.partition(".")[2])
        assert f"{law.coefficients[name].value:.{digits}f}" == printed, name
    assert set(law.coefficients) == {*TABLE_6, "B'"}


def test_the_data_coefficient_of_the_default_is_about_100_times_its_print():
    """Every figure of the paper asks for 2.0e6 to 2.5e6; the print says 24181."""
    assert 2.0e6 < law_catalog.law().distillation.B < 2.5e6


def test_the_former_default_stays_available():
    """Table 6 with B' times 100, which was the default of release 0.1.0."""
    law = law_catalog.law("busbridge2025_table6")
    assert law.status is LawStatus.SUPERSEDED
    assert law.same_runs_as == "busbridge2025"
    assert law.distillation.B == 100 * 24181
    for name, printed in TABLE_6.items():
        assert law.coefficients[name].value == float(printed), name


def test_the_printed_table_stays_available():
    law = law_catalog.law("busbridge2025_printed")
    assert law.distillation.B == 24181
    assert law.status is LawStatus.ERRATUM
    assert law.errata


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(InputError, match="did you mean 'busbridge2025'"):
        law_catalog.law("busbrige2025")


def test_a_file_of_the_same_form_is_a_law(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    assert law_catalog.law(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"source": ...}, "missing key 'source'"),
        ({"form": "guess"}, "not one of supervised, distillation"),
        ({"form": "distillation"}, "missing key 'distillation'"),
        ({"valid": {"params": [1.0]}}, "not a pair"),
        ({"valid": {"params": [1.0, "x"]}}, "not a number"),
        ({"coefficients": {"supervised": {"E": {"value": True}}}}, "not a number"),
        ({"coefficients": []}, "expected a mapping"),
        ({"status": "great"}, "not one of default"),
        (
            {"counts": "bananas"},
            "'bananas' is unknown; write one of 'non-embedding parameters', 'total parameters'",
        ),
    ],
)
def test_faults_of_a_law_file_are_named(tmp_path, change, fault):
    data = {**GOOD, **change}
    data = {key: value for key, value in data.items() if value is not ...}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(InputError, match=fault) as caught:
        law_catalog.law(str(path))
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("counts", "meant"),
    [
        ("Non-embedding parameters", ParameterCount.NON_EMBEDDING),
        ("non-embedding", ParameterCount.NON_EMBEDDING),
        ("TOTAL  parameters", ParameterCount.TOTAL),
        ("The authors' parameter count, convention not verified", ParameterCount.UNVERIFIED),
    ],
)
def test_what_a_law_counts_is_read_in_any_case(tmp_path, counts, meant):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "counts": counts}))
    assert law_catalog.law(str(path)).counts is meant


def test_a_plan_does_not_depend_on_a_capital_letter(tmp_path):
    """A token costs 6 N FLOPs of the non-embedding parameters, and more with the embedding."""
    plans = {}
    for counts in ("non-embedding parameters", "Non-embedding parameters", "total parameters"):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({**GOOD, "counts": counts}))
        scenario = Scenario(compute=1e21, student_params=3e8, law=law_catalog.law(str(path)))
        plans[counts] = option_of(scenario, None).student_tokens
    first, same, other = plans.values()
    assert first == same
    assert first != pytest.approx(other, rel=0.05)


@pytest.mark.parametrize("text", ["a: [", "\x00", "!!python/object:os.system {}", "a: 1\na: 2", ""])
def test_files_that_are_no_law_are_refused(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        law_catalog.law(str(path))


def test_missing_huge_and_binary_files_are_refused(tmp_path):
    huge, binary = tmp_path / "huge.yaml", tmp_path / "binary.yaml"
    huge.write_bytes(b"a: 1\n" * 2_000_000)
    binary.write_bytes(bytes(range(256)))
    for path in (tmp_path / "none.yaml", huge, binary, tmp_path):
        with pytest.raises(InputError, match=r"\."):
            law_catalog.law(str(path) if path.suffix else f"{path}/.yaml")


def test_exponents_are_numbers(tmp_path):
    """PyYAML reads 1e21 as a string; here it is a number, with or without a dot and a sign."""
    text = yaml.safe_dump(GOOD).replace("value: 1.0", "value: 1e3")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert law_catalog.law(str(path)).supervised.A == 1000.0


def test_schemas_are_listed():
    assert set(schema_names()) >= {"plan", "prediction", "law", "laws", "check"}
    with pytest.raises(InputError, match="did you mean 'plan'"):
        schema_text("plam")
