"""Exports: what a trainer would read is the plan's run, in keys, types and ranges that it takes."""

import json
import math
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from distillplan.accounting import Accounting
from distillplan.errors import InputError
from distillplan.files import saving
from distillplan.files.entries import read_shipped
from distillplan.files.saving import NamedFile
from distillplan.models.model_catalog import model
from distillplan.planning.results import Method
from distillplan.questions.export_records import (
    FILL_IN,
    ConfigKey,
    TextForm,
    ValueType,
    trainer,
    trainer_names,
)
from distillplan.questions.exports import cases_of, export_of, save_export, values_of_text
from tests.recipes import ASKED, document, recipe_of
from tests.shell import run

TRAINERS = ("distillkit", "maxtext", "megatron-bridge", "megatron-lm", "trl-gkd")
READERS = ("distillkit", "maxtext", "megatron-lm")
"""Those that read stored logits."""
RUNS = [
    *((name, kind, Method.DISTILL) for name in TRAINERS for kind in ("sized", "named", "large")),
    *((name, "stored", Accounting.FREE) for name in READERS),
    *((name, "cached", Accounting.FREE) for name in READERS),
    *((name, "top-k", Accounting.FREE) for name in READERS),
]
STEPS = {
    "distillkit": ("training_args.max_steps", "training_args.gradient_accumulation_steps"),
    "maxtext": ("steps", "gradient_accumulation_steps"),
    "megatron-bridge": ("train.train_iters", "train.global_batch_size"),
    "megatron-lm": ("train-iters", "global-batch-size"),
    "trl-gkd": ("max_steps", "gradient_accumulation_steps"),
}
CONTEXT = {
    "distillkit": "sequence_length",
    "maxtext": "max_target_length",
    "megatron-bridge": "model.seq_length",
    "megatron-lm": "seq-length",
    "trl-gkd": "max_length",
}


def exported(name, kind, option=Method.DISTILL):
    """The export, the recipe, and the values of each file as they are read again."""
    answer, settings = recipe_of(kind, option)
    export = export_of(answer, settings, name)
    read = [
        (file, values_of_text(file, export.texts[file.name]))
        for file in export.trainer.files
        if file.name in export.texts
    ]
    return export, answer, read, cases_of(answer.run, settings)


def first(name, kind, option=Method.DISTILL):
    """The values of the first file."""
    return exported(name, kind, option)[2][0][1]


def test_these_are_the_trainers():
    assert trainer_names() == TRAINERS


@pytest.mark.parametrize(("name", "kind", "option"), RUNS)
def test_an_export_is_accepted_and_always_the_same(name, kind, option):
    export, _, read, cases = exported(name, kind, option)
    assert read
    for file, values in read:
        assert list(file.faults(values, cases)) == []
    again, *_ = exported(name, kind, option)
    assert again.texts == export.texts


@pytest.mark.parametrize(("name", "kind", "option"), RUNS)
def test_all_tokens_are_read_and_the_settings_are_the_recipes(name, kind, option):
    _, answer, read, _ = exported(name, kind, option)
    values = read[0][1]
    steps, batch = (values[key] for key in STEPS[name])
    if name == "maxtext" and answer.run.stored:  # a step is one pass
        batch *= values["per_device_batch_size"]
    context = values[CONTEXT[name]]
    assert context == answer.run.context
    tokens = answer.run.student_tokens
    assert (steps - 1) * batch * context < tokens <= steps * batch * context
    everything = {key: value for _, one in read for key, value in one.items()}
    heats = [value for key, value in everything.items() if key.endswith("temperature")]
    assert heats == [1.0] * len(heats)
    assert heats or answer.run.stored  # stored logits of Megatron-LM have no temperature


@pytest.mark.parametrize(("name", "kind", "option"), RUNS)
def test_a_wrong_key_type_or_range_is_a_fault(name, kind, option):
    """Of every value that is written: each of its kind of mistakes is found, and only there."""
    _, _, read, cases = exported(name, kind, option)
    tried = 0
    for file, values in read:
        keys = {one.path: one for one in file.keys if cases >= one.when}
        for path, value in values.items():
            others = {key: one for key, one in values.items() if key != path}
            assert list(file.faults({**others, f"{path}_": value}, cases)), path
            if keys[path].required:
                assert list(file.faults(others, cases)), path
            for wrong in wrong_values(keys[path]):
                (fault,) = file.faults({**values, path: wrong}, cases)
                assert path in fault
                tried += 1
    assert tried > 20


