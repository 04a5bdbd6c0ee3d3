"""A name as written -> what identifies the model, and what is only a setting of the run. Structure, never resemblance.

Two spellings of one name give the same `words` (family, version, size, edition) and `date`; order, case, separators,
host prefixes and run settings do not count. Words that this file does not know always identify.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace

from data.records import EFFORTS

MAKER_WORDS = frozenset(
    [
        "openai",
        "anthropic",
        "google",
        "meta",
        "amazon",
        "microsoft",
        "nvidia",
        "xiaomi",
        "alibaba",
        "zai",
        "ibm",
        "baidu",
        "tencent",
        "bytedance",
        "moonshotai",
        "minimaxai",
        "inclusionai",
        "xai",
        "cohere",
        "ai21",
        "stepfun",
        "databricks",
        "snowflake",
        "upstage",
        "liquid",
    ]
)
SAME_WEIGHTS = frozenset(
    [
        "instruct",
        "it",
        "chat",
        "hf",
        "latest",
        "basic",
        "fp8",
        "fp16",
        "bf16",
        "fp4",
        "nvfp4",
        "mxfp4",
        "bfloat16",
    ]
)
LEADING = MAKER_WORDS | {"open"}  # open-mixtral is mixtral; gpt-oss and muse-spark-open keep theirs
PREVIEWS = frozenset({"preview", "beta"})
MONTHS = {
    m: n for n, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
QUANTISED = re.compile(r"(?:^|[-_ :])(?:q\d(?:[_-]\w+)?|awq|gptq|gguf|\d-?bit|int[48])(?=$|[-_ :)])")
ENSEMBLE = re.compile(r"\S\s+\+\s+\S|\S\s+&\s+\S|\S\s+w/\s*\S")
HOST_PREFIX = re.compile(r"^(?:(?:us|eu|apac|global|regional)\.)?[a-z0-9]{2,}\.(?=[a-z]{2})")
BARE_VERSION = re.compile(r"^(?:(?:us|eu|apac|global|regional)\.)?([a-z]+)\.(?=[a-z]\d)")  # deepseek.r1 needs its maker
CLOUD_VERSION = re.compile(r"(?:(?<=\d{8})[-_]v\d+|[-_]v1|[-_]\d):\d+(?=$|[@:])|:\d+$")
OFFER_SUFFIX = re.compile(r":(?:free|batch|extended|nitro|floor|online|exacto|beta)$")
SERVING = frozenset({"versatile", "instant"})  # after a size: how a host serves it; elsewhere part of the name
PLAIN_RUN = re.compile(r"(?<=\d{8})-base$")  # a dated snapshot is no base weights
REVISION = re.compile(r"(?<=[ -]\d{4})[ -](v\d)(?=\s*$)")  # of a snapshot that is named by its day
COLON_SETTING = re.compile(r":\s*((?:no|non|extended|max)?[- ]?(?:thinking|reasoning)(?:[- ]enabled)?)$")
SPLIT_SIZE = re.compile(r"(?<=\db)\s*/\s*(?=a\d+b\b)")
BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
DAY = re.compile(r"(?<!\d)(20[2-3]\d)[-_/]?([01]\d)[-_/]?([0-3]\d)(?!\d)")
MONTH_YEAR = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[\s']*(?:20)?(\d\d)\b")
DAY_YEAR = re.compile(r"(?<![\d.])([01]\d)[-/]([0-3]\d)[-/](20[2-3]\d)(?!\d)")
MONTH_THEN_YEAR = re.compile(r"(?<![\d.])(0[1-9]|1[0-2])[-/](20[2-3]\d)(?!\d|-\d)")
MONTH_DAY = re.compile(r"(?<![\d.])([01]\d)[-/]([0-3]\d)(?![\d.])")
YEAR_MONTH = re.compile(r"(?<![\d.])(2[3-9])-([01]\d)(?![\d.-])")
STAMP = re.compile(r"(?<![\d.])(0[1-9][0-3]\d|1[0-2][0-3]\d|2[3-9][01]\d|00\d)(?![\d.]|b\b|k\b)")
STATUS = re.compile(r"deprecated|retired|ga$|new|legacy|limited availability|preview pricing|except\b|no longer")
BUDGET = re.compile(r"^(\d{1,3}k)$")
SETTING = re.compile(
    r"(?:(?P<no>no|non|without)[ -]*(?:extended[ -]*)?(?:think(?:ing)?|reasoning)(?:[ -]enabled)?|(?P<budget>\d+k)[ -]*(?:think(?:ing)?|reasoning)?(?: tokens)?|"
    r"(?:think(?:ing)?|reasoning)[ -]*(?P<budget2>\d+k)|(?P<adaptive>adaptive|auto)[ -]*(?:thinking|reasoning)|"
    r"(?P<effort>minimal|low|medium|high|xhigh|max|none)(?:[ -]*(?:effort|reasoning|thinking))?|"
    r"(?:thinking|reasoning)(?:[_ -]effort)?[=: -]+(?P<stated>minimal|low|medium|high|xhigh|max|none)|temperature=(?P<heat>[\d.]+)|t=(?P<t>[\d.]+)|"
    r"(?P<on>(?:extended[ -])?(?:think(?:ing)?|reasoning|reasoner)(?:[ -]enabled)?)|(?P<mode>fc|prompt)|(?P<search>search|grounding)|(?P<harness>[a-z]+-harness))"
)
TAIL = re.compile(r"[ ,]+(?:diff|whole|architect|udiff)(?=[ ,]|$).*$|\s+(?:with|via|on|using)\s+.*$|,.*$")


@dataclass(frozen=True)
class Name:
    """`words`: sorted, what identifies. `dates`: normalised stamps. `blocked`: why this is no single model."""

    words: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    preview: frozenset[str] = frozenset()
    spelled: frozenset[str] = frozenset()  # words that were dropped as the same weights
    variant: dict[str, str] = field(default_factory=dict)
    slug: str = ""  # the name in the manner of an API id, settings left out
    raw: str = ""  # the same with every word where it stood
    blocked: str = ""

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(w for w in self.words if is_size(w))

    @property
    def sizeless(self) -> tuple[str, ...]:
        return tuple(w for w in self.words if not is_size(w))


def is_size(word: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:\.\d+)?[bt]|\d+x\d+b|e\d+b", word))


def readings(text: str) -> list[Name]:
    """Every way to read a name, the strictest first: a last word like `medium` or `thinking` may belong to the model."""
    whole = read(text)
    if whole.blocked or not whole.words:
        return [whole]
    out, current = [whole], whole
    for _ in range(3):
        shorter = _without_last_setting(current)
        if shorter is None:
            break
        out.append(shorter)
        current = shorter
    return out


def read(text: str) -> Name:
    """The strict reading: bracketed and spelled-out settings are taken off, everything else identifies."""
    flat = unicodedata.normalize("NFKC", text[:400]).casefold()
    flat = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in flat).strip()
    if flat.startswith("ft:") or re.search(r"[.:]ft[-:]", flat):
        return Name(blocked="somebody's own tuning of a model")
    if ENSEMBLE.search(flat):
        return Name(blocked="several models in one name")
    if QUANTISED.search(flat) or flat.startswith("ollama/"):
        return Name(blocked="a local build, not a service that is priced")
    variant: dict[str, str] = {}
    dates: list[str] = []
    flat = SPLIT_SIZE.sub(" ", flat)
    if colon := COLON_SETTING.search(flat):
        _setting(colon.group(1), variant)
        flat = flat[: colon.start()]
    flat = _take_brackets(flat, variant, dates)
    if plain_run := PLAIN_RUN.search(flat):  # beside runs called thinking, this one is the other
        variant.setdefault("thinking", "off")
        flat = flat[: plain_run.start()]
    if revision := REVISION.search(flat):
        variant["edition"] = revision.group(1)
        flat = flat[: revision.start()] + flat[revision.end() :]
    tail = TAIL.search(flat)
    if tail:
        _tail_settings(tail.group(), variant)
        flat = flat[: tail.start()]
    raw = re.sub(r"[^a-z0-9.]+", "-", _bare(flat).replace("+", "-plus")).strip("-")
    raw = "-".join((raw, *(d for d in dates if d not in raw.replace("-", ""))))
    flat = _bare(_take_dates(flat, dates))
    words, spelled, preview = _words(flat)
    kept = tuple(sorted(words))
    slug = "-".join((*words, *sorted(preview), *dates)) if words else ""
    return Name(kept, tuple(dates), preview, spelled, variant, slug, raw, "" if kept else "no name in it")


def api_slug(price_id: str) -> str:
    """The maker's own writing of an id, without host prefixes, offers, cloud versions and a moving `-latest`."""
    slug = re.sub(r"[-_]v1(?:[:.@]0)?$", "", _bare(price_id.casefold())).partition(":")[0].replace("_", "-")
    return slug.replace(" ", "-").removesuffix("-latest").removesuffix("-maas") or price_id.casefold()


