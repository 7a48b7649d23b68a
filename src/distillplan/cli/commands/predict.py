"""`distillplan predict`: the law at one point."""

from distillplan.cli import flags
from distillplan.laws import law_catalog
from distillplan.laws.loss_units import measured_loss
from distillplan.planning import planner
from distillplan.render.show import show


def predict(
    student: flags.RequiredParams,
    tokens: flags.Tokens,
    teacher_loss: flags.TeacherLoss = None,
    teacher_bpb: flags.TeacherBpb = None,
    loss_unit: flags.LossUnits = None,
    bytes_per_token: flags.BytesPerToken = None,
    teacher_bytes_per_token: flags.TeacherBytesPerToken = None,
    law: flags.LawName = law_catalog.DEFAULT_LAW,
    output: flags.Show = "table",
) -> None:
    """The law itself: loss of one student, distilled and supervised.

    Example:
    distillplan predict --student 1B --tokens 100B --teacher-loss 2.0
    """
    measured = measured_loss(
        teacher_loss,
        loss_unit,
        bpb=teacher_bpb,
        bytes_per_token=bytes_per_token,
        own_bytes_per_token=teacher_bytes_per_token,
    )
    found = planner.predict(
        law_catalog.law(law), student_params=student, student_tokens=tokens, teacher_loss=measured
    )
    show(found, output)
