"""`distillplan fit`: a law from the user's own runs."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar, cast, get_args

import typer

from distillplan.cli import flags
from distillplan.cli.exit_codes import FAILED
from distillplan.cli.run_options import (
    BytesPerToken,
    Columns,
    FittedForm,
    HistoriesChoice,
    LastOf,
    LossUnitOption,
    ReplicatesChoice,
    RunFiles,
    Where,
)
from distillplan.errors import InputError
from distillplan.files.processes import MOST_JOBS
from distillplan.files.text_reader import YAML_ENDINGS
from distillplan.laws import law_catalog
from distillplan.laws.draws import MOST_DRAWS
from distillplan.laws.loss_units import parse_loss_unit
from distillplan.laws.provenance import PublishedLaw, parse_parameter_count
from distillplan.render.progress import progress
from distillplan.render.show import RowOutput, show

if TYPE_CHECKING:
    from distillplan.fitting.fit_records import FitReport, FitRequest
    from distillplan.fitting.pruned_fit import PrunedFit

SAVE, STATE = "--save", "--state"
"""Options that name a file to write."""
RESAMPLES = 512
"""Joint draws of a law: shares of them are known to about 2%."""
ADDITIVE_LAW = "besiroglu2024"
"""What a law with an outer exponent of 1 is believed to be like."""

NOT_GIVEN: Mapping[str, object] = {"gamma_one": False, "histories": "drop", "jobs": 1}
"""What options are that nobody gives, where that is not None."""

Counts: TypeAlias = Literal["non-embedding", "total"]
Given = TypeVar("Given")
Found = TypeVar("Found")


def fit(
    runs: RunFiles,
    form: FittedForm = None,
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
        typer.Option(
            help="Parameters that the runs count.",
            show_default="as the column says, or the other law",
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=0, max=MOST_DRAWS, help="Number of bootstrap resamples.")
    ] = RESAMPLES,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    jobs: Annotated[
        int, typer.Option(min=1, max=MOST_JOBS, help="Processes that resample side by side.")
    ] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to keep resamples in and resume from.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="LAW.yaml", help="File to write the law and its draws to."),
    ] = None,
    details: flags.Details = False,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help="Output format (table, json, jsonl, csv, markdown), or LAW.yaml to save; may be "
            "given for both.",
            show_default="table",
        ),
    ] = None,
) -> None:
    """Fit a law to your own runs: coefficients, joint draws, and how far to trust them.

    Columns: params, tokens, loss; teacher_loss, empty for a run without a teacher.
    Both kinds of runs are fitted together; at least one must have no teacher.
    Of cut models (--form p2): parent_params, kept, tokens, parent_loss, loss; taught, yes or no.

    Examples:
    distillplan fit runs.csv supervised_runs.csv -o mine.yaml

    distillplan fit runs.csv more.csv --columns params=N --where "State = finished"

    distillplan fit supervised.csv --anchor busbridge2025

    distillplan fit runs.csv supervised_runs.csv --holdout "loss < 2.3"

    distillplan fit runs.csv --test busbridge2025_printed

    distillplan fit cut_runs.csv --form p2 -o p2.yaml
    """
    from distillplan.fitting import law_files, runs_file  # fitting is not for every start
    from distillplan.fitting.fit_records import FitRequest
    from distillplan.fitting.outliers import kept_lines
    from distillplan.fitting.selection import parse_selection
    from distillplan.models.named_models import params_named

    where = where or []
    shown, saved = _output(output or (), save)
    if form == "p2":
        _refuse_beside_p2(
            last_of=last_of,
            histories=histories,
            replicates=replicates,
            loss_unit=loss_unit,
            bytes_per_token=bytes_per_token,
            gamma_one=gamma_one,
            anchor=anchor,
            supervised_law=supervised_law,
            same_tokenizer_as=same_tokenizer_as,
            keep=keep,
            test=test,
            holdout=holdout,
            jobs=jobs,
            state=state,
        )
        size = parse_parameter_count(counts or "total")
        options = {"counts": size, "resamples": resamples, "seed": seed}
        show(_fit_pruned(runs, columns, where, saved, options), shown, details=details)
        return
    like = law_catalog.law(anchor or (ADDITIVE_LAW if gamma_one else law_catalog.DEFAULT_LAW))
    alone = _supervised(supervised_law, same_tokenizer_as)
    tested = _if_given(law_catalog.law, test)
    unit = _if_given(lambda one: parse_loss_unit(one, "--loss-unit"), loss_unit)
    _refuse_overwriting(saved, state, runs, [like, alone, tested])
    _demand_places(saved, state)
    reading = runs_file.Reading(
        form=form,
        columns=columns,
        where=tuple(where),
        last_of=last_of,
        histories=histories,
        replicates=replicates,
        unit=unit,
        bytes_per_token=bytes_per_token,
        counts=_if_given(parse_parameter_count, counts),
        size_of=partial(params_named, counts=parse_parameter_count(counts or like.counts)),
    )
    with progress("Runs"):
        checked = runs_file.read_runs(runs, reading)
    if alone is None and saved is None and checked.distilled.all():
        alone = tested  # the claim under test is that the runs are of its world
    request = FitRequest(
        runs=checked,
        like=like,
        like_draws=law_catalog.draws(like),
        anchored=anchor is not None,
        supervised=alone,
        supervised_draws=_if_given(law_catalog.draws, alone),
        gamma_one=gamma_one,
        kept=kept_lines(checked, keep or ()),
        test=tested,
        holdout=_if_given(parse_selection, holdout),
        resamples=resamples,
        seed=seed,
        jobs=jobs,
        counts=reading.counts or checked.counts or like.counts,
    )
    _refuse_gamma_one(request)
    report = _report(request, state)
    if saved is not None:
        report = law_files.save_law(report, saved)
    show(report, shown, details=details)
    _exit_if_rejected(report)


def _if_given(read: Callable[[Given], Found], one: Given | None) -> Found | None:
    """What is read from an option; None where it was not given."""
    return None if one is None else read(one)


def _refuse_beside_p2(**options: object) -> None:
    """Refuse options that are given and are for other forms."""
    for name, value in options.items():
        if value != NOT_GIVEN.get(name):
            option = f"--{name.replace('_', '-')}"
            raise InputError(
                f"{option}: --form p2 fits cut models and has no use for it; leave one out"
            )


def _fit_pruned(
    runs: Sequence[str],
    columns: str,
    where: Sequence[str],
    saved: Path | None,
    options: Mapping[str, Any],
) -> "PrunedFit":
    """A law of starts from a cut model."""
    from distillplan.fitting.pruned_file import save_pruned  # only for this form
    from distillplan.fitting.pruned_fit import fit_pruned
    from distillplan.fitting.pruned_runs import read_pruned_runs

    _refuse_overwriting(saved, None, runs, ())
    _demand_places(saved, None)
    with progress("Fit"):
        found = fit_pruned(read_pruned_runs(runs, columns, where), **options)
    return found if saved is None else save_pruned(found, saved)


def _demand_places(saved: Path | None, state: Path | None) -> None:
    """Refuse files that cannot be written, before any work is done."""
    from distillplan.files.saving import NamedFile, demand_savable
    from distillplan.fitting.law_files import demand_law_path

    if saved is not None:
        demand_law_path(NamedFile(what=SAVE, path=str(saved)))
    if state is not None:
        demand_savable(NamedFile(what=STATE, path=str(state)))


def _refuse_overwriting(
    saved: Path | None, state: Path | None, runs: Sequence[str], laws: Sequence[PublishedLaw | None]
) -> None:
    """Refuse to write what this command reads, its runs and laws, or the answer it prints."""
    from distillplan.files.saving import NamedFile, demand_apart

    read = [NamedFile(what=f"the runs in {one}", path=one) for one in runs]
    for law in filter(None, laws):
        if law.file is not None:
            read.append(NamedFile(what=f"the law in {law.file}", path=law.file))
        if law.draws_file is not None and law.draws_file.path:
            read.append(NamedFile(what=f"the draws of {law.name}", path=law.draws_file.path))
    read.append(NamedFile(what="what is written to standard output", path="/dev/stdout"))
    written = [(SAVE, saved), (STATE, state)]
    demand_apart([NamedFile(what=what, path=str(path)) for what, path in written if path], read)


def _refuse_gamma_one(request: "FitRequest") -> None:
    if request.gamma_one and (request.runs.distilled.any() or request.anchored):
        raise InputError("--gamma-one is for supervised fits without an anchor; leave it out")


def _exit_if_rejected(report: "FitReport") -> None:
    if report.test is not None and report.test.rejected:
        raise typer.Exit(FAILED)


def _report(request: "FitRequest", state: Path | None) -> "FitReport":
    """The fit, with a bar for its resamples, going on from those of an earlier call."""
    from distillplan.fitting import state_file  # not at every start, as below
    from distillplan.fitting.bootstrap import BootstrapState
    from distillplan.fitting.report import fit_report

    key = state_file.state_key(request)
    earlier = None if state is None else state_file.load_state(state, key)
    title = "Resamples" if request.resamples else "Fit"
    with progress(title, request.resamples or None) as advance:

        def after_block(found: BootstrapState) -> None:
            advance(found.done)
            if state is not None:
                state_file.save_state(state, key, found)

        return fit_report(request, state=earlier, progress=after_block)


def _output(given: Sequence[str], save: Path | None) -> tuple[RowOutput, Path | None]:
    """The form to show, and the file to write: -o takes either, or one of each."""
    form, named = flags.form_and_file(given, get_args(RowOutput), YAML_ENDINGS)
    file = _if_given(Path, named)
    if save is not None and file is not None:
        raise InputError(f"{SAVE}, -o: {save} and {file} are two files for the law; leave one out")
    return cast("RowOutput", form or "table"), save or file


def _supervised(own: str | None, published: str | None) -> PublishedLaw | None:
    """The law of students without a teacher, where it is not fitted."""
    if own is not None and published is not None:
        raise InputError("--supervised-law and --same-tokenizer-as name one thing; leave one out")
    return _if_given(law_catalog.law, own or published)
