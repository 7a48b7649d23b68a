"""Budgets, sizes and tokens as people write them in papers, issues and messages.

Every expectation is worked out by hand: a petaFLOP/s-day is 1e15 * 86,400 = 8.64e19 FLOPs, a week
has 168 hours, a day 24. A notation is read right or answered by a sentence that says what is
missing; none is read wrong.
"""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillplan.errors import InputError
from distillplan.hardware.gpu_catalog import gpu, grid
from distillplan.models.known_model import sized
from distillplan.models.model_sizes import LEAST_PARAMS, MOST_PARAMS, parse_pair, parse_tokens
from distillplan.planning.budget_text import Budget, parse_budget
from distillplan.questions.assertions import parse_assertion
from distillplan.units.quantities import format_count
from distillplan.units.times import parse_hours
from tests.shell import run

FLOPS = {
    "2e21": 2e21,
    "1e+21": 1e21,
    "1E21": 1e21,
    "1.e21": 1e21,
    ".5e21": 5e20,
    "10e20": 1e21,
    "10^21": 1e21,
    "10**21": 1e21,
    "1.5x10^22": 1.5e22,
    "1.5 x 10^22": 1.5e22,
    "1.5*10**22": 1.5e22,
    "1.5\N{MULTIPLICATION SIGN}10\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT TWO}": 1.5e22,
    "10\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT ONE}": 1e21,
    "6 \N{MULTIPLICATION SIGN} 10^23 FLOPs": 6e23,
    r"3.8 \times 10^{25}": 3.8e25,
    "3.14E+23 FLOPs": 3.14e23,
    "6e21 FLOP": 6e21,
    "6e21 FLOPs": 6e21,
    "6e21 flops": 6e21,
    "6e21 FLOPS": 6e21,
    "1_000_000_000_000_000_000_000": 1e21,
    "1,000,000,000,000,000,000,000": 1e21,
    "\N{FULLWIDTH DIGIT ONE}e21": 1e21,
    "~1e21": 1e21,
    "\N{ALMOST EQUAL TO}1e21 FLOPs": 1e21,
    "about 1e21": 1e21,
    "1.5 zettaFLOPs": 1.5e21,
    "a zettaflop": 1e21,
    "one zettaFLOP": 1e21,
    "1 ZFLOP": 1e21,
    "1 zflops": 1e21,
    "1000 EFLOPs": 1e21,
    "500 exaFLOPs": 5e20,
    "1 yottaflop": 1e24,
    "1e9 GFLOPs": 1e18,
    "300 billion TFLOPs": 3e23,
    "1.2 sextillion FLOPs": 1.2e21,
    "1 PF-day": 8.64e19,
    "1 PF day": 8.64e19,
    "3640 PF-days": 3640 * 8.64e19,
    "1 petaflop/s-day": 8.64e19,
    "100 petaflop/s-days": 8.64e21,
    "1 PFLOP/s-day": 8.64e19,
    "100 PFLOPS-days": 8.64e21,
    "1 pfs-day": 8.64e19,
    "1 petaflops-day": 8.64e19,
    "10 EF-days": 8.64e23,
    "1 exaflop-day": 8.64e22,
}

