"""The pictures of the gallery are those that the commands draw today."""

import pytest

from tests.gallery import FOLDER, GALLERY, ROOT, drawn, says

QUICK = {"kernel", "estimate", "compare"}
"""Of less than a second."""


LONG = ("mapping",)
"""Of half a minute; what it shows is held by `test_demos`."""


def _marks(name):
    if name in QUICK:
        return []
    return [pytest.mark.exhaustive if name in LONG else pytest.mark.slow]


@pytest.mark.parametrize("name", [pytest.param(one, marks=_marks(one)) for one in GALLERY])
def test_a_picture_is_not_stale(name):
    # python -m tests.gallery draws it anew
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert says(kept) == says(drawn(name))


def test_a_stale_picture_would_be_found():
    kept = (FOLDER / "kernel.svg").read_text(encoding="utf-8")
    assert len(says(kept)) > 5
    assert says(kept) != says(kept.replace("student", "pupil"))


@pytest.mark.parametrize("name", GALLERY)
def test_a_picture_is_alone(name):
    """No font and no file from elsewhere, and no path of the machine that drew it."""
    svg = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert 'href="http' not in svg
    assert str(ROOT) not in svg
