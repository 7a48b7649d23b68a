"""`distillplan fit`: a law from the user's own runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast, get_args

import numpy as np
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
from distillplan.laws.draws import MOST_DRAWS
from distillplan.laws.loss_units import parse_loss_unit
from distillplan.laws.provenance import PublishedLaw, parse_parameter_count
from distillplan.render.show import Output, show

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitReport, FitRequest

REJECTED = 3
"""Exit code where the law under test is rejected."""
RESAMPLES = 512
"""Joint draws of a law: shares of them are known to about 2%."""
ADDITIVE_LAW = "besiroglu2024"
"""What a law with an outer exponent of 1 is believed to be like."""

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
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="LAW",
            help=(
                "Law that fills in what your runs cannot tell; without distilled runs it also "
                "lends its distillation side."
            ),
            show_default=law_catalog.DEFAULT_LAW,
        ),
    ] = None,
    supervised_law: Annotated[
        str | None,
        typer.Option(
            metavar="LAW", help="Your own law of students without a teacher, if no run is one."
        ),
    ] = None,
    same_tokenizer_as: Annotated[
        str | None,
        typer.Option(
            metavar="LAW",
            help="Published law whose tokenizer and corpus are yours, if no run lacks a teacher.",
        ),
    ] = None,
    keep: Annotated[
        list[int] | None,
        typer.Option(metavar="LINE", help="Line of a run to keep although it is an outlier."),
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
            max=MOST_DRAWS,
            help="Number of bootstrap resamples.",
            show_default=f"{RESAMPLES}; 0 with --test",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that resample side by side.")
    ] = 1,
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

    Columns: params, tokens, loss; teacher_loss, empty for a run without a teacher.
    Both kinds of runs are fitted together; at least one must have no teacher.

    Examples:
    distillplan fit runs.csv -o mine.yaml

    distillplan fit runs.csv more.csv --columns params=N --where "State = finished"

    distillplan fit supervised.csv --anchor busbridge2025

    distillplan fit runs.csv --holdout "loss < 2.3"

    distillplan fit runs.csv --test busbridge2025_printed
    """
    from distillplan.fitting import (
        law_files,
        runs_file,  # fitting is not for every start
    )
    from distillplan.fitting.fit_records import FitRequest
    from distillplan.fitting.outliers import kept_lines
    from distillplan.fitting.selection import parse_selection

    shown, saved = _output(output, save)
    if saved is not None:
        law_files.demand_law_path(saved)
        _refuse_overwriting(saved, runs)
    unit = None if loss_unit is None else parse_loss_unit(loss_unit)
    like = law_catalog.law(anchor or (ADDITIVE_LAW if gamma_one else law_catalog.DEFAULT_LAW))
    alone = _supervised(supervised_law, same_tokenizer_as)
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
    tested = None if test is None else law_catalog.law(test)
    if alone is None and saved is None and checked.distilled.all():
        alone = tested  # the claim under test is that the runs are of its world
    request = FitRequest(
        runs=checked,
        like=like,
        like_draws=law_catalog.draws(like),
        anchored=anchor is not None,
        supervised=alone,
        supervised_draws=None if alone is None else law_catalog.draws(alone),
        gamma_one=gamma_one,
        kept=kept_lines(checked, keep or ()),
        test=tested,
        holdout=None if holdout is None else parse_selection(holdout),
        resamples=_resamples(resamples, test),
        seed=seed,
        jobs=jobs,
        counts=like.counts if counts is None else parse_parameter_count(counts),
    )
    _refuse_gamma_one(request)
    report = _report(request, state)
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


def _refuse_gamma_one(request: "FitRequest") -> None:
    if request.gamma_one and (request.runs.distilled.any() or request.anchored):
        raise InputError("--gamma-one is for supervised fits without an anchor; leave it out")


def _exit_if_rejected(report: "FitReport") -> None:
    if report.test is not None and report.test.rejected:
        raise typer.Exit(REJECTED)


def _report(request: "FitRequest", state: Path | None) -> "FitReport":
    """The fit, with a bar for its resamples, going on from those of an earlier call."""
    from distillplan.fitting import law_files
    from distillplan.fitting.bootstrap import BootstrapState
    from distillplan.fitting.report import fit_report
    from distillplan.render.progress import progress

    kept = "" if request.kept is None else np.flatnonzero(request.kept)
    asked = (request.runs.digest, request.gamma_one, request.like, request.anchored)
    words = [
        one.name if isinstance(one, PublishedLaw) else str(one)
        for one in (*asked, request.supervised, kept, request.seed)
    ]
    key = " ".join(words)
    earlier = None if state is None else law_files.load_state(state, key)
    with progress("Resamples", request.resamples) as advance:

        def after_block(found: BootstrapState) -> None:
            advance(found.done)
            if state is not None:
                law_files.save_state(state, key, found)

        return fit_report(request, state=earlier, progress=after_block)


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


def _supervised(own: str | None, published: str | None) -> PublishedLaw | None:
    """The law of students without a teacher, where it is not fitted."""
    if own is not None and published is not None:
        raise InputError("--supervised-law and --same-tokenizer-as name one thing; leave one out")
    name = own or published
    return None if name is None else law_catalog.law(name)