GPU_HOURS = {
    "7 days 8xH100": (8 * 168, 8, "h100"),
    "7d 8xH100": (8 * 168, 8, "h100"),
    "2 weeks 16 A100-40GB": (16 * 336, 16, "a100-40gb"),
    "8 nodes, 8 H100 each, 3 weeks": (64 * 504, 64, "h100"),
    "10k H100-hours": (10_000, None, "h100"),
    "10,000 H100-hours": (10_000, None, "h100"),
    "10'000 H100-hours": (10_000, None, "h100"),
    "1 000 H100-hours": (1_000, None, "h100"),
    "1\N{NO-BREAK SPACE}000 H100\N{NO-BREAK SPACE}hours": (1_000, None, "h100"),
    "1\N{NARROW NO-BREAK SPACE}000 H100-hours": (1_000, None, "h100"),
    "57600 A100 hours": (57_600, None, "a100"),
    "2k A100-days": (48_000, None, "a100"),
    "1000 GPU-days": (24_000, None, None),
    "1000 gpudays": (24_000, None, None),
    "12 GPU weeks": (2_016, None, None),
    "10k gpu hours": (10_000, None, None),
    "10k GPU-hrs": (10_000, None, None),
    "10k GPUh": (10_000, None, None),
    "10k gpu-h": (10_000, None, None),
    "5k GPU\N{MIDDLE DOT}hours": (5_000, None, None),
    "5000 H100h": (5_000, None, "h100"),
    "2.5 million GPU hours": (2.5e6, None, None),
    "2.788M H800 GPU hours": (2.788e6, None, "h800"),
    "2.664 million H800 GPU hours": (2.664e6, None, "h800"),
    "30.84M H100-hours": (3.084e7, None, "h100"),
    "1,770,394 A100-80GB GPU hours": (1_770_394, None, "a100-80gb"),
    "184320 GPU-hrs A100-80GB": (184_320, None, "a100-80gb"),
    "10k H100 SXM hours": (10_000, None, "h100-sxm"),
    "5k RTX 4090 hours": (5_000, None, "rtx-4090"),
    "2048 TPU v3 days": (49_152, None, "tpu-v3"),
    "1e6 A100-hours": (1e6, None, "a100"),
    "1,000 GPU-days of H100": (24_000, None, "h100"),
    "10k GPU-hours on 64 H100": (10_000, 64, "h100"),
    "5k h100-sxm-hours on 8 h100-sxm": (5_000, 8, "h100-sxm"),
    "64 h100-sxm for 7 days": (10_752, 64, "h100-sxm"),
    "8xA100-80GB for 3 weeks": (4_032, 8, "a100-80gb"),
    "8 A100-80GB for 21 days": (4_032, 8, "a100-80gb"),
    "8xA100-80GB 3 weeks": (4_032, 8, "a100-80gb"),
    "8 A100 (80GB) for 21 days": (4_032, 8, "a100-80gb"),
    "8 A100 80 GB for 21 days": (4_032, 8, "a100-80gb"),
    "8 NVIDIA A100 80GB GPUs for 21 days": (4_032, 8, "a100-80gb"),
    "64xH100 for a week": (10_752, 64, "h100"),
    "64 H100 GPUs for one week": (10_752, 64, "h100"),
    "8 x H100 SXM, 3 weeks": (4_032, 8, "h100-sxm"),
    "8 \N{MULTIPLICATION SIGN} H100 SXM for 3 weeks": (4_032, 8, "h100-sxm"),
    "\N{FULLWIDTH DIGIT EIGHT}xH100 for 3 weeks": (4_032, 8, "h100"),
    "256 H100s for 3 weeks": (129_024, 256, "h100s"),
    "16k H100 GPUs for 54 days": (20_736_000, 16_000, "h100"),
    "a week on 64 H100s": (10_752, 64, "h100s"),
    "3 weeks of 8 H100": (4_032, 8, "h100"),
    "two weeks on 8 a100-80gb": (2_688, 8, "a100-80gb"),
    "21 days with 8 A100 80GB": (4_032, 8, "a100-80gb"),
    "1 week x 8 H100": (1_344, 8, "h100"),
    "3 weeks \N{MULTIPLICATION SIGN} 8 H100": (4_032, 8, "h100"),
    "8xH100x7d": (1_344, 8, "h100"),
    "8xH100 x 7 days": (1_344, 8, "h100"),
    "8*H100*7d": (1_344, 8, "h100"),
    "8xH100 48h": (384, 8, "h100"),
    "8xH100 for 48h": (384, 8, "h100"),
    "8 H100 over 2 days": (384, 8, "h100"),
    "8 H100 for 3.5 days": (672, 8, "h100"),
    "8 H100s for a fortnight": (2_688, 8, "h100s"),
    "8x RTX 4090 for 3 days": (576, 8, "rtx-4090"),
    "4x 4090 for 5 days": (480, 4, "4090"),
    "8 h100-sxm in 3 weeks": (4_032, 8, "h100-sxm"),
    "8xH100-3weeks": (4_032, 8, "h100"),
    "5k RTX-4090-hours": (5_000, None, "rtx-4090"),
    "a million GPU hours": (1e6, None, None),
    "8x4090 for 3 days": (576, 8, "4090"),
    "8 4090s for 3 days": (576, 8, "4090"),
    "8 4080s for 3 days": (576, 8, "4080"),
    "8x RTX 4080S for 3 days": (576, 8, "rtx-4080s"),
    "64 h100-sxm for 604800s": (10_752, 64, "h100-sxm"),
    "7200 gpu-seconds": (2, None, None),
    "8 RTX PRO 6000 Blackwell Server Edition for 3 days": (576, 8, "rtx-pro-6000-blackwell"),
    "10k H100 Tensor Core GPU hours": (10_000, None, "h100"),
    "2x8x4090, 3 days": (1_152, 16, "4090"),
    "4090 x 8 for 3 days": (576, 8, "4090"),
    "24h on 8 4090": (192, 8, "4090"),
    "4x 4080 Super for 3 days": (288, 4, "4080-super"),
    "3 days 4x 3080 ti": (288, 4, "3080-ti"),
    "10k 4090-hours": (10_000, None, "4090"),
    "RTX 4090 x 2 for 3 days": (144, 2, "rtx-4090"),
    "an A100 for 12 hours": (12, 1, "a100"),
    "8 nodes of 8 H100 for 3 days": (4_608, 64, "h100"),
    "8 nodes x 8 H100 for 3 days": (4_608, 64, "h100"),
    "16x8 H100 for 3 days": (9_216, 128, "h100"),
    "2048 A100-80GB GPUs for approximately 21 days": (1_032_192, 2048, "a100-80gb"),
    "512 TPUv4 for 3 days": (36_864, 512, "tpuv4"),
    "128 MI300X for 10 days": (30_720, 128, "mi300x"),
    "8 gpus for 3 days": (576, 8, None),
}

