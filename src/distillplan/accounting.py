"""Who pays for what: the rule that moves the answer more than the law does.

The budget of one student, in FLOPs (Busbridge et al. 2025, Equation 9):

    3 F(N_S) D_S  +  logits * F(N_T) D_S  +  training * 3 F(N_T) D_T

where stored logits of a corpus that is read several times take no more passes than it has tokens,
with ``logits`` and ``training`` set by the accounting (Tables 2 and 5) and, for a family of K
identical students that share one teacher, by K: each pays one K-th of what is shared.
"""

import math
from enum import StrEnum
from functools import lru_cache

from distillplan.named_tuples import NamedTuple

TRAINING_PASSES = 3.0
"""Training costs a forward and a backward pass, and a backward pass two forwards (Equation 70)."""
FLOPS_PER_PARAM_AND_TOKEN = 2 * TRAINING_PASSES
"""Of training, without attention and vocabulary: C = 6 N D (Kaplan et al. 2020)."""


class Accounting(StrEnum):
    """What the budget pays for besides the student's own training."""

    FREE = "free"
    """Nothing: the teacher exists and its logits are on disk (the paper's best case)."""
    EXISTS = "exists"
    """The teacher's forward passes on the student's tokens (teacher inference)."""
    TRAIN_SHARED = "train_shared"
    """The teacher's training; its stored logits serve many students (teacher pretraining)."""
    TRAIN = "train"
    """Both (teacher pretraining + inference)."""


class Logits(StrEnum):
    """Where the teacher's outputs come from."""

    ONLINE = "online"
    """Every student runs the teacher during its own training."""
    STORED = "stored"
    """The teacher runs once, and all students share what it wrote."""
    CACHED = "cached"
    """They are already on disk and cost nothing."""


class Share(NamedTuple):
    """The part of the teacher's costs that one student's budget pays; see the module's formula."""

    logits: float = 0.0
    """Times the forward passes on the student's tokens."""
    training: float = 0.0
    """Times the teacher's training."""


@lru_cache(64)  # few of the cells of a sweep differ in it
def share(accounting: Accounting, logits: Logits, students: int) -> Share:
    """One student's share of the teacher's costs, in a family of so many students.

    >>> share(Accounting.TRAIN, Logits.ONLINE, 4)
    Share(logits=1.0, training=0.25)
    """
    pays_logits = accounting in (Accounting.EXISTS, Accounting.TRAIN)
    pays_training = accounting in (Accounting.TRAIN_SHARED, Accounting.TRAIN)
    shared = 1 / students if logits is Logits.STORED else 1.0
    return Share(
        logits=shared if pays_logits and logits is not Logits.CACHED else 0.0,
        training=1 / students if pays_training else 0.0,
    )


class Flops(NamedTuple):
    """FLOPs of a whole family of students, by what they are spent on."""

    student_training: float
    teacher_logits: float = 0.0
    teacher_training: float = 0.0
    student_serving: float = 0.0
    """Forward passes on the tokens that the students serve."""

    @property
    def total(self) -> float:
        """The sum of the parts."""
        trained = self.student_training + self.teacher_logits + self.teacher_training
        return trained + self.student_serving

    @property
    def teacher_share(self) -> float:
        """The part of the training FLOPs that goes into the teacher."""
        teacher = self.teacher_logits + self.teacher_training
        return teacher / (teacher + self.student_training)


def run_flops(
    *,
    student_forward: float,
    student_tokens: float,
    teacher_forward: float = 0.0,
    teacher_tokens: float = 0.0,
    paid: Share | None = None,
    students: int = 1,
    served_tokens: float = 0.0,
    most_passed: float = math.inf,
) -> Flops:
    """The FLOPs of a family of students.

    Args:
        student_forward: forward FLOPs per token of the student.
        student_tokens: training tokens of each student.
        teacher_forward: forward FLOPs per token of the teacher.
        teacher_tokens: training tokens of the teacher.
        paid: one student's share of the teacher's costs; none by default.
        students: the number of students.
        served_tokens: tokens that each student serves after training.
        most_passed: tokens that the teacher passes over at most: where its logits are stored, those
            of the corpus, for epochs read them again.

    >>> run_flops(student_forward=2e9, student_tokens=1e10).total
    6e+19
    """
    paid = paid or Share()
    return Flops(
        student_training=students * TRAINING_PASSES * student_forward * student_tokens,
        teacher_logits=students * paid.logits * teacher_forward * min(student_tokens, most_passed),
        teacher_training=students
        * paid.training
        * TRAINING_PASSES
        * teacher_forward
        * teacher_tokens,
        student_serving=students * student_forward * served_tokens,
    )


SUPERVISED_SHOWN = "pretrain"
"""Supervised training in the word that people read: to train from data alone."""

WHO_PAYS = {
    Accounting.FREE: "logits on disk",
    Accounting.EXISTS: "run the teacher",
    Accounting.TRAIN_SHARED: "train it, share its logits",
    Accounting.TRAIN: "train and run the teacher",
}
"""Each accounting in the words that people read; identifiers stay in JSON."""


IN_A_TABLE = {
    Accounting.FREE: "logits on disk",
    Accounting.EXISTS: "run the teacher",
    Accounting.TRAIN_SHARED: "train and share",
    Accounting.TRAIN: "train and run",
}
"""The same where room is short."""


def in_a_table(accounting: Accounting | None) -> str:
    """A way to train the student, for a column of a table; None is supervised training."""
    return SUPERVISED_SHOWN if accounting is None else IN_A_TABLE[accounting]


def way_in_words(accounting: Accounting | None) -> str:
    """A way to train the student, in words; None is supervised training.

    >>> way_in_words(None), way_in_words(Accounting.FREE)
    ('pretrain', 'distill (logits on disk)')
    """
    return SUPERVISED_SHOWN if accounting is None else f"distill ({WHO_PAYS[accounting]})"
