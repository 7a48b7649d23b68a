"""Files that mean harm: an answer in bounded time and memory, exit 2, no traceback."""

import subprocess
import sys

import pytest

from tests.shell import run

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
HOSTILE = {
    "alias_bomb": BOMB,
    "alias_bomb_in_a_scenario": BOMB + "base: {teacher: *i, compute: *j}\n",
    "merge_bomb": "a: &a {x: 1}\n" + "".join(f"k{i}: {{<<: [*a, *a]}}\n" for i in range(20000)),
    "deep_flow": "[" * 900_000,
    "deep_mapping": "{a: " * 200_000,
    "deep_block": "- " * 400_000,
    "deep_question": "? " * 400_000,
    "deep_indent": "".join("  " * i + "a:\n" for i in range(700)),
    "many_keys": "base:\n" + "".join(f"  k{i}: 1\n" for i in range(24_000)),
    "many_scenarios": "scenarios:\n" + "".join(f"  s{i}: {{studnt: 1}}\n" for i in range(16_000)),
    "many_anchors": "".join(f"- &x{i} 1\n" for i in range(80_000)),
    "many_commas": "base: {" + "," * 300_000 + "}",
    "long_scalar": "base: {compute: " + "9" * 900_000 + "}",
    "long_key": "base: {? " + "k" * 900_000 + " : 1}",
    "long_name": "base: {compute: 1e21}\nmatrix: {student: " + "1," * 100_000 + "}",
    "self_alias": "base: &b {teacher: *b}",
    "unknown_alias": "base: *b",
    "duplicate_keys": "base: {compute: 1e21, compute: 1e22}",
    "tabs": "base:\n\tcompute: 1e21",
    "nan": "base: {compute: .nan}",
    "infinity": "base: {compute: .inf}",
    "negative": "base: {compute: -1e21}",
    "boolean": "base: {compute: on}",
    "python_object": "base: !!python/object/apply:os.system ['echo harm']",
    "python_name": "base: {law: !!python/name:os.system }",
    "custom_tag": "base: !foo {compute: 1e21}",
    "binary_tag": "base: {compute: !!binary aGVsbG8=}",
    "documents": "base: {compute: 1e21}\n---\nbase: {compute: 1e22}",
    "huge_range": "base: {compute: 1e21}\nmatrix: {student: 1B:2B:1e9}",
    "huge_product": "base: {compute: 1e21}\nmatrix: {student: 1B:2B:1e4, compute: 1e20:1e21:1e4}",
    "huge_number": "base: {compute: 1e99999}",
    "huge_integer": "base: {compute: 0x" + "f" * 5000 + "}",
    "directive": "%YAML 9.9\n---\nbase: {compute: 1e21}",
    "control": "base: {compute: 1e21}\x00",
    "binary": bytes(range(256)) * 1000,
    "latin": "base: {law: é}".encode("latin-1"),
    "hundred_megabytes": None,
}
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
sys.argv = ["distillplan", "validate", sys.argv[1]]
from distillplan.cli.main import main
main()
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name, tmp_path):
    path, content = tmp_path / "harm.yaml", HOSTILE[name]
    if content is None:
        with path.open("wb") as file:
            file.write(b"base: {compute: 1e21}\n")
            file.truncate(100_000_000)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,  # a hang fails; how long it takes is the benchmarks' business
    )
    assert found.returncode == 2, found.stderr[-500:]
    assert found.stdout == ""
    assert found.stderr.startswith("error: ")
    assert "harm.yaml" in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr) < 20_000


def test_a_name_of_spaces_is_seen():
    found = run("validate", " ")
    assert found.returncode == 2
    assert found.stderr == "error: ' ': cannot be read: No such file or directory\n"


def test_a_hostile_law_is_refused(tmp_path):
    path = tmp_path / "law.yaml"
    path.write_text("[" * 400_000, encoding="utf-8")
    found = run("budget", "1e21", "--law", path)
    assert found.returncode == 2
    assert found.stdout == ""
    (line,) = found.stderr.splitlines()  # the sentence may be the YAML library's
    assert line.startswith(f"error: {path}, line 1: ")