USD = {
    "$20k": (20_000, None),
    "$ 20k": (20_000, None),
    "US$20k": (20_000, None),
    "USD 20k": (20_000, None),
    "20k USD": (20_000, None),
    "5k$": (5_000, None),
    "$5,000": (5_000, None),
    "5,000 USD": (5_000, None),
    "20k dollars": (20_000, None),
    "20k US dollars": (20_000, None),
    "$1.5M": (1.5e6, None),
    "$5.576 million": (5.576e6, None),
    "$2.50": (2.5, None),
    "$20k on h100-sxm": (20_000, "h100-sxm"),
    "$20k of H100 time": (20_000, "h100"),
    "$5k on 4090s": (5_000, "4090"),
    "$5k on 8 RTX 4090s": (5_000, "rtx-4090"),
}

TOKEN_BUDGETS = {
    "20 TPP": (None, 20),
    "20 tpp": (None, 20),
    "20 tokens per parameter": (None, 20),
    "20 tokens/param": (None, 20),
    "20 tok/param": (None, 20),
    "300B tokens": (3e11, None),
    "100BT": (1e11, None),
    "100BT tokens": (1e11, None),
    "100 BT tokens": (1e11, None),
    "1.4 trillion tokens": (1.4e12, None),
}

SIZES = {
    "7b": (7e9, None),
    "7B": (7e9, None),
    "7 B": (7e9, None),
    "7\N{NO-BREAK SPACE}B": (7e9, None),
    "\N{FULLWIDTH DIGIT SEVEN}B": (7e9, None),
    "7B params": (7e9, None),
    "7B parameters": (7e9, None),
    "7B non-embedding parameters": (7e9, None),
    "7G": (7e9, None),
    "7bn": (7e9, None),
    "7e9": (7e9, None),
    "7_000_000_000": (7e9, None),
    "7,000,000,000": (7e9, None),
    "7000M": (7e9, None),
    "~7B": (7e9, None),
    "seven billion": (7e9, None),
    "7 billion parameters": (7e9, None),
    "1.5 billion": (1.5e9, None),
    "1,500M": (1.5e9, None),
    "1.1B-parameter": (1.1e9, None),
    "1.375B": (1.375e9, None),
    "350M parameters": (3.5e8, None),
    "500m": (5e8, None),
    ".5B": (5e8, None),
    "1T": (1e12, None),
    "1B:300B": (1e9, 3e11),
    "7B:2T": (7e9, 2e12),
    "7B : 2T": (7e9, 2e12),
    "7B:2TT": (7e9, 2e12),
    "7b:2t": (7e9, 2e12),
    "7B:2 trillion": (7e9, 2e12),
    "7B:1.4 trillion tokens": (7e9, 1.4e12),
    "7B params:2T tokens": (7e9, 2e12),
    "7B params 2T tokens": (7e9, 2e12),
    "7B params, 2T tokens": (7e9, 2e12),
    "7B on 2T tokens": (7e9, 2e12),
    "7B trained on 2T tokens": (7e9, 2e12),
    "7B (2T tokens)": (7e9, 2e12),
    "7B:20 TPP": (7e9, 1.4e11),
    "80B-A3B:15T": (3e9, 15e12),
}

TOKENS = {
    "100B": 1e11,
    "100BT": 1e11,
    "100 BT": 1e11,
    "2TT": 2e12,
    "2T": 2e12,
    "100B tokens": 1e11,
    "100b toks": 1e11,
    "100 billion": 1e11,
    "300 billion tokens": 3e11,
    "1.4 trillion tokens": 1.4e12,
    "3_000_000_000_000": 3e12,
    "3,000,000,000,000": 3e12,
    "3e12": 3e12,
    "3x10^12": 3e12,
    "10^12": 1e12,
    "15T tokens": 15e12,
    "500M tokens": 5e8,
    "1.4e12 tokens": 1.4e12,
    "\N{FULLWIDTH DIGIT THREE}00B": 3e11,
    "3\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000": 3e9,
    "2 trillion": 2e12,
    "half": "is not a number",
    "1,5T": "write decimals with a point: 1.5T",
    "300": "300 tokens; did you mean 300B?",
    "2 Q": "unknown suffix 'Q'",
}

