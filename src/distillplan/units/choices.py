"""Words of which few can be meant, in any case and as other tools and our screens call them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from distillplan.accounting import SUPERVISED_SHOWN
from distillplan.errors import InputError
from distillplan.suggest import nearest

MEANT: Final[Mapping[str, str]] = {
    SUPERVISED_SHOWN: "supervised",
    "pretraining": "supervised",
    "distillation": "distill",
    "bfloat16": "bf16",
    "float16": "fp16",
    "half": "fp16",
    "float8": "fp8",
    "4bit": "int4",
    "fsdp": "zero3",
    "fsdp2": "zero3",
    "ddp": "none",
    "adamw": "adam",
    "adamw8bit": "adam8bit",
    "flashattention1": "flash1",
    "flashattention2": "flash2",
    "flashattention3": "flash3",
    "fa2": "flash2",
    "fa3": "flash3",
    "true": "on",
    "yes": "on",
    "false": "off",
    "no": "off",
    "store": "stored",
    "offline": "stored",
    "cache": "cached",
    "disk": "cached",
    "ondisk": "cached",
    "precomputed": "cached",
    "jsonlines": "jsonl",
    "ndjson": "jsonl",
    "md": "markdown",
    "txt": "table",
    "text": "table",
}
"""What other words mean wherever that is one of the choices, by their letters and digits."""


def choose(value: Any, word: str, known: Iterable[str]) -> str:
    """The one of some words that was meant.

    Args:
        value: as written.
        word: that starts an error.
        known: the words.

    Raises:
        InputError: when it is none of them; says which is near.

    >>> choose("FP8", "", ["bf16", "fp8"]), choose("FSDP", "", ["none", "zero3"])
    ('fp8', 'zero3')
    """
    known = list(map(str, known))
    typed = str(value)
    spelled = {letters(one): one for one in known}
    found = spelled.get(letters(typed)) or MEANT.get(letters(typed))
    if isinstance(value, str) and found in known:
        return found
    near = nearest(typed, known, "")
    said = f"{word}: {typed[:40]!r} is none of {', '.join(known)}"
    raise InputError(f"{said}; {near}" if near else said)


def letters(word: str) -> str:
    """A word in lower case, without what separates its parts.

    >>> letters("Top_K")
    'topk'
    """
    return re.sub(r"[\s_-]+", "", word.lower())
