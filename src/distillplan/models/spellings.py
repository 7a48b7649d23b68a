"""Spellings of a model's name: separators, publishers, pages, tuned and quantized copies."""

import re
from pathlib import Path
from typing import Final

# as texts, which are compiled when they are needed: a start is slower by 1% for each that is
_PAGE: Final = (
    r"(?i)(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co|modelscope\.cn/models)/"
    r"(?P<repository>[^/\s?#:]+/[^/\s?#:]+)(?:[/?#][^:]*)?"
)
"""The address of a repository's page, or of a file in it."""
_COPY: Final = (
    r"base|text|pt|pretrain|hf|exp|gguf|gptq|awq|mlx|bnb|qat|latest|unsloth|dynamic|static|"
    r"pertensor|autoround|dwq|i1|w\d+a\d+|quantized(?:\.w\d+a\d+)?|\d(?:\.\d+)?(?:bit|bpw)|"
    r"fp8|int[48]|bf16|fp?16|fp?32|nvfp4|mxfp4"
)
"""Parts of names of the same weights, or of weights of one shape."""
_DATE: Final = r"\d{4}"
"""Parts of names that are dates of releases, whose terms may be others."""
_QUANTIZED: Final = r"[-.](?:ud-)?i?q\d(?:-(?:[01k]|nl|x+s))?(?:-(?:xl|[sml]))?(?=[-.]|$)"
"""What says in a plain name how weights are quantized: q8_0, Q4_K_M, iq4_xs."""
_TUNED: Final = frozenset(
    ("instruct", "it", "chat", "think", "thinking", "reasoning", "sft", "dpo", "rl", "abliterated")
)
"""Parts of names of models that were tuned after their pretraining."""
_BASE: Final = frozenset(("base", "pt", "pretrain", "text"))
"""Parts of names of models that were not."""
_CLOSED: Final = (
    r"(?:chat-?gpt|gpt-?[345]|o[134](?:-|$)|claude|sonnet|opus|haiku|gemini|grok-?[34]|nova-)"
)
"""How names of models begin whose weights nobody can have."""


def is_page(name: str) -> bool:
    """Whether a text is the address of a model's page, or of a file there.

    >>> is_page("https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json"), is_page("Qwen3-8B")
    (True, False)
    """
    return re.fullmatch(_PAGE, name.strip()) is not None


def is_config_file(name: str) -> bool:
    """Whether a text is the path of a config.json here.

    >>> is_config_file("ours/config.json"), is_config_file("hf.co/a/b/blob/main/config.json")
    (True, False)
    """
    return name.lower().endswith(".json") and not is_page(name)


def config_file(name: str) -> Path | None:
    """The config.json that a word means: its path, or that of the folder of a model.

    A word without a separator is a name, whatever folders stand here.
    """
    path = Path(name.strip())
    if is_config_file(name):
        return path
    inside = path / "config.json"
    return inside if len(name.strip()) > len(path.name) and inside.is_file() else None


def repository(name: str) -> str:
    """A name, or the repository that the address of a page is of.

    >>> repository("https://huggingface.co/Qwen/Qwen3-8B/tree/main"), repository("qwen3-8b")
    ('Qwen/Qwen3-8B', 'qwen3-8b')
    """
    page = re.fullmatch(_PAGE, name.strip())
    return name if page is None else page["repository"]


def bare_name(name: str) -> str:
    """A name without its publisher, in lower case.

    >>> bare_name("meta-llama/Llama-3.1-8B")
    'llama-3.1-8b'
    """
    return repository(name).rpartition("/")[2].lower()


def plain_name(name: str) -> str:
    """The same, with hyphens between its parts, however they are separated.

    >>> plain_name("Gemma 3 27B"), plain_name("qwen3:8b"), plain_name("google/gemma_3_27b")
    ('gemma-3-27b', 'qwen3-8b', 'gemma-3-27b')
    """
    whole = bare_name(name).strip().removesuffix(".gguf")
    return re.sub(r"[\s_:-]+", "-", whole).removeprefix("meta-")


def letters(name: str) -> str:
    """A plain name without separators, by which spellings of one model are alike.

    Two numbers stay apart, as 3 and 1B are not 31B.

    >>> letters("llama3.1 8b") == letters("Llama-3.1-8B")
    True
    >>> letters("gemma-31b") == letters("gemma-3-1b")
    False
    """
    return re.sub(r"(?<!\d)-|-(?!\d)", "", plain_name(name))


def of_base(name: str, *, dates: bool = False) -> str:
    """A plain name without what marks tuned, quantized and dated copies.

    Args:
        name: as written.
        dates: whether to keep the dates of releases.

    >>> of_base("Qwen3-4B-Instruct-2507"), of_base("gemma3:27b-it-q4_K_M")
    ('qwen3-4b', 'gemma3-27b')
    >>> of_base("DeepSeek-V3-0324", dates=True)
    'deepseek-v3-0324'
    """
    first, *others = re.sub(_QUANTIZED, "", plain_name(name)).split("-")
    kept = [one for one in others if one not in _TUNED and not re.fullmatch(_COPY, one)]
    if not dates:
        kept = [one for one in kept if not re.fullmatch(_DATE, one)]
    return "-".join([first, *kept])


def is_dated(name: str) -> bool:
    """Whether a name has the date of a release.

    >>> is_dated("Qwen3-4B-Instruct-2507"), is_dated("Qwen3-4B")
    (True, False)
    """
    return any(re.fullmatch(_DATE, one) for one in plain_name(name).split("-"))


def is_tuned(name: str) -> bool:
    """Whether a name says that the model was tuned after its pretraining.

    >>> is_tuned("Qwen3-4B-Instruct-2507"), is_tuned("Qwen3-4B-Base")
    (True, False)
    """
    return not _TUNED.isdisjoint(plain_name(name).split("-")[1:])


def base_marks(name: str) -> frozenset[str]:
    """The parts of a name that say that the model was not tuned.

    >>> sorted(base_marks("baidu/ERNIE-4.5-0.3B-Base-PT")), base_marks("Qwen/Qwen3-8B")
    (['base', 'pt'], frozenset())
    """
    return _BASE.intersection(re.split(r"[-.]", plain_name(name))[1:])


def is_closed(name: str) -> bool:
    """Whether a name is of a model that only an API serves.

    >>> is_closed("GPT-4o"), is_closed("openai/gpt-oss-20b"), is_closed("gpt2-xl")
    (True, False, False)
    """
    return re.match(_CLOSED, plain_name(name)) is not None
