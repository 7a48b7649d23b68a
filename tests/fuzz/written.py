"""Values as people, programs and cats write them."""

from collections.abc import Callable, Sequence
from random import Random

SIZES = ("1B", "300M", "3B", "7b", "70B", "1.5B", "1,500M", "0.5 B", "143e6", "1e9", "8B", "13B")
TOKENS = ("100B", "20B", "2T", "1T", "15T", "1.4e12", "300 B", "60B", "14,800B", "1e10")
BUDGETS = (
    *("1e21", "1e20", "3e22", "1e23", "1e19", "1e25", "1 ZFLOP", "10 PF-days", "1e21 FLOPs"),
    *("64 h100-sxm for 7 days", "8 a100-80gb for 36h", "5k gpu-hours", "$20k", "20k USD", "$1M"),
)
TIMES = ("7 days", "36h", "2 weeks", "1 hour", "0.5d", "30 days")
MONEY = ("$20k", "20000", "$1M", "2.49", "0", "500 USD")
MEMORY = ("80GB", "16 GiB", "1e9", "141 GB", "24GB")
WHOLES = ("1", "2", "4", "8", "16", "64", "256", "1024")
SHARES = ("0.4", "0.35", "0.9", "1", "0.05", "20%", "5%", "0.5")
NATS = ("2.2", "1.95", "2.0", "2.5", "2.31", "1.8", "3.0", "0.01", "0.02")
LOSS_UNITS = (
    "nats",
    "bits",
    "bpb",
    "ppl",
    "nats-per-token",
    "bits/byte",
    "perplexity",
    "nats/token",
)
GPUS = ("h100-sxm", "a100-80gb", "H100-SXM", "h100", "b200-sxm", "mi300x", "v100-16gb", "gpu.yaml")
LAWS = (
    *("busbridge2025", "busbridge2025_printed", "hoffmann2022_a3", "kaplan2020", "besiroglu2024"),
    *("busbridge2025_figure1", "law.yaml", "alone.yaml", "gadre2024_c4", "muennighoff2023_c4"),
)
MODELS = (
    "7B",
    "llama-3.1-8b",
    "llama-3.2-1b",
    "config.json",
    "300M",
    "meta-llama/Llama-3.1-8B",
    "70B",
)
COUNTRIES = ("FRA", "Germany", "USA", "france", "POL")
TEACHERS = ("7B:2T", "7B", "3B:1T", "70B:15T", "1B:20B", "671B:14.8T", "13b:1.4t")

NUMBERS = (
    *("0", "-0", "0.0", "-1", "1", "2", "7", "1.5", "0.5", "3.14159", "1e-300", "5e-324", "1e-5"),
    *("1e308", "1.8e308", "1e309", "1e400", "1e99999", "-1e21", "nan", "NaN", ".nan", "inf"),
    *("-inf", ".inf", "Infinity", "1e", "e5", "1e+", "0x1F", "010", "0o17", "0b1", "1_000"),
    *(
        "1,000",
        "1.000.000",
        "1,5",
        "1/3",
        "½",
        "٣B",
        "１B",
        "7 B",
        "7bn",
        "7 billion",
        "7G",
        "1e3B",
    ),
    *("1B:", ":", "1:2:3", ":1T", "9" * 400, "1" + "0" * 400, "0." + "0" * 330 + "1", "1e21/s"),
    *("$", "$$5", "5$", "-$5", "1e9 h100-sxm for 1e9 days", "0 h100-sxm for 1 day", "0 gpu-hours"),
    *("64 h100 for 7 days", "1 fortnight", "0GB", "100%", "-5%", "1e5%", "5 %", "101%", "+1e21"),
    *("4300000000", "32768", "1e15", "1e16", "1e18", "1e30", "1e-9", "12.6B", "99P", "1e22", "1k"),
    *("18446744073709551616", "9223372036854775807", "2147483648", "-9223372036854775808"),
)
"""Numbers at borders, beyond them, and what only looks like one."""
WORDS = (
    *("", " ", "\t", "true", "false", "null", "~", "None", "yes", "on", "off", "none", "all"),
    *("distill", "supervised", "online", "cached", "free", "published", "paper", "full", "x", "-"),
    *("--", "-o", "--quick", "=", "a=b", "=1", "a=", "[1, 2]", "{a: 1}", "[]", "{}", "a,b", ","),
    *("1,2,3", "'", '"', "\\", "`", "%", "%s", "{0}", "$HOME", "*", "?", "#", "!", "|", ";", "&a"),
    *("*a", "<<", "!!int 3", "2026-01-01", "1:50:10", "nosuch.yaml", "nosuch.json", ".", "..", "é"),
    *(
        "日本語",
        "🦙",
        "\u202e7B",
        "a\u0301",
        "\ufeff1B",
        "\u00a01B",
        "1B\u200b",
        "\x1b[31mred",
        "\x00",
    ),
    *("a\nb", "a\r\nb", "\x7f", "\x85", "\u2028", "\x9b31m", "\udcff", "x" * 300, "k" * 11_000),
    *(
        "İ",
        "ß",
        "ﬁ",
        "−1",
        "1−2",
        "≤",
        "∞",
        "1e²¹",
        "10²¹",
        "__class__",
        "self",
        "print",
        "verdict",
    ),
)
"""Everything else."""
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    " !\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~",
    "0123456789.eE+-,_ kKmMbBtT:%$",
    "\x00\x01\x07\x08\t\n\x0b\r\x1b\x1f\x7f\x80\x85\x9b\xa0\xad",
    "éßøλжיمあ漢字🦙👩\u200d🔬\u0301\u200b\u202e\u2028\u2066\ufeff\ufffd\U0010ffff",
)


