"""The report without a browser: one file that is whole, escaped, readable, and true to the law."""

import colorsys
import json
import re
from itertools import pairwise

import pytest

from distillplan.laws.law_catalog import law
from distillplan.questions.glossary.explanation import explain
from distillplan.render.figures.house_style import ALONE, TAUGHT
from distillplan.render.report.markup import Markup, element
from distillplan.render.report.report_style import report_style
from distillplan.scenarios.scenario_file import read_scenarios
from tests.html_page import ALLOWED, HOSTILE_LAW, Page
from tests.shell import run

ADDRESS = re.compile(r"(?:src|href|action|data|poster|srcset|xlink:href)\Z")


def page_of(folder, scenarios, *words, base=None):
    base = {"compute": 1e21, "student": "1B"} if base is None else base
    (folder / "s.yaml").write_text(json.dumps({"base": base, "scenarios": scenarios}))
    done = run("report", "s.yaml", "-o", "s.html", *words, folder=folder)
    assert done.returncode in {0, 3}, done.stderr
    return Page((folder / "s.html").read_text(encoding="utf-8"))


SEVERAL = {
    "given": {"teacher": "7B:2T"},
    "cached": {"teacher": "7B:2T", "logits": "cached", "assert": {"verdict": "distill"}},
    "nobody": {},
    "other law": {"law": "kaplan2020"},
    "far": {"compute": 1e25, "student": "1M", "teacher": "7B:2T"},
    "poor": {"compute": 1e20, "student": "1B", "teacher": "70B:2T", "accounting": "train"},
    "tight": {"gpu": "h100-sxm", "gpus": 1, "teacher": "405B:2T"},
    "nonsense": {"compute": 1e14, "student": "1B", "bounds": {"student_tokens": [1, 1e12]}},
    "machine": {"gpu": "h100-sxm", "gpus": 8, "teacher": "llama-3.1-8b"},
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return page_of(tmp_path_factory.mktemp("report"), SEVERAL)


def test_it_is_one_whole_page(page):
    assert page.faults == []
    assert page.open == []
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(names) == len(set(names))


def test_it_asks_nothing_of_any_network(page):
    for _, attributes in page.elements:
        for name, value in attributes.items():
            assert not (ADDRESS.match(name) and not value.startswith("#")), (name, value)
    (style,) = page.inside("style")
    assert re.findall(r"url\((?!#)|@import|image-set|@font-face", style) == []
    script = next(text for text in page.inside("script") if not text.startswith("["))
    assert not re.search(r"https?:|fetch|XMLHttp|import\b|WebSocket|sendBeacon|\.src\b", script)
    (policy,) = [one for one in page.all("meta") if "http-equiv" in one]
    assert policy["content"].startswith("default-src 'none'")


def test_headings_go_down_by_one(page):
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert levels.count(2) == len(SEVERAL) + 1


def test_everything_has_words(page):
    """Pictures say what they show, controls have labels, tables captions and heads."""
    for one in page.all("svg"):
        assert one.get("aria-hidden") == "true" or len(one["aria-label"]) > 20
    labels = {one.get("for") for one in page.all("label")}
    controls = [*page.all("input"), *page.all("select")]
    assert len(controls) >= 4 * 4
    assert all(one["id"] in labels for one in controls)
    tables = page.all("table")
    assert len(page.inside("caption")) == len(tables) == len(SEVERAL) + 1
    assert all(one.get("scope") in {"col", "row"} for one in page.all("th"))
    assert page.all("html") == [{"lang": "en"}]


def test_sliders_are_hidden_until_the_script_fills_them(page):
    forms = page.all("form")
    assert len(forms) == len([one for one in page.carried if one is not None])
    assert all("hidden" in one for one in forms)


def test_coefficients_are_those_of_the_law(page):
    shipped, (first, *_) = law(), page.carried
    assert shipped.distillation is not None
    alone = first["law"].pop("supervised")
    assert alone == shipped.supervised._asdict()
    assert first["law"] == {
        name: value
        for name, value in shipped.distillation._asdict().items()
        if name != "supervised"
    }
    assert {key: tuple(ends) for key, ends in first["valid"].items()} == dict(shipped.valid)


def test_where_nothing_is_weighed_there_are_no_sliders_and_no_map(page):
    """A law without distillation, and a machine on which one choice alone fits."""
    silent = [name for name, one in zip(SEVERAL, page.carried, strict=True) if one is None]
    assert silent == ["other law", "tight"]
    assert "Nothing else works on 1 h100-sxm" in page.sections["tight"]
    maps = [one for one in page.all("svg") if one.get("aria-label", "").startswith("Map of")]
    assert len(maps) == len(SEVERAL) - len(silent)


def test_prices_are_what_the_paper_says_a_token_costs(page):
    """Table 13: 4.28 GFLOPs forward for 1.82B parameters; training takes three times as many."""
    sizes = {one["params"]: one for one in page.carried[0]["sizes"]}
    near = min(sizes, key=lambda one: abs(one - 1.821e9))
    assert sizes[near]["alone"] / near == pytest.approx(3 * 4.28e9 / 1.821e9, rel=0.01)
    assert sizes[near]["taught"] == sizes[near]["alone"]


def test_it_says_what_the_plans_say(page, tmp_path):
    (tmp_path / "s.yaml").write_text(
        json.dumps({"base": {"compute": 1e21, "student": "1B"}, "scenarios": SEVERAL})
    )
    found = run("compare", "s.yaml", "-o", "json", folder=tmp_path)
    document = json.loads(found.stdout)
    said = {"distill": "Distill", "supervised": "Pretrain", "tie": "Too close to call"}
    assert {one["verdict"] for one in document["plans"]} >= {"distill", "supervised", None}
    for plan in document["plans"]:
        section = page.sections[plan["name"]]
        assert f"(distill)?{said.get(plan['verdict'], 'No verdict')}" in section
        for option in plan["options"]:
            if option["loss"] is not None:
                assert f"{option['loss']:.3f}" in section
        for warning in plan["warnings"]:
            assert warning["message"] in section
            assert explain(warning["code"]).means in section
    (asserted,) = document["assertions"]
    assert f"{asserted['assertion']}: holds" in page.sections["cached"]


def test_the_question_is_in_the_page_without_defaults(page):
    def asked(name):
        """From one heading to the next."""
        text = page.sections[name]
        return text[text.index("The question") : text.index("All other keys")]

    assert asked("machine").startswith("The questioncompute1e21hardware.gpuh100-sxmhardware.gpus8")
    assert asked("given") == (
        "The questioncompute1e21student_params1Bteacher.params7Bteacher.tokens2T"
    )


def test_the_question_can_be_asked_again_as_it_stands(tmp_path):
    """Keys with their units: a deadline of 168 alone is refused by a file."""
    asked = {"student": "1B", "deadline": "7 days", "gpu": "h100-sxm", "gpus": 64}
    page = page_of(tmp_path, {"a": {}, "b": {"teacher": "qwen2.5-7b"}}, base=asked)
    week = page.sections["a"]
    assert "deadline168 hours" in week
    repeated = {**asked, "deadline": "168 hours"}
    assert read_scenarios(repeated) == read_scenarios(asked)


def test_a_scenario_without_a_plan_is_told_with_its_reason(tmp_path):
    asked = {"poor": {"compute": 1e15}, "fine": {"compute": 1e21}, "more": {"compute": 1e22}}
    for left in (asked, {name: asked[name] for name in ("poor", "fine")}):
        page = page_of(tmp_path, left, base={"student": "1B"})
        assert re.search(r"Without a plan\s*poor: a budget of 1.00e15 FLOPs cannot", page.shown)


def test_a_failed_assertion_is_in_the_page_and_in_the_exit_code(tmp_path):
    (tmp_path / "s.yaml").write_text(json.dumps({"base": {"compute": 1e21, "student": "1B"}}))
    words = ("report", "s.yaml", "-o", "s.html", "--assert", "verdict = distill")
    done = run(*words, folder=tmp_path)
    assert done.returncode == 3
    assert "verdict = distill: FAILS" in Page((tmp_path / "s.html").read_text()).shown


def test_it_is_the_same_every_time(tmp_path):
    words = ("report", "s.yaml", "-o", "s.html")
    (tmp_path / "s.yaml").write_text(json.dumps({"base": {"compute": 1e21, "student": "1B"}}))
    texts = []
    for _ in range(2):
        assert run(*words, folder=tmp_path).returncode == 0
        texts.append((tmp_path / "s.html").read_text())
    assert texts[0] == texts[1]


# --- hostile names

HOSTILE = (
    "<script>alert(1)</script>",
    "\"' onmouseover=alert(1) x='",
    "</style></title></script><img src=http://evil.example/x>",
    "&lt;b&gt; &amp; ]]> <!-- ",
    "a{color:red}",
    "名前 ‘quoted’ é",
)


def test_names_of_scenarios_are_only_text(tmp_path):
    page = page_of(tmp_path, {name: {"teacher": "7B:2T"} for name in HOSTILE})
    assert page.faults == page.open == []
    assert page.inside("h2")[1:] == list(HOSTILE)
    assert page.inside("a") == list(HOSTILE)
    assert {tag for tag, _ in page.elements} <= ALLOWED
    assert not any(key.startswith("on") for _, one in page.elements for key in one)


def test_a_foreign_law_is_only_text(tmp_path):
    (tmp_path / "mine.yaml").write_text(HOSTILE_LAW, encoding="utf-8")
    page = page_of(tmp_path, {"x": {"teacher": "7B:2T"}}, base={**BASE_OF_LAW, "law": "mine.yaml"})
    assert page.faults == page.open == []
    assert {tag for tag, _ in page.elements} <= ALLOWED
    assert "<img src=x onerror=window.hit=1>" in page.shown
    assert "\\x1b[31m" in page.shown
    assert "\x1b" not in (tmp_path / "s.html").read_text()


BASE_OF_LAW = {"compute": 1e21, "student": "1B"}


def test_the_writer_escapes_what_is_no_markup():
    assert element("p", "<", Markup("<br>"), ["&", None]) == "<p>&lt;<br>&amp;</p>"
    assert element("p", title='"><x') == '<p title="&quot;&gt;&lt;x"></p>'
    assert element("p", "a\x00\x1b") == "<p>a\\x00\\x1b</p>"


# --- contrast

PAIRS = {
    ("--ink", "--paper"): 4.5,
    ("--ink", "--panel"): 4.5,
    ("--quiet", "--paper"): 4.5,
    ("--quiet", "--panel"): 4.5,
    ("--accent", "--paper"): 4.5,
    ("--accent", "--panel"): 4.5,
    ("--warning", "--paper"): 4.5,
    ("--line-alone", "--paper"): 3.0,
    ("--line-taught", "--paper"): 3.0,
    ("--distill", "--paper"): 3.0,
    ("--distill", "--pretrain"): 2.0,
    ("--dot", "--paper"): 3.0,
}
"""Least contrast of texts (WCAG 2.2, 1.4.3) and of what has to be seen in pictures (1.4.11); the
two sides of the map differ by place, legend and gray as well."""


def schemes():
    """The colors of each scheme, by name: light, dark, print."""
    style = report_style()
    found = [dict(re.findall(r"(--[\w-]+): (#\w{6});", one)) for one in style.split(":root {")[1:]]
    assert len(found) == 3
    return dict(zip(("light", "dark", "print"), found, strict=True))


def luminance(color):
    """WCAG 2.2, relative luminance."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("pair", PAIRS)
def test_colors_can_be_told_apart(scheme, pair):
    colors = schemes()[scheme]
    assert contrast(*(colors[one] for one in pair)) >= PAIRS[pair]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_a_report_has_the_colors_of_the_pictures(scheme):
    """By hue, which mixing with white or black leaves as it is; on white the lines are the same."""
    colors = schemes()[scheme]

    def hue(color):
        return colorsys.rgb_to_hsv(*(int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)))[0]

    for stroke, names in (
        (ALONE, ("--line-alone", "--pretrain")),
        (TAUGHT, ("--line-taught", "--distill")),
    ):
        for name in names:
            assert hue(colors[name]) == pytest.approx(hue(stroke.color), abs=4e-3)
        assert scheme == "dark" or colors[names[0]] == stroke.color


def test_a_report_has_the_dashes_of_the_pictures():
    dashed = re.findall(r"\.curve\.(\w+) {[^}]*stroke-dasharray: \d", report_style())
    strokes = {"alone": ALONE, "taught": TAUGHT}
    assert dashed == [name for name, one in strokes.items() if one.dash != "-"]


# --- command lines


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("s.yaml", "-o", "json"), "--output: 'json' is no HTML file; write e.g. -o report.html"),
        (("s.yaml", "-o", "no/x.html"), "the folder"),
        (("missing.yaml", "-o", "x.html"), "missing.yaml"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(tmp_path, words, error):
    (tmp_path / "s.yaml").write_text(json.dumps({"base": {"compute": 1e21, "student": "1B"}}))
    done = run("report", *words, folder=tmp_path)
    assert done.returncode == 2
    assert error in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.glob("*.html"))


def test_the_scenario_file_is_not_written_over(tmp_path):
    (tmp_path / "s.html").write_text(json.dumps({"base": {"compute": 1e21, "student": "1B"}}))
    done = run("report", "s.html", "-o", "s.html", folder=tmp_path)
    assert done.returncode == 2
    assert "would overwrite" in done.stderr


def test_scenarios_come_from_standard_input_too(tmp_path):
    text = json.dumps({"base": {"compute": 1e21, "student": "1B"}})
    done = run("report", "-", "-o", "s.html", stdin=text, folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote s.html. Open it in a browser.\n")


def test_more_scenarios_than_anybody_reads_are_refused(tmp_path):
    (tmp_path / "s.yaml").write_text(
        json.dumps({"base": {"student": "1B"}, "matrix": {"compute": "1e20:1e22:41"}})
    )
    done = run("report", "s.yaml", "-o", "s.html", folder=tmp_path)
    assert done.returncode == 2
    assert "41 scenarios are too many for a report, the most is 40" in done.stderr