WRONG_TYPES = {
    ValueType.INTEGER: ({"a": 1}, None, True, "1", 1.5),
    ValueType.NUMBER: ({"a": 1}, None, True, "1"),
    ValueType.BOOLEAN: ({"a": 1}, None, "true", 7),
    ValueType.TEXT: ({"a": 1}, None, True, 7),
    ValueType.TEXTS: ({"a": 1}, None, "output_layer", [1, 2], 7),
    ValueType.LIST: ({"a": 1}, None, "output_layer", 7),
}


def wrong_values(key: ConfigKey):
    """Values of another type, and just outside the range."""
    yield from WRONG_TYPES[key.type]
    if key.length is not None:
        yield ["output_layer"] * (key.length + 1)
    if key.one_of:
        yield "another"
    whole = key.type is ValueType.INTEGER
    if key.least is not None:
        yield int(key.least) - 1 if whole else math.nextafter(key.least, -math.inf)
    if key.above is not None:
        yield float(key.above)
    if key.most is not None:
        yield int(key.most) + 1 if whole else math.nextafter(key.most, math.inf)


@pytest.mark.parametrize("name", TRAINERS)
def test_ranges_are_as_wide_as_said(name):
    """The ends of a range are inside it, as the trainers have it (facts of their sources)."""
    for file in trainer(name).files:
        for key in file.keys:
            number = int if key.type is ValueType.INTEGER else float
            for end in (key.least, key.most):
                if end is not None:
                    assert key.fault(number(end)) is None


def test_a_text_with_a_wrong_value_is_not_written(monkeypatch):
    """The check stands before the files, not only in the tests."""
    wrong = read_shipped("exports/trl-gkd.yaml")
    monkeypatch.setitem(wrong["files"][0]["keys"]["lmbda"], "literal", 1.5)
    trainer.cache_clear()
    try:
        with pytest.raises(InputError, match=r"--export: gkd.yaml: lmbda: 1.5 is above 1"):
            exported("trl-gkd", "named")
    finally:
        monkeypatch.undo()
        trainer.cache_clear()


# --- what is in them


def test_llama_has_the_shape_of_its_config():
    """meta-llama/Llama-3.2-1B config.json: 16 layers of 2048, 32 heads of 64, 8 key-value heads,
    8192 hidden channels, tied embeddings."""
    values = first("megatron-lm", "named")
    assert (values["num-layers"], values["hidden-size"]) == (16, 2048)
    assert (values["num-attention-heads"], values["kv-channels"]) == (32, 64)
    assert (values["group-query-attention"], values["num-query-groups"]) == (True, 8)
    assert values["ffn-hidden-size"] == 8192
    assert "untie-embeddings-and-output-weights" not in values
    assert values["tokenizer-model"] == "meta-llama/Llama-3.1-8B"


