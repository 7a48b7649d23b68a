"""Measured losses of open models, from a file."""

from distillplan.errors import InputError
from distillplan.files.csv_reader import FileRow, read_csv
from distillplan.laws.loss_units import measured_loss
from distillplan.models.model_catalog import advice, find_model
from distillplan.units.quantities import parse_count

COLUMNS = ("bpb", "loss")
"""Bits per byte, or nats per token of the law's tokenizer."""


def read_losses(source: str, bytes_per_token: float | None) -> dict[str, float]:
    """Losses on one text, in nats per token of the law, by the models' names in the catalog.

    Args:
        source: a CSV file with the columns model and one of `COLUMNS`.
        bytes_per_token: of that text under the law's tokenizer; needed for bits per byte.

    Raises:
        InputError: for an unknown model, a repeated one, or a loss that cannot be read.
    """
    found: dict[str, float] = {}
    for row in read_csv(source, ("model",)):
        where = f"{source}, line {row.line}"
        name = (row.values["model"] or "").strip()
        model = find_model(name)
        if model is None:
            raise InputError(f"{where}: no model is named {name[:60]!r}; {advice(name)}")
        if model.name in found:
            raise InputError(f"{where}: {model.name} is there a second time; leave one out")
        found[model.name] = _nats(row, where, bytes_per_token)
    if not found:
        raise InputError(f"{source}: no losses; write a line such as llama-3.2-3b,0.71")
    return found


def _nats(row: FileRow, where: str, bytes_per_token: float | None) -> float:
    said = {name: (row.values.get(name) or "").strip() for name in COLUMNS}
    given = {name: text for name, text in said.items() if text}
    if len(given) != 1:
        raise InputError(f"{where}: give a loss in one of the columns {' and '.join(COLUMNS)}")
    ((name, text),) = given.items()
    value = parse_count(text, f"{where}: {name}", "0.71")
    if name == "loss":
        return value
    nats = measured_loss(None, None, bpb=value, bytes_per_token=bytes_per_token)
    if nats is None:
        raise ValueError("a loss in bits per byte is one in nats")
    return nats
