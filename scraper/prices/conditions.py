"""What conditions mean: context bands in tokens, time windows in UTC, days of validity. Text that says none gives none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from scraper.grids.types import fold

NUMBER = r"(\d+(?:[.,]\d+)*)\s*([km万])?"
NOT_TOKENS = re.compile(
    r"requests?|images?|calls?|rpm|rpd|month|day|page|张|次|积分|秒|second|minute|characters|字符|\bgb\b|\$|€|¥|元"
)
WITHIN = re.compile(rf"{NUMBER}\s*[<≤]=?\s*[^\d<≤>≥]{{0,24}}[<≤]=?\s*{NUMBER}")
RANGE = re.compile(
    rf"^[(\[]?\s*{NUMBER}\s*(?:~|-|–|—|to|bis|à|至|,)\s*{NUMBER}\s*[)\]]?\s*(?:input |prompt )?(?:tokens?)?$"
)
ABOVE = re.compile(
    rf"(?:[>≥]=?|\b(?:over|above|more than|longer than|beyond|über|plus de)\b|超过|大于|min_prompt_tokens)\s*{NUMBER}"
)
BELOW = re.compile(rf"(?:[<≤]=?|\b(?:under|below|up to|less than|within|bis zu|jusqu'à)\b|不超过|小于|以内)\s*{NUMBER}")
LONELY = 1000  # a bare number below this is no count of tokens
SCALE = {"k": 1000, "m": 1_000_000, "万": 10_000}
CLOCK = re.compile(r"(\d{1,2}):(\d{2})\s*(?:~|-|–|—|to|至|bis|à)\s*(\d{1,2}):(\d{2})")
ZONES = ((re.compile(r"\butc\s?\+\s?8|beijing|北京时间|\bcst\b"), 8), (re.compile(r"\butc\b|\bgmt\b"), 0))
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DAY = rf"(?:(\d{{4}})-(\d{{2}})-(\d{{2}})|({'|'.join(MONTHS)})\s+(\d{{1,2}}),?\s+(\d{{4}})|(\d{{4}})年(\d{{1,2}})月(\d{{1,2}})日)"
UNTIL = re.compile(
    rf"(?:\b(?:through|until|till|ends?(?: on)?|valid to|bis|jusqu'au|before)\b|截至|至)\s*:?\s*{DAY}|{DAY}\s*(?:下线|截止|止|前)"
)
SINCE = re.compile(
    rf"(?:\b(?:starting|from|effective(?: on| from)?|as of|since|beginning|ab|à partir du)\b|自|从)\s*:?\s*{DAY}|{DAY}\s*(?:起|上线)"
)


PLACES = (
    "us|usa|u\\.s\\.|united states|america|eu|europe|european union|uk|united kingdom|london|ireland|dublin|frankfurt|germany|paris|france|"
    "sweden|stockholm|zurich|switzerland|milan|italy|madrid|spain|netherlands|amsterdam|belgium|finland|warsaw|poland|japan|tokyo|osaka|"
    "seoul|korea|singapore|mumbai|hyderabad|india|sydney|melbourne|australia|canada|montreal|toronto|calgary|são paulo|sao paulo|brazil|"
    "virginia|ohio|oregon|california|iowa|texas|jakarta|indonesia|hong kong|taiwan|tel aviv|israel|dubai|uae|bahrain|cape town|china|beijing|"
    "shanghai|hangzhou|shenzhen|asia pacific|asia|pacific|middle east|south america|north america|africa|global|international|mainland|worldwide|"
    "中国|内地|大陆|华北|华东|华南|西南|北京|上海|广州|深圳|杭州|成都|香港|新加坡|弗吉尼亚|法兰克福|东京|首尔|雅加达|全球|国际|欧盟|欧洲|美国|德国|日本|硅谷|伦敦|亚太"
)
REGION = re.compile(
    rf"(?:\b(?:{PLACES})\b|(?:{PLACES.rpartition('worldwide|')[2]})|\b(?:north|south|east|west|central|northern|southern|n\.|region|zone|[a-z]{{2}}-[a-z]+-\d)|\d|[\s(),/、·:+-])+"
)


class Band(NamedTuple):
    """Above `least` tokens, up to and including `most`; None is open."""

    least: int | None
    most: int | None


class Days(NamedTuple):
    since: datetime | None
    until: datetime | None


@lru_cache(maxsize=8192)
def band_of(text: str) -> Band | None:
    """The band of prompt tokens a text names: `≤ 200K`, `32K<Token≤128K`, `256K~1M`, `min_prompt_tokens 200000`."""
    flat = fold(text)
    if NOT_TOKENS.search(flat):
        return None
    if found := WITHIN.search(flat) or RANGE.search(flat):
        low, unit, high, last = found.groups()
        least, most = tokens(low, unit or (last if RANGE.search(flat) and low != "0" else None)), tokens(high, last)
        return (
            Band(least or None, most)
            if least is not None and most is not None and least < most and most >= LONELY
            else None
        )
    for pattern, is_least in ((ABOVE, True), (BELOW, False)):
        if (found := pattern.search(flat)) and (count := tokens(*found.groups())) and count >= LONELY:
            return Band(count, None) if is_least else Band(None, count)
    return None


def tokens(number: str, unit: str | None) -> int | None:
    """`200K` is 200,000 tokens."""
    plain = number.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", number) else number
    try:
        return int(float(plain) * SCALE.get(unit or "", 1))
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def window_of(text: str) -> str | None:
    """`HH:MM-HH:MM` in UTC; None without a time zone beside the hours, for nobody can say when that is."""
    flat = fold(text)
    zone = next((hours for pattern, hours in ZONES if pattern.search(flat)), None)
    found = CLOCK.findall(flat)
    if zone is None or not found:
        return None

    def utc(hour: str, minute: str) -> str:
        return f"{(int(hour) - zone) % 24:02d}:{int(minute):02d}"

    return ", ".join(f"{utc(a, b)}-{utc(c, d)}" for a, b, c, d in found)


@lru_cache(maxsize=8192)
def days_of(text: str) -> Days | None:
    """The days between which a price applies, as far as a text names them; `until` is the end of that day, in UTC."""
    flat = fold(text)
    since = next((d for m in SINCE.finditer(flat) if (d := day(m.groups()))), None)
    until = next((d for m in UNTIL.finditer(flat) if (d := day(m.groups()))), None)
    return Days(since, until + timedelta(days=1) if until else None) if since or until else None


def day(groups: tuple[str | None, ...]) -> datetime | None:
    for n in range(0, len(groups), 9):
        y, m, d, name, dd, yy, cy, cm, cd = groups[n : n + 9]
        year, month, number = (y, m, d) if y else (yy, str(MONTHS.index(name) + 1), dd) if name else (cy, cm, cd)
        if year and month and number:
            try:
                return datetime(int(year), int(month), int(number), tzinfo=UTC)
            except ValueError:
                return None
    return None


@lru_cache(maxsize=8192)
def region_of(text: str) -> str | None:
    """The text itself where it names nothing but places: `US East (N. Virginia)`, `华北2（北京）`, `eu-west-1`."""
    flat = fold(text)
    named = 1 < len(flat) < 60 and re.search(r"[^\W\d_]{2}", flat) and REGION.fullmatch(flat)
    return text if named else None
