"""The entry point: `distillplan` from a shell, and `python -m distillplan`."""

import gc
import sys
import warnings

SELDOM = 50_000
"""New objects before garbage is looked for: a start makes fewer, a sweep still stays small."""


def main() -> None:
    """Run the command line and leave with its exit code.

    Modules make no garbage while they load, and looking for it takes 5% of a start. So it is off
    while they load, rare while a command runs, and left out on the way to the exit. Only the
    process of the command line does so, never a program that imports the package.
    """
    gc.disable()
    from distillplan.cli.app import run  # after the line above, which is for this import
    from distillplan.render.streams import prepare_streams

    gc.freeze()
    gc.enable()
    gc.set_threshold(SELDOM)
    prepare_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a number that is none stops at the gate; see `finite`
    code = run()
    gc.freeze()  # or the interpreter looks through all of it once more on its way out
    sys.exit(code)
