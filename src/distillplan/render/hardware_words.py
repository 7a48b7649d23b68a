"""Words of screens for what a machine does with a run."""

from distillplan.hardware.memory_fit import Fits

FITS_SHOWN = {Fits.YES: "yes", Fits.NO: "no", Fits.UNCERTAIN: "tight"}
"""Whether a run fits."""
