"""Text -> amounts with currency, unit and qualifier; free; nothing. Refuses what it cannot read whole.

`$2.50 / 1M tokens`, `0.25$`, `12元`, `<= 200k $3`, `Free`: a number is an amount only with evidence that it is money,
which may come from the column (`bare=True`). Sizes, limits and multipliers are not amounts (HAZARDS X1, X3).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

CURRENCIES = {
    "us$": "USD", "usd": "USD", "美元": "USD", "$": "USD", "€": "EUR", "eur": "EUR", "欧元": "EUR", "£": "GBP", "gbp": "GBP",
    "¥": "CNY", "rmb": "CNY", "cny": "CNY", "元": "CNY", "人民币": "CNY", "円": "JPY", "jpy": "JPY", "a$": "AUD", "ca$": "CAD",
    "c$": "CAD", "hk$": "HKD", "s$": "SGD", "nt$": "TWD", "r$": "BRL", "₹": "INR", "₩": "KRW", "chf": "CHF",
}  # fmt: skip
SIGN = r"us\$|a\$|ca\$|c\$|hk\$|s\$|nt\$|r\$|\$|€|£|¥|₹|₩|usd|eur|gbp|rmb|cny|jpy|chf"
AFTER = r"\$|€|£|元|美元|円|usd|eur|gbp|rmb|cny|chf"
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+(?:e-?\d+)?|\.\d+|\d+e-?\d+|\d+(?:,\d{1,2})?(?![\d,])"
MONEY = re.compile(rf"(?P<sign>{SIGN})\s*(?P<n1>{NUMBER})|(?P<n2>{NUMBER})\s*(?P<after>{AFTER})(?![a-z])")
BARE = re.compile(rf"^\s*(?P<n>{NUMBER})\s*$")
FREE = re.compile(r"^(?:limited[- ]time )?free(?: of charge)?$|^(?:限时)?免费$|^gratuit$|^kostenlos$|^gratis$|^不计费$")
NOTHING = re.compile(
    r"^(?:[-–—/\\.]*|n/?a|none|null|not available|not applicable|contact.*|coming soon|tbd|不支持|暂不支持|无|included)$"
)
DECOY = re.compile(r"[×x]\s*\$|\$[\d.]+\s*[×x=]|=\s*\$|\d+(?:\.\d+)?x\b|\buplift\b|\bmultiplier\b|\bper ccu\b|积分")

MANY = r"(?:1\s*m|1\s*mn|1,000,000|1000000|one million|a million|million|m|百万|1\s*百万|100\s*万|mio\.?|millionen|1\s*million)"
TOKENS = r"(?:input |output |text )?(?:tokens?|toks?|jetons?|token)"
UNITS: tuple[tuple[str, str], ...] = (
    (rf"(?:/|per|pro|par|每|by)\s*{MANY}\s*[-]?\s*{TOKENS}.{{0,6}}(?:/|per)\s*h(?:ou)?r", "per_mtok_hour"),
    (rf"(?:/|per|pro|par|每)\s*{MANY}\s*[-]?\s*{TOKENS}", "per_mtok"),
    (r"(?:/|per)\s*mtok|百万\s*tokens?", "per_mtok"),
    (rf"(?:/|per|pro|par|每)\s*(?:1\s*k|1,000|1000|thousand|k|千)\s*[-]?\s*{TOKENS}", "per_ktok"),
    (rf"(?:/|per|pro|par|每)\s*{MANY}\s*(?:chars?|characters?|字符)", "per_1m_chars"),
    (r"(?:/|per|每)\s*(?:1\s*k|1,000|1000|千)\s*(?:chars?|characters?|字符)", "per_1k_chars"),
    (r"(?:/|per|每)\s*万\s*字符", "per_10k_chars"),
    (r"(?:/|per|每)\s*(?:1\s*k|1,?000|千)\s*(?:pages?|页)", "per_1k_pages"),
    (
        r"(?:/|per|每)\s*(?:1\s*k|1,?000|千|thousand)\s*(?:calls?|requests?|queries|search(?:es)?|search queries|prompts?|次)",
        "per_kcall",
    ),
    (r"(?:/|per|每)\s*(?:call|request|query|search|次)", "per_call"),
    (r"(?:/|per|每)\s*(?:image|张|picture|bild)", "per_image"),
    (r"(?:/|per|每)\s*(?:video|clip|条)", "per_video"),
    (r"(?:/|per|每)\s*(?:second|sec|s|秒)\b", "per_second"),
    (r"(?:/|per|每)\s*(?:minute|min|分钟)\b", "per_minute"),
    (r"(?:/|per|每)\s*(?:hour|hr|h|小时|session-hour)\b", "per_hour"),
    (r"(?:/|per|每)\s*(?:page|页)\b", "per_page"),
    (r"(?:/|per)\s*(?:gb-?day)", "per_gb_day"),
    (r"(?:/|per)\s*(?:month|mo|user|seat|year)\b", "per_month"),
    (rf"(?:/|per|每)\s*{TOKENS}", "per_token"),
)
COMPILED = tuple((re.compile(pattern), per) for pattern, per in UNITS)


@dataclass(frozen=True)
class Amount:
    """`currency` and `per` are what stands beside the number; None where its place must say. `qualifier`: the rest."""

    value: Decimal
    currency: str | None = None
    per: str | None = None
    qualifier: str = ""
    free: bool = False


def folded(text: str) -> str:
    """NFKC, lower case; the yen sign in one form; emphasis and note marks gone."""
    return re.sub(r"[*†‡]+", "", unicodedata.normalize("NFKC", text)).replace("￥", "¥").casefold().strip()


def unit_of(text: str) -> str | None:
    """The unit a text names (`per_mtok`, `per_image`, ...), or none."""
    flat = folded(text)
    for pattern, per in COMPILED:
        if pattern.search(flat):
            return per
    compact = re.search(rf"\(?\s*(?:in )?(?:{AFTER})\s*/\s*{MANY}\s*{TOKENS}", flat)
    return "per_mtok" if compact or re.search(rf"^{MANY}\s*{TOKENS}$", flat) else None


def currency_of(text: str) -> str | None:
    """The currency a text names, or none; a text that names two says none."""
    flat = folded(text)
    flat = re.sub(r"美元", " usd ", flat)
    found = {CURRENCIES[m] for m in re.findall(rf"(?<![a-z])(?:{SIGN}|元|人民币)(?![a-z])", flat) if m in CURRENCIES}
    return found.pop() if len(found) == 1 else None


def is_nothing(text: str) -> bool:
    return bool(NOTHING.match(folded(text)))


def is_free(text: str) -> bool:
    return bool(FREE.match(folded(text)))


def amounts_in(text: str, *, bare: bool = False) -> list[Amount]:
    """Every amount a cell states, in order, each with the words up to the next one. `bare`: a lone number counts.

    Empty for no amount, for decoys, and for numbers that cannot be read whole.
    """
    flat = folded(text)
    if is_free(text):
        return [Amount(Decimal(0), free=True)]
    if is_nothing(text) or DECOY.search(flat):
        return []
    marks = list(MONEY.finditer(flat))
    if not marks:
        lone = BARE.match(flat)
        value = number(lone.group("n")) if lone and bare else None
        return [Amount(value)] if value is not None else []
    out = []
    for n, mark in enumerate(marks):
        value = number(mark.group("n1") or mark.group("n2"))
        if value is None:
            return []
        end = marks[n + 1].start() if n + 1 < len(marks) else len(flat)
        tail = flat[mark.end() : end]
        before = flat[: mark.start()] if n == 0 else ""
        sign = mark.group("sign") or mark.group("after")
        out.append(
            Amount(value, CURRENCIES[sign], unit_of(re.sub(r"\([^()]*\)", " ", tail)), clean_words(f"{before} {tail}"))
        )
    return out


def number(text: str) -> Decimal | None:
    """A number as pages write it; None where the separators allow two readings."""
    if re.fullmatch(r"\d+,\d{1,2}", text):
        text = text.replace(",", ".")
    elif "," in text:
        text = text.replace(",", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def clean_words(text: str) -> str:
    """What is left beside an amount when its unit is taken off."""
    for pattern, _ in COMPILED:
        text = pattern.sub(" ", text)
    return re.sub(r"\s+", " ", text).strip(" ,;:/()·|")
