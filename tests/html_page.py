"""A page of the report as a browser reads it, for tests without a browser."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser

ALLOWED = {
    *(
        "a",
        "body",
        "button",
        "caption",
        "circle",
        "code",
        "dd",
        "defs",
        "div",
        "dl",
        "dt",
        "figcaption",
    ),
    *("figure", "footer", "form", "g", "h1", "h2", "h3", "h4", "head", "header", "html", "input"),
    *("label", "li", "line", "main", "meta", "nav", "option", "output", "p", "path", "pattern"),
    *("polyline", "rect", "script", "section", "select", "span", "strong", "style", "svg", "table"),
    *("tbody", "td", "text", "th", "thead", "title", "tr", "ul"),
}
"""Elements that pages are made of; a name that is markup would add others."""
VOID = {"br", "input", "meta"}
"""HTML's elements without an end, of those that the page uses."""


class Page(HTMLParser):
    """A page as a browser reads it: elements, attributes, texts, and what is left open."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.texts, self.faults = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def inside(self, *tags):
        return [text for tag, text in self.texts if tag in tags]

    @property
    def shown(self):
        """All that is read by people."""
        return " ".join(text for tag, text in self.texts if tag not in {"script", "style", "title"})

    @property
    def sections(self):
        """What is shown below each heading of a scenario, by its name."""
        found, name = {}, ""
        for tag, text in self.texts:
            name = text if tag == "h2" else name
            if tag not in {"script", "style"}:
                found[name] = found.get(name, "") + text
        return found

    @property
    def carried(self):
        """What the script computes with."""
        return json.loads(self.carried_text)

    @property
    def carried_text(self) -> str:
        return next(text for tag, text in self.texts if tag == "script" and text.startswith("["))


def faults_of_page(text: str) -> Iterator[str]:
    """What is wrong with the text of a page, whatever names it shows."""
    page = Page(text)
    if page.faults or page.open:
        yield f"elements are not closed in order: {page.faults[:3]}, {page.open[:3]}"
    foreign = {tag for tag, _ in page.elements} - ALLOWED
    if foreign:
        yield f"foreign elements: {sorted(foreign)}"
    handlers = {key for _, one in page.elements for key in one if key.startswith("on")}
    if handlers:
        yield f"foreign handlers: {sorted(handlers)}"
    for one in ("NaN", "Infinity"):
        if one in page.carried_text:
            yield f"{one} among the numbers that the script computes with"


HOSTILE_LAW = """
form: distillation
title: "<img src=x onerror=window.hit=1> \\e[31m red"
counts: non-embedding parameters
loss_unit: nats/token
corpus: "</script><script>window.hit=2</script>"
tokenizer: "\\" onload=window.hit=3 '"
source: "<link rel=stylesheet href=http://localhost:9/x>"
errata: ["<i>errata</i>"]
coefficients:
  supervised:
    E: {value: 1.22}
    A: {value: 3355}
    B: {value: 18186}
    alpha: {value: 0.408}
    beta: {value: 0.431}
    gamma: {value: 0.452}
  distillation:
    c0: {value: 2.549}
    c1: {value: 522.61}
    f1: {value: 0.09}
    d1: {value: 1.315}
    A: {value: 2243}
    B: {value: 2281900}
    alpha: {value: 0.321}
    beta: {value: 0.637}
    gamma: {value: 0.764}
valid:
  params: [1.434e+8, 1.261e+10]
  tokens: [3.6e+9, 5.15e+11]
"""
"""A law whose words are markup, and move a terminal's cursor."""
