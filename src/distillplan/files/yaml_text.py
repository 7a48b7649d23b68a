"""Single values as YAML texts, for files that are written line by line with their comments."""

import json
from typing import Any


def quoted(text: str) -> str:
    """A text between double quotes, which YAML and JSON share; a name of a file may be no text."""
    whole = text.encode(errors="backslashreplace").decode()
    return "".join(
        one if one.isprintable() else f"\\U{ord(one):08x}"
        for one in json.dumps(whole, ensure_ascii=False)
    )


def value_text(value: Any) -> str:
    """A value in one line; a float keeps its point, without which YAML 1.1 reads 1e-05 as a text.

    >>> [value_text(one) for one in (True, 3, 1e-05, 0.5, "x", ["y", 2])]
    ['true', '3', '1.0e-05', '0.5', '"x"', '["y", 2]']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return f"{mantissa}{'' if '.' in mantissa else '.0'}{exponent}{power}"
    return str(value) if isinstance(value, int) else quoted(str(value))
