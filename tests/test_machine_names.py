"""Machines by the names that clouds and makers give them."""

import pytest

from distillplan.files.entries import read_shipped
from distillplan.hardware import gpu_catalog
from distillplan.hardware.machine_names import named_machine

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


@pytest.mark.parametrize("name", ["v5p-1", "v6e-0", "h100-sxm", "p5.48xlarge-" * 9])
def test_what_is_no_machine_is_none(name):
    assert named_machine(name) is None
