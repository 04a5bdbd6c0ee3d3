"""Block Kit from plain lines: a header, preformatted facts as rich text, a context line. Nothing here is Markdown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Payload = dict[str, Any]
HEADER_MOST = 150
TEXT_MOST = 3_000  # of one element
LINE_MOST = 400
CONTEXT_MOST = 300
BLOCKS_MOST = 50
ALL_MOST = 8_000  # Slack refuses a message near 13,200 characters; links and thread carry the rest


def payload(
    headline: str, lines: Sequence[str], context: Sequence[str] = (), *, last: Sequence[str] = (), more: str = ""
) -> Payload:
    """A message: headline, the facts in a fixed-width block that cannot format, mention or link, small print.

    Too many lines are cut with a count and the command that shows them (`more`); those of `last` (how to answer, how
    to stop it) never are. `text` is what a phone or a screen reader says.
    """
    head = cut(clean(headline), HEADER_MOST)
    small = [cut(clean(c), CONTEXT_MOST) for c in context if c][:10]
    end = [cut(clean(line), LINE_MOST) for line in last]
    room = ALL_MOST - 2 * len(escape(head)) - sum(len(t) + 1 for t in (*small, *end)) - 100
    facts, left = _fitting([cut(clean(line), LINE_MOST) for line in lines], room)
    if left:
        facts.append(f"… and {left} more{': ' + more if more else ''}")
    facts += end
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": head, "emoji": True}}]
    for part in _parts(facts):
        element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": part}]}
        blocks.append({"type": "rich_text", "elements": [element]})
    if small:
        blocks.append(
            {"type": "context", "elements": [{"type": "plain_text", "text": c, "emoji": False} for c in small]}
        )
    return {"text": escape(head), "blocks": blocks[:BLOCKS_MOST]}


def plain(message: Payload) -> str:
    """The message as Slack shows it, for a terminal."""
    out: list[str] = []
    for block in message["blocks"]:
        match block["type"]:
            case "header":
                out.append(block["text"]["text"])
            case "rich_text":
                out.extend(e["text"] for part in block["elements"] for e in part["elements"])
            case "context":
                out.extend(e["text"] for e in block["elements"])
    return "\n".join(out)


def escape(text: str) -> str:
    """& < > once and in this order, for the fields that Slack reads as mrkdwn. Cut before, never after."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """One line without control, direction or zero-width characters: nothing that could break or disguise a message."""
    return "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text).rstrip() or "unknown"


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def name(text: str | None, most: int = 60) -> str:
    """A scraped name, cut to what a line bears; unknown where there is none."""
    return cut(clean(text), most) if text else "unknown"


def usd(amount: float | None) -> str:
    """Money to three digits at most: $4,430, $952, $7.28, $0.0041."""
    if amount is None:
        return "unknown"
    if not amount:
        return "$0"
    sign, size = ("−" if amount < 0 else ""), Decimal(f"{abs(amount):.2e}")
    places = max(0, 2 - size.adjusted())
    text = f"{size:,.{places}f}"
    return f"{sign}${text.rstrip('0') if size < 1 else text}"


def exact(amount: Decimal) -> str:
    """A price as it is stated, no digit of it lost: 2.50, 0.0755, 10."""
    text = f"{amount.normalize():f}"
    whole, dot, part = text.partition(".")
    return f"{whole}.{part:0<2}" if dot else whole


def percent(share: float | None) -> str:
    if share is None:
        return "unknown"
    if 0 < share < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")


def _fitting(lines: Sequence[str], most: int) -> tuple[list[str], int]:
    kept, used = [], 0
    for line in lines:
        used += len(line) + 1
        if used > most:
            break
        kept.append(line)
    return kept, len(lines) - len(kept)


def _parts(lines: Sequence[str]) -> list[str]:
    """Lines joined into texts of at most TEXT_MOST characters; never an empty one."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + len(line) + 1 <= TEXT_MOST:
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return [p for p in parts if p.strip()]
