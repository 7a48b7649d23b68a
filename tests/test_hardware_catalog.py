"""Names, price lists and files of hardware, and what a wrong one says."""

import pytest

from distillplan.errors import InputError
from distillplan.files.bounds import MOST_CONFIG_BYTES
from distillplan.hardware import gpu_catalog, price_list
from distillplan.models import model_catalog
from distillplan.planning.budget_text import parse_budget


def test_every_spelling_is_one_gpu():
    for gpu in gpu_catalog.gpus().values():
        for name in (gpu.name, gpu.name.upper(), *gpu.aliases):
            assert gpu_catalog.gpu(name).name == gpu.name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("H20-96GB", "h20"),
        ("GH200 144GB", "gh200-144gb"),
        ("RTX PRO 6000", "rtx-pro-6000"),
        ("RTX 6000 Ada", "rtx-6000-ada"),
        ("A40", "a40"),
        ("RTX A5000", "rtx-a5000"),
        ("a4000", "rtx-a4000"),
        ("3080", "rtx-3080"),
        ("RTX 3080 Ti", "rtx-3080-ti"),
        ("RTX 4080", "rtx-4080"),
        ("4080 Super", "rtx-4080-super"),
        ("rtx_5080", "rtx-5080"),
        ("MI210", "mi210"),
        ("MI250", "mi250"),
        ("Rubin", "vr200"),
        ("VR200 NVL72", "vr200"),
        ("MI455X", "mi455x"),
        ("trn1", "trainium1"),
    ],
)
def test_a_gpu_is_found_as_people_write_it(written, name):
    assert gpu_catalog.gpu(written).name == name


PRINTED = {
    # as nvidia-smi, rocm-smi, lspci, Kubernetes, JAX and the consoles of clouds print them
    "NVIDIA L40S": "l40s",
    "NVIDIA L4": "l4",
    "NVIDIA A10G": "a10g",
    "NVIDIA B200": "b200-sxm",
    "Tesla T4": "t4",
    "nvidia-tesla-t4": "t4",
    "Tesla V100-SXM2-32GB": "v100-32gb",
    "NVIDIA A100-SXM4-80GB": "a100-80gb",
    "NVIDIA A100-PCIE-40GB": "a100-40gb-pcie",
    "NVIDIA A100 80GB PCIe": "a100-80gb-pcie",
    "NVIDIA H100 80GB HBM3": "h100-sxm",  # the others have HBM2e, or 94 GB
    "NVIDIA-H100-80GB-HBM3": "h100-sxm",
    "NVIDIA H100 PCIe": "h100-pcie",
    "NVIDIA H100 NVL": "h100-nvl",
    "H100 94GB": "h100-nvl",  # data sheet: the only one with so much
    "NVIDIA H200 NVL": "h200-nvl",
    "NVIDIA GH200 480GB": "gh200-96gb",  # of the CPU's memory
    "NVIDIA GH200 144G HBM3e": "gh200-144gb",
    "NVIDIA RTX A6000": "rtx-a6000",
    "NVIDIA RTX 6000 Ada Generation": "rtx-6000-ada",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "rtx-pro-6000",
    "NVIDIA GeForce RTX 4090": "rtx-4090",
    "RTX 4090 24GB": "rtx-4090",
    "AMD Instinct MI300X": "mi300x",
    "AMD Instinct MI250X": "mi250x",
    "AWS Trainium2": "trainium2",
    "TPU v5e": "tpu-v5e",
}
LISTED = {
    "NVIDIA Corporation GH100 [H100 SXM5 80GB] (rev a1)": "h100-sxm",
    "Advanced Micro Devices, Inc. [AMD/ATI] Aqua Vanjaram [Instinct MI300X]": "mi300x",
}


@pytest.mark.parametrize("printed", [*PRINTED, *LISTED])
def test_a_gpu_is_found_as_programs_print_it(printed):
    name = {**PRINTED, **LISTED}[printed]
    assert gpu_catalog.gpu(printed).name == name
    assert gpu_catalog.priced_as(printed) == name
    assert gpu_catalog.variants(printed) == ()


