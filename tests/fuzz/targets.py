"""All kinds of inputs, each with its share."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from distillplan.cli.app import COMMANDS
from distillplan.errors import InputError
from distillplan.fitting.pruned_fit import fit_pruned
from distillplan.fitting.pruned_runs import read_pruned_runs
from distillplan.fitting.runs_file import Reading, read_runs
from distillplan.fitting.selection import parse_selection
from distillplan.fitting.tables import read_tables
from distillplan.hardware import gpu_catalog, price_list
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import parse_loss_unit
from distillplan.laws.provenance import ParameterCount
from distillplan.laws.pruning_law import read_pruning_law
from distillplan.models import model_sizes
from distillplan.models.model_catalog import model_config
from distillplan.planning import budget_text, planner
from distillplan.questions.assertions import parse_assertion
from distillplan.questions.export_records import trainer_names
from distillplan.questions.glossary.explanation import explain, explanations
from distillplan.questions.loss_history import history_of, parse_history_columns
from distillplan.questions.plan_document import read_plan
from distillplan.render.documents import document
from distillplan.scenarios import key_table, scenario_file
from distillplan.scenarios.axes import parse_axis
from distillplan.units import quantities, times
from tests.fuzz import data_files, families, sweeps, trials
from tests.fuzz.case import Case, Target
from tests.fuzz.command_lines import any_line, columns, command_line, where
from tests.fuzz.mutations import as_bytes, changed_text
from tests.fuzz.oracles import document_is_sound, strictly
from tests.fuzz.scenario_texts import assertion, scenario_text, small_scenario_text, value_of
from tests.fuzz.trials import not_finite
from tests.fuzz.written import (
    BUDGETS,
    MEMORY,
    TEACHERS,
    TIMES,
    garbage,
    number,
    odd,
    several,
    usual,
)
from tests.html_page import faults_of_page


def _numbers(random: Random) -> Case:
    kind = random.choice(tuple(_PARSERS))
    sample = random.choice((odd, number, garbage, partial(usual, kind), _SAMPLES.get(kind, number)))
    return Case(words=(kind, sample(random)))


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "count": quantities.parse_count,
    "compute": budget_text.parse_compute,
    "budget": budget_text.parse_budget,
    "hours": times.parse_hours,
    "bytes": quantities.parse_bytes,
    "usd": lambda text: quantities.parse_usd(text, "price", "2.49"),
    "params:tokens": lambda text: model_sizes.parse_pair(text, "teacher"),
}
_SAMPLES: Mapping[str, Callable[[Random], str]] = {
    "budget": lambda random: random.choice(BUDGETS),
    "hours": lambda random: random.choice(TIMES),
    "bytes": lambda random: random.choice(MEMORY),
    "params:tokens": lambda random: random.choice(TEACHERS),
}


def _read_number(case: Case) -> Iterator[str]:
    """A positive number, which is read again as it is shown."""
    kind, text = case.words
    found = _PARSERS[kind](text)
    values = [found] if isinstance(found, float) else [one for one in found if one is not None]
    for value in values:
        if isinstance(value, (int, float)) and not (0 < value < float("inf")):
            yield f"{kind} {text!r} is read as {value!r}"
    if kind == "count":
        again = quantities.parse_count(quantities.format_count(found, 4))
        if abs(again / found - 1) > 1e-3:
            yield f"{text!r} is shown as {quantities.format_count(found, 4)}"


def _words(random: Random) -> Case:
    key = random.choice(list(key_table.TABLE.keys.values()))
    kind, text = random.choice(
        (
            ("assertion", assertion(random)),
            ("where", where(random)),
            ("history", columns(random)),
            ("unit", odd(random)),
            (random.choice((key.word, key.short)), several(partial(_value, key))(random)),
            (random.choice((key.word, odd(random))), odd(random)),
        )
    )
    return Case(words=(kind, text))


def _value(key: Any, random: Random) -> str:
    return str(value_of(key, random))


def _read_words(case: Case) -> Iterator[str]:
    kind, text = case.words
    known: Mapping[str, Callable[[str], Any]] = {
        "assertion": parse_assertion,
        "where": parse_selection,
        "history": parse_history_columns,
        "unit": parse_loss_unit,
    }
    yield from not_finite(known.get(kind, partial(parse_axis, kind))(text))


def _scenario(random: Random) -> Case:
    text = scenario_text(random)
    sets = ["--set", f"compute={odd(random)}"] if random.random() < 0.05 else []
    words = ("validate", "s.yaml", *sets)
    return Case(words, {**data_files.fixtures_named((text,), random), "s.yaml": as_bytes(text)})


def _read_scenario(case: Case) -> Iterator[str]:
    """What `validate` reads, `compare` reads, and the other way round."""
    sets = case.words[3:4]
    refused, found = None, None
    try:
        grid = scenario_file.read_grid("s.yaml", sets)
    except InputError as error:
        refused = error
    try:
        found = scenario_file.read_scenarios("s.yaml", sets)
    except InputError as error:
        if refused is None and grid.size <= scenario_file.MOST_SCENARIOS:
            yield f"validate passes it, compare says: {error}"
    if refused is not None:
        if found is not None:
            yield f"compare reads it, validate says: {refused}"
        raise refused
    for one in found or ():
        yield from not_finite(one.scenario)


def _compared(random: Random) -> Case:
    text = small_scenario_text(random)
    files = {**data_files.fixtures_named((text,), random), "s.yaml": as_bytes(text)}
    return Case(words=("compare", "s.yaml", "--quick", "-o", "json"), files=files)


def _compare(case: Case, index: int) -> trials.Trial:
    """The same of the commands; and each question, as its answer has it, has the same answer."""
    found = trials.command(case, index)
    passed = trials.command(case._replace(words=("validate", "s.yaml")), 1)
    faults = [*found.faults, *passed.faults]
    whole = found
    if (found.code == 2) != (passed.code == 2):  # --quick alone refuses assertions about odds
        words = tuple(word for word in case.words if word != "--quick")
        whole = trials.command(case._replace(words=words), 1)
    if (whole.code == 2) != (passed.code == 2):
        said = f"compare exits with {whole.code}, validate with {passed.code}"
        faults += trials.faults_of("validate_agrees", (said,))
    again = trials.reader(_read_again)(case, index)
    return found._replace(faults=(*faults, *again.faults))


FOUND = ("budget_from_tokens", "layout_found")
"""Codes of remarks on how an answer was found, which is not asked for again."""


def _read_again(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    for one in scenario_file.read_scenarios("s.yaml"):
        first = json.dumps(document(planner.plan(one.scenario, quick=True)))
        block = json.loads(first)["scenario"]
        Path("again.yaml").write_text(json.dumps({"base": block}), encoding="utf-8")
        (second,) = scenario_file.read_scenarios("again.yaml")
        then = json.dumps(document(planner.plan(second.scenario, quick=True)))
        if then != first:
            ours, theirs = json.loads(first), json.loads(then)
            # the block has the budget and the layout that were found
            asked = [each for each in ours["warnings"] if each["code"] not in FOUND]
            ours["warnings"] = asked
            differ = [key for key in ours if ours[key] != theirs[key]]
            if differ:
                yield f"its scenario block has another answer: {', '.join(differ)}"
        return


def _reported(random: Random) -> Case:
    text = small_scenario_text(random)
    files = {**data_files.fixtures_named((text,), random), "s.yaml": as_bytes(text)}
    return Case(words=("report", "s.yaml", "-o", "r.html"), files=files)


def _report(case: Case, index: int) -> trials.Trial:
    """A page that is written is whole, and names in the file are nothing but text."""
    found = trials.command(case, index)
    if found.code not in (0, 3):
        return found
    page = trials.run(case).saved["r.html"].decode()
    return found._replace(
        faults=(*found.faults, *trials.faults_of("page", tuple(faults_of_page(page))))
    )


def _law(random: Random) -> Case:
    return Case(words=("laws", "law.yaml", "-o", "json"), files=data_files.law_files(random))


def _read_law(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    """Finite coefficients and draws, and losses that fall with size and tokens."""
    law = law_catalog.law("law.yaml")
    yield from not_finite((law.supervised, law.distillation))
    draws = law_catalog.draws(law)
    if draws is not None:
        yield from not_finite((draws.law, draws.sigma_run))
        if draws.sigma_run < 0:
            yield f"sigma_run is {draws.sigma_run}"
    shown = json.loads(json.dumps(document(law), allow_nan=False))
    yield from document_is_sound(shown)


def _gpu(random: Random) -> Case:
    text = data_files.gpu_text(random)
    return Case(words=("gpus", "gpu.yaml", "-o", "json"), files={"gpu.yaml": as_bytes(text)})


MOST_TFLOPS = 1e6
"""A hundred times the fastest dense peak that any GPU has."""


def _read_gpu(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    gpu = gpu_catalog.gpu("gpu.yaml")
    yield from not_finite(gpu)
    for form, peak in gpu.peak_flops_per_s.items():
        if not 0 < peak <= MOST_TFLOPS * 1e12:
            yield f"a peak of {peak} FLOP/s in {form}"
    if gpu.gpus_per_node < 1:
        yield f"{gpu.gpus_per_node} GPUs in a node"


def _prices(random: Random) -> Case:
    words = ("budget", "1e21", "--gpu", "h100-sxm", "--prices", "prices.csv")
    return Case(words=words, files={"prices.csv": as_bytes(data_files.prices_text(random))})


def _read_prices(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    found = price_list.with_prices(gpu_catalog.gpu("h100-sxm"), "prices.csv")
    yield from not_finite(found)
    for price in found.prices:
        if price.usd_per_hour <= 0:
            yield f"a price of {price.usd_per_hour}"


def _config(random: Random) -> Case:
    words = (*("estimate", "--model", "config.json", "--tokens", "100B"), "--gpu", "h100-sxm")
    return Case(words=words, files={"config.json": as_bytes(data_files.config_text(random))})


def _read_config(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    shape = model_config(Path("config.json")).shape
    if not 0 < shape.params <= shape.total_params:
        yield f"{shape.params} parameters without the embedding, {shape.total_params} with it"
    yield from not_finite(shape)


def _runs(random: Random) -> Case:
    words = ["fit", "runs.csv"]
    for option, sample in (("--columns", columns), ("--where", where), ("--last-of", odd)):
        if random.random() < 0.2:
            words += [option, sample(random)]
    for option, values in (("--form", ("supervised", "distillation")), ("--replicates", ("all",))):
        if random.random() < 0.1:
            words += [option, random.choice(values)]
    if random.random() < 0.15:
        words += ["--loss-unit", usual("unit", random), "--bytes-per-token", "4.3"]
    return Case(words=tuple(words), files={"runs.csv": as_bytes(data_files.runs_text(random))})


def _read_runs(case: Case) -> Iterator[str]:
    said = dict(zip(case.words[2::2], case.words[3::2], strict=True))
    unit = said.get("--loss-unit")
    runs = read_runs(
        ["runs.csv"],
        Reading(
            form=said.get("--form"),  # type: ignore[arg-type]  # one of the two
            columns=said.get("--columns", ""),
            where=tuple(filter(None, (said.get("--where"),))),
            last_of=said.get("--last-of"),
            replicates=said.get("--replicates"),  # type: ignore[arg-type]  # the same
            unit=None if unit is None else parse_loss_unit(unit),
            bytes_per_token=float(said["--bytes-per-token"]) if unit else None,
        ),
    )
    yield from not_finite((runs.params, runs.tokens, runs.loss))
    if not len(runs):
        yield "no runs, and no error"
    if not ((runs.params > 0).all() and (runs.tokens > 0).all() and (runs.loss > 0).all()):
        yield "a run that is not positive"


def _history(random: Random) -> Case:
    words = ("track", "plan.json", "losses.csv", "--batch-tokens", "524288")
    files = {
        "plan.json": as_bytes(data_files.plan_text(random)),
        "losses.csv": as_bytes(data_files.history_text(random)),
    }
    return Case(words=words, files=files)


def _read_history(case: Case) -> Iterator[str]:  # noqa: ARG001  (its files are in the folder)
    table = read_tables(["losses.csv"])[0]
    history = history_of(table, columns={}, batch_tokens=524_288.0)
    yield from not_finite((history.tokens, history.loss))
    plan = read_plan("plan.json")
    yield from not_finite(plan._replace(unique_tokens=0.0))


def _recipe(random: Random) -> Case:
    """The recipe of a plan, or its files for a trainer, which are read again."""
    words = ["recipe", "plan.json"]
    if random.random() < 0.5:
        words += ["--option", random.choice(("supervised", "distill", "free", "exists", "train"))]
    if random.random() < 0.5:
        words += ["--export", random.choice((*trainer_names(), "torchtune")), "--save", "run"]
    else:
        words += ["-o", random.choice(("json", "json", "table", "markdown", "csv"))]
    return Case(words=tuple(words), files={"plan.json": as_bytes(data_files.plan_text(random))})


def _law_used(random: Random) -> Case:
    files = data_files.law_files(random)
    words = random.choice(
        (
            ("predict", "--student", "1B", "--tokens", "100B", "--teacher", "3B:1T"),
            ("predict", "--student", "1B", "--tokens", "100B", "--teacher-loss", "2.0"),
            ("budget", "1e21", "--student", "1B", "--teacher", "7B:2T", "--quick"),
            ("budget", "1e21", "--student", "1B", "--teacher", "7B:2T"),
            ("budget", "1e21", "--student", "1B", "--quick"),
            ("predict", "--student", "1B", "--tokens", "100B"),
            ("crossover", "--student", "1B", "--teacher", "7B:2T"),
        )
    )
    form = random.choice(("json", "json", "table", "markdown"))
    return Case(words=(*words, "--law", "law.yaml", "-o", form), files=files)


def _machine_used(random: Random) -> Case:
    files = {
        "gpu.yaml": as_bytes(data_files.gpu_text(random)),
        "config.json": as_bytes(data_files.config_text(random)),
        "prices.csv": as_bytes(data_files.prices_text(random)),
    }
    sound = data_files.sound_files()
    kept = random.choice(tuple(files))
    files = {name: files[name] if name == kept else sound[name] for name in files}
    words = ("estimate", "--model", "config.json", "--tokens", "100B", "--gpu", "gpu.yaml")
    prices = ("--prices", "prices.csv") if kept == "prices.csv" else ()
    form = random.choice(("json", "json", "table", "markdown"))
    return Case(words=(*words, "--gpus", "8", *prices, "-o", form), files=files)


def _fitted(random: Random) -> Case:
    files = {"runs.csv": as_bytes(data_files.runs_text(random))}
    if random.random() < 0.3:
        files = {"runs.csv": data_files.sound_files()["runs.csv"]}
    saved = ("--save", "mine.yaml") if random.random() < 0.7 else ()
    words = ("fit", "runs.csv", "--resamples", random.choice(("0", "8", "32")), *saved)
    return Case(words=(*words, "-o", random.choice(("json", "json", "table"))), files=files)


def _fit(case: Case, index: int) -> trials.Trial:
    """A law that is saved is the law that was found."""
    found = trials.command(case, index)
    if found.code != 0 or "--save" not in case.words or "json" not in case.words:
        return found
    result = trials.run(case)
    kept = Case(words=case.words, files=result.saved)

    def read(_: Case) -> Iterator[str]:
        law = law_catalog.law("mine.yaml")
        law_catalog.draws(law)
        said, there = strictly(result.out)["law"], json.loads(json.dumps(document(law)))
        differ = [key for key in said if key not in _OF_A_FILE and said[key] != there[key]]
        if differ:
            yield f"saved and read, it has another {', '.join(differ)}"

    again = trials.reader(read)(kept, index)
    faults = trials.faults_of("saved", [one.text for one in again.faults])
    refused = () if again.code == 0 else trials.faults_of("saved", ("it cannot be read",))
    return found._replace(faults=(*found.faults, *faults, *refused))


_OF_A_FILE = ("name", "file", "draws_file", "draws", "schema", "status")
"""What a law has from its file."""


@cache
def _sound_state() -> bytes:
    """What a fit of its own leaves."""
    words = ("fit", "few_runs.csv", "--resamples", "8", "--state", "state.json")
    files = {"few_runs.csv": data_files.sound_files()["few_runs.csv"]}
    return trials.run(Case(words=words, files=files)).saved["state.json"]


def _resumed(random: Random) -> Case:
    words = ("fit", "few_runs.csv", "--resamples", "64", "--state", "state.json", "-o", "json")
    state = _sound_state()
    if random.random() < 0.8:
        state = data_files.changed_state(random, state)
    files = {"few_runs.csv": data_files.sound_files()["few_runs.csv"], "state.json": state}
    return Case(words=words, files=files)


def _resume(case: Case, index: int) -> trials.Trial:
    """From its own state the same law comes as without one."""
    found = trials.command(case, index)
    if case.files["state.json"] != _sound_state():
        return found
    fresh = trials.run(case._replace(files={name: case.files[name] for name in case.words[1:2]}))
    texts = () if trials.run(case).out == fresh.out else ("the state has changed the answer",)
    return found._replace(faults=(*found.faults, *trials.faults_of("resumed", texts)))


def _explained(random: Random) -> Case:
    """A word with an explanation as people may write it, or nearly."""
    one = random.choice(explanations())
    word = random.choice((one.word, *one.also))
    for sign in "_- ":
        word = word.replace(sign, random.choice("_- "))
    word = random.choice((word, word.upper(), word.title()))
    if random.random() < 0.3:
        return Case(words=("explain", one.word, changed_text(random, word, 2)))
    return Case(words=("explain", one.word, word))


def _read_explained(case: Case) -> Iterator[str]:
    """Another spelling is the same word; what is unknown is an error."""
    _, word, written = case.words
    found = explain(written)
    meant = next(one for one in explanations() if one.word == word)
    if _same_letters(written, (word, *meant.also)) and found.word != word:
        yield f"{written!r} is {found.word}, not {word}"
    if not (found.means and found.source):
        yield f"{found.word} has no meaning or no source"


def _same_letters(written: str, words: tuple[str, ...]) -> bool:
    letters = ["".join(filter(str.isalnum, one.lower())) for one in (written, *words)]
    return letters[0] in letters[1:]


def _cut_runs(random: Random) -> Case:
    files = {"cut_runs.csv": as_bytes(data_files.cut_runs_text(random))}
    return Case(words=("fit", "cut_runs.csv", "--form", "p2", "--resamples", "4"), files=files)


def _read_cut_runs(case: Case) -> Iterator[str]:
    """Runs that are fitted give finite losses above those of their parents."""
    found = fit_pruned(read_pruned_runs(list(case.files)), counts=ParameterCount.TOTAL, resamples=4)
    yield from not_finite(found._replace(fitted=None))
    for one in found.predictions:
        if not (one.low or 0) <= one.loss <= (one.high or 0) or one.loss < one.parent_loss:
            yield f"a loss of {one.loss} between {one.low} and {one.high}"


def _cut_law(random: Random) -> Case:
    words = ("budget", "1e22", "--start-law", "p2.yaml")
    return Case(words=words, files={"p2.yaml": as_bytes(data_files.cut_law_text(random))})


def _read_cut_law(case: Case) -> Iterator[str]:
    found = read_pruning_law(next(iter(case.files)))
    yield from not_finite(found.draws)
    yield from not_finite(found.valid)


READERS: Mapping[str, tuple[Callable[[Random], Case], Callable[[Case], Iterator[str]], float]] = {
    "numbers": (_numbers, _read_number, 120),
    "words": (_words, _read_words, 60),
    "explained": (_explained, _read_explained, 20),
    "scenario": (_scenario, _read_scenario, 300),
    "law": (_law, _read_law, 80),
    "gpu": (_gpu, _read_gpu, 60),
    "prices": (_prices, _read_prices, 50),
    "config": (_config, _read_config, 80),
    "runs": (_runs, _read_runs, 130),
    "history": (_history, _read_history, 40),
    "cut runs": (_cut_runs, _read_cut_runs, 40),
    "cut law": (_cut_law, _read_cut_law, 40),
}
"""Files and words, their readers, and their shares."""
COMMAND_WEIGHTS = {
    **dict.fromkeys(COMMANDS, 4.0),
    "budget": 12.0,
    "predict": 8.0,
    "estimate": 8.0,
    "sweep": 6.0,
    "track": 6.0,
    "fit": 2.0,
    "target": 1.5,
    "family": 0.7,
    "pilot": 0.7,
    "check": 0.2,
    "compare": 3.0,
    "report": 1.0,
    "models": 1.0,
    "gpus": 2.0,
    **dict.fromkeys(("explain", "example", "help", "teachers"), 1.0),
    **dict.fromkeys((name for name in COMMANDS if name.startswith("plot ")), 1.0),
    **dict.fromkeys(("plot map", "plot paper", "plot transfer"), 0.3),
}
"""Shares of the commands; one that is new has the usual one."""
TARGETS: Mapping[str, Target] = {
    **{
        name: Target(make=make, try_out=trials.reader(read), weight=weight)
        for name, (make, read, weight) in READERS.items()
    },
    "any line": Target(make=any_line, try_out=trials.command, weight=6.0),
    "compared": Target(make=_compared, try_out=_compare, weight=2.0),
    "reported": Target(make=_reported, try_out=_report, weight=0.7),
    "recipe used": Target(make=_recipe, try_out=trials.command, weight=3.0),
    "law used": Target(make=_law_used, try_out=trials.command, weight=4.0),
    "machine used": Target(make=_machine_used, try_out=trials.command, weight=6.0),
    "fitted": Target(make=_fitted, try_out=_fit, weight=0.8),
    "families": Target(make=families.family, try_out=families.try_family, weight=1.5),
    "in parts": Target(make=sweeps.sweep_in_parts, try_out=sweeps.try_parts, weight=0.5),
    "resumed": Target(make=_resumed, try_out=_resume, weight=0.7),
    **{
        name: Target(
            make=partial(command_line, name), try_out=trials.command, weight=COMMAND_WEIGHTS[name]
        )
        for name in COMMANDS
    },
}
"""By name."""
