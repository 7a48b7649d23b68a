"""Every way, every student and every number of students of a family, for people."""

from collections.abc import Iterator

from distillplan.accounting import in_a_table
from distillplan.planning.results import Band
from distillplan.questions.family_records import FamilyMethod, FamilyPlan, FamilyWay
from distillplan.render.blocks import Block, TableBlock, Text, cell
from distillplan.render.family_phrases import (
    loss_shown,
    question_asked,
    teacher_shown,
    who_shown,
)
from distillplan.render.notice_blocks import notice_blocks
from distillplan.render.odds_view import nats_band, percent
from distillplan.render.plan_words import verdict_in_a_table
from distillplan.units.quantities import format_count, format_flops


def family_details(found: FamilyPlan) -> Iterator[Block]:
    """Every way, every student, every number of students."""
    yield Text(found.headline, "verdict")
    yield TableBlock(
        "Ways",
        ("way", "mean loss", "gain", "gain 90%", "odds", "teacher", "FLOPs"),
        tuple(
            (
                f"{'→' if one.recommended else ' '} {_name(one)}",
                loss_shown(one),
                cell(one.gain_nats, "+.4f"),
                nats_band(one.gain_band, "+"),
                "" if one.odds is None else percent(one.odds.distill),
                teacher_shown(one),
                format_flops(one.total_flops),
            )
            for one in found.ways
        ),
        marked=next((row for row, one in enumerate(found.ways) if one.recommended), None),
        text_columns=(0, 5),
        tight=True,
        spare=(6, 3),
    )
    for way in found.ways:
        if way.loss is not None:
            yield _way_details(way)
    if found.alone:
        yield TableBlock(
            "Each alone, with the compute that it has in the pretrained family",
            ("student", "compute", "verdict", "gain"),
            tuple(
                (
                    one.student_model or format_count(one.student_params),
                    format_flops(one.budget),
                    verdict_in_a_table(one.verdict),
                    cell(one.gain_nats, "+.4f"),
                )
                for one in found.alone
            ),
            text_columns=(0, 2),
        )
    if found.ladder:
        yield TableBlock(
            "The whole budget for the smallest only",
            ("students", "up to", "verdict", "mean gain"),
            tuple(
                (
                    str(one.students),
                    format_count(one.largest_params),
                    verdict_in_a_table(one.verdict),
                    cell(one.gain_nats, "+.4f"),
                )
                for one in found.ladder
            ),
            text_columns=(0, 2),
        )
    yield from notice_blocks(found.warnings)
    yield Text(question_asked(found), "quiet")
    yield Text(f"Law: {found.law.name}. {found.law.source}.", "quiet")


def _name(way: FamilyWay) -> str:
    """A way in the words of its accounting."""
    if way.method is FamilyMethod.CASCADE:
        return "cascade"
    return in_a_table(way.accounting)


def _way_details(way: FamilyWay) -> TableBlock:
    teacher = "" if way.method is FamilyMethod.SUPERVISED else f", teacher {teacher_shown(way)}"
    return TableBlock(
        f"{_name(way)}{teacher}",
        ("student", "loss", "90%", "gain", "tokens", "90%", "tokens/param", "compute"),
        tuple(
            (
                who_shown(one),
                loss_shown(one),
                nats_band(one.loss_band),
                cell(one.gain_nats, "+.3f"),
                cell(one.student_tokens),
                _size_band(one.student_tokens_band),
                cell(one.tokens_per_param),
                cell(one.share, ".0%"),
            )
            for one in way.members
        ),
        tight=True,
        spare=(6, 5),
    )


def _size_band(band: Band | None) -> str:
    return "" if band is None else " ".join(format_count(one) for one in band)
