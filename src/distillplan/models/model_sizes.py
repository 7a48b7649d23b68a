"""Sizes of models and of their training that make sense: one gate for all that ask for one.

It stops slips, such as 7 for 7B or tokens before parameters; how well a law holds at a size is for
its warnings to say.
"""

import math
import re
from collections.abc import Iterator
from typing import Final

from distillplan.accounting import FLOPS_PER_PARAM_AND_TOKEN
from distillplan.errors import InputError, Word
from distillplan.units.numerals import NUMBER, ONES, plain, shown, usual
from distillplan.units.quantities import (
    MANY,
    PARAMS,
    TOKENS,
    format_count,
    format_flops,
    parse_bytes,
    parse_count,
    parse_many,
)

LEAST_PARAMS, MOST_PARAMS = 1e5, 1e15
"""Parameters: from below the smallest language models in print (TinyStories, arXiv:2305.07759,
starts at 1M) to 500 times the largest whose training was announced."""
LEAST_TOKENS, MOST_TOKENS = 1e6, 1e18
"""Tokens: from the least that the paper's figures search (Section 5.3) to 25,000 times the longest
training in print."""
LEAST_TOKENS_PER_PARAM: Final = 0.1
"""Of a finished training; among published ones Switch-C has 0.36 (arXiv:2101.03961) and
Megatron-Turing NLG 0.51 (arXiv:2201.11990)."""
LEAST_CONTEXT: Final = 128
"""Tokens of a sequence: as in the first phase of BERT (arXiv:1810.04805), long before what is
trained today."""
LEAST_VOCABULARY: Final = 256
"""Rows: all bytes, as of byte-level models such as ByT5 (arXiv:2105.13626)."""
LEAST_STEP: Final = 4096
"""Tokens of an optimizer step: a short sequence."""
LEAST_LIKELY_TOKENS_PER_PARAM: Final = 10.0
"""Of two sizes without a colon: below it the second is another model's, not the first's tokens."""
USUAL_BYTES_PER_TOKEN: Final = 4.3
"""Of English text, as the help of --bytes-per-token has it."""
LEAST_FLOPS: Final = FLOPS_PER_PARAM_AND_TOKEN * LEAST_PARAMS * LEAST_TOKENS
MOST_FLOPS: Final = FLOPS_PER_PARAM_AND_TOKEN * MOST_PARAMS * MOST_TOKENS
"""What the least and the largest training take."""

# patterns are texts that `re` compiles, and keeps, when one is needed: most sizes need none of them
_MIXTURE: Final = r"(?ia)\s*\d+\s*[x*]\s*[\d.]+\s*[bm]\b.*"
_IN_WORDS: Final = (
    rf"(?i)(.*?\d.*?\b\s*(?>{PARAMS}))[\s,]+(?:on\s+)?(.+)|"
    r"(.+?)\s+(?:trained\s+)?on\s+(.+)|(.+?)\s*\((.+)\)"
)
_SIZE: Final = (
    rf"(?ia)\s*(?:{NUMBER}|nan|inf(?:inity)?|(?:{'|'.join(ONES)})(?=\s))\s*"
    r"(?:[x*]\s*\d.*|[a-z]*)(?![a-z0-9-])"
)
_PER_PARAM: Final = (
    rf"(?ia)(?P<count>{MANY})\s*(?:(?P<unsaid>x)|tpp|(?:tok(?:en)?s?)\s*(?:/|per)\s*{PARAMS})"
)
_SEPARATORS: Final = r"\s*[/,;@|]\s*|\s+"


def check_params(value: float, what: str | Word) -> None:
    """Refuse a number of parameters that nobody means.

    Args:
        value: parameters.
        what: whose they are, for the error.

    Raises:
        InputError: outside `LEAST_PARAMS` to `MOST_PARAMS`; says what may have been meant.
    """
    if not LEAST_PARAMS <= value <= MOST_PARAMS:
        sentence = _question(value, "parameters", "B", LEAST_PARAMS, MOST_PARAMS)
        raise InputError(what, f": {sentence}")


def check_tokens(
    value: float, what: str | Word, *, per_param: bool = False, suffix: str = "B"
) -> None:
    """Refuse a number of training tokens that nobody means.

    Args:
        value: tokens.
        what: whose they are, for the error.
        per_param: whether tokens per parameter can be written there.
        suffix: that a bare number most likely lacks.

    Raises:
        InputError: outside `LEAST_TOKENS` to `MOST_TOKENS`; says what may have been meant.
    """
    if not LEAST_TOKENS <= value <= MOST_TOKENS:
        sentence = _question(value, "tokens", suffix, LEAST_TOKENS, MOST_TOKENS)
        ratio = f" or, for each parameter, '{value:g} TPP'" if per_param and value < 1e4 else ""
        raise InputError(what, f": {sentence}{ratio}")