def _bare(text: str) -> str:
    """Without paths, host and region prefixes, offer suffixes and cloud version marks."""
    text = text.removeprefix("@").rsplit("/", 1)[-1].strip()
    text = OFFER_SUFFIX.sub("", text)
    text = CLOUD_VERSION.sub("", text)
    text = BARE_VERSION.sub(r"\1-", text)
    while (shorter := HOST_PREFIX.sub("", text, count=1)) != text:
        text = shorter
    return re.sub(r"(?<=\d)p(?=\d)", ".", text)


def _take_brackets(text: str, variant: dict[str, str], dates: list[str]) -> str:
    def one(found: re.Match[str]) -> str:
        inner = found.group(1).strip()
        rest = _take_dates(inner, dates)
        left = [part for part in re.split(r"[,;]\s*", rest.strip(" -")) if part and not _setting(part.strip(), variant)]
        kept = [p for p in left if not STATUS.match(p.strip())]
        return f" {' '.join(kept)} "

    return BRACKETS.sub(one, text)


def _tail_settings(text: str, variant: dict[str, str]) -> None:
    for part in re.split(r"[,()]\s*|\s+(?=/?no_think)", text):
        _setting(part.strip().lstrip("/").replace("_", " "), variant)
    variant.setdefault("harness", re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:60])


