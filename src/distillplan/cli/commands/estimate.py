"""`distillplan estimate`: one run on one machine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from distillplan.accounting import Logits
from distillplan.cli import flags
from distillplan.cli import hardware_options as how
from distillplan.cli.key_options import options, told_as
from distillplan.cli.plan_of_run import plan_of_run
from distillplan.errors import InputError
from distillplan.fields import demand_finite
from distillplan.render.show import EstimateOutput, as_text, show
from distillplan.render.streams import write

if TYPE_CHECKING:
    from distillplan.estimate.records import Question

REQUIRED = ("hardware.gpu",)
"""Words of keys without which there is no run."""


def question_of(
    tokens: how.Tokens,
    model: how.ModelName = None,
    layers: how.Layers = None,
    width: how.Width = None,
    ffn: how.Ffn = None,
    ffn_matrices: how.FfnMatrices = None,
    heads: how.Heads = None,
    kv_heads: how.KvHeads = None,
    vocab: how.Vocab = None,
    tied: how.Tied = None,
    seq_len: how.SeqLen = 4096,
    ep: how.Ep = 1,
    teacher: how.TeacherName = None,
    teacher_tokens: how.TeacherTokens = None,
    **given: str,
) -> "Question":
    """The run that the options of `estimate` describe; its parameters are those options.

    Raises:
        InputError: with what is wrong.
    """
    from distillplan.estimate.records import Question
    from distillplan.hardware import gpu_catalog  # none of these at every start
    from distillplan.hardware.machine import machine
    from distillplan.laws.logit_formats import StoredFormat
    from distillplan.models.named_models import named_pair, shape_of_options
    from distillplan.scenarios.layers import values_of_options, values_within

    if model is not None:
        sizes = {"layers": layers, "width": width, "ffn": ffn, "ffn-matrices": ffn_matrices}
        _refuse_shape({**sizes, "heads": heads, "kv-heads": kv_heads}, tied=tied)
    values = values_of_options(given, told_as("estimate"))
    hardware = values_within(values, "hardware")
    named = named_pair(
        model
        or shape_of_options(
            layers=layers,
            width=width,
            ffn_width=ffn,
            ffn_matrices=ffn_matrices or how.FFN_MATRICES,
            heads=heads,
            kv_heads=kv_heads,
            vocab=vocab,
            tied=bool(tied),
        ),
        teacher,
        vocab=vocab,
        seq_len=seq_len,
        tp=hardware.get("tp", 1),
        pp=hardware.get("pp", 1),
    )
    country = hardware.get("country")
    grid = None if country is None else gpu_catalog.grid(country)
    return Question(
        machine=machine({"ep": ep, **hardware}, named.family),
        model=named.model,
        tokens=tokens.tokens_for(named.model.params),
        students=values.get("students", 1),
        teacher=named.teacher,
        teacher_tokens=teacher_tokens,
        logits=values.get("logits", Logits.ONLINE),
        stored=StoredFormat(**values_within(values, "stored")),
        country=None if grid is None else grid.name,
        sources=() if grid is None else (f"grid: {grid.source} ({grid.name}, {grid.year})",),
    )


@options("estimate", required=REQUIRED, of=question_of)
def estimate(
    *,
    details: flags.Details = False,
    output: Annotated[
        EstimateOutput,
        typer.Option(
            "--output",
            "-o",
            help="Output format; request: what an application for compute time asks for.",
        ),
    ] = "table",
    **given: Any,
) -> None:
    """Estimate a training or distillation run on your GPUs: speed, memory, time, money, energy.

    Examples:
    distillplan estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64

    distillplan estimate --model llama-3.2-1b --teacher llama-3.1-8b --tokens 100B --gpu a100-80gb

    distillplan estimate --model config.json --tokens 1T --gpu b200-sxm --gpus 256 --country FRA

    distillplan estimate --model 3B --tokens 1T --gpu h100-sxm --gpus 64 -o request > request.md
    """
    from distillplan.estimate.estimator import estimate as estimated  # not at every start

    question = question_of(**given)
    if output == "request":
        from distillplan.questions.request import compute_request
        from distillplan.render.request_view import request_view

        found = compute_request(question)
        demand_finite(found)
        write(f"{as_text(request_view(found), 'markdown').rstrip()}\n")
        return
    then = plan_of_run(given)
    show(estimated(question), output, details=details, asked=then.asked, note=then.note)


def _refuse_shape(sizes: Mapping[str, int | None], *, tied: bool | None) -> None:
    """Refuse words of a shape beside the name of a model, which has its own."""
    given = [name for name, size in sizes.items() if size is not None]
    given += [] if tied is None else ["tied" if tied else "untied"]
    if given:
        raise InputError(f"--model and --{given[0]} both give the model; leave one out")