def test_a_size_has_the_shape_of_the_papers_family():
    """Busbridge et al. 2025, Table 13: 1.82B has 21 layers of 2688 and 7168 hidden channels."""
    values = first("megatron-lm", "sized")
    assert (values["num-layers"], values["hidden-size"]) == (21, 2688)
    assert (values["ffn-hidden-size"], values["num-attention-heads"]) == (7168, 2688 // 128)
    there = first("maxtext", "sized")
    assert there["student_overrides.base_emb_dim"] == 2688
    assert there["student_overrides.base_num_decoder_layers"] == 21
    assert first("megatron-bridge", "sized")["model.num_layers"] == 21


def test_a_named_student_keeps_its_own_shape():
    values = first("megatron-bridge", "named")
    assert "model.num_layers" not in values
    assert first("maxtext", "named")["teacher_overrides.model_name"] == "llama3.1-8b"


def test_rates_that_start_from_a_law_are_for_runs_from_scratch():
    """NVIDIA's 1e-4 for students that are trained on; Step Law's rate for those from scratch."""
    for name in TRAINERS:
        _, answer, read, _ = exported(name, "named")
        values = read[0][1]
        (rate,) = (
            value
            for key, value in values.items()
            if re.fullmatch(r"(.*\.)?(lr|learning_rate)", key)
        )
        law = answer.run.learning_rate
        wanted = law if trainer(name).from_scratch else 1e-4
        assert rate == pytest.approx(wanted, rel=5e-3)
        assert abs(law / 1e-4 - 1) > 0.1


def test_full_logits_are_pure_and_top_k_ones_mixed():
    """Busbridge et al. 2025, Appendix G: lambda 1 with full logits; 0.7 with the top 128."""
    weights = {"maxtext": "distill_alpha", "distillkit": "loss_functions.0.weight"}
    for name, key in weights.items():
        assert first(name, "named")[key] == 1.0
        assert first(name, "stored", Accounting.FREE)[key] == 0.7
    assert first("megatron-lm", "stored", Accounting.FREE)["logits-load-kd-loss-alpha"] == 0.7
    assert first("megatron-bridge", "named")["model.kd_config.skip_lm_loss"] is True
    stored = first("distillkit", "stored", Accounting.FREE)
    assert stored["loss_functions.1.function"] == "cross_entropy"
    assert stored["loss_functions.1.weight"] == pytest.approx(0.3)
    assert stored["teacher.logprob_compressor.d"] == 49_152  # SmolLM2's config.json


def test_distillkit_reads_what_the_plan_stores():
    """64 exact values and no curve for others; else its recommended 128, of which 16 are exact."""
    begin = "teacher.logprob_compressor."
    for kind, kept in (("top-k", (64, 64, [])), ("distillkit", (128, 16, [0, 1, 2, 3, 4, "sqrt"]))):
        values = first("distillkit", kind, Accounting.FREE)
        names = ("k", "exact_k", "polynomial_terms")
        assert tuple(values[begin + one] for one in names) == kept


@pytest.mark.parametrize("kind", ["sampled", "full", "top-k-and-label", "top-p", "distillkit"])
@pytest.mark.parametrize("name", READERS)
def test_a_format_that_a_trainer_does_not_read_is_refused(name, kind):
    if kind in trainer(name).stored_formats:
        assert first(name, kind, Accounting.FREE)
        return
    with pytest.raises(InputError, match=f"the plan stores {kind} logits, and .* reads top-k"):
        first(name, kind, Accounting.FREE)


def test_only_trainers_that_take_the_plan_are_named_in_place_of_another():
    """Gemma's 256,000 rows are too many for the 17 bits of Megatron-LM."""
    family = {"aspect": 128, "omega": 12, "context": 4096, "vocab": 256_000}
    answer, settings = recipe_of("cached", Accounting.FREE, architecture=family)
    with pytest.raises(InputError) as refused:
        export_of(answer, settings, "trl-gkd")
    assert "; take distillkit or maxtext, or plan with --logits online" in str(refused.value)
    answer, settings = recipe_of("full", Accounting.FREE)
    with pytest.raises(InputError, match="runs the teacher itself; plan with --logits online"):
        export_of(answer, settings, "trl-gkd")


def test_trl_learns_from_data_and_never_on_its_own_samples():
    """lmbda 0 and beta 0 are off-policy and forward; DistillationTrainer is never exported to."""
    export, _, read, _ = exported("trl-gkd", "named")
    ((_, values),) = read
    assert (values["lmbda"], values["beta"], values["seq_kd"]) == (0.0, 0.0, False)
    assert "Distillation" not in "".join(export.texts.values()).replace("distillation", "")


def maxtext_step(values, devices, loads_passes):
    """Sequences that MaxText reads for one update, as its loaders and Tunix's trainer go about it.

    A loader yields per_device_batch_size x devices x gradient_accumulation_steps at a time, or, of
    Hugging Face data with use_tunix_gradient_accumulation, one accumulation step of that
    (input_pipeline/hf_data_processing.py); grain has no such switch. Tunix updates the student
    after gradient_accumulation_steps of what is yielded (sft/peft_trainer.py).
    """
    passes = values["gradient_accumulation_steps"]
    loaded = values["per_device_batch_size"] * devices * passes
    return loaded / (passes if loads_passes else 1) * passes


@pytest.mark.parametrize("kind", ["named", "zero3", "micro", "stored", "cached"])
def test_maxtext_reads_the_plans_batch_for_each_update(kind):
    stored = kind in ("stored", "cached")
    _, answer, read, _ = exported("maxtext", kind, Accounting.FREE if stored else Method.DISTILL)
    values = read[0][1]
    machine = json.loads(document(kind))["scenario"]["hardware"]
    switched = values.get("use_tunix_gradient_accumulation", False)
    loads_passes = switched and values["dataset_type"] == "hf"
    devices = 1 if machine is None else machine["gpus"]
    assert maxtext_step(values, devices, loads_passes) == answer.run.batch_sequences


def test_maxtext_reads_stored_logits_with_grain_alone():
    """grain_data_processing.py takes them from records of token ids (save_top_k_teacher_logits.py
    writes `inputs`), which it would tokenize and pack again unless it is told not to."""
    values = first("maxtext", "stored", Accounting.FREE)
    assert (values["dataset_type"], values["grain_file_type"]) == ("grain", "arrayrecord")
    assert values["grain_train_files"] == values["offline_data_dir"]
    assert (values["packing"], values["tokenize_train_data"]) == (False, False)
    assert values["train_data_columns"] == ["inputs"]
    assert "hf_path" not in values
    online = first("maxtext", "named")
    assert (online["dataset_type"], online["packing"]) == ("hf", True)
    assert "grain_train_files" not in online


@pytest.mark.parametrize(
    ("gpu", "wanted"),
    [("h100-sxm", "gpu"), ("mi300x", "gpu"), ("tpu-v5p", "tpu"), ("my.yaml", FILL_IN)],
)
def test_maxtext_is_told_what_it_runs_on(gpu, wanted):
    """configs/base.yml: tpu, unless the file says otherwise."""
    hardware = json.loads(document("micro"))["scenario"]["hardware"] | {"gpu": gpu}
    answer, settings = recipe_of("micro", Method.DISTILL, hardware=hardware)
    text = export_of(answer, settings, "maxtext").texts["distill.yml"]
    assert re.search(rf'^hardware: "{wanted}', text, re.MULTILINE)
    assert first("maxtext", "named")["hardware"].startswith(FILL_IN)


def test_distillkit_reads_whole_sequences_of_a_16_bit_teacher():
    """Its SFTTrainer (TRL 0.25.1) puts one text into each sequence unless it packs, and cuts long
    ones off unless it wraps them; Transformers 4 loads in 32 bits unless it is told."""
    values = first("distillkit", "named")
    assert values["training_args.packing"] is True
    assert values["training_args.packing_strategy"] == "wrapped"
    assert values["teacher.kwargs.torch_dtype"] == "bfloat16"


def test_distillkit_keeps_the_columns_of_stored_logits():
    """Trainers drop columns that the model does not take; its examples of stored logits say so."""
    values = first("distillkit", "stored", Accounting.FREE)
    assert values["training_args.remove_unused_columns"] is False
    assert "training_args.packing" not in values  # they are packed
    assert "training_args.remove_unused_columns" not in first("distillkit", "named")


def test_a_config_that_is_called_like_an_open_model_is_not_that_of_the_hub(tmp_path):
    """Weights of one's own in a folder Qwen3-8B, whose config.json is Qwen3 8B's (Hugging Face)."""
    folder = tmp_path / "Qwen3-8B"
    folder.mkdir()
    sizes = {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36}
    heads = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    config = {"model_type": "qwen3", "vocab_size": 151936, **sizes, **heads}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    own = run(
        *("budget", "1e21", "--student", "qwen3-1.7b", "--teacher", f"{folder}:36T"),
        "--quick",
        "-o",
        "json",
    )
    (tmp_path / "plan.json").write_text(own.stdout, encoding="utf-8")
    words = ("--option", "distill", "--export", "trl-gkd", "--save", "files")
    assert run("recipe", "plan.json", *words, folder=tmp_path).returncode == 0
    text = (tmp_path / "files" / "gkd.yaml").read_text(encoding="utf-8")
    assert f'teacher_model_name_or_path: "{FILL_IN}' in text
    assert 'model_name_or_path: "Qwen/Qwen3-1.7B-Base"' in text  # by its name


def test_megatron_has_the_rows_of_the_teacher():
    """It pads the tokens of the tokenizer to a multiple of 128 otherwise: of Qwen2.5's 151,665
    tokens to 151,680 rows, where the files have 151,936 or 152,064 (their config.json)."""
    assert -(-151_665 // 128) * 128 == 151_680
    hardware = json.loads(document("tp"))["scenario"]["hardware"] | {"batch_tokens": 2**20}
    answer, settings = recipe_of("sized", Method.DISTILL, hardware=hardware)
    text = export_of(answer, settings, "megatron-lm").texts["distill.sh"]
    assert f"--padded-vocab-size {settings.teacher.vocab} " in text


@pytest.mark.parametrize(("teacher_name", "rows"), [("gemma-3-4b", 262_144), ("qwen3-8b", 151_936)])
def test_maxtext_has_the_rows_that_its_own_teacher_has(teacher_name, rows):
    """configs/models/gemma3-4b.yml and qwen3-8b.yml; train_distill.py refuses students of others.
    The files of Gemma 3 have 262,208 (its config.json)."""
    answer, settings = recipe_of("sized", Method.DISTILL)
    found = model(teacher_name)
    teacher = settings.teacher._replace(name=found.name, vocab=found.shape.vocab, known=found)
    run_of = answer.run._replace(vocab=found.shape.vocab)
    text = export_of(
        answer._replace(run=run_of), settings._replace(teacher=teacher), "maxtext"
    ).texts["distill.yml"]
    assert f"vocab_size: {rows} " in text


def test_megatron_bridge_reads_data_and_has_the_rows_of_the_models():
    """Its recipes make data up and take the rows of the tokenizer unless they are told not to
    (recipes/common.py); heads of Llama 3.2 1B have 64 channels (config.json), the paper's 128."""
    for kind, rows in (("named", None), ("sized", 128_256)):
        values = first("megatron-bridge", kind)
        assert values["dataset.data_path"].startswith(FILL_IN)
        assert values["tokenizer.tokenizer_model"] == "meta-llama/Llama-3.1-8B"
        assert values["tokenizer.use_tokenizer_vocab_size"] is False
        assert values.get("model.vocab_size") == rows
        assert values.get("model.kv_channels") == (rows and 128)


def test_megatron_saves_now_and_then():
    """megatron/training/arguments.py asserts an interval where there is a folder."""
    values = first("megatron-lm", "named")
    assert values["save"]
    assert values["save-interval"] > 0


def test_trl_says_that_it_does_not_pack():
    """GKDTrainer skips the preparation of its data set (trl/experimental/gkd/gkd_trainer.py)."""
    export, *_ = exported("trl-gkd", "named")
    assert "holds one conversation and never several" in export.texts["gkd.yaml"]


@pytest.mark.parametrize("name", ["megatron-lm", "megatron-bridge", "maxtext"])
def test_a_size_has_a_shape_that_the_layout_divides(name):
    """Each of a tensor-parallel group takes as many heads (megatron/core/transformer)."""
    hardware = json.loads(document("tp"))["scenario"]["hardware"] | {"batch_tokens": 2**20}
    answer, settings = recipe_of("sized", Method.DISTILL, hardware=hardware)
    text = export_of(answer, settings, name).texts[trainer(name).files[0].name]
    (heads,) = re.findall(r"(?:num[-_]attention[-_]heads|base_num_query_heads):? (\d+)", text)
    assert int(heads) % hardware["tp"] == 0


def test_stages_that_do_not_divide_the_layers_are_refused():
    """megatron/training/arguments.py: layers of each stage are the same."""
    hardware = json.loads(document("pp"))["scenario"]["hardware"] | {"pp": 8, "tp": 1}
    answer, settings = recipe_of("sized", Method.DISTILL, hardware=hardware)
    with pytest.raises(InputError, match=r"8 of them do not divide its \d+ layers; plan with"):
        export_of(answer, settings, "megatron-lm")


def test_trl_computes_the_loss_in_chunks_where_the_plan_counts_on_it():
    """GKDTrainer takes Liger's fused divergence with this key (trl/experimental/gkd)."""
    assert first("trl-gkd", "cards")["use_liger_kernel"] is True
    assert "use_liger_kernel" not in first("trl-gkd", "qwen")


@pytest.mark.parametrize("name", TRAINERS)
def test_a_loss_in_chunks_is_set_or_named(name):
    for kind, chunked in (("cards", True), ("zero3", False)):
        export, answer, *_ = exported(name, kind)
        assert answer.run.chunked is chunked
        text = " ".join(export.texts[export.trainer.files[0].name].split("\n# "))
        assert ("a loss in chunks;" in text) is (chunked and name != "trl-gkd")


@pytest.mark.parametrize(("name", "kind", "option"), RUNS)
def test_every_value_says_where_it_is_from(name, kind, option):
    export, _, read, _ = exported(name, kind, option)
    for file, values in read:
        lines = [one for one in export.texts[file.name].splitlines() if "  # " in one]
        assert len(lines) == len(values)
        filled = [one for one in lines if FILL_IN in one.split("  # ")[0]]
        assert all(one.split("  # ")[1].startswith(FILL_IN) for one in filled)
        from_law = [one for one in lines if "# start" in one]
        assert file is not export.trainer.files[0] or from_law
    assert export.to_fill


def test_a_script_runs_what_it_says(tmp_path):
    """As bash reads it, with a torchrun that prints its arguments."""
    export, _, read, _ = exported("megatron-lm", "named")
    (tmp_path / "distill.sh").write_text(export.texts["distill.sh"], encoding="utf-8")
    fake = tmp_path / "torchrun"
    said = 'printf "%s\\n" "$@"; [ "$CUDA_DEVICE_MAX_CONNECTIONS" = 1 ]'
    fake.write_text(f"#!/usr/bin/env bash\n{said}\n", encoding="utf-8")
    fake.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", tmp_path / "distill.sh", "--exit-interval", "9"],  # noqa: S607  (found on PATH)
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path, "GPUS": "8", "TORCHRUN": "--nnodes=2"},
    )
    words = done.stdout.splitlines()
    assert words[:3] == ["--nproc_per_node=8", "--nnodes=2", "pretrain_gpt.py"]
    assert words[-2:] == ["--exit-interval", "9"]
    flags = [one for one in words[3:-2] if one.startswith("--")]
    script = next(values for file, values in read if file.form is TextForm.FLAGS)
    assert flags == [f"--{key}" for key in script]


