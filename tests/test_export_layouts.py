"""Exports of plans with a machine: the layout and the batch in the files are the plan's.

What is expected is computed here from `scenario.hardware` of the plan's document: replicas are GPUs
over tp x pp x cp, and a batch is a multiple of micro-batch x replicas, as Megatron demands of
global batches and as gradient accumulation makes them elsewhere.
"""

import json
import math
import re

import pytest

from distillplan.errors import InputError
from distillplan.planning.results import Method
from distillplan.questions.export_records import TextForm
from distillplan.questions.exports import cases_of, export_of, values_of_text
from tests.recipes import document, recipe_of

MACHINES = ("tp", "pp", "rack", "micro", "zero3", "batch", "recomputed")
TRAINERS = ("distillkit", "maxtext", "megatron-bridge", "megatron-lm", "trl-gkd")
BRIDGE = {
    "tp": "tensor_model_parallel_size",
    "pp": "pipeline_model_parallel_size",
    "cp": "context_parallel_size",
}
"""Keys of Megatron-Bridge, of the student and of its teacher."""
MEGATRON = {
    "tp": "tensor-model-parallel-size",
    "pp": "pipeline-model-parallel-size",
    "cp": "context-parallel-size",
    "ep": "expert-model-parallel-size",
}
"""Flags of Megatron-LM (core/model_parallel_config.py)."""
AXES = {
    "tp": ("ici_tensor_parallelism", "ici_tensor_sequence_parallelism"),
    "pp": ("ici_pipeline_parallelism", "dcn_pipeline_parallelism"),
    "cp": ("ici_context_parallelism", "dcn_context_parallelism"),
    "ep": ("ici_expert_parallelism", "dcn_expert_parallelism"),
}
"""Axes of MaxText's mesh (configs/base.yml); a group is their product."""
KEPT = {"minimal_with_context": "none", "minimal": "attention", "full": "full"}
"""What MaxText recomputes besides what is cheap (layers/decoders.py); `full` is its default."""
ACCUMULATING = {
    "distillkit": ("training_args.per_device_train_batch_size", "training_args."),
    "trl-gkd": ("per_device_train_batch_size", ""),
    "maxtext": ("per_device_batch_size", ""),
}
GLOBAL = {
    "megatron-bridge": ("train.micro_batch_size", "train.global_batch_size"),
    "megatron-lm": ("micro-batch-size", "global-batch-size"),
}


def hardware(kind):
    return json.loads(document(kind))["scenario"]["hardware"]


def written(name, kind, **changed):
    """The values of the first file, its text, and the run.

    MaxText reads whole sequences on every GPU, so that a plan of groups needs a batch of them.
    """
    machine = hardware(kind)
    if name == "maxtext" and replicas_of(machine) < machine["gpus"] and kind != "batch":
        changed = {"batch_tokens": 4 * machine["gpus"] * 4096, **changed}
    asked = {"hardware": hardware(kind) | changed} if changed else {}
    answer, settings = recipe_of(kind, Method.DISTILL, **asked)
    export = export_of(answer, settings, name)
    file = export.trainer.files[0]
    values = values_of_text(file, export.texts[file.name])
    assert list(file.faults(values, cases_of(answer.run, settings))) == []
    return values, export.texts[file.name], answer.run


def line_of(text, path):
    """The line of a key."""
    name = re.escape(path.rpartition(".")[2])
    return next(one for one in text.splitlines() if re.match(rf"\s*(--)?{name}[: ]", one))


def replicas_of(machine):
    return machine["gpus"] // (machine["tp"] * machine["pp"] * machine["cp"])


def batch_of(name, values, machine):
    """Micro-batch of a replica, and sequences of a step, as the trainer reads them."""
    if name in GLOBAL:
        return tuple(values[key] for key in GLOBAL[name])
    key, prefix = ACCUMULATING[name]
    micro = values[key]
    if name == "maxtext":  # of one device
        micro *= machine["gpus"] / replicas_of(machine)
    return micro, micro * replicas_of(machine) * values[f"{prefix}gradient_accumulation_steps"]


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("name", TRAINERS)
def test_batches_are_whole_passes_of_the_plans_replicas(name, kind):
    values, text, run = written(name, kind)
    machine = hardware(kind)
    micro, batch = batch_of(name, values, machine)
    least = machine["gpus"] // replicas_of(machine) if name == "maxtext" else 1
    assert micro == max(machine["micro_batch"], least)
    assert batch % (micro * replicas_of(machine)) == 0
    assert batch == run.batch_sequences
    assert f"GPUs: {machine['gpus']}; replicas: {replicas_of(machine)};" in text


