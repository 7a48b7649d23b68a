"""The report in a browser: loads from a file alone, and its sliders say what the planner says."""

import json
import random

import pytest

from tests.chromium import MISSING, browser, chromium_path
from tests.html_page import HOSTILE_LAW
from tests.shell import run

pytestmark = pytest.mark.skipif(chromium_path() is None, reason=MISSING)

OWN = "supervised_from: {origin: own_runs}\ndistillation_from: {origin: own_runs}\n"
"""Whose runs a law stands on: else it has the odds of other laboratories' laws."""
SCENARIOS = {
    "given": {"student": "3B", "teacher": "7B:1T"},
    "cached": {"student": "1B", "teacher": "7B:2T", "logits": "cached"},
    "measured": {"student": "1B", "teacher": {"loss": 2.0}, "accounting": "free"},
    "best size": {"teacher": {"params": "7B", "loss": 1.95}},
    "no teacher": {"student": "1B"},
    "nothing given": {},
    "family": {"student": "300M", "students": 16, "logits": "stored"},
    "served": {"student": "1B", "teacher": "13B:1T", "inference_tokens": "50B"},
    "few tokens": {"student": "1B", "max_unique_tokens": "5B"},
    "named": {"student": "llama-3.2-1b", "teacher": "llama-3.1-8b"},
    "named student": {"student": "qwen3-0.6b", "teacher": "7B:2T"},
    "tokens": {"compute": None, "student": "1B:300B", "teacher": "7B:2T"},
    "own law": {"student": "1B", "teacher": "7B:2T", "law": "mine.yaml"},
    "machine": {"student": "1B", "teacher": "7B:2T", "gpu": "h100-sxm", "gpus": 64},
    "money": {
        "compute": None,
        "max_cost_usd": 20_000,
        "gpu": "h100-sxm",
        "gpus": 64,
        "student": "1B",
        "teacher": "7B:2T",
    },
    "hours": {
        "compute": None,
        "gpu_hours": 20_000,
        "gpu": "h100-sxm",
        "gpus": 64,
        "student": "1B",
        "teacher": "7B:2T",
    },
    "hours, named": {
        "compute": None,
        "gpu_hours": 5_000,
        "gpu": "a100-80gb",
        "gpus": 8,
        "student": "llama-3.2-1b",
        "teacher": "llama-3.1-8b",
        "logits": "stored",
    },
    "hours, best size": {
        "compute": None,
        "gpu_hours": 20_000,
        "gpu": "h100-sxm",
        "gpus": 64,
        "teacher": "7B:2T",
    },
}
"""Every kind of question that has sliders: what is given, what is chosen, how the budget counts."""
BASE = {"compute": 1e21}
EXACT, CHOSEN = 1e-6, 0.002
"""Nats by which the page may differ: where all sizes are given, and where one is chosen."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "mine.yaml").write_text(HOSTILE_LAW + OWN, encoding="utf-8")
    (folder / "s.yaml").write_text(json.dumps({"base": BASE, "scenarios": SCENARIOS}))
    done = run("report", "s.yaml", "-o", "s.html", folder=folder)
    assert done.returncode == 0, done.stderr
    for name, one in SCENARIOS.items():
        (folder / f"{name}.yaml").write_text(json.dumps({"base": BASE, "scenarios": {name: one}}))
    return folder


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


MOVE = """
(() => {
  const form = document.querySelectorAll("form.sliders")[%d];
  const moved = %s;
  for (const [name, value] of Object.entries(moved)) {
    const one = form.querySelector(`[data-part="${name}"]`);
    if (one === null) continue;
    if (one.type === "checkbox") one.checked = value < 0.3;
    else if (one.type === "range") one.value = Math.round(+one.min + value * (one.max - one.min));
    else one.selectedIndex = Math.floor(value * one.options.length);
  }
  form.dispatchEvent(new Event("input"));
  const shown = form.closest("section").querySelector(".result");
  return {...JSON.parse(form.dataset.state), said: shown.textContent};
})()
"""
PARTS = ("budget", "student", "any-student", "teacher", "any-teacher", "pays")


def moved(chromium, number, chance):
    """The page's answer at random settings of one scenario."""
    settings = json.dumps({name: chance.random() for name in PARTS})
    return chromium.run(MOVE % (number, settings))


def planned(folder, name, said):
    """The planner's answer to the command that the page names for its settings."""
    words = said[said.index("--set") :].split() if "--set" in said else ()
    done = run("compare", f"{name}.yaml", *words, "--quick", "-o", "json", folder=folder)
    if done.returncode:
        return done
    (plan,) = json.loads(done.stdout)["plans"]
    return plan


