"""`distillplan estimate`: one run on one machine."""

from distillplan.cli import flags
from distillplan.cli import hardware_options as how
from distillplan.errors import InputError
from distillplan.render.show import show

PUE = 1.2
"""`hardware.bill.PUE`, which this module does not load before it is asked."""


def estimate(
    tokens: how.Tokens,
    gpu: how.GpuName,
    gpus: how.Gpus = 8,
    model: how.ModelName = None,
    layers: how.Layers = None,
    width: how.Width = None,
    ffn: how.Ffn = None,
    ffn_matrices: how.FfnMatrices = 3,
    heads: how.Heads = None,
    kv_heads: how.KvHeads = None,
    vocab: how.Vocab = None,
    tied: how.Tied = False,
    students: how.Students = 1,
    seq_len: how.SeqLen = 4096,
    micro_batch: how.MicroBatch = None,
    batch_tokens: how.BatchTokens = None,
    precision: how.Precision = "bf16",
    checkpointing: how.Checkpointing = "selective",
    sharding: how.Sharding = "zero3",
    tp: how.Tp = 1,
    pp: how.Pp = 1,
    interleave: how.Interleave = None,
    cp: how.Cp = 1,
    ep: how.Ep = 1,
    attention: how.Attention = None,
    optimizer: how.Optimizer = "adam",
    loss: how.Loss = "dense",
    teacher: how.TeacherName = None,
    teacher_tokens: how.TeacherTokens = None,
    teacher_precision: how.TeacherPrecision = "bf16",
    logits: how.LogitsSource = "online",
    logit_format: how.LogitFormat = "top-k",
    logit_k: how.LogitK = None,
    logit_months: how.LogitMonths = 1.0,
    mfu: how.Mfu = None,
    teacher_mfu: how.TeacherMfu = None,
    tokens_per_s: how.TokensPerS = None,
    goodput: how.Goodput = None,
    price: how.PricePerHour = None,
    prices: how.Prices = None,
    pue: how.Pue = PUE,
    country: how.Country = None,
    output: flags.Show = "table",
) -> None:
    """A training or distillation run on your GPUs: speed, memory, time, money, energy.

    Examples:
    distillplan estimate --model 7B --tokens 140B --gpu h100-sxm --gpus 64

    distillplan estimate --model llama-3.2-1b --teacher llama-3.1-8b --tokens 100B --gpu a100-80gb

    distillplan estimate --model config.json --tokens 1T --gpu b200-sxm --gpus 256 --country FRA
    """
    from distillplan.accounting import Logits
    from distillplan.estimate.estimator import estimate as estimated
    from distillplan.estimate.records import Question
    from distillplan.hardware import gpu_catalog  # none of these at every start
    from distillplan.hardware.machine_words import MachineWords, machine
    from distillplan.hardware.storage import LogitKind, StoredLogits, format_of
    from distillplan.models.named_models import named_pair, shape_of_options

    shape = (layers, width, ffn, heads, kv_heads)
    if model is not None and any(size is not None for size in shape):
        raise InputError("model: --model and a shape (--layers, --width, ...) both give it")
    named = named_pair(
        model
        or shape_of_options(
            layers=layers,
            width=width,
            ffn_width=ffn,
            ffn_matrices=ffn_matrices,
            heads=heads,
            kv_heads=kv_heads,
            vocab=vocab,
            tied=tied,
        ),
        teacher,
        vocab=vocab,
        seq_len=seq_len,
        tp=tp,
    )
    words = MachineWords(
        gpu=gpu,
        gpus=gpus,
        price=price,
        prices=prices,
        mfu=mfu,
        teacher_mfu=teacher_mfu,
        tokens_per_s=tokens_per_s,
        goodput=goodput,
        precision=precision,
        checkpointing=checkpointing,
        sharding=sharding,
        tp=tp,
        pp=pp,
        cp=cp,
        ep=ep,
        interleave=interleave,
        micro_batch=micro_batch,
        batch_tokens=batch_tokens,
        attention=attention,
        optimizer=optimizer,
        loss=loss,
        teacher_precision=teacher_precision,
        pue=pue,
        country=country,
    )
    grid = None if country is None else gpu_catalog.grid(country)
    rows = (named.teacher or named.model).shape.vocab
    kept = format_of(LogitKind(logit_format), rows, logit_k)
    question = Question(
        machine=machine(words, named.family),
        model=named.model,
        tokens=tokens,
        students=students,
        teacher=named.teacher,
        teacher_tokens=teacher_tokens,
        logits=Logits(logits),
        stored=StoredLogits(format=kept, months=logit_months),
        country=None if grid is None else grid.name,
        sources=() if grid is None else (f"grid: {grid.source} ({grid.name}, {grid.year})",),
    )
    show(estimated(question), output)
