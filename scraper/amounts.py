"""Text -> amounts with currency, unit and qualifier; free; nothing. Refuses what it cannot read whole.

`$2.50 / 1M tokens`, `0.25$`, `12元`, `<= 200k $3`, `Free`: a number is an amount only with evidence that it is money,
which may come from the column (`bare=True`). Sizes, limits and multipliers are not amounts (HAZARDS X1, X3).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise

CURRENCIES = {
    "us$": "USD", "usd": "USD", "美元": "USD", "$": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "欧元": "EUR", "£": "GBP", "gbp": "GBP",
    "¥": "CNY", "rmb": "CNY", "cny": "CNY", "元": "CNY", "人民币": "CNY", "円": "JPY", "jpy": "JPY", "a$": "AUD", "ca$": "CAD",
    "c$": "CAD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD", "r$": "BRL", "₹": "INR", "₩": "KRW", "chf": "CHF",
}  # fmt: skip
SIGN = r"(?:(?<![a-z])(?:us\$|a\$|ca\$|c\$|hk\$|s\$|nt\$|r\$|usd|eur|gbp|rmb|cny|jpy|chf)|\$|€|£|¥|₹|₩)"
AFTER = r"\$|€|£|元|美元|円|usd|eur|gbp|rmb|cny|chf"
NUMBER = r"\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+(?:e-?\d+)?|\.\d+|\d+e-?\d+|0,\d{1,6}|\d+(?:,\d{1,2})?"
WHOLE = r"(?![\d,]*\d|\.\d)"  # nothing of the number is left behind
MONEY = re.compile(
    rf"(?P<sign>{SIGN})\s*(?P<n1>{NUMBER}){WHOLE}|(?<![\d.,])(?P<n2>{NUMBER}){WHOLE}\s*(?P<after>{AFTER})(?![a-z])"
)
BARE = re.compile(rf"^\s*(?P<n>{NUMBER})\s*$")
FREE = re.compile(r"^(?:limited[- ]time )?free(?: of charge)?$|^(?:限时)?免费$|^gratuit$|^kostenlos$|^gratis$|^不计费$")
NOTHING = re.compile(
    r"^(?:[-–—/\\.]*|n/?a|none|null|not available|not applicable|contact.*|coming soon|tbd|不支持|暂不支持|无|included)$"
)
SPOILT = "\ufffd"  # a character that its charset could not give
LONGEST = 2000  # characters of a text that may state a price
DIGIT = re.compile(r"\d")
DECOY = re.compile(r"[×x]\s*\$|\$[\d.]+\s*[×x=]|=\s*\$|\d+(?:\.\d+)?x\b|\buplift\b|\bmultiplier\b|\bper ccu\b|积分")

CONTINENTAL = {"EUR", "CHF"}  # where a comma is a decimal mark as often as not
ARROW = re.compile(r"^\s*(?:→|➔|➜|⇒|->|=>|»)\s*$")
THEN = re.compile(r"\b(?:then|afterwards|after that|later|danach|dann|puis|ensuite)\b|之后")
STARTING = re.compile(r"\b(?:from|starting (?:at|from)|ab|à partir de)\b|起|(?<=\d)起")
MANY = r"(?:1\s*m|1\s*mn|1,000,000|1000000|one million|a million|million|m|百万|1\s*百万|100\s*万|1?\s*mio\.?|millionen|1\s*million|1\s*million de|million de|millions? of)"
KIND = r"(?P<k>input/output |input and output |input |output |text |输入\s*|输出\s*|audio |image |cached )?"
TOKENS = rf"{KIND}(?:de |d')?(?:tokens?|toks?|jetons?|トークン)"
PER = r"(?:/|\bper|\bpro|\bpar|\bje|每)"
THOUSAND = r"(?:1\s*k|1,?000|1\.000|one thousand|a thousand|thousand|k|千)"
UNITS: tuple[tuple[str, str], ...] = (
    (rf"{PER}\s*{MANY}\s*[-]?\s*{TOKENS}.{{0,6}}(?:/|per)\s*h(?:ou)?r", "per_mtok_hour"),
    (rf"{PER}\s*{MANY}\s*[-]?\s*{TOKENS}", "per_mtok"),
    (r"100\s*万\s*(?:tokens?|トークン)", "per_mtok"),
    (rf"{PER}\s*mtoks?\b|百万\s*tokens?", "per_mtok"),
    (rf"{PER}\s*(?:1\s*m|million)\b(?!\s*(?:[a-z]|字符))", "per_mtok"),
    (rf"{PER}\s*{THOUSAND}\s*[-]?\s*{TOKENS}", "per_ktok"),
    (rf"{PER}\s*{MANY}\s*(?:chars?\b|characters?|zeichen|caractères|字符)", "per_1m_chars"),
    (rf"{PER}\s*{THOUSAND}\s*(?:chars?\b|characters?|zeichen|caractères|字符)", "per_1k_chars"),
    (rf"{PER}\s*万\s*字符", "per_10k_chars"),
    (rf"{PER}\s*{THOUSAND}\s*(?P<k>\w+ )?(?:pages?\b|seiten|页)", "per_1k_pages"),
    (rf"{PER}\s*{THOUSAND}\s*(?:images?\b|pictures|bilder|张)", "per_kimage"),
    (
        rf"{PER}\s*{THOUSAND}\s*(?P<k>\w+ )?(?:calls?|requests?|quer(?:y|ies)|search(?:es)?|prompts?|units?|aufrufe|appels|requêtes|次)",
        "per_kcall",
    ),
    (
        rf"{PER}\s*(?:(?:api|tool|search) )?(?:calls?|requests?|quer(?:y|ies)|search|use|aufruf|appel|requête|次)\b",
        "per_call",
    ),
    (rf"{PER}\s*(?:\w+ )?(?:megapixels?|mp)\b", "per_megapixel"),
    (
        rf"{PER}\s*(?:(?P<k>[124]k(?:/[124]k)?|generated|output|input) )?(?:images?|pictures?|bild|张)(?![a-z])",
        "per_image",
    ),
    (rf"{PER}\s*(?:videos?|clips?|条)(?![a-z])", "per_video"),
    (rf"{PER}\s*(?:generated |audio |video )?(?:seconds?|secs?|s|sekunde|seconde|秒)(?![a-z])", "per_second"),
    (rf"{PER}\s*(?:audio )?(?:minutes?|mins?|minute|分钟)(?![a-z])", "per_minute"),
    (rf"{PER}\s*(?:(?:session|audio|compute|gpu)[- ])?(?:hours?|hrs?|h|stunde|heure|小时)(?![a-z])", "per_hour"),
    (rf"{PER}\s*(?:pages?|seite|页)(?![a-z])", "per_page"),
    (rf"{PER}\s*gb\s*(?:-|per|/)?\s*day", "per_gb_day"),
    (rf"{PER}\s*(?:months?|mo|monat|mois|月|users?|seats?|years?)(?![a-z])", "per_month"),
    (rf"{PER}\s*{TOKENS}", "per_token"),
)
KINDS = re.compile(r"\b(?:text|audio|image|video)s?(?:\s*/\s*(?:text|audio|image|video)s?)+")
SPAN = re.compile(rf"{PER}\s*(\d+)[ -]?(s|sec|seconds?|min|minutes?)(?: (session))?(?![a-z])")
ALONE = re.compile(rf"(?:^|\(\s*){MANY}\s*{TOKENS}\s*\)?$")
ALONE_THOUSAND = re.compile(rf"(?:^|\(\s*){THOUSAND}\s*{TOKENS}\s*\)?$")
RELATES = re.compile(
    rf"{PER}|百万|100\s*万|(?:^\W*|\(\s*)(?:{MANY}|{THOUSAND})\s*{TOKENS}"
)  # no unit is named without one of these
COMPILED = tuple((re.compile(pattern), per) for pattern, per in UNITS)


@dataclass(frozen=True)
class Amount:
    """`currency` and `per` are what stands beside the number; None where its place must say. `qualifier`: the rest."""

    value: Decimal
    currency: str | None = None
    per: str | None = None
    qualifier: str = ""
    free: bool = False
    listed: bool = False  # stated as what was charged before: `$4 → $2`


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """NFKC, lower case; the yen sign in one form; emphasis and note marks gone."""
    return re.sub(r"[*†‡]+", "", unicodedata.normalize("NFKC", text)).replace("￥", "¥").casefold().strip()


def unit_of(text: str) -> str | None:
    """The unit a text names (`per_mtok`, `per_image`, `per_5s`, ...), or none."""
    return next(iter(units_in(text)), None)


@lru_cache(maxsize=16_384)
def units_in(text: str) -> tuple[str, ...]:
    """Every unit a text names, the most telling first."""
    flat = folded(text[:LONGEST])
    if not RELATES.search(flat):
        return ()
    flat = KINDS.sub(" ", flat)
    if span := SPAN.search(flat):
        return (f"per_{span.group(1)}{'s' if span.group(2)[0] == 's' else 'min'}{'_session' if span.group(3) else ''}",)
    found = [per for pattern, per in COMPILED if pattern.search(flat)]
    if "per_mtok_hour" in found:
        return ("per_mtok_hour",)
    compact = re.search(rf"\(?\s*(?:in )?(?:{AFTER})\s*/\s*{MANY}\s*{TOKENS}", flat)
    if not found and (compact or ALONE.search(flat)):
        return ("per_mtok",)
    if not found and ALONE_THOUSAND.search(flat):
        return ("per_ktok",)
    if "per_kimage" in found:
        found = [per for per in found if per != "per_image"]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=16_384)
def currency_of(text: str) -> str | None:
    """The currency a text names, or none; a text that names two says none."""
    flat = folded(text)
    flat = re.sub(r"美元|(?<![a-z])us dollars?", " usd ", flat)
    found = {CURRENCIES[m] for m in re.findall(rf"{SIGN}|元|人民币|欧元|euros?(?![a-z])", flat) if m in CURRENCIES}
    return found.pop() if len(found) == 1 else None


def is_nothing(text: str) -> bool:
    return bool(NOTHING.match(folded(text)))


def is_free(text: str) -> bool:
    return bool(FREE.match(folded(text)))


@lru_cache(maxsize=16_384)
def amounts_in(text: str, *, bare: bool = False) -> tuple[Amount, ...]:
    """Every amount a cell states, in order, each with the words up to the next one. `bare`: a lone number counts.

    Empty for no amount, for decoys, and for numbers that cannot be read whole.
    """
    if len(text) > LONGEST:
        return ()
    flat = folded(text)
    if is_free(text):
        return (Amount(Decimal(0), free=True),)
    if not DIGIT.search(flat) or SPOILT in flat or is_nothing(text) or DECOY.search(flat):
        return ()
    flat, aside = without_asides(flat)
    marks = list(MONEY.finditer(flat))
    if not marks:
        lone = BARE.match(flat)
        value = number(lone.group("n")) if lone and bare else None
        return (Amount(value),) if value is not None else ()
    if len(re.findall(rf"(?:{SIGN})\s*[.\d]", flat)) > len(marks):
        return ()  # an amount in it that cannot be read whole
    out: list[Amount] = []
    for before, mark, tail in pieces(flat, marks):
        sign = CURRENCIES[mark.group("sign") or mark.group("after")]
        value = number(mark.group("n1") or mark.group("n2"), sign)
        if value is None:
            return ()
        own = f"{before} {tail}" if not tail.strip() else tail
        per = unit_of(re.sub(r"\([^()]*\)", " ", own)) or unit_of(own)
        out.append(Amount(value, sign, per, clean_words(f"{before} {tail} {aside if not out else ''}")))
    return tuple(shared(out, flat, marks))


def without_asides(flat: str) -> tuple[str, str]:
    """The text without an amount repeated in brackets in another currency, and that aside."""
    found = re.search(rf"(?:{SIGN})\s*[\d.,]+\s*(\(\s*(?:{SIGN})\s*[\d.,]+\s*\))", flat)
    return (flat.replace(found.group(1), " "), found.group(1)) if found else (flat, "")


def pieces(flat: str, marks: list[re.Match[str]]) -> list[tuple[str, re.Match[str], str]]:
    """Each amount with the words that belong to it: those behind it, or those before where all stand before."""
    starts = [m.start() for m in marks]
    between = [flat[a.end() : b.start()] for a, b in pairwise(marks)]
    if leads(flat[: starts[0]], between, clean_words(flat[marks[-1].end() :])):
        before = [flat[: starts[0]], *between]
        return [(w, m, "" if m is not marks[-1] else flat[m.end() :]) for w, m in zip(before, marks, strict=True)]
    ends = [*starts[1:], len(flat)]
    return [(flat[: starts[0]] if n == 0 else "", m, flat[m.end() : ends[n]]) for n, m in enumerate(marks)]


def leads(first: str, between: list[str], last: str) -> bool:
    """Whether the words of each amount stand before it: `Input: $3, Output: $15`, `1 GB $0.03, 4 GB $0.12 per session`."""
    first = first.strip(" ,;:(")
    if not between or not first:
        return False
    shapes = {re.sub(r"\d+", "9", w.strip(" ,;:(|")) for w in (first, *between)}
    return not last or len(shapes) == 1


def shared(found: list[Amount], flat: str, marks: list[re.Match[str]]) -> list[Amount]:
    """Ends of a range share their unit and say so; a list of amounts shares the unit behind the last; "from" is said."""
    if len(found) == 2 and re.fullmatch(r"\s*(?:-|–|—|~|to|bis|à|至)\s*", flat[marks[0].end() : marks[1].start()]):
        per = found[1].per or found[0].per
        return [replace(a, per=per, qualifier=f"range {end}") for a, end in zip(found, ("low", "high"), strict=True)]
    if len(found) == 2:
        joint = flat[marks[0].end() : marks[1].start()]
        if ARROW.search(joint):
            per = found[0].per or found[1].per
            return [replace(found[0], per=per, qualifier="", listed=True), replace(found[1], per=per)]
        if THEN.search(joint):  # two prices in time: the second is not in force yet
            found = [
                found[0],
                replace(found[1], per=found[1].per or found[0].per, qualifier=f"then {found[1].qualifier}".strip()),
            ]
    listed = leads(
        flat[: marks[0].start()],
        [flat[a.end() : b.start()] for a, b in pairwise(marks)],
        clean_words(flat[marks[-1].end() :]),
    )
    if listed and found[-1].per and not any(a.per for a in found[:-1]):
        found = [replace(a, per=found[-1].per) for a in found]
    if STARTING.search(flat[: marks[0].start()]):
        found = [
            replace(found[0], qualifier=f"starting price {STARTING.sub('', found[0].qualifier)}".strip()),
            *found[1:],
        ]
    return found


def number(text: str, currency: str = "USD") -> Decimal | None:
    """A number as pages write it; None where the separators allow two readings."""
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d{1,2}", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d+,\d{1,2}|0,\d{1,6}", text):
        text = text.replace(",", ".")
    elif re.fullmatch(r"\d{1,3},\d{3}|[1-9]\d{0,2}\.\d{3}", text) and currency in CONTINENTAL:
        return None
    elif "," in text:
        text = text.replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def clean_words(text: str) -> str:
    """What is left beside an amount when its unit is taken off."""
    text = SPAN.sub(" ", text)
    if KINDS.search(text):
        return re.sub(r"\s+", " ", text).strip(" ,;:/()·|")
    for pattern, _ in COMPILED if RELATES.search(text) else ():
        text = pattern.sub(lambda m: f" {m.groupdict().get('k') or ''} ", text)
    return re.sub(r"\s+", " ", text).strip(" ,;:/()·|")
