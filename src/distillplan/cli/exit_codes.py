"""Exit codes that no error carries; `errors` has the others."""

from typing import Final

FAILED: Final = 3
"""The answer is there, and an assertion, a check or a test failed."""
BUG: Final = 70
"""A mistake of the program's own (EX_SOFTWARE of sysexits.h)."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells count it: 128 and the number of the signal."""
