"""Did you mean: suggestions for a mistyped name."""

from collections.abc import Iterable


def close_names(name: str, known: Iterable[str], alike: float = 0.55) -> list[str]:
    """At most three known names that resemble a mistyped one, the closest first.

    Args:
        name: as it was typed.
        known: the names to choose from.
        alike: how alike they must be, from 0 to 1.

    >>> close_names("Busbridge", ["busbridge2025", "kaplan2020"])
    ['busbridge2025']
    """
    import difflib  # only after a typing error

    return difflib.get_close_matches(str(name).lower(), list(known), n=3, cutoff=alike)


def did_you_mean(names: Iterable[str]) -> str:
    """The question, without a capital letter.

    >>> did_you_mean(["gpus", "models"])
    "did you mean 'gpus' or 'models'?"
    """
    return f"did you mean {' or '.join(repr(one) for one in names)}?"


def nearest(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """The advice to give for a mistyped name, without a capital letter and a full stop.

    Args:
        name: as it was typed.
        known: the names to choose from.
        otherwise: the advice where no name is close; None lists all of them.

    >>> nearest("busbridge", ["busbridge2025", "kaplan2020"])
    "did you mean 'busbridge2025'?"
    >>> nearest("gpt", ["busbridge2025"], "run distillplan laws for the list")
    'run distillplan laws for the list'
    """
    known = list(known)
    close = close_names(name, known)
    if close:
        return did_you_mean(close)
    if otherwise is not None:
        return otherwise
    return f"use one of {', '.join(known)}" if known else "there is none"
