"""Print the lowest version that pyproject.toml allows of each dependency, test tool and pyarrow.

`pip install $(python3 .ci/lowest.py)` installs them. With --python it prints the lowest Python.
"""

import re
import sys
import tomllib
from pathlib import Path

REQUIREMENT = re.compile(r"(?P<name>[\w.-]+(\[[\w,]+\])?)>=(?P<lowest>[\d.]+)(,<[\d.]+)?")


def pinned(requirement: str) -> str:
    """The requirement at its lower bound: ``numpy>=1.26`` becomes ``numpy==1.26``.

    Raises:
        SystemExit: where it has no lower bound.
    """
    found = REQUIREMENT.fullmatch(requirement)
    if found is None:
        raise SystemExit(f"pyproject.toml: {requirement!r} is not of the form name>=version")
    return f"{found['name']}=={found['lowest']}"


def main() -> None:
    """Print one word for each line."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    if sys.argv[1:] == ["--python"]:
        print(project["requires-python"].removeprefix(">="))
        return
    extras = project["optional-dependencies"]
    for requirement in project["dependencies"] + extras["test"] + extras["parquet"]:
        print(pinned(requirement))


if __name__ == "__main__":
    main()
