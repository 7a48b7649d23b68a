"""Measured losses of open models, from a file."""

from collections.abc import Mapping

from distillplan.errors import InputError
from distillplan.files.csv_reader import FileRow, read_csv
from distillplan.laws.loss_units import measured_loss
from distillplan.models.model_catalog import advice, find_model
from distillplan.units.choices import letters
from distillplan.units.quantities import parse_count

COLUMNS = ("bpb", "loss")
"""Bits per byte, or nats per token of the law's tokenizer."""
_MEANT = {
    **dict.fromkeys(("model", "name", "modelname", "teacher", "hub"), "model"),
    **dict.fromkeys(("bpb", "bitsperbyte", "bitsperbyte,none"), "bpb"),
    **dict.fromkeys(("loss", "nats", "nll", "valloss", "evalloss"), "loss"),
}
"""Columns by what people and evaluation harnesses call them, in letters."""


def read_losses(source: str, bytes_per_token: float | None) -> dict[str, float]:
    """Losses on one text, in nats per token of the law, by the models' names in the catalog.

    Args:
        source: a CSV file with the columns model and one of `COLUMNS`.
        bytes_per_token: of that text under the law's tokenizer; needed for bits per byte.

    Raises:
        InputError: for an unknown model, a repeated one, or a loss that cannot be read.
    """
    found: dict[str, float] = {}
    for row in read_csv(source):
        where = f"{source}, line {row.line}"
        given = _columns(row, where)
        name = given["model"]
        model = find_model(name)
        if model is None:
            raise InputError(f"{where}: no model is named {name[:60]!r}; {advice(name)}")
        if model.name in found:
            raise InputError(f"{where}: {model.name} is there a second time; leave one out")
        found[model.name] = _nats(given, where, bytes_per_token)
    if not found:
        raise InputError(
            f"{source}: no losses; write the columns first, model,loss, and below them lines such "
            "as llama-3.2-3b,1.95"
        )
    return found


def _columns(row: FileRow, where: str) -> dict[str, str]:
    """What a row gives, by our names of the columns."""
    found: dict[str, str] = {}
    for column, text in row.values.items():
        meant = _MEANT.get(letters(str(column)))
        if meant is None or not str(text or "").strip():
            continue
        if meant in found:
            raise InputError(f"{where}: two columns give {meant}; leave one out")
        found[meant] = str(text).strip()
    if "model" not in found:
        raise InputError(f"{where}: no column gives the model; write the columns model and loss")
    return found


def _nats(given: Mapping[str, str], where: str, bytes_per_token: float | None) -> float:
    losses = {name: given[name] for name in COLUMNS if name in given}
    if len(losses) != 1:
        raise InputError(f"{where}: give a loss in one of the columns {' and '.join(COLUMNS)}")
    ((name, text),) = losses.items()
    value = parse_count(text, f"{where}: {name}", "0.71")
    if name == "loss":
        return value
    nats = measured_loss(None, None, bpb=value, bytes_per_token=bytes_per_token)
    if nats is None:
        raise ValueError("a loss in bits per byte is one in nats")
    return nats