ASKED = {
    "4090 for 5 days": "'4090' is not a number of GPUs",
    "84090 for 5 days": "'84090' is not a number of GPUs",
    "1 PFLOP per day": "unknown suffix 'PFLOP per day'",
    "8xH100": "8xH100 for how long?",
    "64 H100 GPUs": "for how long?",
    "H100": "how many H100?",
    "mi300x 64 for 1 week": "the number goes first: write '64 mi300x for 1 week'",
    "h100 8, 3 days": "write '8 h100-sxm for 3 days'",
    "b200 64": "write '64 b200 for 7 days'",
    "RTX 4090 for 3 days": "how many RTX 4090?",
    "3 weeks": "3 weeks of what?",
    "10k hours": "10k hours of what?",
    "1 month": "of what?",
    "8 H100 for 1 month": "write it in days",
    "12 GPU-months": "write it in days",
    "PF-days": "how many PF-days?",
    "exaflops": "how many exaflops?",
    "1 PFLOPS": "may be a rate",
    "1 PF": "may be a rate",
    "6e21 FLOP/s": "is a rate",
    "1 PFLOP/s for a day": "FLOP/s-days",
    "1 PFLOPS for a day": "FLOP/s-days",
    "\N{EURO SIGN}5k": "not in US dollars; convert it and write it with a $",
    "5k EUR": "not in US dollars",
    "\N{POUND SIGN}5k": "not in US dollars",
    "20x": "write '20 TPP' for 20 tokens per parameter",
    "k on 4090s": "a shell takes $ and what follows out of",
    "10.000 H100-hours": "10.000 may be 10,000 or 10",
    "$10.000": "10.000 may be 10,000 or 10",
    "1.000.000": "write 1000000 or 1,000,000",
    "1,5e21": "1.5e21",
    "1,000,5 PF-days": "has commas that do not separate thousands; write 1000000 or 1,000,000",
    "1,00,000 GPU-hours": "has commas that do not separate thousands",
    "8xH100 for 3,5 days": "write decimals with a point",
    "3.8x10e25": "write 3.8e25",
    "1.5x1022": "write 1.5e22",
    "10\N{SUBSCRIPT TWO}\N{SUBSCRIPT ONE}": "unknown suffix",
    "16 nodes for 3 days": "how many GPUs has a node?",
    "2 DGX H100 for a week": "DGX H100 has 8 GPUs; write '16 h100-sxm for a week'",
    "DGX for a week": "is not a number of GPUs",
    "2 DGX for a week": "how many GPUs has a dgx?",
    "$20k per month": "'$20k per month' is not a number",
    "20k EUR for 3 weeks": "'20k EUR' is not in US dollars",
    "1 mi300x server for 2 weeks": "how many GPUs has a server?",
    "an h100-sxm box for a week": "how many GPUs has a box?",
    "4 H100 servers for a week": "how many GPUs has a server?",
    "2 rtx-4090 workstations for a week": "how many GPUs has a workstation?",
    "100 instance hours": "how many GPUs has an instance?",
    "1000 server-hours": "how many GPUs has a server?",
    "1 GB200 rack for a week": "how many GPUs has a rack?",
    "1 GB200 NVL72 for 7 days": "has 72 GPUs; write '72 gb200 for 7 days'",
    "GB300-NVL72 for 7 days": "has 72 GPUs",
    "10k core-hours": "'core' is no GPU; write for example '10k gpu-hours'",
    "10k cloud hours": "'cloud' is no GPU",
    "10k compute-hours": "'compute' is no GPU",
    "64 cores for 7 days": "'cores' is no GPU",
    "64 core server for 7 days": "how many GPUs has a server?",
    "10k TPU v3 core-hours": "'TPU v3 core' is no GPU",
    "64 h100 for 1.500 hours": "1.500 may be 1,500 or 1.5",
    "64 h100 for 3.125 days": "3.125 may be 3,125 or 3.1250",
    "8xH100 for a weekend": "is not a time",
    "8xH100 for 0 days": "not positive",
    "0xH100 for 3 days": "not positive",
    "8.5 H100 for 3 days": "not a whole number of GPUs",
    "16 p5.48xlarge for 3 days": "p5.48xlarge has 8 GPUs; write '128 h100-sxm for 3 days'",
    "v5p-256 for 2 weeks": "v5p-256 has 128 GPUs; write for example '128 tpu-v5p for 7 days'",
    "chinchilla": "write e.g. 1e21, '8 h100-sxm for 7 days'",
    "lots": "write e.g. 1e21, '8 h100-sxm for 7 days'",
    "1e21 MACs": "unknown suffix 'MACs'",
    "-1e21": "not positive",
    "nan": "not finite",
    "1e400": "not finite",
}

