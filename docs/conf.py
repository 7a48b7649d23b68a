"""Sphinx: `python -m sphinx -W -c docs . site`, from the root of the checkout, makes the site.

The root is the source folder, so that the examples, CHANGELOG and CONTRIBUTING are pages as is.
"""

import builtins
from typing import Any, ClassVar

from sphinx.addnodes import pending_xref
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.transforms.post_transforms import SphinxPostTransform

import distillplan

project = "distillplan"
author = copyright = "The distillplan authors"  # noqa: A001  (Sphinx's name)
version = release = distillplan.__version__

root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/**/*.md",
    "docs/reference/code/*.rst",
    "examples/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
extensions = [
    "myst_parser",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# docs/reference/code/ is written anew by each build: one page for each folder of the package.
apidoc_modules = [
    {
        "path": "../src/distillplan",
        "destination": "docs/reference/code",
        "exclude_patterns": ["../src/distillplan/__main__.py", "../src/distillplan/cli"],
        "module_first": True,
        "no_headings": False,
        "automodule_options": {"members"},
    }
]
smartquotes = False  # commands are copied
toc_object_entries = False  # the menu of every page would hold every function
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_type_comments = False  # there are none, and looking for them takes time
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"distillplan {release}"
html_copy_source = False
html_show_sphinx = False


FIELDS = {"attribute", "data", "property"}


def setup(app: Any) -> None:
    """Read the docstrings as what they are: plain text with Google's sections."""
    app.add_post_transform(AsTheyAre)
    app.connect("autodoc-process-docstring", as_rest)
    app.connect("autodoc-skip-member", at_home)


def at_home(app: Any, what: str, name: str, *_: object) -> bool | None:
    """Leave a name out, or let others decide: public names live in the modules of the package."""
    here = app.env.temp_data.get("autodoc:module")
    public = what == "module" and here == "distillplan" and name in distillplan.__all__
    return True if public else None


class AsTheyAre(SphinxPostTransform):
    """Look for names of others among ours no longer than it takes to see that they are none.

    Sphinx would compare each `float` or `Any` of a signature with the ends of all names, thrice:
    a fifth of a build.
    """

    default_priority = 1  # before names are looked up
    ends: ClassVar[frozenset[str]] = frozenset()

    def run(self, **_: Any) -> None:
        """Of one page, once all are read."""
        if not self.ends:
            names = self.env.get_domain("py").data["objects"]
            ends = {name.rpartition(".")[2] for name in names}
            type(self).ends = frozenset(ends - {*dir(builtins)})
        for node in self.document.findall(pending_xref):
            if node["reftarget"].rpartition(".")[2] not in self.ends:
                node.attributes.pop("refspecific", None)


def as_rest(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """One docstring as reStructuredText; bars are absolute values, not substitutions.

    That of a field is left alone: the extension napoleon, which does the same for the rest, would
    take the words before a colon for its type.
    """
    if lines and lines[0].startswith("Alias for field number"):  # Python's own words for a field
        lines.clear()
    for number, line in enumerate(lines):
        if "`" not in line and ">>>" not in line:
            lines[number] = line.replace("|", r"\|")
    if what not in FIELDS:
        lines[:] = GoogleDocstring(lines, Config(), app, what, name, found, options).lines()
