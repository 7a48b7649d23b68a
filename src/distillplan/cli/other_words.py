"""Options and commands by the names that people know from other tools."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import Any

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple

ARGUMENT = "COMPUTE"
"""The budget of the commands that take it without an option, by its metavar."""


class Meant(NamedTuple):
    """What an option of another tool is here."""

    options: Sequence[str]
    """Names of ours; the first that the command has is the one."""
    value: str = "{}"
    """What that option takes, with what was typed for {}; without {} nothing was to be typed."""


_BARE = r"(?i)[^a-z]*(?:e\+?\d+)?\s*(?:k|m|thousand|million)?\s*"
"""A number without the unit that its option has."""
MOST_WORDS = 10
"""Of a budget, such as 64 h100-sxm for 7 days."""

BUDGET = ("--compute", ARGUMENT)
_OUTPUT = ("--output",)
_GROUPS = {"tensor": "--tp", "pipeline": "--pp", "context": "--cp", "expert": "--ep"}
"""The axes over which a model is split."""
OPTIONS: Mapping[str, Meant] = {
    "--budget": Meant(BUDGET),
    "--compute": Meant(BUDGET),
    "--flops": Meant(BUDGET),
    "--compute-budget": Meant(BUDGET),
    "--gpu-hours": Meant(BUDGET, "{} gpu-hours"),
    "--hours": Meant(("--deadline",), "{} hours"),
    "--days": Meant(("--deadline",), "{} days"),
    "--weeks": Meant(("--deadline",), "{} weeks"),
    "--time": Meant(("--deadline",)),
    "--lifetime": Meant(("--days",)),
    "--years": Meant(("--days",), "{} years"),
    "--max-hours": Meant(("--deadline",), "{} hours"),
    "--cost": Meant(("--max-cost",)),
    "--max-price": Meant(("--max-cost",)),
    "--model": Meant(("--student", "--model")),
    "--student-size": Meant(("--student", "--model")),
    "--student-params": Meant(("--student", "--model")),
    "--student-model": Meant(("--student", "--model")),
    "--student": Meant(("--model",)),
    "--student-tokens": Meant(("--tokens",)),
    "--teacher-model": Meant(("--teacher",)),
    "--teacher-name": Meant(("--teacher",)),
    "--teacher-size": Meant(("--teacher-params", "--teacher")),
    "--unique-tokens": Meant(("--max-unique-tokens",)),
    "--dataset-tokens": Meant(("--max-unique-tokens",)),
    **dict.fromkeys(("--gpu-type", "--instance", "--instance-type"), Meant(("--gpu",))),
    **dict.fromkeys(("--num-gpus", "--n-gpus", "--ngpus", "--gpu-count"), Meant(("--gpus",))),
    "--world-size": Meant(("--gpus",)),
    "--gpu-price": Meant(("--price",)),
    "--price-per-hour": Meant(("--price",)),
    "--seq-len": Meant(("--context",)),
    "--context": Meant(("--seq-len",)),
    **dict.fromkeys(
        ("--seq-length", "--sequence-length", "--max-seq-length", "--block-size"),
        Meant(("--seq-len", "--context")),
    ),
    **{
        f"--{kind}{end}": Meant((option,))
        for kind, option in _GROUPS.items()
        for end in ("-parallel", "-parallel-size", "-parallelism", "-model-parallel-size")
    },
    **dict.fromkeys(
        ("--micro-batch-size", "--mbs", "--per-device-train-batch-size", "--batch-size-per-gpu"),
        Meant(("--micro-batch",)),
    ),
    "--fsdp": Meant(("--sharding",), "zero3"),
    "--zero": Meant(("--sharding",), "zero{}"),
    "--zero-stage": Meant(("--sharding",), "zero{}"),
    **dict.fromkeys(
        ("--gradient-checkpointing", "--activation-checkpointing"),
        Meant(("--checkpointing",), "full"),
    ),
    **{f"--{word}": Meant(("--precision",), word) for word in ("bf16", "fp16", "fp8")},
    "--dtype": Meant(("--precision",)),
    "--quantise": Meant(("--quantize",)),
    "--save-as": Meant(("--save",)),
    "--out": Meant(("--save", "--output")),
    "--verbose": Meant(("--details",), ""),
    "--format": Meant(_OUTPUT),
    "--json": Meant(_OUTPUT, "json"),
    "--csv": Meant(_OUTPUT, "csv"),
    "--markdown": Meant(_OUTPUT, "markdown"),
    "--md": Meant(_OUTPUT, "markdown"),
}
"""By what people type. A command's own option of that name goes first."""