def _setting(text: str, variant: dict[str, str]) -> bool:
    """Read one setting into `variant`; False where the text is none."""
    found = SETTING.fullmatch(text)
    if found is None:
        return False
    got = found.groupdict()
    if got["no"]:
        variant["thinking"] = "off"
    elif budget := got["budget"] or got["budget2"]:
        variant["thinking"] = budget
    elif got["adaptive"]:
        variant["thinking"] = got["adaptive"]
    elif effort := got["effort"] or got["stated"]:
        variant["effort"] = effort
    elif heat := got["heat"] or got["t"]:
        variant["temperature"] = heat
    elif got["on"]:
        variant.setdefault("thinking", "on")
    elif got["mode"]:
        variant["mode"] = "FC" if got["mode"] == "fc" else "prompt"
    elif got["search"]:
        variant["tool"] = "search"
    elif got["harness"]:
        variant["harness"] = got["harness"].removesuffix("-harness")
    return True


def _take_dates(text: str, dates: list[str]) -> str:
    def day(m: re.Match[str]) -> str:
        dates.append("".join(m.groups()))
        return " "

    def month(m: re.Match[str]) -> str:
        dates.append(f"{m.group(2)}{MONTHS[m.group(1)]:02d}")
        return " "

    def stamp(m: re.Match[str]) -> str:
        dates.append("".join(m.groups()))
        return " "

    def year_last(m: re.Match[str]) -> str:
        *rest, year = m.groups()
        dates.append("".join((year, *rest)) if len(rest) == 2 else year[2:] + rest[0])
        return " "

    text = DAY.sub(day, text)
    text = DAY_YEAR.sub(year_last, text)
    text = MONTH_THEN_YEAR.sub(year_last, text)
    text = MONTH_YEAR.sub(month, text)
    text = YEAR_MONTH.sub(stamp, text)
    text = MONTH_DAY.sub(stamp, text)
    return STAMP.sub(stamp, text)


