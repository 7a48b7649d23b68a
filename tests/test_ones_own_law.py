"""What is said of bands and coefficients follows from whose runs are behind the law."""

import json
import shlex

import pytest
import yaml

from distillplan.files.entries import coefficients_dir
from tests.shell import run

FOLDER = "runs of May"
"""A shell needs quotes for it."""
MINE = {
    "supervised_from": {"origin": "own_runs", "runs": 40},
    "distillation_from": {"origin": "own_runs", "runs": 40},
}
LENT = {"distillation_from": {"origin": "moved", "law": "busbridge2025"}}
STUDENT = ("--student", "400M")
ASKED = {
    "predict": (*STUDENT, "--tokens", "30B", "--teacher-loss", "2.4"),
    "budget": ("1e20", *STUDENT, "--teacher-loss", "2.4", "--logits", "cached"),
    "crossover": (*STUDENT, "--teacher-loss", "2.4", "--gain", "0,0.01", "--logits", "cached"),
}
FOREIGN = {
    ("predict",): "of the gain on any data",
    ("predict", "--details"): "of the gain on any data",
    ("budget", "--details"): "gains on other data than the law's",
    ("crossover",): "rounding of the published coefficients",
    ("crossover", "--details"): "rounding of the published coefficients",
}
"""What is said of a law that stands on runs of others."""


def law_file(folder, **more):
    """The published law as the user's own, without its name and errata; its path in a command."""
    place = coefficients_dir() / "laws"
    data = yaml.safe_load((place / "busbridge2025.yaml").read_text(encoding="utf-8"))
    data["draws"]["file"] = str((place / data["draws"]["file"]).resolve())
    data = {key: one for key, one in data.items() if key not in {"name", "status", "errata"}} | more
    (folder / FOLDER).mkdir()
    (folder / FOLDER / "mine.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    return f"{FOLDER}/mine.yaml"


def said(command, *words, law, folder):
    found = run(command, *ASKED[command], *words, "--law", law, folder=folder)
    assert found.returncode == 0, found.stderr
    return " ".join(found.stdout.split())


def test_a_law_in_bits_per_byte_knows_its_bytes_per_token(tmp_path):
    """It asked for them again; and a loss in bits that is read as nats is told how to say so."""
    law = law_file(tmp_path, measured_in="bits/byte", bytes_per_token=4.3)
    teacher = ("--teacher-params", "3B")
    asked = ("budget", "1e20", *STUDENT, *teacher, "--law", law, "-o", "json")
    bits = run(*asked, "--teacher-bpb", "0.7", folder=tmp_path)
    given = run(*asked, "--teacher-bpb", "0.7", "--bytes-per-token", "4.3", folder=tmp_path)
    assert bits.returncode == 0, bits.stderr
    assert bits.stdout == given.stdout
    refused = run(*asked, "--teacher-loss", "0.7", folder=tmp_path)
    assert refused.returncode == 2
    advice = refused.stderr.split("law's runs: ")[1].split()
    assert run(*asked, "--teacher-loss", "0.7", *advice, folder=tmp_path).stdout == given.stdout


@pytest.mark.parametrize(
    ("more", "is_own"),
    [
        (MINE, True),
        (LENT, False),
        (None, False),
        ({}, False),
        ({"supervised_from": MINE["supervised_from"]}, False),
    ],
    ids=["own", "lent", "published", "unsaid", "half-said"],
)
def test_other_data_and_rounding_are_spoken_of_where_there_are_any(more, is_own, tmp_path):
    """By definition: gains of one's own law carry no error of other laboratories' data, and its
    coefficients were neither published nor rounded; JSON says which by its scale of that error.
    """
    law = "busbridge2025" if more is None else law_file(tmp_path, **more)
    words = ("budget", *ASKED["budget"], "--law", law, "-o", "json")
    transfer = json.loads(run(*words, folder=tmp_path).stdout)["confidence"]["transfer_nats"]
    assert (transfer == 0) is is_own
    shown = {
        (command, *words): said(command, *words, law=law, folder=tmp_path)
        for command in ASKED
        for words in ((), ("--details",))
    }
    for words, text in shown.items():
        if is_own:
            assert not [one for one in ("any data", "other data", "rounding") if one in text], words
        else:
            assert FOREIGN.get(words, "") in text, words


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (None, "How well it fits:"),
        ("busbridge2025", "What was corrected, and how well it fits:"),
        ("kaplan2020", "The law in full:"),
    ],
)
def test_the_reasoning_ends_with_a_command_that_shows_the_law(law, words, tmp_path):
    """Under the heading of what its file has: `errata`, `accuracy`, or neither."""
    law = law or law_file(tmp_path)
    command = f"distillplan laws {shlex.quote(law)}"
    asked = ("budget", "1e20", *STUDENT, "--law", law, "--why")
    shown = " ".join(run(*asked, folder=tmp_path).stdout.split())
    assert shown.endswith(f"{words} {command}")
    _, *again = shlex.split(command)
    assert run(*again, folder=tmp_path).returncode == 0
