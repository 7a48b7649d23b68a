"""Files for trainers: a plan's run in the keys of one of them, checked against what it takes."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from distillplan.errors import InputError
from distillplan.files.saving import NamedFile, save_all
from distillplan.files.yaml_reader import parse_yaml
from distillplan.files.yaml_text import value_text
from distillplan.named_tuples import NamedTuple
from distillplan.planning.results import Method
from distillplan.questions.export_records import (
    FILL_IN,
    ConfigFile,
    ConfigKey,
    ExportCase,
    TextForm,
    Trainer,
    ValueOrigin,
    ValueType,
    trainer,
    trainer_names,
)
from distillplan.questions.export_values import values_of_run
from distillplan.questions.plan_layout import PlannedLayout
from distillplan.questions.plan_settings import PlanSettings, demand_same_tokenizer
from distillplan.questions.recipe_file import skipped_trainers
from distillplan.questions.recipe_records import PlannedRun, Recipe
from distillplan.suggest import nearest
from distillplan.units.quantities import format_count

_ORIGINS: Final = {
    ValueOrigin.PLAN: "plan",
    ValueOrigin.RECIPE: "recipe",
    ValueOrigin.START: "start: law of pretraining",
    ValueOrigin.TRAINER: "trainer",
}
_LEGEND: Final = (
    "plan: computed by the plan. recipe: see `distillplan recipe`. start: a starting point from a",
    "law of pretraining; try half and twice that. trainer: what it needs. FILL_IN: yours to give.",
)
_OUTSIDE: Final = (
    "This run is outside the runs of that law: try several rates on a short run first."
)
_FLAG: Final = re.compile(r"  --(?P<name>\S+)(?: (?P<value>.*))?")


class _Line(NamedTuple):
    """A key with what is written under it."""

    key: ConfigKey
    value: Any
    filled: bool
    """Whether the user must give it."""


class Export(NamedTuple):
    """The files of a plan for one trainer."""

    trainer: Trainer
    texts: Mapping[str, str]
    """By their names."""
    to_fill: tuple[str, ...]
    """What the user must give, by the keys."""


def export_of(found: Recipe, settings: PlanSettings, name: str) -> Export:
    """The files of a recipe for a trainer.

    Args:
        found: the recipe.
        settings: what the plan's document says beside its options.
        name: of the trainer.

    Raises:
        InputError: when the trainer is unknown or cannot run the plan.
    """
    to = _trainer(name)
    _demand_runnable(to, found)
    demand_same_tokenizer(settings)
    cases = cases_of(found.run, settings)
    values = values_of_run(found.run, settings, to)
    files = [file for file in to.files if cases >= file.when]
    keys = [key for file in files for key in file.keys if cases >= key.when]
    written = frozenset(one.value for one in keys if values.get(one.value or "") is not None)
    _demand_even_parts(to, settings.layout, values, written)
    chunks = any(ExportCase.CHUNKED in one.when for one in keys)
    layout = tuple(_layout(settings.layout, written, found.run, chunks=chunks))
    texts, filled = {}, list[str]()
    for file in files:
        lines = list(_lines(file, values, cases))
        text = "".join(f"{line}\n" for line in _text(file, lines, [*_head(to, found), *layout]))
        _demand_accepted(file, text, cases)
        texts[file.name] = text
        filled += [one.key.path for one in lines if one.filled]
    return Export(trainer=to, texts=texts, to_fill=tuple(filled))


def _demand_even_parts(
    to: Trainer,
    layout: PlannedLayout | None,
    values: Mapping[str, Any],
    written: frozenset[str | None],
) -> None:
    """Refuse pipeline stages that no layers of the student fill, and GPUs that no sequences do."""
    if written >= {"pp", "layers"} and values["layers"] % values["pp"]:
        raise InputError(
            f"--export: {to.title} cuts the student into even stages, and {values['pp']} of them "
            f"do not divide its {values['layers']} layers; plan with another --pp"
        )
    if layout is not None and written & {"gpu_passes", "gpu_step"}:
        layout.refuse_uneven_step(to.title, values["sequences"], values["context"])


def save_export(export: Export, folder: NamedFile) -> tuple[Path, ...]:
    """Write the files, all or none; what is there stays.

    Raises:
        InputError: when one of them is there, or cannot be written.
    """
    return save_all(folder, export.texts)


def values_of_text(file: ConfigFile, text: str) -> dict[str, Any]:
    """The values in the text of a file, by the paths of their keys.

    Args:
        file: which it is.
        text: its contents.

    Raises:
        InputError: when it is not YAML.
    """
    if file.form is TextForm.YAML:
        return dict(_flat(parse_yaml(text, file.name), ""))
    types = {one.path: one.type for one in file.keys}
    found: dict[str, Any] = {}
    for line in text.splitlines():
        flag = _FLAG.fullmatch(line)
        if flag is not None:
            words = shlex.split(flag["value"] or "", comments=True)
            found[flag["name"]] = _flag_value(words, types.get(flag["name"]))
    return found


def _flag_value(words: list[str], kind: ValueType | None) -> Any:
    if not words:
        return True
    if kind in (ValueType.INTEGER, ValueType.NUMBER):
        return parse_yaml(words[0], "flag")
    return words[0]


def _trainer(name: str) -> Trainer:
    for one in skipped_trainers():
        if name.lower() == one.name:
            raise InputError(f"--export: {one.name} is left out: {one.why} ({one.source})")
    if name not in trainer_names():
        raise InputError(f"--export: {name!r} is unknown; {nearest(name, trainer_names())}")
    return trainer(name)


def _demand_runnable(to: Trainer, found: Recipe) -> None:
    """Refuse what the trainer cannot do."""
    run = found.run
    if found.method is not Method.DISTILL:
        raise InputError(
            f"--export: {found.plan} pretrains, and there is no teacher to export; for the "
            "distillation that it weighed add --option distill"
        )
    if run.stored and not to.stored_formats:
        others = " or ".join(_readers(run))
        raise InputError(
            f"--export: the plan reads stored logits, and {to.title} runs the teacher itself; "
            f"{f'take {others}, or ' if others else ''}plan with --logits online"
        )
    if not _holds(to, run):
        raise InputError(
            f"--export: {to.title} reads stored logits of up to {to.most_stored_vocab:,.0f} rows "
            f"of vocabulary, and the teacher has {run.vocab:,}; plan with --logits online"
        )
    if not _reads(to, run):
        raise InputError(
            f"--export: the plan stores {run.logit_format} logits, and {to.title} reads "
            f"{' or '.join(to.stored_formats)} ones; plan with --logit-format "
            f"{to.stored_formats[0]}, or with --logits online"
        )


def _readers(run: PlannedRun) -> list[str]:
    """Trainers that read the stored logits of a run."""
    every = (trainer(name) for name in trainer_names())
    return [one.name for one in every if _reads(one, run) and _holds(one, run)]


def _reads(to: Trainer, run: PlannedRun) -> bool:
    """Whether it takes logits from where the run has them, in their format where one is named."""
    if run.logit_format is None:
        return bool(to.stored_formats) or not run.stored
    return run.logit_format in to.stored_formats


def _holds(to: Trainer, run: PlannedRun) -> bool:
    """Whether its stored logits have room for the vocabulary."""
    return not run.stored or to.most_stored_vocab is None or run.vocab <= to.most_stored_vocab


def cases_of(run: PlannedRun, settings: PlanSettings) -> frozenset[ExportCase]:
    """What holds for an export of a run."""
    logits = ExportCase.STORED if run.stored else ExportCase.ONLINE
    student = ExportCase.SIZED if settings.student is None else ExportCase.NAMED
    chunked = (ExportCase.CHUNKED,) if run.chunked else ()
    layout = settings.layout
    given = layout is not None and layout.batch_tokens is not None
    placed = (
        ExportCase.NO_MACHINE if layout is None else ExportCase.MACHINE,
        ExportCase.BATCH_GIVEN if given else ExportCase.BATCH_OPEN,
    )
    return frozenset((logits, student, *chunked, *placed))


def _lines(
    file: ConfigFile, values: Mapping[str, Any], cases: frozenset[ExportCase]
) -> Iterator[_Line]:
    for key in file.keys:
        if not cases >= key.when:
            continue
        value = key.literal if key.value is None else values[key.value]
        if value is not None:
            yield _Line(key=key, value=value, filled=False)
        elif key.fill is not None:
            yield _Line(key=key, value=f"{FILL_IN}_{key.fill}", filled=True)


def _head(to: Trainer, found: Recipe) -> list[str]:
    """What every file says of itself."""
    outside = any(one.exported and one.outside for one in found.starting_points)
    return [
        f"{to.title} {to.release} (keys of {to.commit}), from {found.plan}",
        found.headline,
        *_LEGEND,
        *([_OUTSIDE] if outside else ()),
        *to.about,
    ]


def _layout(
    layout: PlannedLayout | None, written: frozenset[str | None], run: PlannedRun, *, chunks: bool
) -> Iterator[str]:
    """What the files say of the plan's machine, and of what they cannot set.

    Args:
        layout: of the plan; None: it has no machine.
        written: names of the values that are known and that keys set.
        run: the run in numbers.
        chunks: whether a key has the loss computed in chunks.
    """
    if layout is None:
        return
    yield (
        f"The plan's GPUs: {layout.gpus}; replicas: {layout.replicas}; micro-batch: "
        f"{layout.strategy.micro_batch}. Batches are multiples of replicas x micro-batch."
    )
    if layout.batch_tokens is None:
        yield f"Its time is counted for steps of {format_count(layout.step_tokens)} tokens."
    others = list(layout.counted_on(written, online=not run.stored))
    others += ["a loss in chunks"] if run.chunked and not chunks else []
    if others:
        yield f"The plan also counts on {', '.join(others)};"
        yield "no key here sets that: set it where this trainer has one."


def _text(file: ConfigFile, lines: list[_Line], head: list[str]) -> Iterator[str]:
    if file.form is TextForm.YAML:
        yield from (f"# {one}" for one in head)
        yield ""
        yield from _yaml(lines, 0)
        return
    yield "#!/usr/bin/env bash"
    yield from (f"# {one}" for one in head)
    yield from ("set -euo pipefail", "", "ARGS=(")
    for one in lines:
        value = one.value
        word = "" if value is True else f" {shlex.quote(str(value))}"
        if isinstance(value, float):
            word = f" {value_text(value)}"
        yield f"  --{one.key.path}{word}{_comment(one)}"
    yield from (")", f'{file.command} "${{ARGS[@]}}" "$@"')


def _yaml(lines: list[_Line], depth: int) -> Iterator[str]:
    """The lines of one level; those of a key that has keys of its own follow each other."""
    indent, start = "  " * depth, 0
    while start < len(lines):
        parts = lines[start].key.path.split(".")
        name = parts[depth]
        end = start + 1
        while (
            end < len(lines) and lines[end].key.path.split(".")[: depth + 1] == parts[: depth + 1]
        ):
            end += 1
        label = "-" if name.isdigit() else f"{name}:"
        if len(parts) == depth + 1:
            yield f"{indent}{label} {value_text(lines[start].value)}{_comment(lines[start])}"
        else:
            yield f"{indent}{label}"
            yield from _yaml(lines[start:end], depth + 1)
        start = end


def _comment(line: _Line) -> str:
    """Where a value is from."""
    origin = line.key.origin
    said = FILL_IN if line.filled or origin is None else _ORIGINS[origin]
    return f"  # {'; '.join(filter(None, (said, line.key.note)))}"


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a tree by their paths; a list of mappings has numbers for keys."""
    inner: Mapping[Any, Any] = {}
    if isinstance(value, dict):
        inner = value
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        inner = dict(enumerate(value))
    if not inner:
        yield path, value
    for key, one in inner.items():
        yield from _flat(one, f"{path}.{key}" if path else str(key))


def _demand_accepted(file: ConfigFile, text: str, cases: frozenset[ExportCase]) -> None:
    """Check a text as the trainer would read it.

    Raises:
        InputError: for the first value that the trainer would not take.
    """
    fault = next(file.faults(values_of_text(file, text), cases), None)
    if fault is not None:
        raise InputError(f"--export: {fault}")