@pytest.mark.parametrize("printed", PRINTED)
def test_a_budget_takes_a_gpu_as_programs_print_it(printed):
    budget = parse_budget(f"8 x {printed} for 7 days")
    assert gpu_catalog.gpu(budget.gpu).name == PRINTED[printed]
    assert budget.gpu_hours == 8 * 168


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("NVIDIA H200", "use one of h200-sxm, h200-nvl"),
        ("nvidia-h100-80gb", "use one of h100-sxm, h100-pcie"),
        # other cards than those that share their number
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "unknown name .* a laptop's, has less"),
        ("RTX PRO 6000 Blackwell Max-Q", "unknown name .* has less: give its own figures"),
        ("RTX 4090 48GB", "unknown name .* did you mean 'rtx-4090'?"),
        ("Tesla V100-PCIE-16GB", "unknown name .* did you mean 'v100-16gb' or 'v100-32gb'?"),
    ],
)
def test_what_a_printed_name_leaves_open_is_asked(name, advice):
    with pytest.raises(InputError, match=advice):
        gpu_catalog.gpu(name)


@pytest.mark.parametrize("name", ["h100", "a100", "v100", "H200", "a100-40", "gh200", "rtx 6000"])
def test_a_name_that_variants_share_is_refused(name):
    """An H100 is a PCIe, an SXM or an NVL card, 756 to 990 TFLOP/s."""
    with pytest.raises(InputError, match=r"several variants|did you mean"):
        gpu_catalog.gpu(name)


def test_every_model_is_found_under_its_name_and_its_publishers():
    for name in [one.name for one in model_catalog.models()]:
        assert model_catalog.model(name).name == name
        assert model_catalog.model(f"someone/{name.upper()}").name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gpu,usd_per_hour\nh100-sxm,free\n", "line 2: usd_per_hour: 'free' is not a number"),
        ("gpu,usd_per_hour\nh100-sxm,-2\n", "positive"),
        ("gpu,usd_per_hour\n,2\n", "gpu is empty"),
        ("GPU,$/h\nl4,2\n", "no column 'gpu'; it has 'GPU', '\\$/h'"),
        ("gpu,usd_per_hour,gpus\nh100-sxm,15.92,8\n", "a column 'gpus'; give the price of one GPU"),
        ("gpu,usd_per_hour,spot\nh100-sxm,0.99,true\n", "a column 'spot'.* on demand"),
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
        price_list.with_prices(gpu_catalog.gpu("h100-sxm"), str(path))


GPUHUNT = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size\n"
    "cpu-2,us,0.1,2,8.0,0,,,False,\n"
    "big,us,24.0,208,1800.0,8,A100,40.0,False,\n"
    "small,eu,2.0,26,200.0,1,A100,40.0,False,\n"
    "small,eu,0.5,26,200.0,1,A100,40.0,True,\n"
    "large,eu,14.0,26,200.0,4,A100,80.0,False,\n"
    "pro,eu,1.5,16,64.0,1,RTXPRO6000,96.0,False,\n"
    "tpu,us,oops,16,64.0,1,v6e-1,0.0,False,\n"
)
SKYPILOT = (
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice\n"
    "cpu_4x,,,4.0,16.0,0.2,us-east-1,,\n"
    "gpu_1x_h100_pcie,H100,1.0,26.0,200.0,3.0,us-east-1,\"{'Gpus': [{'Name': 'H100'}]}\",0.9\n"
    "gpu_8x_h100_sxm5,H100,8.0,208.0,1800.0,32.0,us-east-1,\"{'Gpus': [{'Name': 'H100'}]}\",\n"
    "p5,H100,8,192,2048,40.0,us-east-1,,\n"
    "1V100,V100,1.0,6.0,23.0,0.5,FIN-01,"
    "\"{'Gpus': [{'MemoryInfo': {'SizeInMiB': 16384}}], 'TotalGpuMemoryInMiB': 16384}\",\n"
    "2ADA,RTX6000-Ada,2.0,20.0,120.0,,FIN-03,,0.8\n"
    "1ADA,RTX-6000-Ada,2.0,20.0,120.0,1.8,FIN-03,,\n"
)


