"""Figures as files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillplan.errors import InfeasibleError
from distillplan.files.saving import NamedFile, demand_savable, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png", ".pdf")
"""Kinds of pictures, by the end of their names."""
_WITHOUT_DATE: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
    ".png": {},
}
"""What else would differ from one drawing to the next."""


def demand_drawable(name: NamedFile) -> None:
    """Refuse, before any work is done, a picture that cannot be drawn or saved.

    Raises:
        InputError: where no file can be.
        InfeasibleError: where matplotlib is missing.
    """
    from importlib.util import find_spec  # only for those who draw

    demand_savable(name)
    if find_spec("matplotlib") is None:
        raise InfeasibleError(
            f"{name.what}: a picture needs matplotlib; install it with: "
            "pip install 'distillplan[plot]'"
        )


def save_figure(figure: "Figure", path: Path) -> None:
    """Save a figure in the format that the path's ending names; the same figure, the same bytes.

    Raises:
        InputError: when it cannot be written.
    """
    from matplotlib import rc_context  # only for those who draw

    ending = path.suffix.lower()
    with io.BytesIO() as drawn, rc_context({"svg.hashsalt": "distillplan", "svg.fonttype": "none"}):
        figure.savefig(drawn, format=ending[1:], dpi=150, metadata=_WITHOUT_DATE[ending])
        save(path, drawn.getvalue())
