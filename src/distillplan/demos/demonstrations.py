"""The demonstrations by name."""

from typing import TypeAlias

from distillplan.demos import calibration, kernel_regression, mapping, mapping_records
from distillplan.demos.claims import Advance, DemoName

Demonstration: TypeAlias = (
    kernel_regression.KernelDemo | mapping_records.MappingDemo | calibration.CalibrationDemo
)


def steps(name: DemoName, *, full: bool) -> int | None:
    """Steps of training in a demonstration, for its progress; None where nothing is trained."""
    match name:
        case "kernel":
            return None
        case "mapping":
            return mapping.work(mapping.FULL if full else mapping.QUICK)
        case "calibration":
            return (calibration.FULL if full else calibration.QUICK).steps


def demonstrate(
    name: DemoName, *, seed: int = 0, full: bool = False, advance: Advance | None = None
) -> Demonstration:
    """One of the demonstrations.

    Args:
        name: of it.
        seed: of all that is random in it; the same seed gives the same numbers.
        full: whether to take the large sizes; kernel regression has the paper's in any case.
        advance: is told how many steps of training are done.
    """
    match name:
        case "kernel":
            return kernel_regression.kernel_demo(seed=seed)
        case "mapping":
            return mapping.mapping_demo(
                seed=seed, sizes=mapping.FULL if full else mapping.QUICK, advance=advance
            )
        case "calibration":
            return calibration.calibration_demo(
                seed=seed,
                sizes=calibration.FULL if full else calibration.QUICK,
                advance=advance,
            )