@pytest.mark.parametrize(
    "settings", [18, pytest.param(200, marks=pytest.mark.exhaustive)], ids=["few", "many"]
)
def test_the_sliders_say_what_the_planner_says(pages, chromium, settings):
    chromium.load(pages / "s.html")
    chance = random.Random(settings)  # noqa: S311 - settings, no secrets
    names, answered = list(SCENARIOS), 0
    for turn in range(settings):
        number = turn % len(names)
        page = moved(chromium, number, chance)
        plan = planned(pages, names[number], page["said"])
        if not isinstance(plan, dict) and "no plan: " in plan.stderr:
            continue  # the machine's memory, which the page leaves to the planner, and says so
        if not isinstance(plan, dict):
            assert page["alone"] is None, (names[number], page, plan.stderr)
            continue
        answered += 1
        alone, other = plan["options"][0], next(one for one in plan["options"] if one["decides"])
        given = page["params"] is not None
        for mine, option, guess, exact in (
            (page["alone"], alone, page["guesses"][0], given),
            (page["taught"], other, page["guesses"][1], given and page["teacherLoss"] is not None),
        ):
            theirs = option["loss"]
            within = EXACT if exact else CHOSEN
            if theirs is None:
                assert mine is None, (names[number], page, other)
                continue
            assert mine == pytest.approx(theirs, abs=within), (names[number], page)
            assert guess is option["is_guess"], (names[number], page)
        if plan["verdict_reason"] not in {"only_one_possible", "nothing_possible"}:
            assert page["verdict"] == (plan["verdict"] or "none"), (names[number], page)
    assert answered > settings / 2


WRITTEN = """
[...document.querySelectorAll("form.sliders")].map((form) => ({
  ...JSON.parse(form.dataset.state),
  odds: form.closest("section").querySelector("[data-part=odds]").textContent,
}))
"""


def test_as_written_it_says_what_the_plans_say(pages, chromium):
    chromium.load(pages / "s.html")
    plans = json.loads(run("compare", "s.yaml", "--quick", "-o", "json", folder=pages).stdout)[
        "plans"
    ]
    found = chromium.run(WRITTEN)
    assert len(found) == len(plans)
    for page, plan in zip(found, plans, strict=True):
        assert page["verdict"] == (plan["verdict"] or "none")
        assert page["alone"] == pytest.approx(plan["options"][0]["loss"], abs=CHOSEN)
        drawn = plan["law"]["name"] == "busbridge2025"  # the other one has no draws
        assert page["odds"].startswith("Odds: " if drawn else "No odds were weighed.")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_loads_from_a_file_alone(pages, chromium, width, dark):
    chromium.load(pages / "s.html", width=width, dark=dark)
    chromium.run(MOVE % (0, json.dumps(dict.fromkeys(PARTS, 0.7))))
    assert chromium.complaints() == []
    asked = [one["request"]["url"] for one in chromium.of("Network.requestWillBeSent")]
    assert asked == [(pages / "s.html").as_uri()]
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
    colors = chromium.run(CONTRASTS)
    assert len(colors) > 100
    assert [one for one in colors if one["contrast"] < 4.5] == []


CONTRASTS = """
(() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
      && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
      && !one.disabled)
    .map((one) => {
      const style = getComputedStyle(one);
      const ink = one.closest("svg") ? style.fill : style.color;
      const pair = [light(parts(ink)), light(ground(one))];
      return {text: one.textContent.slice(0, 40),
              contrast: (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)};
    });
})()
"""
"""The contrast of every text with what is behind it, as the browser computes its colors."""


@pytest.mark.parametrize("scenario", ["nothing given", "hours, named"])
def test_one_scenario_prints_on_two_pages(pages, chromium, scenario):
    done = run("report", f"{scenario}.yaml", "-o", "one.html", folder=pages)
    assert done.returncode == 0
    chromium.load(pages / "one.html")
    assert 1 <= chromium.pages_printed() <= 2


def test_without_its_script_it_is_a_whole_page(pages, chromium):
    chromium.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.load(pages / "s.html")
        chromium.tell("Emulation.setScriptExecutionDisabled", value=False)
        shown = chromium.run("document.body.innerText")
        assert chromium.run("[...document.forms].every((one) => !one.checkVisibility())")
        assert chromium.run("document.querySelectorAll('.cells .cell').length") > 1000
        assert "Move it" not in shown
        assert shown.count("The choice for") == len(SCENARIOS)
    finally:
        chromium.tell("Emulation.setScriptExecutionDisabled", value=False)