def garbage(random: Random) -> str:
    """Characters without a sense."""
    alphabet = random.choice(ALPHABETS)
    if random.random() < 0.3:
        alphabet += random.choice(ALPHABETS)
    return "".join(random.choices(alphabet, k=random.randint(1, 12)))


def odd(random: Random) -> str:
    """What hardly anybody means."""
    chance = random.random()
    if chance < 0.6:
        return random.choice(NUMBERS)
    return random.choice(WORDS) if chance < 0.9 else garbage(random)


def number(random: Random) -> str:
    """A number of any size."""
    digits = random.choice(("{:.3g}", "{:.0f}", "{:g}", "{!r}", "{:.2e}"))
    return digits.format(10 ** random.uniform(-4, 26))


def one_of(*usual: Sequence[str]) -> Callable[[Random], str]:
    """A sampler of usual values; of each list as often."""
    return lambda random: random.choice(random.choice(usual))


def several(sample: Callable[[Random], str]) -> Callable[[Random], str]:
    """A sampler of axes: a list, or a range."""

    def values(random: Random) -> str:
        if random.random() < 0.3:
            ends = sorted((sample(random), sample(random)))
            count = random.choice(("2", "3", "4", "1", "0", "2.5", "1e9", "10001", "nan", ""))
            return f"{ends[0]}:{ends[1]}:{count}"
        return ",".join(sample(random) for _ in range(random.randint(1, 3)))

    return values


def sizes_and_tokens(random: Random) -> str:
    """A model and its tokens."""
    if random.random() < 0.6:
        return random.choice(TEACHERS)
    return f"{random.choice(SIZES)}:{random.choice(TOKENS)}"


HINTS: tuple[tuple[str, Callable[[Random], str]], ...] = (
    ("quanti", one_of(("int4", "int4", "INT4", "int8", "fp8"))),
    ("request", one_of(("1000:200", "128:128", "8k:1k", "1000:0", "0:10", "1000", "1e9:1"))),
    ("match", sizes_and_tokens),
    ("per_day", one_of(("1B", "10M", "1T", "1000", "0", "1e15"))),
    ("days", one_of(("180", "30", "1", "3650", "0", "1e6"))),
    ("answer_tokens", one_of(("1000", "8k", "200", "1", "100k"))),
    ("updates", one_of(("150", "1", "1000", "0", "1e6"))),
    ("answers", one_of(("64", "1", "8", "0", "1024"))),
    ("score", one_of(SHARES, ("66%", "0%", "1e-9", "100%"))),
    ("tokenizer", one_of(("llama-3", "qwen", "gpt", "x"))),
    ("license", one_of(("commercial", "distilling", "apache", "x"))),
    ("losses", one_of(("measured.csv",))),
    ("bytes_per_token", one_of(("4.3", "3.5", "4.3", "1", "0.5"))),
    ("loss_unit", one_of(LOSS_UNITS)),
    ("compute", one_of(BUDGETS)),
    ("budget", one_of(BUDGETS)),
    ("tokens_per_s", one_of(("10000", "5e3", "450"))),
    ("batch_tokens", one_of(("524288", "1M", "4M", "2e6"))),
    ("teacher_tokens", one_of(TOKENS)),
    ("tokens", one_of(TOKENS)),
    ("teacher_mfu", one_of(SHARES)),
    ("params", one_of(SIZES)),
    ("student", one_of(SIZES)),
    ("teacher_loss", one_of(NATS)),
    ("bpb", one_of(("0.72", "0.9", "1.1"))),
    ("loss", one_of(NATS)),
    ("tie", one_of(("0.01", "0", "0.002"))),
    ("gpu_", one_of(("10000", "5k", "1e6", "200"))),
    ("gpus", one_of(WHOLES)),
    ("gpu", one_of(GPUS)),
    ("prices", one_of(("prices.csv",))),
    ("price", one_of(MONEY)),
    ("mfu", one_of(SHARES)),
    ("goodput", one_of(SHARES)),
    ("share", one_of(SHARES)),
    ("chance", one_of(SHARES)),
    ("country", one_of(COUNTRIES)),
    ("deadline", one_of(TIMES)),
    ("hours", one_of(TIMES)),
    ("usd", one_of(MONEY)),
    ("memory", one_of(MEMORY)),
    ("vocab", one_of(("32000", "128256", "32768", "50257"))),
    ("context", one_of(("4096", "8192", "131072"))),
    ("aspect", one_of(("128", "64", "100"))),
    ("omega", one_of(("12", "13.3"))),
    ("teacher", sizes_and_tokens),
    ("params:tokens", sizes_and_tokens),
    ("model", one_of(MODELS)),
    ("parent", one_of(MODELS)),
    ("start_law", one_of(("p2.yaml", "p2.yaml", "law.yaml"))),
    ("law", one_of(LAWS)),
    ("nats", one_of(NATS)),
    ("warmup", one_of(("0.01", "0", "0.05"))),
    ("decay", one_of(("0.1", "0.2", "0.05"))),
    ("risk", one_of(SHARES)),
    ("bytes", one_of(("4.3", "3.5", "1"))),
    ("unit", one_of(LOSS_UNITS)),
)
"""Usual values, by a part of a word; the first that is in it counts. Unknown words get numbers."""


def usual(word: str, random: Random) -> str:
    """A usual value for an option, a key or a column of this name."""
    name = word.lower().replace("-", "_").replace(".", "_")
    for part, sample in HINTS:
        if part in name:
            return sample(random)
    return random.choice(WHOLES) if random.random() < 0.7 else number(random)
