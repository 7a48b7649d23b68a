"""The entry point: `distillplan` from a shell, and `python -m distillplan`."""

import gc
import os
import signal
import sys
import warnings
from typing import Any

from distillplan.cli.exit_codes import BUG, INTERRUPTED

SELDOM = 50_000
"""New objects before garbage is looked for: a start makes fewer, a sweep still stays small."""


def main() -> None:
    """Run the command line and leave with its exit code.

    Modules make no garbage while they load, and looking for it takes 5% of a start. So it is off
    while they load, and rare while a command runs. Nor does numpy start threads for large matrices,
    as there are none here, which takes 15%, nor is anything taken down on the way out, which takes
    10%: files are closed by then. Only the process of the command line does so, never a program
    that imports the package.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the shell ignores it
        signal.signal(signal.SIGINT, _leave)
    gc.disable()
    try:
        code = _run()
    except Exception as bug:  # whatever it is, as no error of the user's gets here
        _report(bug)
        code = BUG
    # debuggers and profilers report at the exit, and a pool of processes gives back its semaphores
    if sys.gettrace() or sys.getprofile() or "multiprocessing" in sys.modules:
        sys.exit(code)
    os._exit(code)


def _run() -> int:
    from distillplan.cli.app import run  # while no garbage is looked for
    from distillplan.render.streams import prepare_streams

    gc.freeze()
    gc.enable()
    gc.set_threshold(SELDOM)
    prepare_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a number that is none stops at the gate; see `finite`
    return run()


def _leave(*_: Any) -> None:
    """End at once and in silence, as there is nothing to tidy up.

    Files are saved with signals held back. A `KeyboardInterrupt` would come up inside whatever
    runs, such as an import or a destructor, and those write about it.
    """
    os._exit(INTERRUPTED)


def _report(bug: Exception) -> None:
    """Write the traceback of a bug and what to do with it."""
    from distillplan import __version__  # only for a bug
    from distillplan.render.streams import write_error

    try:
        sys.__excepthook__(type(bug), bug, bug.__traceback__)
    finally:
        write_error(
            f"error: a bug in distillplan {__version__}; please report it with the lines above and "
            "the command"
        )