def as_read(name, values):
    """The layout as the trainer reads it, by the words of the plan; None where it has no key."""
    if name == "megatron-bridge":
        student, teacher = (
            {part: values[f"model.{side}{key}"] for part, key in BRIDGE.items()}
            | {"sequence_parallel": values.get(f"model.{side}sequence_parallel", False)}
            for side in ("", "teacher.")
        )
        assert student == teacher
        return student
    if name == "megatron-lm":
        whole = (values.get("recompute-method"), values.get("recompute-num-layers"))
        full = values.get("recompute-granularity") == "full"
        assert whole == (("uniform", 1) if full else (None, None))  # every block by itself
        return {
            **{part: values.get(key, 1) for part, key in MEGATRON.items()},
            "sharding": "zero1" if "use-distributed-optimizer" in values else "none",
            "sequence_parallel": "sequence-parallel" in values,
            "checkpointing": {None: "none", "selective": "attention"}.get(
                values.get("recompute-granularity"), "full"
            ),
        }
    if name == "maxtext":
        axes = {part: math.prod(values.get(key, 1) for key in of) for part, of in AXES.items()}
        inside, across = values.get("ici_fsdp_parallelism", -1), values.get("dcn_fsdp_parallelism")
        replicated = values.get("ici_data_parallelism") == -1 and inside == 1
        return {
            **axes,
            "sharding": "none" if replicated else "zero3" if inside == across == -1 else None,
            "sequence_parallel": values.get("ici_tensor_sequence_parallelism", 1) > 1,
            "checkpointing": KEPT[values.get("remat_policy", "full")],
        }
    keyed = [value for path, value in values.items() if path.endswith("gradient_checkpointing")]
    return {"checkpointing": "full" if keyed[0] else "none"}


def counted_on(text):
    """What the text says that no key sets."""
    flat = " ".join(one.removeprefix("# ") for one in text.splitlines() if one.startswith("# "))
    counted = re.search(r"also counts on (.*?);", flat)
    return counted[1].split(", ") if counted else []


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("name", TRAINERS)
def test_every_part_of_the_layout_is_set_or_named(name, kind):
    """What is plain needs no word: groups of 1, nothing recomputed, nothing sharded."""
    values, text, _ = written(name, kind)
    machine, said, read = hardware(kind), counted_on(text), as_read(name, values)
    for part in ("tp", "pp", "cp", "sharding"):
        plain = machine[part] in (1, "none")
        assert (f"{part} {machine[part]}" in said) is (
            not plain and read.get(part) != machine[part]
        )
    recomputed = machine["checkpointing"]
    named = recomputed == "selective" or (recomputed == "full" != read.get("checkpointing"))
    assert (f"checkpointing {recomputed}" in said) is named
    divided = machine["tp"] > 1  # where it is, a plan divides sequences too
    assert ("sequence-parallel" in said) is (divided and not read.get("sequence_parallel"))


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("name", ["maxtext", "megatron-lm", "megatron-bridge"])
def test_what_is_set_is_the_plans(name, kind):
    """No group, and no kind of sharding, beyond those of the plan; each says where it is from."""
    values, text, _ = written(name, kind)
    machine, read = hardware(kind), as_read(name, values)
    for part in ("tp", "pp", "cp", "ep"):
        assert read.get(part, 1) in (1, machine.get(part, 1))
    for path in values:
        if path.endswith(("parallelism", "parallel-size", "parallel_size", "remat_policy")):
            assert "# plan" in line_of(text, path)
    if name == "megatron-lm":  # optimizer states at least, where more are spread
        assert read["sharding"] == ("none" if machine["sharding"] == "none" else "zero1")


@pytest.mark.parametrize(
    ("changed", "megatron", "remat"),
    [
        ({"checkpointing": "none"}, None, "minimal_with_context"),
        ({"checkpointing": "attention"}, "selective", "minimal"),
        ({"checkpointing": "full"}, "full", "full"),
        ({"checkpointing": "selective"}, None, None),
    ],
)
def test_what_is_recomputed_is_said_in_each_ones_word(changed, megatron, remat):
    """transformer_config.py: selective is the core of attention; decoders.py: minimal as well."""
    values, *_ = written("megatron-lm", "tp", **changed)
    assert values.get("recompute-granularity") == megatron
    values, *_ = written("maxtext", "tp", **changed)
    assert values.get("remat_policy") == remat


def test_unsharded_states_are_replicated():
    values, text, _ = written("maxtext", "tp", sharding="none", checkpointing="none")
    assert (values["ici_data_parallelism"], values["ici_fsdp_parallelism"]) == (-1, 1)
    assert counted_on(text) == []
    values, text, _ = written("megatron-lm", "tp", sharding="none", checkpointing="none")
    assert "use-distributed-optimizer" not in values
    assert counted_on(text) == []