# --- what is refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torchtune", "torchtune is left out: it distills LoRA adapters only"),
        ("llama-factory", "llama-factory is left out: it has no distillation"),
        ("torchtitan", "torchtitan is left out: it has no distillation"),
        ("verl", "it distills on the student's own samples, after pretraining"),
        ("trl-distillation", "trains on the student's own samples since July 2026"),
        ("maxtxt", "'maxtxt' is unknown; did you mean"),
    ],
)
def test_trainers_that_are_left_out_say_why(name, said, tmp_path):
    (tmp_path / "plan.json").write_text(document("named"), encoding="utf-8")
    words = ("recipe", "plan.json", "--option", "distill", "--export", name, "-o", "run")
    done = run(*words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "kind", "option", "said"),
    [
        ("maxtext", "named", Method.SUPERVISED, "pretrains, and there is no teacher to export"),
        ("trl-gkd", "stored", Accounting.FREE, "take distillkit or maxtext or megatron-lm"),
        ("megatron-bridge", "cached", Accounting.FREE, "plan with --logits online"),
    ],
)
def test_what_a_trainer_cannot_do_is_refused(name, kind, option, said):
    with pytest.raises(InputError, match=re.escape(said)):
        exported(name, kind, option)


def test_ids_of_stored_logits_have_17_bits_in_megatron():
    """NVIDIA/Megatron-LM, PR 5019: 131,072 rows fit; Gemma's 256,000 do not."""
    for rows, fits in ((131_072, True), (131_073, False)):
        family = {"aspect": 128, "omega": 12, "context": 4096, "vocab": rows}
        answer, settings = recipe_of("cached", Accounting.FREE, architecture=family)
        if fits:
            assert export_of(answer, settings, "megatron-lm").texts
            continue
        with pytest.raises(InputError, match="up to 131,072 rows"):
            export_of(answer, settings, "megatron-lm")
        assert export_of(answer, settings, "distillkit").texts


