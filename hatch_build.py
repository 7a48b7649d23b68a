"""The build of a wheel: beside each YAML file of ``coefficients/`` the same values as JSON.

A command that is installed reads those, so its start needs no reader of YAML.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ValuesAsJson(BuildHookInterface):
    """Adds the JSON files to a wheel; a checkout reads the YAML that people edit."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them where Hatch takes them from.

        Raises:
            ValueError: for values that JSON has no word for.
        """
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))  # nothing is installed yet
        from distillplan.files.yaml_reader import read_yaml

        self.written = TemporaryDirectory()  # goes with this hook
        for path in sorted((root / "coefficients").rglob("*.yaml")):
            name = path.relative_to(root).with_suffix(".json")
            values = read_yaml(path)
            text = json.dumps(values, ensure_ascii=False, allow_nan=False)
            if json.loads(text) != values:
                raise ValueError(f"{path}: values that JSON has no word for")
            written = Path(self.written.name) / name
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(text, encoding="utf-8")
            build_data["force_include"][str(written)] = f"distillplan/{name}"
