"""A run of a published table, as our own words describe it: model, machine and layout."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from distillplan.hardware import gpu_catalog as catalog
from distillplan.hardware.gpu import GIGA
from distillplan.hardware.machine import Machine, usual_strategy
from distillplan.hardware.strategy import Strategy
from distillplan.hardware.throughput import ThroughputModel, throughput_model
from distillplan.models.model_catalog import model
from distillplan.models.model_config import read_config
from distillplan.models.named_models import Model
from distillplan.models.shapes import ModelShape
from distillplan.models.uniform import uniform_shape


def described_machine(
    group: Mapping[str, Any], row: Mapping[str, Any], speeds: ThroughputModel | None = None
) -> Machine:
    """The GPUs of a row and their layout.

    Args:
        group: for what its rows share.
        row: `gpu`, `gpus`, `strategy`, and where stated `inter_node_gb_s` and `batch_tokens`.
        speeds: coefficients of the speed model; None: the shipped ones.
    """
    gpu = catalog.gpu(row["gpu"])
    if "inter_node_gb_s" in row:
        gpu = replace(gpu, inter_node_bytes_per_s=row["inter_node_gb_s"] * GIGA)
    return Machine(
        gpu=gpu,
        gpus=int(row["gpus"]),
        model=speeds or throughput_model(),
        strategy=described_strategy(group, row),
        global_tokens=row.get("batch_tokens"),
        today=dt.date(2026, 1, 1),  # prices are not used here
    )


def described_shape(row: Mapping[str, Any]) -> ModelShape:
    """The model of a row: its sizes, its config.json, or its name and the layers that are kept."""
    if "shape" in row:
        return uniform_shape(**row["shape"])
    if "config" in row:
        return read_config(row["config"]).shape
    found = model(row["model"]).shape
    return found.first(int(row["layers"])) if "layers" in row else found


def described_model(row: Mapping[str, Any], key: str) -> Model:
    """A model by its name, its shape, or where nothing else is known its size."""
    given = row[key]
    if isinstance(given, str):
        return model(given).shape
    return uniform_shape(**given) if isinstance(given, Mapping) else float(given)


def described_strategy(group: Mapping[str, Any], row: Mapping[str, Any]) -> Strategy:
    """The layout that a group shares, with what a row adds."""
    return usual_strategy(**group.get("strategy", {}) | row.get("strategy", {}))
