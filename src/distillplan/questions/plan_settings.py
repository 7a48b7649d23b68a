"""What a plan's document says of the models and the flips, beside its options."""

from typing import Any

from distillplan.accounting import Accounting, Logits
from distillplan.errors import InputError
from distillplan.files.entries import Entry
from distillplan.laws.logit_formats import LogitKind, StoredFormat
from distillplan.models.architecture import FixedAspect
from distillplan.models.model_catalog import CatalogModel, find_model
from distillplan.models.shapes import ModelShape
from distillplan.models.tokenizers import other_tokenizer, tokenizer_told
from distillplan.named_tuples import NamedTuple
from distillplan.planning.verdict_records import Verdict
from distillplan.questions.plan_layout import PlannedLayout, layout_of


class PlannedModel(NamedTuple):
    """A model that the plan names."""

    name: str
    vocab: int | None
    """Rows of its vocabulary; None: not known."""
    tokenizer: str | None
    license: str | None
    """What it says of training on the model's outputs; None: not known."""
    known: CatalogModel | None
    """The open model of that name and size; None: there is none."""
    hub: str | None
    """Its repository on the Hugging Face hub; None: not known, or a config.json was given."""

    @property
    def listed_name(self) -> str:
        """Its name in the catalog, where it is there, of which it may be a tuned copy."""
        return self.name if self.known is None else self.known.name

    @property
    def forbidden(self) -> bool:
        """Whether its license is known to forbid training other models on its outputs."""
        return self.known is not None and self.known.license.forbids

    @property
    def shape(self) -> ModelShape | None:
        """Its exact shape; None: not known."""
        return None if self.known is None else self.known.shape


class PlannedFlip(NamedTuple):
    """The larger budget from which on the verdict is another one."""

    flops: float
    verdict: Verdict


class BestTeacher(NamedTuple):
    """The teacher's loss that would be best for the student."""

    accounting: Accounting
    """Of the option that it is best for."""
    loss: float
    """Nats per token."""


class PlanSettings(NamedTuple):
    """What the recipe needs of a plan beside its options."""

    logits: Logits
    stored: StoredFormat | None
    """How they are stored; None: the plan names no format."""
    family: FixedAspect
    """Of models that are given as a size."""
    student: PlannedModel | None
    """None: it is a size."""
    teacher: PlannedModel | None
    flip: PlannedFlip | None
    best_teacher: BestTeacher | None
    """None: the plan did not look for it."""
    layout: PlannedLayout | None
    """None: the plan has no machine."""


def settings_of_document(data: Any, name: str) -> PlanSettings:
    """The settings of a parsed document of a plan.

    Args:
        data: its value.
        name: of the file, for messages.

    Raises:
        InputError: when a value of it cannot be used.
    """
    whole = Entry(data, name)
    asked = whole.mapping("scenario")
    models = whole.mapping("models") if whole.has("models") else None
    logits = asked.text("logits", "") if asked.has("logits") else ""
    family = _family(asked.mapping("architecture"), name)
    return PlanSettings(
        logits=asked.member("logits", Logits) if logits else Logits.ONLINE,
        stored=_stored(asked, name),
        family=family,
        student=_model(models, "student"),
        teacher=_model(models, "teacher"),
        flip=_flip(whole),
        best_teacher=_best_teacher(whole),
        layout=layout_of(asked, family.context, name),
    )


def _stored(asked: Entry, name: str) -> StoredFormat | None:
    """The format of stored logits; documents of former releases have none."""
    if not asked.has("logit_format"):
        return None
    entries = asked.optional("logit_k")
    try:
        return StoredFormat(
            kind=asked.member("logit_format", LogitKind),
            entries=None if entries is None else round(entries),
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _family(architecture: Entry, name: str) -> FixedAspect:
    numbers = {key: architecture.positive(key) for key in ("aspect", "omega", "context", "vocab")}
    try:
        return FixedAspect(**numbers)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def with_open_teacher(settings: PlanSettings, name: str | None) -> PlanSettings:
    """The settings with the open model that an option of the plan has for its teacher.

    Args:
        settings: of the plan.
        name: of that model; None: the option has none, or the plan's own.
    """
    known = None if name is None or settings.teacher is not None else find_model(name)
    if known is None:
        return settings
    teacher = PlannedModel(
        name=known.name,
        vocab=known.shape.vocab,
        tokenizer=known.tokenizer,
        license=known.license.sentence,
        known=known,
        hub=known.hub,
    )
    return settings._replace(teacher=teacher)


def _model(models: Entry | None, side: str) -> PlannedModel | None:
    if models is None or not models.has(side):
        return None
    one = models.mapping(side)
    name, params = one.name("name", ""), one.positive("params")
    known = find_model(name)
    if known is not None and known.shape.active_params != params:
        known = None  # a model of the user's own that is called like an open one
    rows = one.optional("vocab")
    return PlannedModel(
        name=name,
        vocab=None if rows is None else round(rows),
        tokenizer=one.text("tokenizer") if one.has("tokenizer") else None,
        license=one.text("license") if one.has("license") else None,
        known=known,
        hub=one.optional_text("hub") if "hub" in one else known and known.hub,  # absent in 0.1
    )


def _flip(whole: Entry) -> PlannedFlip | None:
    flips = whole.mapping("flips") if whole.has("flips") else None
    if flips is None or not flips.has("budget_up"):
        return None
    up = flips.mapping("budget_up")
    return PlannedFlip(flops=up.positive("from"), verdict=up.member("verdict", Verdict))


def _best_teacher(whole: Entry) -> BestTeacher | None:
    flips = whole.mapping("flips") if whole.has("flips") else None
    if flips is None or not flips.has("teacher_loss"):
        return None
    found = flips.mapping("teacher_loss")
    best = found.optional("best")
    if best is None:
        return None
    payer = found.member("accounting", Accounting)
    return BestTeacher(accounting=payer, loss=best)


def demand_same_tokenizer(settings: PlanSettings) -> None:
    """Refuse to pair models whose logits cannot be compared.

    Raises:
        InputError: naming both tokenizers.
    """
    student, teacher = settings.student, settings.teacher
    if student is None or teacher is None or not other_tokenizer(student, teacher):
        return
    both = [
        f"the tokenizer {one.tokenizer}" if one.tokenizer else tokenizer_told(one)
        for one in (student, teacher)
    ]
    only = f" --tokenizer {student.tokenizer}" if student.tokenizer else ""
    raise InputError(
        f"--export: {student.name} has {both[0]}, {teacher.name} has {both[1]}, and logits need "
        f"one tokenizer; plan with a teacher of the student's: distillplan teachers COMPUTE "
        f"--student {student.name}{only}"
    )
