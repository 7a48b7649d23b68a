"""GPUs in budgets: their names in the form of the catalog, and in what to write instead."""

import re
from collections.abc import Mapping

from distillplan.errors import InputError
from distillplan.planning.budget_patterns import ANY_GPU, CORE, NODE, SEVERAL, match_in
from distillplan.units.articles import so_many, with_article


def gpu_name(
    text: str, what: str, *, alone: bool = False, rented: tuple[int, str] | None = None
) -> str | None:
    """The name of a GPU in the form of the catalog; None where the text only says GPU.

    Args:
        text: as written.
        what: the noun that starts an error message.
        alone: whether the text is all that says that GPUs are meant.
        rented: how many of what the text names, and for how long, where that is known.

    Raises:
        InputError: for machines, and nodes without their number of GPUs, and for what is no GPU.
    """
    from distillplan.hardware.gpu_words import (
        named_machine,  # as above
        words_of,  # not for FLOPs alone
    )

    machine, node = named_machine(text), match_in(NODE, text)
    if machine is not None:
        gpus, (many, time) = f"{machine.gpus} {machine.gpu}", rented or (1, "")
        right = (
            f"'{many * machine.gpus} {machine.gpu} for {time}'"
            if time
            else f"for example '{gpus} for 7 days' or, of several, '4 nodes of {gpus} for 7 days'"
        )
        raise InputError(
            f"{what}: {text.strip()} has {so_many(machine.gpus, 'GPU')}; write "
            f"{with_variant(right, machine.gpu)}"
        )
    if node is not None:
        one = with_article(re.sub(r"(?<=box)es$|s$", "", node.lower()))
        raise InputError(
            f"{what}: how many GPUs has {one}? write for example '4 nodes of 8 h100-sxm for 7 days'"
        )
    names = words_of(re.sub(SEVERAL, "", text))
    if match_in(CORE, text) or (alone and not names and not match_in(ANY_GPU, text)):
        raise InputError(
            f"{what}: {text.strip()!r} is no GPU; write for example '10k gpu-hours' or '8 h100-sxm "
            "for 7 days'"
        )
    return "-".join(names) or None


def is_known(gpu: str | None) -> bool:
    """Whether a GPU is in the catalog, if with a variant; any is where none is named."""
    from distillplan.hardware.gpu_catalog import name_of, variants  # reads the catalog

    return gpu is None or name_of(gpu) is not None or bool(variants(gpu))


def with_variant(budget: str, gpu: str | None) -> str:
    """A budget with a variant of its GPU where the name leaves it open.

    >>> with_variant("8xH100 for 3.5 days", "h100")
    '8xh100-sxm for 3.5 days'
    """
    from distillplan.hardware.gpu_catalog import variants  # reads the catalog

    sold = () if gpu is None else variants(gpu)
    if gpu is None or not sold:
        return budget
    spelled = r"[\s_()-]*".join(map(re.escape, gpu.split("-")))
    return re.sub(spelled, sold[0], budget, flags=re.IGNORECASE)


def asked(sentence: str, said: Mapping[str, str | None], what: str) -> str:
    """What is missing and what to write, with a variant where the GPU's name leaves it open.

    Raises:
        InputError: as of `gpu_name`.
    """
    from distillplan.hardware.gpu_catalog import variants  # reads the catalog; few budgets need it

    kind, count = said.get("kind") or "", (said.get("count") or "").rstrip(" xX*")
    name = re.sub(r"(?<=\d)s$", "", gpu_name(kind, what) or kind)
    sold = variants(name)
    given = {"hours": "7 days"} | {key: text for key, text in said.items() if text}
    if not sold:
        return sentence.format(
            **given | {"gpu": kind, "count": count, "unit": "-".join(kind.split())}
        )
    others = f"{', '.join(sold[:-1])} or {sold[-1]}"
    told = sentence.format(**given | {"gpu": sold[0], "count": count, "unit": sold[0]})
    return f"{told}; {name} is {others}"