MENDED = {
    "8 h100-sxm for 7": "8 h100-sxm for 7 days",
    "64 h100-sxm 7": "64 h100-sxm for 7 days",
    "8 h100 7": "8 h100-sxm for 7 days",
    "8 rtx 4090 7": "8 rtx 4090 for 7 days",
    "8 h100-sxm, 7": "8 h100-sxm for 7 days",
    "8 h100-sxm for 2 months": "8 h100-sxm for 60 days",
    "8 H100 for a month": "8 h100-sxm for 30 days",
    "3 months on 8 h100-sxm": "90 days on 8 h100-sxm",
    "12 GPU-months": "360 GPU-days",
    "2 months": "8 h100-sxm for 60 days",
    "10,5k h100-sxm-hours": "10.5k h100-sxm-hours",
    "10,5 PF-days": "10.5 PF-days",
    "8xH100 for 3,5 days": "8xh100-sxm for 3.5 days",
    "10k hours of H100 SXM": "10k H100-SXM-hours",
    "10k hours H100 SXM": "10k H100-SXM-hours",
    "10k hours of NVIDIA GeForce RTX 4090": "10k NVIDIA-GeForce-RTX-4090-hours",
    "10k days H100 SXM": "8 H100 SXM for 10k days",
    "10k hours": "8 h100-sxm for 10k hours",
    "64*168 h100-sxm-hours": "64 h100-sxm for 168 hours",
    "64 x 168 GPU-hours": "64 GPU for 168 hours",
}
"""What is asked, and a budget that is proposed."""
PROPOSED = re.compile(r"'([^']+)'")

SIZES_ASKED = {
    "7": "7 parameters; did you mean 7B?",
    "1": "1 parameter; did you mean 1B?",
    "7k": "did you mean 7B?",
    "1e-300": "write a larger number",
    "1e300": "write a smaller number",
    "7:2": "did you mean 7B:2T?",
    "7B:2": "did you mean 2T?",
    "7:2T": "did you mean 7B?",
    "2T:7B": "the order is PARAMETERS:TOKENS; did you mean 7B:2T?",
    "1,5B": "write decimals with a point: 1.5B",
    "8x7B": "is a mixture of experts",
    "8x22B:2T": "is a mixture of experts",
    "1B,3B": "is 2 sizes; write one, or for distillplan sweep or family the list 1B,3B",
    "300M 1B": "the list 300M,1B",
    "1B,3B,7B": "is 3 sizes; write one, or for distillplan sweep or family the list 1B,3B,7B",
    "7B/2T": "write 7B:2T",
    "7B,2T": "write 7B:2T",
    "7B 2T": "write 7B:2T",
    "7B@2T": "write 7B:2T",
    "7B:20x": "write '20 TPP'",
    "7B:": "write e.g. 7B:2T",
    "7B:2T:3": "write e.g. 7B:2T",
    "7Q": "unknown suffix 'Q'",
    "-7B": "not positive",
    "0": "not positive",
    "nan": "not finite",
    "inf": "not finite",
}


@pytest.mark.parametrize("text", FLOPS)
def test_flops(text):
    found = parse_budget(text)
    assert found.flops == pytest.approx(FLOPS[text], rel=1e-12)
    assert found == Budget(flops=found.flops)


@pytest.mark.parametrize("text", GPU_HOURS)
def test_hours_of_gpus(text):
    found = parse_budget(text)
    hours, gpus, gpu = GPU_HOURS[text]
    assert found.gpu_hours == pytest.approx(hours, rel=1e-12)
    assert (found.gpus, found.gpu, found.flops, found.usd) == (gpus, gpu, None, None)


@pytest.mark.parametrize("text", USD)
def test_money(text):
    found = parse_budget(text)
    assert (found.usd, found.gpu) == USD[text]
    assert (found.flops, found.gpu_hours) == (None, None)


@pytest.mark.parametrize("text", TOKEN_BUDGETS)
def test_tokens_to_train_on(text):
    found = parse_budget(text)
    assert (found.tokens, found.tokens_per_param) == TOKEN_BUDGETS[text]


@pytest.mark.parametrize("text", ASKED)
def test_a_budget_that_lacks_something_is_asked_for_it(text):
    with pytest.raises(InputError) as error:
        parse_budget(text)
    assert ASKED[text] in str(error.value)


@pytest.mark.parametrize("text", SIZES)
def test_sizes(text):
    found = sized(text, "teacher")
    params, tokens = SIZES[text]
    assert found.params == pytest.approx(params, rel=1e-12)
    assert found.tokens == (None if tokens is None else pytest.approx(tokens, rel=1e-12))


@pytest.mark.parametrize("model", ["7B", "llama-3.2-3b", "meta-llama/Llama-3.1-8B"])
def test_tokens_per_parameter_are_of_any_model(model):
    for said in ("20 TPP", "20 tokens per parameter"):
        found = sized(f"{model}:{said}", "teacher")
        assert found.tokens == pytest.approx(20 * found.params, rel=1e-12)


@pytest.mark.parametrize("text", SIZES_ASKED)
def test_a_size_that_nobody_means_is_asked_about(text):
    with pytest.raises(InputError) as error:
        sized(text, "teacher")
    assert SIZES_ASKED[text] in str(error.value)


@pytest.mark.parametrize("text", TOKENS)
def test_tokens(text):
    said = TOKENS[text]
    if isinstance(said, float):
        assert parse_tokens(text, "tokens") == pytest.approx(said, rel=1e-12)
    else:
        with pytest.raises(InputError) as error:
            parse_tokens(text, "tokens")
        assert said in str(error.value)


