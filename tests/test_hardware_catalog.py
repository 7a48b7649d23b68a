"""Names, price lists and files of hardware, and what a wrong one says."""

import pytest

from distillplan.errors import InputError
from distillplan.hardware import gpu_catalog
from distillplan.models import model_catalog


def test_every_spelling_is_one_gpu():
    for gpu in gpu_catalog.gpus():
        for name in (gpu.name, gpu.name.upper(), *gpu.aliases):
            assert gpu_catalog.gpu(name).name == gpu.name


@pytest.mark.parametrize("name", ["h100", "a100", "v100", "H200", "a100-40"])
def test_a_name_that_variants_share_is_refused(name):
    """An H100 is a PCIe, an SXM or an NVL card, 756 to 990 TFLOP/s."""
    with pytest.raises(InputError, match=r"several variants|did you mean"):
        gpu_catalog.gpu(name)


def test_every_model_is_found_under_its_name_and_its_publishers():
    for name in model_catalog.model_names():
        assert model_catalog.model(name).name == name
        assert model_catalog.model(f"someone/{name.upper()}").name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpu,usd_per_hour\nh100-sxm,free\n", "line 2: usd_per_hour: 'free' is not a number"),
        ("gpu,usd_per_hour\nh100-sxm,-2\n", "positive"),
        ("gpu,usd_per_hour\n,2\n", "gpu is empty"),
        ("gpu,usd_per_hour\nl4,2\n", "no price for h100-sxm; it lists 'l4'"),
        ("gpu,usd_per_hour\n", "it is empty"),
        ("card,usd\nh100-sxm,2\n", "no column 'gpu'"),
        ("", "no column 'gpu'"),
        ("gpu,usd_per_hour,gpu\nh100-sxm,2,l4\n", "duplicate column 'gpu'"),
        ('gpu,usd_per_hour\n\n# noted\nh100-sxm,"2\n', "line 4: not readable as CSV"),
        ('gpu,usd_per_hour\nh100-sxm,"' + 200_000 * "2" + '"\n', "line 2: not readable as CSV"),
    ],
)
def test_a_wrong_price_list_says_where(tmp_path, text, words):
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        gpu_catalog.with_prices(gpu_catalog.gpu("h100-sxm"), str(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpus: {a: {}, b: {}}", "one GPU"),
        ("42", "one GPU"),
        ("gpus: {a: 1}", "GPU a: expected a mapping"),
        ("gpus: {a: {dense_bf16_tflops: 1}}", "missing key 'memory_gb'"),
        ("gpus: {a: {dense_bf16_tflops: -1}}", "positive"),
        ("gpus: {a: {speed: 1}}", "no 16-bit peak"),
    ],
)
def test_a_wrong_gpu_file_says_what(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        gpu_catalog.gpu(str(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not readable as JSON"),
        ("[]", "expected a mapping"),
        ('{"model_type": "x"}', "model_type 'x' is unknown"),
    ],
)
def test_a_wrong_config_says_what(tmp_path, text, words):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        model_catalog.model_config(path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        model_catalog.model_config(path)
    path.write_bytes(b" " * 4_000_001)
    with pytest.raises(InputError, match="larger than"):
        model_catalog.model_config(path)


def test_countries_have_codes_and_names():
    """Ember by way of Our World in Data, 2023: France 56, Germany 381, Poland 662 g/kWh."""
    assert gpu_catalog.grid("FRA").g_co2_per_kwh == pytest.approx(56, abs=1)
    assert gpu_catalog.grid("germany").g_co2_per_kwh == pytest.approx(381, abs=1)
    with pytest.raises(InputError, match="three-letter code"):
        gpu_catalog.grid("zzzzzz")
