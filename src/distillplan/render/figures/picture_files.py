"""Pictures of answers as files."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from distillplan.errors import InputError
from distillplan.files.saving import NamedFile, demand_savable
from distillplan.render.answers import named, registered

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
_SETTINGS: Final[dict[Any, Any]] = {
    "axes.unicode_minus": False,  # as in the words beside
    "svg.hashsalt": "distillplan",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is a dollar
}


def demand_drawable(name: NamedFile) -> None:
    """Refuse, before any work is done, a picture that cannot be drawn or saved.

    Raises:
        InputError: where no file can be, or matplotlib is missing.
    """
    from importlib.util import find_spec  # only for those who draw

    demand_savable(name)
    if find_spec("matplotlib") is None:
        raise InputError(
            f"{name.what}: a picture needs matplotlib; install it with: "
            "pip install 'distillplan[plot]'"
        )


def figure_of(answer: object) -> "Figure":
    """The picture of an answer.

    Raises:
        TypeError: for an answer that has none, which is a bug.
    """
    drawn = registered(answer).figure
    if drawn is None:
        raise TypeError(f"{type(answer).__name__} has no picture")
    figure: Figure = named(drawn, "distillplan.render.figures")(answer)
    return figure


def picture_of(answer: object, path: Path) -> bytes:
    """The picture of an answer as a file has it, in the format that the path's ending names.

    The same answer gives the same bytes.
    """
    from matplotlib import rc_context  # only for those who draw

    ending = path.suffix.lower()
    with io.BytesIO() as drawn, rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a letter that the font lacks
        figure = figure_of(answer)
        figure.savefig(drawn, format=ending[1:], dpi=150, metadata=_WITHOUT_DATE[ending])
        return drawn.getvalue()