counts = st.floats(LEAST_PARAMS, MOST_PARAMS / 1e3)


@given(counts, st.floats(1, 1e3))
def test_a_model_and_its_tokens_come_back(params, ratio):
    text = f"{params!r}:{params * ratio + 1e6!r}"
    assert parse_pair(text, "teacher") == (params, params * ratio + 1e6)


@given(counts)
def test_a_size_comes_back_to_its_digits(params):
    assert sized(format_count(params)).params == pytest.approx(params, rel=5.1e-3)


@given(
    st.integers(1, 10_000),
    st.integers(1, 400),
    st.sampled_from([("hours", 1), ("days", 24), ("weeks", 168)]),
    st.sampled_from(
        ["{n} h100-sxm for {t} {u}", "{t} {u} on {n} h100-sxm", "{n}xh100-sxm, {t} {u}"]
    ),
)
def test_gpus_for_a_time_in_any_order(gpus, time, unit, form):
    name, hours = unit
    found = parse_budget(form.format(n=gpus, t=time, u=name))
    assert (found.gpus, found.gpu, found.gpu_hours) == (gpus, "h100-sxm", gpus * time * hours)


@pytest.mark.parametrize("gpus_alone", [False, True])
@pytest.mark.parametrize("text", [*MENDED, *ASKED])
def test_a_budget_that_is_proposed_is_one(text, gpus_alone):
    """An inverse: what an error says to write is read, with GPUs of the catalog, and is another."""
    try:
        parse_budget(text, gpus_alone=gpus_alone)
    except InputError as error:
        _, _, said = str(error).partition("write ")
        proposed = PROPOSED.findall(said)
        assert text not in MENDED or MENDED[text] in proposed
        for one in proposed:
            # of the time alone where the rest is right
            budget = parse_budget("8 h100-sxm for 7 days" if one == "7 days" else one)
            assert one != text
            assert budget.gpu is None or gpu(budget.gpu)
    else:
        assert gpus_alone
        assert text not in MENDED


@given(st.floats(1e12, 1e30))
def test_flops_come_back(flops):
    assert parse_budget(repr(flops)).flops == flops
    assert parse_budget(f"{flops / 8.64e19!r} PF-days").flops == pytest.approx(flops, rel=1e-12)


@given(st.text(alphabet="0123456789.,xX*^eE+- kMBTPhHdwGgUu$fFlLoOpsS/:", max_size=24))
def test_any_text_is_read_or_refused(text):
    for read in (parse_budget, sized):
        with suppress(InputError):
            assert read(text)


WRITTEN = {
    ("--deadline", "7"): "'7' does not say 7 of what; write e.g. '7 days' or '7 hours'",
    ("--deadline", "90m"): "'90m' is not a time",
    ("--deadline", "1.500 hours"): "1.500 may be 1,500 or 1.5",
    ("--max-cost", "20.000"): "20.000 may be 20,000 or 20",
    ("--max-cost", "$20.000"): "20.000 may be 20,000 or 20",
    ("--gpus", "1.000"): "1.000 may be 1,000 or 1",
    ("--students", "2.000"): "2.000 may be 2,000 or 2",
    ("--vocab", "32.000"): "32.000 may be 32,000 or 32",
    ("--vocab", "32"): "32 rows of vocabulary; did you mean 32k?",
    ("--context", "8.192"): "8.192 may be 8,192 or 8.1920",
    ("--context", "8"): "8 tokens of context; did you mean 8k?",
    ("--context", "0.5"): "is fewer than 128",
    ("--inference-tokens", "30"): "30 tokens; did you mean 30B?",
    ("--assert", "cost_usd <= 5.000"): "5.000 may be 5,000 or 5",
}
"""Options of a plan that are not read silently as a small number, and what is asked."""


@pytest.mark.parametrize("option", WRITTEN, ids=str)
def test_a_number_that_nobody_means_is_asked_about(option):
    found = run("budget", "64 h100-sxm for a week", "--student", "1B", "--quick", *option)
    assert (found.returncode, found.stdout) == (2, "")
    assert WRITTEN[option] in found.stderr


@pytest.mark.parametrize("left", ["0k", "k", "0,000", ",000", "00000", ".5M", ".50", "20k"])
def test_what_a_shell_leaves_of_dollars_is_explained(left):
    """Of $20k, $5k, $20,000, $5,000, $500000, $1.5M, $2.50 and $120k in double quotes."""
    for words in ((left,), (left, "--gpu", "h100-sxm")):
        found = run("budget", *words, "--student", "1B", "--quick")
        assert found.returncode == 2
        assert "so write '$20k' with single quotes" in found.stderr


