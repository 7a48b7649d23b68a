"""Spellings of a model's name: separators, publishers, tuned and quantized copies."""

import re
from typing import Final

_COPY: Final = re.compile(
    r"base|pt|hf|exp|gguf|gptq|awq|mlx|bnb|[48]bit|fp8|int[48]|[bf]p?16|nvfp4|mxfp4|qat|latest|\d{4}"
)
"""Parts of names of the same weights, or of weights of one shape: dates are of releases."""
_QUANTIZED: Final = r"-i?q\d(?:-(?:[01k]|nl|x+s))?(?:-[sml])?$"
"""The end of a plain name that says how its weights are quantized: q8_0, q4_K_M, iq4_xs."""
_TUNED: Final = frozenset(("instruct", "it", "chat", "thinking", "reasoning", "sft", "dpo"))
"""Parts of names of models that were tuned after their pretraining."""
_CLOSED: Final = re.compile(
    r"(?:chat-?gpt|gpt-?[345]|o[134](?:-|$)|claude|sonnet|opus|haiku|gemini|grok-?[34]|nova-)"
)
"""How names of models begin whose weights nobody can have."""


def bare_name(name: str) -> str:
    """A name without its publisher, in lower case.

    >>> bare_name("meta-llama/Llama-3.1-8B")
    'llama-3.1-8b'
    """
    return name.rpartition("/")[2].lower()


def plain_name(name: str) -> str:
    """The same, with hyphens between its parts, however they are separated.

    >>> plain_name("Gemma 3 27B"), plain_name("qwen3:8b"), plain_name("google/gemma_3_27b")
    ('gemma-3-27b', 'qwen3-8b', 'gemma-3-27b')
    """
    return re.sub(r"[\s_:-]+", "-", bare_name(name).strip()).removeprefix("meta-")


def letters(name: str) -> str:
    """A plain name without separators, by which spellings of one model are alike.

    >>> letters("llama3.1 8b") == letters("Llama-3.1-8B")
    True
    """
    return plain_name(name).replace("-", "")


def of_base(name: str) -> str:
    """A plain name without what marks tuned, quantized and dated copies.

    >>> of_base("Qwen3-4B-Instruct-2507"), of_base("gemma3:27b-it-q4_K_M")
    ('qwen3-4b', 'gemma3-27b')
    """
    first, *others = re.sub(_QUANTIZED, "", plain_name(name)).split("-")
    kept = (one for one in others if one not in _TUNED and not _COPY.fullmatch(one))
    return "-".join([first, *kept])


def is_tuned(name: str) -> bool:
    """Whether a name says that the model was tuned after its pretraining.

    >>> is_tuned("Qwen3-4B-Instruct-2507"), is_tuned("Qwen3-4B-Base")
    (True, False)
    """
    return not _TUNED.isdisjoint(plain_name(name).split("-")[1:])


def is_closed(name: str) -> bool:
    """Whether a name is of a model that only an API serves.

    >>> is_closed("GPT-4o"), is_closed("openai/gpt-oss-20b"), is_closed("gpt2-xl")
    (True, False, False)
    """
    return _CLOSED.match(plain_name(name)) is not None