_NATS = "losses are in nats per token here: the natural logarithm of a perplexity, bits x 0.693"
_UNKNOWN = "no law here knows it; distillplan recipe says where to start"
ADVICE: Mapping[str, str] = {
    **dict.fromkeys(
        ("--nodes", "--num-nodes", "--nnodes"), "give all GPUs of them, e.g. --gpus 64 for 8 of 8"
    ),
    **dict.fromkeys(
        ("--dp", "--data-parallel", "--data-parallel-size"),
        "it follows from --gpus and the other groups, --tp, --pp and --cp",
    ),
    **dict.fromkeys(
        ("--batch-size", "--global-batch-size", "--gbs", "--train-batch-size"),
        "give the tokens of a step, which are sequences times --seq-len, with --batch-tokens",
    ),
    **dict.fromkeys(
        ("--grad-accum", "--gradient-accumulation-steps"),
        "it follows from --batch-tokens, --micro-batch and --gpus",
    ),
    **dict.fromkeys(
        ("--steps", "--max-steps", "--train-iters", "--epochs", "--num-train-epochs"),
        "give the tokens of the whole run, all epochs included, with --tokens",
    ),
    **dict.fromkeys(("--lora", "--qlora"), "all of a student's weights are trained here"),
    **dict.fromkeys(
        ("--cloud", "--region", "--zone", "--spot"),
        "give what you pay as --price, or the price list of a cloud as --prices",
    ),
    **dict.fromkeys(("--vram", "--memory"), "give the GPU that has it, e.g. --gpu rtx-4090"),
    **dict.fromkeys(("--ppl", "--perplexity", "--loss-unit"), _NATS),
    "--teacher-ppl": "give --teacher-loss, and --loss-unit perplexity",
    **dict.fromkeys(("--lr", "--learning-rate", "--temperature", "--alpha", "--warmup"), _UNKNOWN),
    **dict.fromkeys(("--currency", "--euros"), "money is in US dollars here"),
    **dict.fromkeys(
        ("--deadline", "--hours", "--days", "--weeks", "--time", "--walltime"),
        "how long it takes is in the answer; distillplan budget takes the time that you have",
    ),
    "--teacher-tokens": "write them behind the teacher, e.g. --teacher 7B:2T",
    "--teachers": "ask about one --teacher; distillplan teachers ranks the open models",
    "--api": "an API gives text, and this is about logits, which take the teacher's weights",
    "--teacher-price": "it is about a teacher that you run; its GPUs are priced with --price",
    "--token-price": "it is about a teacher that you run; its GPUs are priced with --price",
    "--file": "distillplan compare FILE reads scenarios",
    "--config": "distillplan compare FILE reads scenarios",
    "--scenario": "distillplan compare FILE reads scenarios",
    "-f": "distillplan compare FILE reads scenarios",
    "--set": "a key without an option goes into a file: distillplan compare FILE, or "
    "distillplan budget --set",
    "--quiet": "an answer is on stdout alone; 2> /dev/null leaves out the rest",
    "-q": "an answer is on stdout alone; 2> /dev/null leaves out the rest",
    "--no-color": "set NO_COLOR=1; a file or a pipe gets no colors anyway",
    "--by": "give the time that is left, e.g. --deadline '4 weeks'",
    "--until": "give the time that is left, e.g. --deadline '4 weeks'",
}
"""What to do instead of options that no command has, or not this one."""

COMMANDS: Mapping[str, Sequence[str]] = {
    "plan": ("budget",),
    "run": ("budget",),
    "distill": ("budget",),
    "memory": ("estimate",),
    "cost": ("estimate",),
    "time": ("estimate",),
    "train": ("estimate",),
    "fits": ("estimate",),
    "hardware": ("gpus",),
    "devices": ("gpus",),
    "export": ("recipe",),
    "config": ("recipe",),
    "configs": ("recipe",),
    "map": ("sweep", "plot map"),
    "grid": ("sweep",),
    "inference": ("serve",),
    "monitor": ("track",),
    "experiment": ("pilot",),
    "calibrate": ("fit",),
    "law": ("laws",),
    "glossary": ("explain",),
    "list": ("models", "gpus", "laws"),
}
"""Commands of ours by words for what they do."""


