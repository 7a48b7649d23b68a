"""What a code or a term means, for people."""

from distillplan.questions.glossary.explanation import Explanation, WordKind, WordList
from distillplan.render.blocks import Block, Headline, Section, Sections, Text

TITLES = {
    WordKind.WARNING: "Warnings and remarks, by their codes",
    WordKind.ANSWER: "Words in JSON, by the key or the command that has them",
    WordKind.TERM: "Terms",
}
ASIDES = {
    WordKind.WARNING: "code of a warning",
    WordKind.ANSWER: "word in JSON",
    WordKind.TERM: "term",
}
MARGIN = 14
"""Columns of the headings in the list."""


def explanation_view(found: Explanation) -> list[Block]:
    """One word: what it means, why it matters, what to do, where it comes from."""
    parts = {
        "Why": found.why,
        "Do": found.advice,
        "Try": command_of(found),
        "From": found.source,
        "Also": ", ".join(found.also),
    }
    return [
        Headline(found.word, ASIDES[found.kind]),
        Text(found.means, tight=True),
        Sections(tuple(Section(head, (text,)) for head, text in parts.items() if text)),
    ]


def command_of(found: Explanation) -> str:
    """What to try: a command, or options of one that was asked before."""
    command = found.command or ""
    return f"add {command}" if command.startswith("-") else command


def word_list_view(found: WordList) -> list[Block]:
    """Every word, by what it is about."""
    blocks: list[Block] = []
    for kind, title in TITLES.items():
        parts = (
            Section(one.group, (", ".join(one.words),)) for one in found.groups if one.kind is kind
        )
        blocks += [Text(title, tone="verdict"), Sections(tuple(parts), margin=MARGIN)]
    return [*blocks, Text("Explain one: distillplan explain WORD", tone="quiet")]
