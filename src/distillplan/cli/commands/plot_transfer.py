"""`distillplan plot transfer`: gains that other laboratories saw, beside those predicted."""

from distillplan.cli.picture_options import Data, Pictured, give, places
from distillplan.render.progress import progress


def plot_transfer(*, output: Pictured = None, data: Data = None) -> None:
    """Draw what the law says of other laboratories' runs beside what they saw.

    Each published comparison is there, whether or not the law got it right.

    Example:
    distillplan plot transfer -o transfer.svg
    """
    from distillplan.checks.transfer_checks import transfer_report  # not at every start

    where = places(output or (), data)
    with progress("Comparisons"):
        found = transfer_report()
    give(found, where)