@pytest.mark.parametrize("name", TRAINERS)
def test_a_batch_that_was_asked_for_is_the_plans(name):
    """2**20 tokens are 256 sequences of 4,096; without a batch it is a law's starting point."""
    open_kind = "zero3" if name == "maxtext" else "tp"
    for kind, origin in (("batch", "# plan"), (open_kind, "# start")):
        values, text, run = written(name, kind)
        key = GLOBAL[name][1] if name in GLOBAL else "gradient_accumulation_steps"
        assert origin in line_of(text, key)
        _, batch = batch_of(name, values, hardware(kind))
        assert ("Its time is counted for steps of 4.19M tokens." in text) is (kind == open_kind)
        assert (batch == 256) is (kind == "batch")
        assert (run.steps - 1) * batch < run.student_tokens / 4096 <= run.steps * batch


@pytest.mark.parametrize(("asked", "sequences"), [(1e6, 216), (1e5, 72), (1.7e6, 432)])
def test_a_batch_is_rounded_to_the_nearest_pass(asked, sequences):
    """72 GPUs with one sequence each: 244, 24 and 415 sequences of 4,096 tokens are no multiple."""
    values, *_ = written("megatron-lm", "rack", batch_tokens=asked, micro_batch=1)
    assert values["global-batch-size"] == sequences


def test_a_step_that_maxtext_cannot_share_out_is_refused_with_one_that_it_can():
    """Its loaders assert that what they read divides by all devices (hf_data_processing.py and
    grain_data_processing.py), and read one sequence of each at least (configs/types.py)."""
    answer, settings = recipe_of("tp", Method.DISTILL)
    gpus = hardware("tp")["gpus"]
    assert answer.run.batch_sequences % gpus
    with pytest.raises(InputError, match="reads whole sequences on every GPU") as error:
        export_of(answer, settings, "maxtext")
    tokens = int(str(error.value).rpartition(" ")[2])
    values, _, run = written("maxtext", "tp", batch_tokens=tokens)
    passes = values["gradient_accumulation_steps"]
    assert values["per_device_batch_size"] * gpus * passes == run.batch_sequences == tokens / 4096


def test_the_recipe_says_where_its_batch_is_from():
    for kind, said, sure in (
        ("batch", "the plan's --batch-tokens, rounded to whole passes", "computed"),
        ("tp", "Step Law's, rounded to whole passes", "pretraining_law"),
        ("named", "Step Law's, rounded to whole groups of 8", "pretraining_law"),
    ):
        answer, _ = recipe_of(kind, Method.DISTILL)
        (line,) = (one for one in answer.lines if one.topic == "batch")
        assert said in line.why
        assert line.sure.value == sure


@pytest.mark.parametrize("name", TRAINERS)
def test_what_else_the_memory_counts_on_is_named(name):
    """A layout of experts, GPUs of the teacher alone, 8-bit states and offload have no keys."""
    more = {"teacher_gpus": 16, "optimizer": "adam8bit", "offload": "optimizer", "ep": 4}
    _, text, _ = written(name, "tp", **more)
    for said in ("ep 4", "optimizer adam8bit", "offload optimizer", "teacher-gpus 16"):
        assert said in text


@pytest.mark.parametrize("name", TRAINERS)
def test_without_a_machine_nothing_is_said_of_one(name):
    answer, settings = recipe_of("named", Method.DISTILL)
    export = export_of(answer, settings, name)
    text = export.texts[export.trainer.files[0].name]
    assert "replica" not in text
    assert "counts on" not in text
    values = values_of_text(export.trainer.files[0], text)
    assert {value for key, value in values.items() if key.endswith("parallel_size")} <= {1}
    assert answer.run.batch_sequences % 8 == 0


def test_comments_leave_the_script_runnable():
    """Every line of the script before the flags is a comment or a command of bash."""
    _, text, _ = written("megatron-lm", "tp")
    head, _, flags = text.partition("ARGS=(")
    assert all(one.startswith("#") or one in ("", "set -euo pipefail") for one in head.splitlines())
    assert flags.count("\n  --") > 20
    answer, settings = recipe_of("tp", Method.DISTILL)
    forms = [one.form for one in export_of(answer, settings, "megatron-lm").trainer.files]
    assert forms[0] is TextForm.FLAGS


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gpus": 60}, "plan.json: gpus: 60 GPUs cannot be divided into groups of tp 8"),
        ({"micro_batch": 0}, "micro_batch"),
        ({"micro_batch": 1.5}, "micro_batch"),
        ({"tp": "many"}, "tp"),
        ({"sharding": "zero4"}, "sharding"),
        ({"gpus": 8e30}, "a run has up to 1e+09 of them"),
        ({"micro_batch": 10**30}, "a run has up to 1e+09 of them"),
        ({"batch_tokens": 1e300}, "batch_tokens is 1e+300, and a run has from 1 to 1e+18"),
        ({"batch_tokens": -1}, "batch_tokens: -1 is not positive"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused(changed, said):
    with pytest.raises(InputError, match=re.escape(said)):
        written("megatron-lm", "tp", **changed)