def test_two_tokenizers_are_refused():
    answer, settings = recipe_of("named", Method.DISTILL)
    other = settings.teacher._replace(tokenizer="qwen2.5")
    told = r"has the tokenizer llama-3, llama-3\.1-8b has the tokenizer qwen2\.5"
    with pytest.raises(InputError, match=told):
        export_of(answer, settings._replace(teacher=other), "maxtext")


# --- files


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("plan.json").write_text(document("named"), encoding="utf-8")
    return tmp_path


def export(*words, name="megatron-lm"):
    return run("recipe", "plan.json", "--option", "distill", "--export", name, *words)


@pytest.mark.parametrize("option", ["-o", "--save"])
def test_a_folder_is_made_and_filled(here, option):
    done = export(option, "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(one.name for one in (here / "run").iterdir()) == ["distill.sh", "distill.yaml"]
    assert "Fill in: " in done.stdout
    again = export(option, "run")
    assert again.returncode == 2
    assert "distill.sh exists; remove it, or name another folder" in again.stderr


def test_a_file_that_is_there_stays_and_nothing_is_written(here):
    (here / "distill.yaml").write_text("mine", encoding="utf-8")
    done = export("-o", ".")
    assert (done.returncode, done.stdout) == (2, "")
    assert (here / "distill.yaml").read_text(encoding="utf-8") == "mine"
    assert not (here / "distill.sh").exists()


def test_all_are_written_or_none(here, monkeypatch):
    """The disk is full at the second file."""
    replace, done = saving._replace, []

    def full(target, content):
        if done:
            raise OSError(28, "No space left on device")
        done.append(target)
        replace(target, content)

    monkeypatch.setattr(saving, "_replace", full)
    found, *_ = exported("megatron-lm", "named")
    with pytest.raises(InputError, match="No space left on device"):
        save_export(found, NamedFile(what="--save", path="run"))
    assert done
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("plan.json", "is a file; name a folder"),
        ("a/b", "/a does not exist; create it first"),
        ("a\0b", "cannot be written"),
        ("x" * 300, "cannot be written"),
    ],
)
def test_where_no_folder_can_be(here, place, said):
    done = export("--save", place)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert [one.name for one in here.iterdir()] == ["plan.json"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_that_is_read_only(here):
    (here / "run").mkdir()
    (here / "run").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert "is read-only" in export("-o", "run").stderr


def test_the_records_name_release_commit_and_sources():
    for name in TRAINERS:
        found = trainer(name)
        assert re.fullmatch(r"[0-9a-f]{7}", found.commit)
        assert found.release
        assert any(found.commit in one for one in found.sources)
        text = next(iter(exported(name, "named")[0].texts.values()))
        assert found.commit in text
        assert found.release in text


def test_plans_are_read_as_they_are_written():
    assert set(ASKED) >= {kind for _, kind, _ in RUNS}
    assert all(
        json.loads(document(kind))["schema"].startswith("distillplan/plan") for kind in ASKED
    )


@pytest.mark.parametrize(("kind", "outside"), [("sized", True), ("cached", False)])
def test_a_file_says_where_its_run_is_outside_the_law_of_its_rate(kind, outside):
    (text, *_) = exported("maxtext", kind)[0].texts.values()
    assert ("outside the runs of that law" in text) is outside


@pytest.mark.parametrize("name", trainer_names())
def test_a_weight_decay_of_adamw_says_why_it_is_not_the_papers(name):
    """The paper decouples 1e-4 (Appendix I); AdamW multiplies its own by the learning rate."""
    keys = [key for file in trainer(name).files for key in file.keys]
    found = [one for one in keys if one.value == "adamw_weight_decay"]
    assert found
    assert all("AdamW multiplies it by the rate" in one.note for one in found)