@pytest.mark.parametrize(
    ("text", "name", "usd", "seller"),
    [
        (GPUHUNT, "a100-40gb", 2.0, "small, eu"),
        (GPUHUNT, "a100-80gb", 14.0 / 4, "large, eu"),
        (GPUHUNT, "rtx-pro-6000", 1.5, "pro, eu"),
        (SKYPILOT, "h100-sxm", 32.0 / 8, "gpu_8x_h100_sxm5, us-east-1"),
        (SKYPILOT, "h100-pcie", 3.0, "gpu_1x_h100_pcie, us-east-1"),
        (SKYPILOT, "v100-16gb", 0.5, "1V100, FIN-01"),
        (SKYPILOT, "rtx-6000-ada", 1.8 / 2, "1ADA, FIN-03"),
    ],
)
def test_a_cloud_catalog_gives_the_cheapest_gpu_on_demand(tmp_path, text, name, usd, seller):
    """Machines with the columns of the real catalogs; the price is the machine's over its GPUs."""
    path = tmp_path / "vms.csv"
    path.write_text(text, encoding="utf-8")
    (price,) = price_list.with_prices(gpu_catalog.gpu(name), str(path)).prices
    assert price.usd_per_hour == pytest.approx(usd)
    assert price.seller == f"vms.csv, {seller}"
    assert price.date == "unknown"


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ((SKYPILOT, "", ""), "h100-nvl", "'H100' does not say which variant: write h100-nvl"),
        ((SKYPILOT, "", ""), "l4", "no price for l4; it lists 'H100', 'RTX-6000-Ada', 'V100'"),
        ((SKYPILOT, "8.0,208.0", "0,208.0"), "h100-sxm", "line 4: AcceleratorCount: '0'"),
        ((SKYPILOT, "32.0", "-32"), "h100-sxm", "line 4: Price: '-32'"),
        ((GPUHUNT, "24.0", "free"), "a100-40gb", "line 3: price: 'free' is not a number"),
        ((GPUHUNT, ",gpu_count", ",gpus"), "a100-40gb", "no column 'gpu'"),
    ],
)
def test_a_wrong_cloud_catalog_says_where(tmp_path, change, name, words):
    text, old, new = change
    path = tmp_path / "vms.csv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        price_list.with_prices(gpu_catalog.gpu(name), str(path))


def test_a_list_of_ones_own_keeps_every_price(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("gpu,usd_per_hour,date\nH100 SXM,3,2026-11-01\nl4,free,\nh100-sxm,$2,\n")
    prices = price_list.with_prices(gpu_catalog.gpu("h100-sxm"), str(path)).prices
    assert [(one.usd_per_hour, one.date) for one in prices] == [(3, "2026-11-01"), (2, "unknown")]


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
    path.write_bytes(b" " * (MOST_CONFIG_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        model_catalog.model_config(path)


def test_countries_have_codes_and_names():
    """Ember by way of Our World in Data, 2023: France 56, Germany 381, Poland 662 g/kWh."""
    assert gpu_catalog.grid("FRA").g_co2_per_kwh == pytest.approx(56, abs=1)
    assert gpu_catalog.grid("germany").g_co2_per_kwh == pytest.approx(381, abs=1)
    with pytest.raises(InputError, match="a code such as FRA"):
        gpu_catalog.grid("zzzzzz")


@pytest.mark.parametrize(
    "text",
    [
        "gpu;usd_per_hour\nrtx-4090;0.34\n",
        "gpu;usd_per_hour\nrtx-4090;0,34\n",
        "gpu;usd_per_hour;seller\nrtx-4090;$0,34;us, here\n",
        "sep=;\ngpu;usd_per_hour\nrtx-4090;0.34\n",
        "gpu\tusd_per_hour\nrtx-4090\t0,34\n",
        "gpu,usd_per_hour\nrtx-4090,0.34\n",
    ],
)
def test_a_price_list_has_the_separators_of_any_spreadsheet(text, tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    (price,) = price_list.with_prices(gpu_catalog.gpu("rtx-4090"), str(path)).prices
    assert price.usd_per_hour == 0.34


def test_a_comma_that_may_separate_fields_is_no_decimal(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text('gpu,usd_per_hour\nrtx-4090,"0,34"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"write decimals with a point: 0\.34"):
        price_list.with_prices(gpu_catalog.gpu("rtx-4090"), str(path))
