"""Rows of the table of keys: the budget, the models, the law, and the bounds of the search."""

from distillplan.accounting import Accounting, Logits
from distillplan.optimize.problems import SizeBounds
from distillplan.planning.scenario import TIE_NATS, Scenario
from distillplan.scenarios import values
from distillplan.scenarios.key import ARCHITECTURE, BOUNDS, UNITS, Narrower, at, row

_SIZES = {
    "student_params": "student size",
    "student_tokens": "number of student tokens",
    "teacher_params": "teacher size",
    "teacher_tokens": "number of teacher tokens",
}
"""Sizes that the search chooses."""
_ASKED = "budget target crossover sweep"
"""Commands that ask about a teacher."""
_TAUGHT = f"{_ASKED} serve"
"""The same, and the one that asks about one student."""


def _law(scenario: Scenario) -> str:
    return scenario.law.given_as


BUDGET_KEYS = (
    row(
        word="compute",
        value=values.BUDGET,
        place="budget",
        help="Budget of all students together: FLOPs (1e21, '10 PF-days'), GPUs for a time "
        "('64 h100-sxm for 7 days'), '5k gpu-hours' or '$20k'.",
        written=at("compute"),
        aliases=("budget",),
        flags=("--compute",),
        commands="sweep",
        metavar="COMPUTE",
        default="",
    ),
    row(
        word="gpu_hours",
        value=values.GPU_HOURS,
        place="budget",
        help="Budget in allocated GPU-hours, instead of compute.",
        written=lambda one: one.limits.asked_gpu_hours or one.gpu_hours,
        default="",
    ),
    row(
        word="gpu_days",
        value=values.GPU_DAYS,
        place="budget",
        help="Budget in allocated GPU-days, instead of compute.",
        default="",
    ),
    row(
        word="student_tokens",
        value=values.STUDENT_TOKENS,
        place="budget",
        help="Training tokens of the student, e.g. 300B or '20 TPP' for 20 per parameter; instead "
        "of a budget, which is then what training on them takes without a teacher.",
        aliases=("tokens",),
        flags=("--tokens", "-t"),
        commands="budget predict",
        metavar="TOKENS",
        default="",
    ),
)

