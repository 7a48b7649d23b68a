"""`distillplan sweep`: a product of axes, a row for each cell."""

from typing import Annotated

import typer

from distillplan.cli import flags
from distillplan.render.show import RowOutput


def _axis(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(f"--{name}", metavar="VALUES", help=text)
    return option


def sweep(
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="A scenario file with a matrix; - reads stdin.")
    ] = "",
    compute: Annotated[
        str | None, _axis("compute", "FLOPs: 1e21, or 1e19:1e24:41 for 41 of them, log-spaced.")
    ] = None,
    student: Annotated[str | None, _axis("student", "Parameters: 300M,1B or a range.")] = None,
    students: Annotated[str | None, _axis("students", "Students alike: 1,2,4 or a range.")] = None,
    teacher: Annotated[str | None, _axis("teacher", "Given teachers: 7B:2T,13B:1T.")] = None,
    teacher_loss: Annotated[str | None, _axis("teacher-loss", "Its loss, in nats.")] = None,
    teacher_params: Annotated[str | None, _axis("teacher-params", "Beside --teacher-loss.")] = None,
    logits: Annotated[str | None, _axis("logits", "online,stored,cached.")] = None,
    accounting: Annotated[
        str | None, _axis("accounting", "free,exists,train_shared,train.")
    ] = None,
    law: Annotated[str | None, _axis("law", "Laws by name.")] = None,
    gpu: Annotated[str | None, _axis("gpu", "GPUs by name: h100-sxm,a100-80gb.")] = None,
    gpus: Annotated[str | None, _axis("gpus", "How many of them: 8,64 or a range.")] = None,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            "--axis", metavar="KEY=VALUES", help="Any other key of a scenario; may be repeated."
        ),
    ] = None,
    sets: flags.Sets = None,
    output: Annotated[
        RowOutput, typer.Option("--output", "-o", help="Form of the rows.")
    ] = "table",
) -> None:
    """The verdict in every cell of a product of axes, as fast as the optimiser goes.

    Axes of the command line take the place of the file's.

    Examples:
    distillplan sweep --compute 1e19:1e24:41 --student 300M,1B,3B,10B --teacher 7B:2T -o csv

    distillplan sweep grid.yaml -o jsonl
    """
    from distillplan.questions import sweep as sweeping
    from distillplan.render.sweep_rows import show_sweep
    from distillplan.scenarios import scenario_file  # not at every start, as below

    axes = {
        "compute": compute,
        "student": student,
        "students": students,
        "teacher": teacher,
        "teacher_loss": teacher_loss,
        "teacher_params": teacher_params,
        "logits": logits,
        "accounting": accounting,
        "law": law,
        "gpu": gpu,
        "gpus": gpus,
    }
    given = {name: values for name, values in axes.items() if values is not None}
    given |= scenario_file.axes_of(axis or ())
    grid = scenario_file.read_grid(file, sets or (), given)
    show_sweep(sweeping.sweep(grid.cells()), columns=grid.columns, size=grid.size, output=output)