BLAMED = {
    ("64 h1000 for 7 days", "--gpu", "h100-sxm"): "COMPUTE: unknown name 'h1000'",
    ("10k to 20k GPU-hours", "--gpu", "h100-sxm"): "COMPUTE: '10k to 20k GPU-hours' is not a n",
    ("1e20 to 1e21",): "COMPUTE: '1e20 to 1e21' is not a number",
    ("1e", "21"): "COMPUTE: '1e 21' is not a number",
    ("10 PF-days per student",): "unknown suffix 'PF-days per student'",
    ("1e21 in 3 weeks",): "is a budget without a time; write 1e21 and --deadline '3 weeks'",
    ("1e21 for 3 weeks",): "is a budget without a time; write 1e21 and --deadline '3 weeks'",
    (
        *("1e21", "--teacher-bpb", "0.7", "--bytes-per-token", "0.23", "--logits", "cached"),
    ): "--teacher-bpb: 0.111597 nats is at or below",
    ("1e21", "--teacher-loss", "1.95 nats"): "write 1.95 and --loss-unit nats/token",
    ("1e21", "--teacher-loss", "0.7 bpb"): "write 0.7 and --loss-unit bits/byte",
    # 500 GB at 4.3 bytes for each token
    ("--tokens", "500 GB of text"): "English text has about 4.3 per token, so write about 116B",
}


@pytest.mark.parametrize("words", BLAMED, ids=str)
def test_what_is_wrong_is_blamed_and_what_is_advised_is_right(words):
    found = run("budget", *words, "--student", "1B", "--quick")
    assert (found.returncode, found.stdout) == (2, "")
    assert BLAMED[words] in found.stderr


@pytest.mark.parametrize("country", ["US", "us", "USA", "United States"])
def test_a_country_has_two_letters_as_well(country):
    assert grid(country).code == "USA"
    assert (grid("UK").code, grid("DE").code) == ("GBR", "DEU")


@pytest.mark.parametrize(
    ("assertion", "wanted"),
    [
        ("odds.distill >= 50%", 0.5),
        ("wall_seconds <= 7 days", 7 * 86_400),
        ("wall_seconds <= 7", 7),
        ("memory_bytes_per_gpu <= 80GB", 80e9),
        ("memory_bytes_per_gpu.high <= 16 GiB", 16 * 2**30),
        ("gpu_hours <= 10k", 10_000),
    ],
)
def test_demands_have_units(assertion, wanted):
    assert parse_assertion(assertion).wanted == pytest.approx(wanted, rel=1e-12)


CHOICES = {
    ("--precision", "FP8"): ("--precision", "fp8"),
    ("--precision", "bfloat16"): ("--precision", "bf16"),
    ("--optimizer", "AdamW"): ("--optimizer", "adam"),
    ("--sharding", "fsdp"): ("--sharding", "zero3"),
    ("--checkpointing", "Full"): ("--checkpointing", "full"),
}