def faults_of(value: float, key: str) -> Iterator[InputError]:
    """What is wrong with the size of a key of a scenario; nothing for keys of no size."""
    gate = {"student_params": check_params, "max_unique_tokens": check_tokens}.get(key)
    try:
        if gate is not None:
            gate(value, Word(key))
    except InputError as error:
        yield error


def check_pair(params: float, tokens: float, what: str | Word) -> None:
    """Refuse a model and its training that nobody means, such as tokens before parameters.

    Raises:
        InputError: when a size is outside its range, or there are more parameters than tokens by
            far; says what may have been meant.
    """
    few = params < LEAST_PARAMS and tokens < LEAST_TOKENS
    if few and all(1 <= one < 1e3 for one in (params, tokens)):
        meant = f"did you mean {params:g}B:{tokens:g}T?"
        raise InputError(what, f": {params:g} parameters on {tokens:g} tokens; {meant}")
    check_params(params, what)
    check_tokens(tokens, what, suffix="B" if tokens * 1e9 >= params else "T")
    if tokens < LEAST_TOKENS_PER_PARAM * params:
        said = [f"{format_count(one)}" for one in (params, tokens)]
        raise InputError(
            what,
            f": {said[0]} parameters on {said[1]} tokens? the order is PARAMETERS:TOKENS; did you "
            f"mean {_short(tokens)}:{_short(params)}?",
        )


def check_least(value: float, what: str | Word, least: float, noun: str) -> float:
    """A number of things, or an error where it is fewer than there can be, as 8 for 8k are.

    Args:
        value: how many.
        what: that starts the error.
        least: there can be.
        noun: of several.

    Raises:
        InputError: when there are fewer; says what may have been meant.
    """
    if value < least:
        raise InputError(what, f": {_question(value, noun, 'k', least, math.inf)}")
    return value


def check_flops(value: float, what: str | Word) -> None:
    """Refuse a compute budget that could train no model at all, or any.

    Raises:
        InputError: outside `LEAST_FLOPS` to `MOST_FLOPS`.
    """
    if value < LEAST_FLOPS:
        raise InputError(
            what,
            f": {format_count(value)} FLOPs cannot train even {_short(LEAST_PARAMS)} parameters on "
            f"{_short(LEAST_TOKENS)} tokens ({format_flops(LEAST_FLOPS)} FLOPs); write e.g. 1e21",
        )
    if value > MOST_FLOPS:
        raise InputError(
            what,
            f": {format_count(value)} FLOPs is more than {format_flops(MOST_FLOPS)}, for which "
            "there is no model; write e.g. 1e21",
        )


def is_size(text: str) -> bool:
    """Whether a text starts as sizes do, rather than names of models, whatever follows.

    >>> is_size("7B params on 2T"), is_size("8x7B"), is_size("gpt2"), is_size("01-ai/yi-6b")
    (True, True, False, False)
    """
    return usual(text) is not None or re.match(_SIZE, plain(text)) is not None


def parse_params(text: str | float, what: str, example: str = "7B") -> float:
    """A number of parameters, with or without the word behind it.

    Raises:
        InputError: when it is not a number, or not one of parameters.

    >>> parse_params("7B", "student"), parse_params("350M parameters", "student")
    (7000000000.0, 350000000.0)
    """
    value = _number_of_params(text, what, example)
    check_params(value, what)
    return value


def _number_of_params(text: str | float, what: str, example: str = "7B") -> float:
    """A number of parameters, however large."""
    if isinstance(text, str) and re.fullmatch(_MIXTURE, plain(text)):
        raise InputError(
            f"{what}: {shown(text)} is a mixture of experts; write all of its parameters and those "
            "that a token uses, e.g. 47B-A13B"
        )
    return parse_count(text, what, example, PARAMS)


def parse_tokens(
    text: str | float, what: str, example: str = "100B", *, per_param: bool = False
) -> float:
    """A number of training tokens, with or without the word behind it.

    Args:
        text: as written.
        what: the noun that starts an error message.
        example: what would have been right.
        per_param: whether tokens per parameter can be written there.

    Raises:
        InputError: when it is not a number, or not one of tokens.

    >>> parse_tokens("100B", ""), parse_tokens("2TT", ""), parse_tokens("300 billion tokens", "")
    (100000000000.0, 2000000000000.0, 300000000000.0)
    """
    if isinstance(text, str):
        _refuse_bytes(text, what)
    value = parse_count(text, what, example, TOKENS)
    check_tokens(value, what, per_param=per_param)
    return value


