"""`distillplan track`: a run under way against its plan."""

from typing import Annotated, Literal, TypeAlias

import typer

from distillplan.cli import flags
from distillplan.cli.plan_options import PlanFile, PlanOption, plan_option
from distillplan.errors import InputError
from distillplan.models.model_sizes import LEAST_STEP
from distillplan.questions.defaults import DECAY, WARMUP
from distillplan.render.progress import progress
from distillplan.render.show import show
from distillplan.scenarios import values

Rates: TypeAlias = Literal["cosine", "wsd", "constant"]


def track(
    plan: PlanFile,
    losses: Annotated[
        str,
        typer.Argument(
            metavar="LOSSES.csv",
            help="CSV, JSON (such as trainer_state.json) or the trainer's log, with the tokens or "
            "steps and the validation losses of the run, on data, not the divergence from a "
            "teacher; - reads standard input.",
        ),
    ],
    *,
    option: Annotated[
        PlanOption | None,
        typer.Option(
            help="Option of the plan that is trained: by its method, or a distillation by who pays "
            "for the teacher.",
            show_default="the plan's choice",
        ),
    ] = None,
    law: Annotated[
        str | None,
        typer.Option(metavar="LAW", help="Law of the plan.", show_default="as the plan says"),
    ] = None,
    batch_tokens: Annotated[
        float | None,
        flags.option(
            "--batch-tokens",
            "Tokens of a step, for files that have steps.",
            value=values.many(
                "4M", LEAST_STEP, "tokens of a step (its sequences times their length)"
            ),
            metavar="TOKENS",
        ),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(
            metavar="NAME=COLUMN,...", help="Columns of the file for tokens, step and loss."
        ),
    ] = "",
    schedule: Annotated[
        Rates | None,
        typer.Option(
            help="How the learning rate goes; wsd decays at the end.",
            show_default="a cosine or a decay at the end",
        ),
    ] = None,
    warmup: Annotated[
        float,
        flags.option(
            "--warmup",
            "Share of the run that is warmup.",
            value=values.share("0.02", 0.0),
            metavar="SHARE",
        ),
    ] = WARMUP,
    decay: Annotated[
        float,
        flags.option(
            "--decay",
            "Share of the run that decays, for wsd.",
            value=values.share("0.1"),
            metavar="SHARE",
        ),
    ] = DECAY,
    loss_unit: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            help="Unit of the losses: nats, bits (per token), bpb (bits per byte) or ppl.",
            show_default="that of the law's runs",
        ),
    ] = None,
    bytes_per_token: Annotated[
        float | None,
        flags.option(
            "--bytes-per-token",
            "Bytes per token of the tokenizer, for bits per byte.",
            value=values.count("4.3"),
            metavar="BYTES",
        ),
    ] = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
) -> None:
    """Compare a run under way with its plan, and forecast its final loss.

    In the middle of a run the learning rate has not decayed, so the loss lies above that of a
    finished run of the same tokens. The curve of published runs says by how much.

    Examples:
    distillplan track plan.json losses.csv --batch-tokens 524288 --schedule cosine

    distillplan track plan.json losses.csv --option supervised --schedule wsd --decay 0.1

    distillplan track plan.json wandb.csv --columns "loss=eval/loss,step=_step" --batch-tokens 1M

    distillplan track plan.json trainer_state.json --batch-tokens 1M
    """
    from distillplan.fitting.reported_units import demand_bytes  # not at every start, as below
    from distillplan.fitting.tables import read_tables
    from distillplan.laws import law_catalog
    from distillplan.laws.curves import Schedule
    from distillplan.laws.loss_units import LossUnit, parse_loss_unit
    from distillplan.questions.loss_history import history_of, parse_history_columns
    from distillplan.questions.plan_document import read_plan
    from distillplan.questions.track_records import Pace
    from distillplan.questions.tracking import track as tracked

    _demand_two_sources(plan, losses)
    _demand_share("--warmup", warmup, 0.0)
    _demand_share("--decay", decay, 1e-6)
    named = parse_history_columns(columns)
    unit = None if loss_unit is None else parse_loss_unit(loss_unit, "--loss-unit")
    found = read_plan(plan)
    of_plan = law_catalog.law(law or found.law)
    if unit is None and of_plan.measured_in is not LossUnit.NATS:
        unit = of_plan.measured_in
    if unit is LossUnit.BITS_PER_BYTE and bytes_per_token is None:
        bytes_per_token = of_plan.bytes_per_token
    demand_bytes(unit, bytes_per_token)
    pace = Pace(
        schedule=None if schedule is None else Schedule(schedule), warmup=warmup, decay=decay
    )
    with progress("Losses"):
        history = history_of(
            read_tables([losses])[0],
            columns=named,
            batch_tokens=batch_tokens,
            unit=unit,
            bytes_per_token=bytes_per_token,
        )
        answer = tracked(found, of_plan, history, option=plan_option(option), pace=pace)
    show(answer, output, details=details)


def _demand_two_sources(plan: str, losses: str) -> None:
    if plan == "-" and losses == "-":
        raise InputError("PLAN.json and LOSSES.csv are both -; standard input can be only one")


def _demand_share(flag: str, value: float, least: float) -> None:
    if not least <= value < 0.9:
        raise InputError(
            f"{flag}: {value:g} is not a share of the run from 0 to 0.9; write e.g. 10%"
        )
