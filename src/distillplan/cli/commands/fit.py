"""`distillplan fit`: a law from the user's own runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast, get_args

import typer

from distillplan.cli.run_options import (
    BytesPerToken,
    Columns,
    HistoriesChoice,
    LastOf,
    LossUnitOption,
    ReplicatesChoice,
    RunFiles,
    RunForm,
    Where,
)
from distillplan.errors import InputError
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import parse_loss_unit
from distillplan.laws.provenance import ParameterCount, PublishedLaw, parse_parameter_count
from distillplan.render.show import Output, show

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitReport, FitRequest

REJECTED = 3
"""Exit code where the law under test is rejected."""
RESAMPLES = 4096
"""As many as are behind the intervals of Table 6 of arXiv:2502.08606."""

Counts: TypeAlias = Literal["non-embedding", "total"]


def fit(
    runs: RunFiles,
    form: RunForm = None,
    columns: Columns = "",
    where: Where = None,
    last_of: LastOf = None,
    histories: HistoriesChoice = "drop",
    replicates: ReplicatesChoice = None,
    loss_unit: LossUnitOption = None,
    bytes_per_token: BytesPerToken = None,
    gamma_one: Annotated[
        bool, typer.Option("--gamma-one", help="Fix the outer exponent at 1 (supervised).")
    ] = False,
    reduced: Annotated[
        bool | None,
        typer.Option(
            "--reduced/--full",
            help="Use the large-c1 limit (distillation).",
            show_default="the runs decide",
        ),
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="LAW", help="Law to stay near when runs are few: fits offset and scale only."
        ),
    ] = None,
    supervised_law: Annotated[
        str | None,
        typer.Option(metavar="LAW", help="Law of students without a teacher (distillation)."),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(metavar="LAW", help="Law to test on the runs; exit 3 if rejected."),
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help="Runs to predict from the others, e.g. 'loss < 2.3'."),
    ] = None,
    counts: Annotated[
        Counts | None,
        typer.Option(help="Parameters that the runs count.", show_default="those of the other law"),
    ] = None,
    resamples: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100_000,
            help="Number of bootstrap resamples.",
            show_default=f"{RESAMPLES}; 0 with --test",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to keep resamples in and resume from.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="LAW.yaml", help="File to write the law to; its draws go beside it."),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="Output format (table, json, markdown), or LAW.yaml to save."
        ),
    ] = "table",
) -> None:
    """Fit a law to your own runs: coefficients, joint draws, and how far to trust them.

    Columns: params, tokens, loss, and teacher_loss, which is empty for a run without a teacher.
    Losses are measured with one tokenizer. Suffixes such as 1B are read.

    Examples:
    distillplan fit runs.csv --form distillation -o mine.yaml

    distillplan fit runs.csv more.csv --columns params=N --where "State = finished"

    distillplan fit runs.csv --form supervised --holdout "loss < 2.3"

    distillplan fit runs.csv --anchor busbridge2025

    distillplan fit runs.csv --test busbridge2025_printed
    """
    from distillplan.fitting import (
        law_files,
        runs_file,  # fitting is not for every start
    )
    from distillplan.fitting.fit_records import FitRequest
    from distillplan.fitting.selection import parse_selection

    shown, saved = _output(output, save)
    if saved is not None:
        law_files.demand_law_path(saved)
        _refuse_overwriting(saved, runs)
    unit = None if loss_unit is None else parse_loss_unit(loss_unit)
    near = None if anchor is None else law_catalog.law(anchor)
    alone = _supervised(supervised_law, near)
    reading = runs_file.Reading(
        form=form,
        columns=columns,
        where=tuple(where or ()),
        last_of=last_of,
        histories=histories,
        replicates=replicates,
        unit=unit,
        bytes_per_token=bytes_per_token,
    )
    checked = runs_file.read_runs(runs, reading)
    request = FitRequest(
        runs=checked,
        source=checked.source,
        supervised=alone,
        supervised_draws=law_catalog.draws(alone),
        gamma_one=gamma_one,
        reduced=reduced,
        anchor=near,
        anchor_draws=None if near is None else law_catalog.draws(near),
        test=None if test is None else law_catalog.law(test),
        holdout=None if holdout is None else parse_selection(holdout),
        resamples=_resamples(resamples, test),
        seed=seed,
        counts=_counts(counts, near or alone),
    )
    _refuse_contradictions(request)
    report = _report(request, f"{checked.digest} {alone.name}", state)
    if saved is not None:
        report = law_files.save_law(report, saved)
    show(report, shown)
    _exit_if_rejected(report)


def _refuse_overwriting(saved: Path, runs: Sequence[str]) -> None:
    from distillplan.fitting.law_files import draws_path

    written = {path.resolve() for path in (saved, draws_path(saved))}
    for one in runs:
        if one != "-" and Path(one).resolve() in written:
            raise InputError(f"--save: {saved} would overwrite {one}, a file of runs; name another")


def _exit_if_rejected(report: "FitReport") -> None:
    if report.test is not None and report.test.rejected:
        raise typer.Exit(REJECTED)


def _report(request: "FitRequest", runs: str, state: Path | None) -> "FitReport":
    """The fit, with a bar for its resamples, going on from those of an earlier call."""
    from distillplan.fitting import law_files
    from distillplan.fitting.bootstrap import BootstrapState
    from distillplan.fitting.report import fit_report
    from distillplan.render.progress import progress

    asked = (request.runs.kind, request.gamma_one, request.reduced, request.anchor)
    words = (one.name if isinstance(one, PublishedLaw) else one for one in asked)
    key = " ".join(str(one) for one in (runs, *words, request.seed))
    earlier = None if state is None else law_files.load_state(state, key)
    with progress("Resamples", request.resamples) as advance:

        def after_block(found: BootstrapState) -> None:
            advance(found.done)
            if state is not None:
                law_files.save_state(state, key, found)

        try:
            return fit_report(request, state=earlier, progress=after_block)
        except InputError as error:  # too few runs may be left because most were left out
            left_out = (f"; {one.message}" for one in request.runs.notices)
            raise InputError(*error.parts, *left_out) from None


def _output(output: str, save: Path | None) -> tuple[Output, Path | None]:
    """The form to show, and the file to write: -o takes either."""
    if output in get_args(Output):
        return cast("Output", output), save
    if not output.endswith((".yaml", ".yml")):
        known = ", ".join(get_args(Output))
        raise InputError(
            f"--output: {output!r} is not one of {known}, nor a file that ends in .yaml"
        )
    if save is not None:
        raise InputError("--save and -o both name a file for the law; leave one out")
    return "table", Path(output)


def _resamples(asked: int | None, test: str | None) -> int:
    """A test needs none."""
    if asked is not None:
        return asked
    return RESAMPLES if test is None else 0


def _counts(asked: Counts | None, like: PublishedLaw) -> ParameterCount:
    """What the parameters count: as said, or as in the law that the fit leans on."""
    return like.counts if asked is None else parse_parameter_count(asked)


def _supervised(name: str | None, anchor: PublishedLaw | None) -> PublishedLaw:
    """The law of students without a teacher: named, or the anchor's, or the default's."""
    if name is not None:
        return law_catalog.law(name)
    if anchor is not None and anchor.distillation is not None:
        return anchor
    return law_catalog.law()


def _refuse_contradictions(request: "FitRequest") -> None:
    if request.gamma_one and (request.runs.kind == "distillation" or request.anchor is not None):
        raise InputError("--gamma-one is for supervised fits without an anchor; leave it out")
    if request.reduced is not None and (
        request.runs.kind == "supervised" or request.anchor is not None
    ):
        raise InputError(
            "--reduced and --full are for distillation fits without an anchor; leave them out"
        )
