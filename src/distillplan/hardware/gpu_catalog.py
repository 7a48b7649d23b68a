"""The hardware data that ships, as records and as answers, and the user's own GPUs."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from distillplan.errors import InputError, Word
from distillplan.files.entries import Entry, read_shipped
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.hardware.gpu import Gpu, Price, gpu_from_entry, listed_price
from distillplan.hardware.gpu_words import PARTS, is_memory, looser, named_machine, words_of
from distillplan.hardware.step_time import dense_peak, matmul_ceiling
from distillplan.hardware.throughput import throughput_model
from distillplan.named_tuples import NamedTuple
from distillplan.suggest import close_names, did_you_mean

_NUMBERED: Final = (
    r"(?ai)(?P<gpus>\d{1,6})\s*[x*]?\s*(?P<gpu>[a-z].*|\d{4}.*)",
    r"(?ai)(?P<gpu>.*\S)\s*[x*]\s*(?P<gpus>\d{1,6})",
)
"""Several GPUs, with their number before or behind."""


class GpuCard(NamedTuple):
    """One GPU in full."""

    gpu: Gpu
    dense_flops_per_s: float
    """In bf16, or in fp16 on GPUs without it."""
    matmul_flops_per_s: float
    """The best matrix product: measured, or else a share of the peak."""
    usable_memory_bytes: float
    """What a run can use of the memory, against which its need is weighed."""
    listed_price: Price | None
    """The price that a bill uses where none is given."""


class GpuList(NamedTuple):
    """All that ship."""

    gpus: tuple[GpuCard, ...]


class PowerGrid(NamedTuple):
    """The electricity of one country."""

    code: str
    name: str
    g_co2_per_kwh: float
    year: int
    source: str


@cache
def gpus() -> Mapping[str, Gpu]:
    """Every GPU that ships, by its name."""
    entries = read_shipped("gpus.yaml")["gpus"].items()
    return {name: gpu_from_entry(name, entry) for name, entry in entries}


def gpu_card(found: Gpu) -> GpuCard:
    """A GPU in full."""
    from distillplan.hardware.memory_fit import usable_bytes  # for no other answer than this

    return GpuCard(
        gpu=found,
        dense_flops_per_s=dense_peak(found),
        matmul_flops_per_s=matmul_ceiling(found, throughput_model()),
        usable_memory_bytes=usable_bytes(found),
        listed_price=listed_price(found.prices),
    )


def gpu(name: str) -> Gpu:
    """A GPU by its name, or from a file with one entry in the form of coefficients/gpus.yaml.

    Raises:
        InputError: for an unknown name (suggesting the nearest), for one that is sold in several
            variants (listing them), and for a file that cannot be used.

    >>> gpu("h100-sxm").gpus_per_node
    8
    >>> gpu("NVIDIA A100-SXM4-80GB").name, gpu("H100 94GB").name, gpu("TPU v5e").name
    ('a100-80gb', 'h100-nvl', 'tpu-v5e')
    """
    if name.endswith(YAML_ENDINGS):
        return _own_gpu(name)
    known = name_of(name)
    if known is not None:
        return gpus()[known]
    several = variants(name)
    if len(several) > 1:
        which = f"is sold in several variants; use one of {', '.join(several)}"
        raise InputError(Word("gpu"), f": {name!r} {which}")
    numbered = (re.fullmatch(pattern, name.strip()) for pattern in _NUMBERED)
    found = next(filter(None, numbered), None)
    one = found and (name_of(found["gpu"]) or next(iter(variants(found["gpu"])), None))
    if found and one:
        told = (Word("gpu", one), " ", Word("gpus", found["gpus"]))
        raise InputError(Word("gpu"), f": {name!r} has their number in it; write ", *told)
    raise InputError(Word("gpu"), f": unknown name {name!r}; {_advice(words_of(name))}")


def _advice(words: list[str]) -> str:
    """What to say of a name that nobody knows: cards of the same number, or names like it."""
    if PARTS & {*words}:
        return "a part of a card, or a laptop's, has less: give its own figures in a YAML file"
    numbers = {word for word in words if re.search(r"\d", word) and not is_memory(word)}
    alike = sorted(_worded(), key=lambda one: -len({*words} & {*one[0]}))
    found = [name for spelled, name in alike if numbers & {*spelled}]
    found = found or [_spellings()[one] for one in close_names("-".join(words), _spellings())]
    if not found:
        return "run distillplan gpus for the list, or give a YAML file"
    return did_you_mean(list(dict.fromkeys(found))[:3])


def variants(name: str) -> tuple[str, ...]:
    """The GPUs that a name without its variant may stand for; none where it is whole, or unknown.

    >>> variants("H200"), variants("NVIDIA H100 80GB")
    (('h200-sxm', 'h200-nvl'), ('h100-sxm', 'h100-pcie'))
    """
    return () if name_of(name) is not None else _variants(_words(name))


def _words(name: str) -> list[str]:
    """The words of a GPU, or of that in a machine."""
    machine = named_machine(name)
    return words_of(name if machine is None else machine.gpu)


def _variants(words: list[str]) -> tuple[str, ...]:
    """The GPUs whose names have these words and more, the first one first."""
    for first, *others in filter(None, looser(words)):
        found = {
            whole: None
            for spelled, whole in _worded()
            if spelled[0] == first and {*others} < {*spelled[1:]}
        }
        if found:
            return tuple(found)
    return ()


def name_of(name: str) -> str | None:
    """The GPU that a name stands for on its own; None where there is none, or several.

    >>> name_of("NVIDIA H100 80GB HBM3"), name_of("RTX 4090 24GB"), name_of("h100")
    ('h100-sxm', 'rtx-4090', None)
    """
    words = _words(name)
    memory = [word for word in words if is_memory(word)]
    whole = _spelled(words)
    if whole is not None or not memory:
        return whole
    bare = _spelled([word for word in words if not is_memory(word)])
    if bare is not None:
        return bare if memory == [f"{gpus()[bare].memory_bytes / 1e9:.0f}gb"] else None
    left = _variants(words)  # of which only one may have that memory
    return left[0] if len(left) == 1 else None


def _spelled(words: list[str]) -> str | None:
    """The GPU of which these are all the words, glued together or in any order."""
    every = looser(words)
    keys = [*map("".join, every), *map(frozenset, every)]
    return next((_keys()[one] for one in keys if one in _keys()), None)


def priced_as(name: str, memory_gib: int | None = None, instance: str = "") -> str | None:
    """The GPU that a price list means; None where it is unknown or may be one of several.

    The memory of one GPU and the type of the machine may tell variants of a name apart.

    >>> priced_as("RTX6000Ada"), priced_as("A100", 40), priced_as("H100", 80, "gpu_1x_h100_pcie")
    ('rtx-6000-ada', 'a100-40gb', 'h100-pcie')
    >>> priced_as("H100", 80)
    """
    known, whole = name_of(name), named_machine(instance)
    if known is not None:
        return known
    if whole is not None and whole.gpu in variants(name):
        return whole.gpu
    machine = instance.lower()
    stated = [
        one
        for one in variants(name)
        if all(
            part == f"{memory_gib}gb" or re.search(rf"(?<![a-z]){part}\d*(?![a-z])", machine)
            for part in one.split("-")[1:]
        )
    ]
    return max(stated, key=lambda one: one.count("-"), default=None)


def grid(country: str) -> PowerGrid:
    """The electricity of a country, by its code of three or two letters or its English name.

    Raises:
        InputError: for an unknown country (suggesting the nearest).

    >>> grid("FRA").name, grid("france").code, grid("UK").code
    ('France', 'FRA', 'GBR')
    """
    data, wanted = read_shipped("grid.yaml"), country.strip().lower()
    codes = {entry["name"].lower(): code for code, entry in data["countries"].items()}
    letters = data["two_letters"].get(wanted.upper(), wanted.upper())
    code = letters if letters in data["countries"] else codes.get(wanted)
    if code is not None:
        entry = Entry(data["countries"][code], code)
        return entry.record(PowerGrid, code=code, source=data["source"])
    near = close_names(country.strip(), codes) if len(wanted) > 2 else ()
    close = [f"{name.title()} ({codes[name]})" for name in near]
    known = "give a code such as FRA or FR, or the English name"
    advice = f"did you mean {' or '.join(close)}?" if close else known
    raise InputError(Word("country"), f": unknown name {country!r}; {advice}")


@cache
def _spellings() -> dict[str, str]:
    """Every accepted spelling, in lower case, with the name that it stands for."""
    aliases = {alias: one.name for one in gpus().values() for alias in one.aliases}
    lower = {alias.lower().replace(" ", "-"): name for alias, name in aliases.items()}
    return {name: name for name in gpus()} | lower


@cache
def _worded() -> tuple[tuple[list[str], str], ...]:
    """The same as words."""
    return tuple((words_of(spelling), name) for spelling, name in _spellings().items())


@cache
def _keys() -> dict[str | frozenset[str], str]:
    """The same by the words glued together, and by the words in any order."""
    glued: dict[str | frozenset[str], str] = {"".join(words): name for words, name in _worded()}
    return glued | {frozenset(words): name for words, name in reversed(_worded())}


def _own_gpu(path: str) -> Gpu:
    """The one entry in a user's file."""
    from distillplan.files.tree import read_foreign_yaml  # only for such a file

    data = read_foreign_yaml(path)
    entries = data.get("gpus") if isinstance(data, Mapping) else None
    if not isinstance(entries, Mapping) or len(entries) != 1:
        form = "e.g. gpus: {my-gpu: {dense_bf16_tflops: 900, memory_gb: 80, ...}}"
        raise InputError(f"{path}: expected one GPU in the form of coefficients/gpus.yaml, {form}")
    ((name, entry),) = entries.items()
    try:
        return gpu_from_entry(name, entry)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