QUESTION_KEYS = (
    row(
        word="student_params",
        value=values.STUDENT,
        help="Student: its non-embedding parameters, e.g. 1B, or a model such as qwen3-0.6b; after "
        "a colon its training tokens, e.g. 1B:300B.",
        written=at("student_params"),
        aliases=("student",),
        flags=("--student", "-s"),
        commands="teachers budget target sweep predict serve",
        metavar="MODEL[:TOKENS]",
        default="the best size",
        narrower=Narrower(
            commands="teachers target serve",
            metavar="MODEL",
            help="Student: its non-embedding parameters, e.g. 1B, or a model such as qwen3-0.6b.",
        ),
    ),
    row(
        word="student_model",
        value=values.MODEL,
        help="Model whose exact shape and vocabulary the student has.",
        written=at("student_model.word"),
    ),
    row(
        word="students",
        value=values.WHOLE,
        help="Number of identical students sharing the teacher.",
        written=at("students"),
        flags=("--students", "-k"),
        commands=f"{_ASKED} teachers estimate",
        metavar="K",
    ),
    row(
        word="teacher",
        value=values.SIZES,
        help="Existing teacher: non-embedding parameters and training tokens, e.g. 7B:2T, or a "
        "model such as llama-3.1-8b, a Hugging Face name or a config.json.",
        written=at("teacher"),
        commands=f"{_TAUGHT} predict family",
        metavar="MODEL[:TOKENS]",
    ),
    row(
        word="teacher.loss",
        value=values.loss("1.95", "teacher.loss_unit"),
        help="Teacher's loss on your corpus, in nats per token or the loss unit; takes precedence "
        "over the law's.",
        written=at("teacher.loss"),
        aliases=("teacher_loss",),
        commands=f"{_TAUGHT} predict family",
        metavar="LOSS",
    ),
    row(
        word="teacher.params",
        value=values.PARAMS,
        help="Non-embedding parameters of the teacher, beside its loss.",
        written=at("teacher.params"),
        aliases=("teacher_params",),
        commands=f"{_TAUGHT} family",
        metavar="PARAMS",
    ),
    row(
        word="teacher.tokens",
        value=values.TOKENS,
        help="Training tokens of the teacher.",
        written=at("teacher.tokens"),
        aliases=("teacher_tokens",),
    ),
    row(
        word="teacher.model",
        value=values.MODEL,
        help="Model whose exact shape, vocabulary and training tokens the teacher has.",
        written=at("teacher.model.word"),
        aliases=("teacher_model",),
    ),
    row(
        word="teacher.bpb",
        value=values.BITS_PER_BYTE,
        place="teacher.loss",
        help="Teacher's loss in bits per byte, instead; needs the bytes per token.",
        aliases=("teacher_bpb",),
        commands="budget predict",
        metavar="BITS",
        panel=UNITS,
    ),
    row(
        word="teacher.loss_unit",
        value=values.LOSS_UNIT,
        place="teacher.unit",
        help="Unit of the teacher's loss: nats-per-token, bits-per-token, bits-per-byte or "
        "perplexity.",
        aliases=("loss_unit",),
        flags=("--loss-unit",),
        commands="budget predict",
        metavar="UNIT",
        panel=UNITS,
        default="nats-per-token",
    ),
    row(
        word="teacher.bytes_per_token",
        value=values.count("4.3"),
        help="Bytes per token of your corpus under the teacher's tokenizer, where it differs from "
        "the law's.",
        aliases=("teacher_bytes_per_token",),
        commands="budget predict",
        metavar="BYTES",
        panel=UNITS,
    ),
    row(
        word="bytes_per_token",
        value=values.count("4.3"),
        help="Bytes per token of your corpus under the law's tokenizer.",
        commands="teachers budget predict",
        metavar="BYTES",
        panel=UNITS,
    ),
    row(
        word="logits",
        value=values.one_of(lambda: Logits),
        help="Source of the teacher's logits: online, every student runs the teacher; stored, it "
        "runs once for all students; cached, they are already on disk.",
        written=at("logits"),
        commands=f"{_TAUGHT} teachers estimate family",
    ),
    row(
        word="accounting",
        value=values.one_of(lambda: Accounting),
        help="Which teacher costs the budget must cover.",
        written=at("accounting"),
        commands="budget target sweep family serve",
        default="inferred from teacher and logits",
    ),
    row(
        word="tie_nats",
        value=values.zero_or_count(f"{TIE_NATS:g}"),
        help="Difference in loss below which it is too close to call.",
        written=at("tie_nats"),
        aliases=("tie",),
        flags=("--tie",),
        commands="budget family",
        metavar="NATS",
    ),
    row(
        word="law",
        value=values.LAW,
        help="Scaling law: a name (see `distillplan laws`) or a file of your own.",
        written=_law,
        commands=f"{_TAUGHT} teachers predict family",
        metavar="NAME",
    ),
    row(
        word="bounds",
        value=values.BOUNDS,
        help="Sizes to consider: published (up to the largest published trainings) or paper (those "
        "of its figures); in a file also by size, e.g. {student_tokens: [1B, 30T]}.",
        written=at("bounds"),
        commands=f"{_ASKED} family",
        panel=BOUNDS,
        default=SizeBounds.PUBLISHED.value,
    ),
    *(
        row(
            word=f"bounds.{size}",
            value=values.PAIR,
            help=f"Smallest and largest {what} to consider.",
            written=at(f"bounds.{size}"),
        )
        for size, what in _SIZES.items()
    ),
    *(
        row(
            word=f"{end}_{size}",
            value=values.count("7B" if size.endswith("params") else "2T"),
            place=f"bounds.{size}.{'high' if end == 'max' else 'low'}",
            help=f"{'Largest' if end == 'max' else 'Smallest'} {what} to consider.",
            flags=(f"--max-{size.replace('_', '-')}",) if end == "max" else (),
            commands="budget" if end == "max" else "",
            metavar="N",
            panel=BOUNDS,
        )
        for end in ("max", "min")
        for size, what in _SIZES.items()
    ),
    row(
        word="architecture",
        value=values.GROUP,
        help="Shape of the models; sets FLOPs per token.",
        written=at("architecture"),
    ),
    *(
        row(
            word=f"architecture.{name}",
            value=value,
            help=text,
            written=at(f"architecture.{name}"),
            aliases=(name,),
            flags=(f"--{name}",),
            commands="budget",
            metavar="N",
            panel=ARCHITECTURE,
        )
        for name, value, text in (
            ("aspect", values.count("64"), "Width divided by depth."),
            (
                "omega",
                values.count("12"),
                "Non-embedding parameters divided by layers times width squared.",
            ),
            ("context", values.CONTEXT, "Context length in tokens."),
            ("vocab", values.VOCABULARY, "Vocabulary size."),
        )
    ),
    row(
        word="inference_tokens",
        value=values.ZERO_OR_TOKENS,
        help="Tokens each student will serve; the budget pays a forward pass for each.",
        written=at("inference_tokens"),
        commands="budget family",
        metavar="TOKENS",
    ),
    row(
        word="max_unique_tokens",
        value=values.TOKENS,
        help="Size of your corpus in tokens; training on more repeats it, which is worth less.",
        written=at("max_unique_tokens"),
        commands="teachers budget family",
        metavar="TOKENS",
        default="unlimited",
    ),
)