def _refuse_bytes(text: str, what: str) -> None:
    """Refuse a size of files, and say how many tokens it may be."""
    found = re.fullmatch(r"(?i)\s*([\d.,]+\s*[kmgtp]i?b(?:ytes)?)(?:\s+of\s.*)?\s*", text)
    if found is not None and found[1][0] != ".":
        tokens = parse_bytes(found[1], what) / USUAL_BYTES_PER_TOKEN
        raise InputError(
            f"{what}: {shown(text)} is bytes; English text has about {USUAL_BYTES_PER_TOKEN:g} per "
            f"token, so write about {_short(tokens)}"
        )


def parse_tokens_per_param(text: str, what: str) -> float | None:
    """Tokens for each parameter; None for anything else.

    Raises:
        InputError: when it is no positive number of them.

    >>> parse_tokens_per_param("20 TPP", ""), parse_tokens_per_param("20 tokens per parameter", "")
    (20.0, 20.0)
    """
    found = re.fullmatch(_PER_PARAM, " ".join(plain(text).split()))
    if found is None:
        return None
    count = parse_many(found["count"], what)
    if found["unsaid"]:
        raise InputError(
            f"{what}: {shown(text)} of what? write '{count:g} TPP' for {count:g} tokens per "
            "parameter"
        )
    return count


def split_pair(text: str, what: str, example: str = "7B:2T") -> tuple[str, str | None]:
    """The texts of the parameters and of the tokens, which may be missing.

    Raises:
        InputError: when it is not one or two sizes; says how to write them.

    >>> split_pair("7B:2T", "teacher"), split_pair("7B params on 2T tokens", "teacher")
    (('7B', '2T'), ('7B params', '2T tokens'))
    """
    parts = text.split(":")
    if len(parts) == 1 and usual(text) is None:
        words = re.fullmatch(_IN_WORDS, plain(text).strip())
        if words is not None:
            of_params, of_tokens = filter(None, words.groups())
            return of_params, of_tokens
        _refuse_sizes(text, what)
    if len(parts) > 2 or not all(part.strip() for part in parts):
        raise InputError(
            f"{what}: {shown(text)} is not PARAMETERS or PARAMETERS:TOKENS; write e.g. {example}"
        )
    return parts[0], parts[1] if len(parts) > 1 else None


def _refuse_sizes(text: str, what: str) -> None:
    """Refuse several sizes with something other than a colon between them."""
    pieces = re.split(_SEPARATORS, plain(text).strip())
    if len(pieces) < 2 or not all(
        re.fullmatch(r"\d+(?:\.\d+)?[kmbt]", one, re.IGNORECASE) for one in pieces
    ):
        return
    params, tokens = (parse_count(one, what) for one in pieces[:2])
    if len(pieces) == 2 and tokens >= LEAST_LIKELY_TOKENS_PER_PARAM * params:
        raise InputError(f"{what}: {shown(text)} is not a size; write {':'.join(pieces)}")
    raise InputError(
        f"{what}: {shown(text)} is {len(pieces)} sizes; write one, or for distillplan sweep or "
        f"family the list {','.join(pieces)}"
    )


def parse_pair(text: str, what: str, example: str = "7B:2T") -> tuple[float, float | None]:
    """Parameters of a model and, after a colon, its tokens where they are given: ``7B:2T``.

    Raises:
        InputError: when it is not one or two sizes, or not what a model has.

    >>> parse_pair("7B:2T", "teacher"), parse_pair("7B", "teacher")
    ((7000000000.0, 2000000000000.0), (7000000000.0, None))
    """
    of_params, of_tokens = split_pair(text, what, example)
    if of_tokens is None:
        return parse_params(of_params, what), None
    params = _number_of_params(of_params, what)
    ratio = parse_tokens_per_param(of_tokens, f"{what}: tokens")
    if ratio is not None:
        tokens = ratio * params
    else:
        tokens = parse_count(of_tokens, f"{what}: tokens", "2T", TOKENS)
    check_pair(params, tokens, what)
    return params, tokens


def _question(value: float, noun: str, suffix: str, least: float, most: float) -> str:
    """The sentence about a size outside its range."""
    size = f"{format_count(value)} {noun if value != 1 else noun.removesuffix('s')}"
    if value > most:
        return f"{size} is more than {_short(most)}; write a smaller number"
    for unit in (1.0, 1e3):  # 7, and 7k
        if 1 <= value / unit < 1e3:
            return f"{size}; did you mean {value / unit:g}{suffix}?"
    return f"{size} is fewer than {_short(least)}; write a larger number"


def _short(value: float) -> str:
    """A count without the zeros behind its point."""
    return re.sub(r"\.0+(?=[A-Za-z])|(?<=\.\d)0+(?=[A-Za-z])", "", format_count(value))