def in_our_words(args: Sequence[str], params: Sequence[Any]) -> list[str]:
    """What was typed, with options of other tools replaced by those of the command.

    Args:
        args: the words after the command's name.
        params: the parameters of the command, as Typer has them.

    Raises:
        InputError: where such an option has no value.
    """
    return list(_replaced(iter(args), params))


def with_whole_budget(args: Sequence[str], params: Sequence[Any]) -> list[str] | None:
    """What was typed, with a budget of several words as one; None where there is no such budget.

    Args:
        args: the words after the command's name.
        params: the parameters of the command, as Typer has them.

    Raises:
        InputError: where the first words are meant as a budget and lack something.
    """
    if all(one.metavar != ARGUMENT for one in params):
        return None
    from distillplan.planning.budget_text import parse_budget  # only for a mistake

    for long in range(min(MOST_WORDS, len(args)), 1, -1):
        for first, words in enumerate(zip(*(args[at:] for at in range(long)), strict=False)):
            if any(one.startswith("-") for one in words):
                continue
            with suppress(InputError):
                parse_budget(" ".join(words))
                return [*args[:first], " ".join(words), *args[first + long :]]
    typed = list(islice(takewhile(lambda one: not one.startswith("-"), args), MOST_WORDS))
    if len(typed) < 2 or is_budget(typed[0]):
        return None
    parse_budget(" ".join(typed), ARGUMENT, gpus_alone=True)
    return [" ".join(typed), *args[len(typed) :]]


def is_budget(word: str) -> bool:
    """Whether a word may be a budget by itself, which the 64 of 64 h100-sxm may not."""
    from distillplan.models.model_sizes import LEAST_FLOPS  # only for a mistake
    from distillplan.planning.budget_text import parse_budget

    try:
        flops = parse_budget(word).flops
    except InputError:
        return False
    return flops is None or flops >= LEAST_FLOPS or not word.isdigit()


def as_read(message: str, args: Sequence[str]) -> str:
    """An error that says which of its options were typed by a name of another tool.

    >>> as_read("--gpus needs a GPU", ["budget", "1e21", "--num-gpus=8"])
    '--gpus needs a GPU (--num-gpus is read as --gpus)'
    >>> as_read("--gpus needs a GPU", ["budget", "1e21", "--gpus", "8"])
    '--gpus needs a GPU'
    """
    line, sign, below = message.partition("\n")
    named = set(re.findall(r"--[a-z][a-z-]*", line))
    typed = [word.partition("=")[0] for word in args]
    for word in dict.fromkeys(typed):
        meant = OPTIONS.get(word)
        if meant is not None and word not in named:
            read = [one for one in meant.options if one in named]
            line += "".join(f" ({word} is read as {one})" for one in read[:1])
    return f"{line}{sign}{below}"


def _replaced(args: Iterator[str], params: Sequence[Any]) -> Iterator[str]:
    known = {name: one for one in params for name in (*one.opts, *one.secondary_opts)}
    if any(one.metavar == ARGUMENT for one in params):
        known[ARGUMENT] = None
    for word in args:
        if word == "--":
            yield from (word, *args)
            return
        name = _ours(word.partition("=")[0], known)
        if name is not None:
            yield from () if name == ARGUMENT else (name,)
            yield from _value(word, args)
            continue
        yield word
        if getattr(known.get(word), "is_flag", True) is False:
            yield from islice(args, 1)  # its value, whatever it looks like


def _value(word: str, following: Iterator[str]) -> Iterator[str]:
    """What an option of ours takes instead of another's value, which may be the next word."""
    typed, sign, value = word.partition("=")
    form = OPTIONS[typed].value
    if "{}" in form and not sign:
        given = next(following, None)
        if given is None:
            raise InputError(f"{typed}: its value is missing")
        value = given
    if form:
        yield form.replace("{}", value) if re.fullmatch(_BARE, value) else value


def _ours(typed: str, known: Mapping[str, Any]) -> str | None:
    """The option of the command that is meant; None where what was typed is to stay."""
    if typed in known:
        return None
    meant = OPTIONS.get(typed)
    if meant is None and typed in ADVICE:
        raise InputError(f"no such option: {typed}; {ADVICE[typed]}")
    if meant is None:
        return None
    fitting = [one for one in meant.options if one in known]
    if not fitting:
        return None
    choices = getattr(getattr(known[fitting[0]], "type", None), "choices", None)
    word = meant.value
    if "{}" not in word and word and choices is not None and word not in choices:
        return None  # such as --csv of a command that writes none
    return fitting[0]
