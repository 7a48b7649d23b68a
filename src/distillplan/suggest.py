"""Did you mean: what to say to somebody who mistyped a name."""

from collections.abc import Iterable


def close_names(name: str, known: Iterable[str]) -> list[str]:
    """Known names that look like a mistyped one, the most alike first; at most three.

    >>> close_names("Busbridge", ["busbridge2025", "kaplan2020"])
    ['busbridge2025']
    """
    import difflib  # only for somebody who mistyped

    return difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)


def nearest(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """What to say to somebody who mistyped a name.

    Args:
        name: as it was typed.
        known: the names that there are.
        otherwise: what to say when none is alike; None: the list of all.

    >>> nearest("busbridge", ["busbridge2025", "kaplan2020"])
    "did you mean 'busbridge2025'?"
    >>> nearest("gpt", ["busbridge2025"], "run distillplan laws for the list")
    'run distillplan laws for the list'
    """
    known = list(known)
    close = close_names(name, known)
    if close:
        return f"did you mean {' or '.join(repr(one) for one in close)}?"
    return f"known are {', '.join(known)}" if otherwise is None else otherwise
