"""The pictures of the gallery are those that the commands draw today."""

import pytest

from tests.gallery import FOLDER, GALLERY, ROOT, drawn, says

QUICK = {"kernel", "estimate", "compare"}
"""Of less than a second."""


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in GALLERY]
)
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
