"""Loaded beside a command, it tells on standard error what slow packages the command has loaded."""

import atexit
import sys

SLOW = {"numpy", "scipy"}


@atexit.register
def _tell() -> None:
    sys.stderr.write(" ".join(SLOW & set(sys.modules)))