def _words(text: str) -> tuple[list[str], frozenset[str], frozenset[str]]:
    """Words that identify, in order; words dropped as naming the same weights; preview words."""
    text = re.sub(r"(?<![\d.a-z])(\d{1,2})[-_ ](\d{1,2})(?![\d.]*[a-z\d])", r"\1.\2", text)
    text = re.sub(r"([a-z]\d)[-_](\d)(?![\d.]*[a-z\d])", r"\1.\2", text)
    raw = [w for w in re.split(r"[^a-z0-9.+]+", text) if w.strip(".")]
    words: list[str] = []
    for word in raw:
        word = word.strip(".")
        if word in SAME_WEIGHTS:  # mxfp4 and bfloat16 are no family with a version
            words.append(word)
        elif (split := re.fullmatch(r"([a-z]{3,})(\d+(?:\.\d+)?)", word)) or (
            split := re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]{3,})", word)
        ):
            words.extend(split.groups())
        else:
            words.append(word)
    experts = any(re.fullmatch(r"\d+e", w) for w in words)
    kept: list[str] = []
    spelled, preview = set(), set()
    for n, word in enumerate(words):
        word = re.sub(r"\.0$", "", word)
        word = {"think": "thinking", "r+": "r-plus", "xs": "xs"}.get(word, word)
        if (
            (word in LEADING and n == 0 and len(words) > 1)
            or word == "v1"
            or re.fullmatch(r"a\d+(?:\.\d+)?b|\d+e|v1", word)
        ):
            continue
        if word in SAME_WEIGHTS or (word in SERVING and any(is_size(w) for w in words)):
            spelled.add(word)
        elif word in PREVIEWS:
            preview.add(word)
        elif not (experts and is_size(word)):
            kept.extend(word.split("-"))
    return kept, frozenset(spelled), frozenset(preview)


def _without_last_setting(name: Name) -> Name | None:
    """The reading that takes the last words of the name as a setting, where they can be one."""
    slug = name.slug.split("-")
    words = [w for w in slug if w in name.words]
    if len(words) < 2:
        return None
    last, before = words[-1], words[-2]
    variant = dict(name.variant)
    gone: list[str]
    if last == "effort" and before in EFFORTS:
        variant["effort"], gone = before, [last, before]
    elif (last in EFFORTS and last != "max") or (last == "max" and "effort" not in variant):
        variant["effort"], gone = last, [last]
    elif last == "nothinking":
        variant["thinking"], gone = "off", [last]
    elif last in ("thinking", "reasoning", "reasoner") and before in ("no", "non") and len(words) > 2:
        variant["thinking"], gone = "off", [before, last]
    elif last in ("thinking", "reasoner"):  # an open `reasoning` may be an edition of its own
        gone = [last]
        variant.setdefault("thinking", "on")
    elif last in ("auto", "none") and before == "thinking":
        variant["thinking"], gone = last, [last, before]
    elif found := re.fullmatch(r"(high|low|medium|max)thinking", last):
        variant["thinking"], gone = found.group(1), [last]
    elif BUDGET.fullmatch(last):
        variant["thinking"], gone = last, [last]
    elif last == "fc":
        variant["mode"], gone = "FC", [last]
    elif last in ("search", "grounding"):
        variant["tool"], gone = "search", [last]
    else:
        return None
    rest = words[: -len(gone)]
    spelled = "-".join((*rest, *sorted(name.preview), *name.dates))
    ending = re.search(
        r"-(?:" + "|".join((r"[a-z]*-?".join(gone), "-".join(reversed(gone)), "no-?thinking", "think")) + ")$", name.raw
    )
    raw = name.raw[: ending.start()] if ending else spelled
    return replace(name, words=tuple(sorted(rest)), variant=variant, slug=spelled, raw=raw)