@pytest.mark.parametrize("words", CHOICES, ids=str)
def test_choices_are_known_by_other_names(words):
    asked = ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", "-o")
    assert run(*asked, "JSON", *words).stdout == run(*asked, "json", *CHOICES[words]).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--logits", "top-k"), "for that there is --logit-format top-k"),
        (("--logits", "cahced"), "did you mean 'cached'?"),
        (
            ("-o", "jsn"),
            "--output: 'jsn' is none of table, json, jsonl, csv, markdown; did you mean",
        ),
    ],
)
def test_a_mistyped_choice_is_answered_with_the_nearest(words, said):
    found = run("budget", "1e21", "--student", "1B", "--teacher", "7B:2T", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr


LENGTHS = {
    "604800s": 168,
    "90 s": 0.025,
    "90 sec": 0.025,
    "2 days 12 hours": 60,
    "2 days and 12 hours": 60,
    "1w, 2d": 216,
    "1d 2h 30min": 26.5,
    "1d12h": 36,
    "2 days 1,000 hours": 1048,
    "half a day": 12,
    "a week and 2 days": 216,
    "in 3 days": 72,
    "within 2 weeks": 336,
    "2-12:00:00": 60,  # days-hours:minutes:seconds, as in Slurm's --time
    "36:30:00": 36.5,
}


@pytest.mark.parametrize("text", LENGTHS, ids=str)
def test_lengths_of_time_are_read_as_people_write_them(text):
    assert parse_hours(text) == LENGTHS[text]


@pytest.mark.parametrize(
    "text",
    ["by Friday", "2026-12-24", "2026-12-24 18:00", "Dec 24", "24.12.2026", "12/24/2026", "May 3"],
)
def test_a_deadline_is_a_length_of_time_and_no_day(text):
    with pytest.raises(InputError, match="is a point in time; write how long there is until then"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["$20k for 60 days", "$20k for 2 months", "20k USD over 60 days"])
def test_money_for_a_time_has_a_deadline(text):
    with pytest.raises(InputError, match=r"20k.* is a budget without a time; .*'60 days'"):
        parse_budget(text)


def test_gpus_are_rented_for_days_and_hours():
    for text in ("8 h100-sxm for 2 days 12 hours", "2d12h on 8 h100-sxm", "8 h100-sxm, 2d and 12h"):
        assert parse_budget(text)[1:5] == (480, None, 8, "h100-sxm")
    for text in (
        "40 h100-sxm for half a day",
        "20 h100-sxm for 1-00:00:00",
        "20 h100-sxm 24:00:00",
    ):
        assert parse_budget(text).gpu_hours == 480
    for text in ("8 h100-sxm until Friday", "64 h100-sxm by 2026-12-24", "$5k by Friday"):
        with pytest.raises(InputError, match="is a point in time"):
            parse_budget(text)


def test_the_name_of_a_rack_does_not_say_how_many_gpus_there_are():
    """NVL72 is 72 GPUs on one NVLink domain (NVIDIA's datasheet of GB200 NVL72)."""
    words = ("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "GB200 NVL72")
    assert "write --gpu gb200 --gpus 72" in run(*words).stderr
    assert run(*words, "--gpus", "72").returncode == 0


MACHINES_ASKED = {
    # at 1000 TFLOP/s, 2.45e9 FLOPs per token and pass allow about 0.3M tokens per second
    ("--tokens-per-s", "1T"): "--tokens-per-s: 1.00T tokens per second is more than one h100-sxm",
    # 1B parameters: 2201 channels are 17 heads of 128 (Appendix G of the paper)
    ("--gpus", "64", "--tp", "64"): "--tp: 64 is more than the 17 attention heads",
    # 1,000,000 GPUs with a sequence of 4096 tokens each have 4.1B in a step
    ("--gpus", "1M", "--micro-batch", "1"): "more than the whole run of 1.00B",
    ("--batch-tokens", "10B"): "more than the whole run of 1.00B",
    ("--mfu", "40"): "--mfu: 40 is above 1; did you mean 40%?",
}
"""Options of a run of 1B parameters on 1B tokens, and what is asked."""


@pytest.mark.parametrize("options", MACHINES_ASKED, ids=str)
def test_a_machine_that_cannot_be_is_refused(options):
    found = run("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm", *options)
    assert (found.returncode, found.stdout) == (2, "")
    assert MACHINES_ASKED[options] in found.stderr
    assert "inf" not in found.stderr


def test_a_rate_that_a_gpu_can_have_is_kept():
    found = run(
        *("estimate", "--model", "1B", "--tokens", "1B", "--gpu", "h100-sxm"),
        *("--tokens-per-s", "50k"),
    )
    assert found.returncode == 0


def test_a_gpu_that_the_budget_names_is_a_fault_of_the_budget():
    found = run("budget", "64 H100 for a week", "--student", "1B")
    assert "COMPUTE: 'h100' is sold in several variants" in found.stderr


@pytest.mark.parametrize(
    ("text", "advised"),
    [
        ("8xH100", "8 h100-sxm for 7 days"),
        ("2 nodes of 8 A100", "2 nodes of 8 a100-40gb for 7 days"),
        ("64 A100s", "64 a100-40gb for 7 days"),
        ("h100 for 3 weeks", "8 h100-sxm for 3 weeks"),
        ("3 weeks on H200", "8 h200-sxm for 3 weeks"),
        ("8 b200", "8 b200 for 7 days"),
        ("RTX 4090", "8 RTX 4090 for 7 days"),
        ("3 weeks", "8 h100-sxm for 3 weeks"),
    ],
)
def test_what_is_advised_needs_no_further_question(text, advised):
    with pytest.raises(InputError) as caught:
        parse_budget(text)
    assert f"write '{advised}'" in str(caught.value)
    assert gpu(parse_budget(advised).gpu).name


def test_the_variants_of_a_gpu_are_named():
    with pytest.raises(InputError, match="; h100 is h100-sxm, h100-pcie, h100-nvl or h100-96gb"):
        parse_budget("8xH100")


@pytest.mark.parametrize("budgets", ["1e20:1e22:3", "1e20:1e22", "1e20,1e21", "1e20, 3e20, 1e21"])
@pytest.mark.parametrize("command", [("budget",), ("plot", "map", "-o", "map.svg")])
def test_several_budgets_point_to_the_command_that_takes_them(budgets, command):
    found = run(*command, "--compute", budgets, "--student", "1B")
    assert (found.returncode, found.stdout) == (2, "")
    assert "is several budgets, which distillplan sweep --compute takes" in found.stderr
    assert found.stderr.rstrip().endswith("write one: '1e20'")


@pytest.mark.parametrize(
    ("file", "write"),
    [
        ("plan.json", "write -o json > plan.json"),
        ("my plan.csv", "write -o csv > 'my plan.csv'"),
        ("plan.md", "write -o markdown > plan.md"),
        ("plan.txt", "write -o table > plan.txt"),
        ("plan.xlsx", "'xlsx' is none of table, json, jsonl, csv, markdown"),
    ],
)
def test_a_file_in_place_of_a_form_is_told_how_to_be_written(file, write):
    found = run("budget", "1e21", "--student", "1B", "-o", file)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.rstrip().endswith(write)
