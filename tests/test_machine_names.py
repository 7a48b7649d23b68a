"""Machines by the names that clouds and makers give them."""

import pytest

from distillplan.errors import InputError
from distillplan.files.entries import read_shipped
from distillplan.hardware import gpu_catalog, price_list
from distillplan.hardware.gpu_words import named_machine
from tests.shell import run

MACHINES = {
    # docs.aws.amazon.com/ec2, accelerated computing
    "p5.48xlarge": ("h100-sxm", 8),
    "ml.p4d.24xlarge": ("a100-40gb", 8),
    "g5.12xlarge": ("a10g", 4),
    "g5.2xlarge": ("a10g", 1),
    "trn1.32xlarge": ("trainium1", 16),
    # cloud.google.com/compute/docs: the number in the name is that of the GPUs
    "a3-megagpu-8g": ("h100-sxm", 8),
    "a2-megagpu-16g": ("a100-40gb", 16),
    # cloud.google.com/tpu/docs: v5p-256 has 256 TensorCores, two per chip; v5e and v6e count chips
    "TPU v5p-256": ("tpu-v5p", 128),
    "v4-128": ("tpu-v4", 64),
    "v5litepod-16": ("tpu-v5e", 16),
    "v6e-8": ("tpu-v6e", 8),
    # learn.microsoft.com/azure/virtual-machines/sizes
    "Standard_ND96isr_H100_v5": ("h100-sxm", 8),
    "ND96asr_v4": ("a100-40gb", 8),
    "Standard_NC80adis_H100_v5": ("h100-nvl", 2),
    # docs.oracle.com, compute shapes
    "BM.GPU.MI300X.8": ("mi300x", 8),
    "BM.GPU4.8": ("a100-40gb", 8),
    # data sheets
    "NVIDIA DGX B200": ("b200-sxm", 8),
    "DGX A100": ("a100", 8),
    "GB200 NVL72": ("gb200", 72),
}


@pytest.mark.parametrize("name", MACHINES, ids=str)
def test_machines_are_known_with_their_gpus(name):
    assert named_machine(name) == MACHINES[name]


def test_each_machine_has_gpus_of_the_catalog():
    for one in read_shipped("machines.yaml")["machines"]:
        assert gpu_catalog.name_of(one["gpu"]) == one["gpu"] or gpu_catalog.variants(one["gpu"])
        assert one.keys() <= {"gpu", "name", "gpus", "cores"}


def test_no_gpu_is_a_machine():
    for found in gpu_catalog.gpus().values():
        assert named_machine(found.name) is None


def test_a_machine_stands_for_its_gpu_where_their_number_is_given():
    asked = ("estimate", "--model", "1B", "--tokens", "1B", "-o", "json", "--gpus", "64", "--gpu")
    assert run(*asked, "p5.48xlarge").stdout == run(*asked, "h100-sxm").stdout
    assert run(*asked, "TPU v5p-128").stdout == run(*asked, "tpu-v5p").stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("p5.48xlarge", "'p5.48xlarge' has 8 GPUs; write --gpu h100-sxm --gpus 8"),
        ("g2-standard-4", "'g2-standard-4' has 1 GPU; write --gpu l4 --gpus 1"),
        ("v5p-256", "'v5p-256' has 128 GPUs; write --gpu tpu-v5p --gpus 128"),
        ("H100x8", "has their number in it; write --gpu h100-sxm --gpus 8"),
        ("RTX 5090 x2", "has their number in it; write --gpu rtx-5090 --gpus 2"),
        ("DGX A100", "use one of a100-40gb, a100-80gb"),
        ("rtx 4090 laptop", "a laptop's, has less"),
        ("A100 MIG 3g.40gb", "a part of a card"),
        ("rtx 4070 ti", "unknown name 'rtx 4070 ti'; did you mean 'rtx-4070-ti-super'"),
    ],
)
def test_a_name_that_does_not_say_which_gpus_is_answered_with_what_to_write(name, told):
    found = run("estimate", "--model", "1B", "--tokens", "1B", "--gpu", name)
    assert (found.returncode, found.stdout) == (2, "")
    assert told in found.stderr


PRICED = """\
InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Price,Region
p5.48xlarge,H100,8.0,,98.32,us-east-1
,tpu-v5p-8,1,,16.8,us-east5
,tpu-v6e-8,1,,21.6,us-east5
"""
"""In SkyPilot's columns, where only the machine says which H100 it is, and slices have several
chips: Google lists USD 4.20 and 2.70 per hour of a chip (cloud.google.com/tpu/pricing)."""


@pytest.mark.parametrize(("gpu", "usd"), [("h100-sxm", 12.29), ("tpu-v5p", 4.2), ("tpu-v6e", 2.7)])
def test_prices_of_machines_and_slices_are_those_of_one_chip(tmp_path, gpu, usd):
    file = tmp_path / "prices.csv"
    file.write_text(PRICED)
    (price,) = price_list.with_prices(gpu_catalog.gpu(gpu), str(file)).prices
    assert price.usd_per_hour == pytest.approx(usd)


def test_a_machine_is_no_gpu_in_a_list_of_prices_per_gpu(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("gpu,usd_per_hour\np5.48xlarge,98.32\n")
    with pytest.raises(InputError, match="has 8 GPUs; give the price of one, of h100-sxm"):
        price_list.with_prices(gpu_catalog.gpu("h100-sxm"), str(file))


@pytest.mark.parametrize("name", ["v5p-1", "v6e-0", "h100-sxm", "p5.48xlarge-" * 9])
def test_what_is_no_machine_is_none(name):
    assert named_machine(name) is None