CELLS = "[...document.querySelectorAll('.cells .cell')].map((one) => one.getAttribute('class'))"


@pytest.mark.parametrize(
    ("scenario", "moved"),
    [("cached", "train"), ("no teacher", "exists"), ("hours", "free")],
)
def test_the_map_is_drawn_again_as_the_planner_draws_it(pages, chromium, scenario, moved):
    """The page's cells after a move are those of a report that was asked for the same."""
    words = ("report", f"{scenario}.yaml", "-o")
    assert run(*words, "one.html", folder=pages).returncode == 0
    sets = ("--set", f"accounting={moved}", "--set", "logits=online")
    assert run(*words, "other.html", *sets, folder=pages).returncode == 0
    chromium.load(pages / "other.html")
    wanted = chromium.run(CELLS)
    chromium.load(pages / "one.html")
    before = chromium.run(CELLS)
    chromium.run(PAY % moved)
    found = chromium.run(CELLS)
    chromium.run("dispatchEvent(new Event('beforeprint'))")
    assert chromium.run(CELLS) == before != wanted  # paper shows the settings as written
    assert [one for one in zip(found, wanted, strict=True) if one[0] != one[1]] == []


PAY = """
new Promise((done) => {
  const pays = document.querySelector("[data-part=pays]"), before = pays.form.dataset.drawn;
  pays.value = "%s";
  pays.form.dispatchEvent(new Event("input"));
  const wait = () => pays.form.dataset.drawn === before ? setTimeout(wait, 20) : done();
  wait();
})
"""
HOSTILE = {
    "<img src=x onerror=window.hit=1>": {"teacher": "7B:2T"},
    "</script><script>window.hit=2</script>": {"teacher": "7B:2T", "law": "mine.yaml"},
}


def test_hostile_names_do_nothing(tmp_path, chromium):
    """Names of a file and texts of a foreign law are shown as they are written, and run nowhere."""
    (tmp_path / "mine.yaml").write_text(HOSTILE_LAW, encoding="utf-8")
    text = json.dumps({"base": {"compute": 1e21, "student": "1B"}, "scenarios": HOSTILE})
    (tmp_path / "s.yaml").write_text(text)
    done = run("report", "s.yaml", "-o", "s.html", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    chromium.load(tmp_path / "s.html")
    assert chromium.run("window.hit") is None
    assert chromium.complaints() == []
    asked = [one["request"]["url"] for one in chromium.of("Network.requestWillBeSent")]
    assert asked == [(tmp_path / "s.html").as_uri()]
    heads = "[...document.querySelectorAll('h2')].slice(1).map((one) => one.textContent)"
    assert chromium.run(heads) == list(HOSTILE)
    shown = chromium.run("document.body.innerText")
    assert "<img src=x onerror=window.hit=1>" in shown
    assert "<link rel=stylesheet href=http://localhost:9/x>" in shown


HEADS = "[...document.querySelectorAll('table.sortable')[0].tBodies[0].rows].map((row) => %s)"


def test_tables_sort_by_number(pages, chromium):
    chromium.load(pages / "s.html")
    column = "row.cells[4].dataset.value"
    before = chromium.run(HEADS % column)
    assert before != sorted(before, key=float)
    button = "document.querySelectorAll('table.sortable thead')[0].rows[0].cells[4].firstChild"
    chromium.run(f"{button}.click()")
    assert chromium.run(HEADS % column) == sorted(before, key=float)
    assert chromium.run(f"{button}.parentElement.getAttribute('aria-sort')") == "ascending"
    chromium.run(f"{button}.click()")
    assert chromium.run(HEADS % column) == sorted(before, key=float, reverse=True)


def test_a_move_and_the_way_back(pages, chromium):
    """Moved settings say that the odds are of the written ones; the button brings all back."""
    chromium.load(pages / "s.html")
    first = chromium.run(WRITTEN)[0]
    page = chromium.run(MOVE % (0, json.dumps({"budget": 0.9})))
    assert "--set compute=" in page["said"]
    assert page["budget"] > first["budget"]
    place = "document.querySelector('[data-here=map]').getAttribute('transform')"
    there = chromium.run(place)
    chromium.run("document.querySelector('[data-part=reset]').click()")
    assert chromium.run(WRITTEN)[0] == first
    assert chromium.run(place) != there
