"""`distillplan serve`: a small distilled model, or a larger one without a teacher."""

from functools import partial
from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.cli.key_options import options, told_as
from distillplan.laws.quantization import QuantizedWeights
from distillplan.render.show import show
from distillplan.scenarios import values

_service = partial(flags.option, rich_help_panel="Service")
DAYS = 365.0
_WEIGHTS = values.one_of(lambda: QuantizedWeights)

_NO_PART = {
    "budget": "each model is trained to its loss, so the budget is the answer; leave it out",
    "tie_nats": "both models have the same loss, so none is too close to call; leave it out",
}
"""Places that nothing here depends on."""


@options("serve", required=("student_params",))
def serve(
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="MODEL:TOKENS",
            help="Larger supervised model whose loss the smaller one is to reach, e.g. 3B:300B or "
            "llama-3.2-3b.",
        ),
    ] = None,
    loss: Annotated[
        float | None,
        flags.option(
            "--loss",
            "Loss to reach, instead of --match; the larger model is the one that takes least "
            "pretraining to it.",
            value=values.loss("2.2"),
            metavar="NATS",
        ),
    ] = None,
    *,
    tokens_per_day: Annotated[
        float | None,
        _service(
            "--per-day",
            "Tokens served a day, prompts included; the model that takes least is marked.",
            value=values.PER_DAY,
            metavar="TOKENS",
        ),
    ] = None,
    days: Annotated[
        float,
        _service(
            "--days",
            "Days that the model is served.",
            value=values.DAYS,
            metavar="N",
            show_default=f"{DAYS:g}",
        ),
    ] = DAYS,
    request: Annotated[
        str | None,
        _service(
            "--request",
            "Mean tokens of a prompt and of its answer, e.g. 1000:200; needed with --gpu.",
            metavar="PROMPT:ANSWER",
        ),
    ] = None,
    quantize: Annotated[
        QuantizedWeights | None,
        _service(
            "--quantize",
            "Weights in which the model is served: int4, with the published penalty where it "
            "is measured.",
            value=_WEIGHTS,
            metavar="FORMAT",
            show_default="16 bits",
        ),
    ] = None,
    sets: flags.Sets = None,
    details: flags.Details = False,
    output: flags.ShowRows = "table",
    **given: str,
) -> None:
    """Weigh a smaller distilled model against a larger one of equal loss, training and serving.

    A smaller model takes less for every token served, and its training may take more: the answer is
    from how many tokens a day on it pays.

    Examples:
    distillplan serve --match 3B:60B --student 1B --teacher 7B:2T

    distillplan serve --loss 2.3 --student 1B --teacher 7B:2T --per-day 1B --days 180

    distillplan serve --match 3B:60B --student 1B --teacher 7B:2T --gpu h100-sxm --request 1000:200

    distillplan serve --match 300M:6B --student 200M --teacher 500M:15B --quantize int4
    """
    from distillplan.questions.matched_model import parse_match  # not at every start, as below
    from distillplan.questions.serving import serving
    from distillplan.questions.serving_hours import parse_request
    from distillplan.questions.serving_records import ServingQuestion
    from distillplan.questions.target import budget_for
    from distillplan.questions.target_goals import Goal
    from distillplan.scenarios.keys import scenario_of
    from distillplan.scenarios.layers import refuse_budget, refuse_words, values_of_options
    from distillplan.scenarios.parts import layer_of_sets

    refuse_budget(values_of_options(given, told_as("serve")), "--student")
    over = layer_of_sets(sets or ())
    refuse_words(over, _NO_PART)
    asked = {"compute": budget_for(Goal.COMPUTE, None), **given}
    scenario = scenario_of(values_of_options(asked, told_as("serve"), over))
    found = serving(
        ServingQuestion(
            scenario=scenario,
            loss=loss,
            match=None if match is None else parse_match(match, scenario.law, "--match"),
            days=days,
            tokens_per_day=tokens_per_day,
            weights=quantize,
            request=None if request is None else parse_request(request, "--request"),
        )
    )
    show(found, output, details=details)
