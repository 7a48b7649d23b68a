"""The file of a law of the P2 form: coefficients, their range and their draws."""

from pathlib import Path

from distillplan.files.saving import NamedFile, save
from distillplan.files.yaml_text import quoted
from distillplan.fitting.law_files import MARK, demand_law_path
from distillplan.fitting.pruned_fit import PrunedFit
from distillplan.laws.pruning_law import LETTERS, SCHEMA


def save_pruned(report: PrunedFit, path: Path) -> PrunedFit:
    """Write the law so that ``laws.pruning_law.read_pruning_law`` can read it.

    Returns:
        The report with the name of the file.

    Raises:
        InputError: when the file cannot be written, or holds what no fit has written.
    """
    demand_law_path(NamedFile(what="save", path=str(path)))
    save(path, pruned_text(report))
    return report._replace(saved=str(path))


def pruned_text(report: PrunedFit) -> str:
    """The text of the file."""
    fitted = report.fitted
    lines = [
        f"{MARK} --form p2; plan with it: distillplan budget ... --start-law THIS_FILE",
        f"schema: {SCHEMA}",
        f"form: {quoted(report.form)}",
        f"source: {quoted(report.source)}",
        f"counts: {quoted(report.counts)}",
        *([] if report.taught is None else [f"taught: {str(report.taught).lower()}"]),
        f"runs: {report.runs}",
        f"noise: {report.noise!r}",
        "valid:",
        *(f"  {name}: [{low!r}, {high!r}]" for name, (low, high) in fitted.valid._asdict().items()),
        "coefficients:",
        *(f"  {name}: {float(getattr(fitted.law, name))!r}" for name in LETTERS),
        "draws:",
        f"  - {quoted(','.join(LETTERS))}",
    ]
    lines += [f"  - {quoted(','.join(f'{one:.9g}' for one in row))}" for row in fitted.draws]
    return "\n".join(lines) + "\n"
