"""What an HTML element says to a reader: its text without struck prices and notes, and the tabs it lies in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from scraper.grids.types import clean

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
STRUCK = frozenset(("s", "del", "strike"))
STRUCK_CLASS = re.compile(r"line-?through|strike|struck|crossed", re.I)
DROPPED = frozenset(("script", "style", "template", "noscript", "svg"))
PANE_ID = re.compile(r"[-_]([A-Za-z0-9 ]+)$")  # leaderboard-Verified
TAB_PANE = re.compile(r"tab.*(cont|pane|panel)", re.I)
AMOUNT = re.compile(r"[$€£¥￥]\s?\.?\d|\d\s?[元€£$]|\bfree\b|免费", re.I)
LONGEST = 100  # characters of a label or a price; a longer text explains
BLOCKS = frozenset(
    [
        "br",
        "p",
        "div",
        "li",
        "tr",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "small",
        "dt",
        "dd",
        "section",
        "article",
        "ul",
        "ol",
    ]
)


@dataclass(frozen=True)
class Priced:
    """A text with an amount in it, and the headings above it."""

    node: NavigableString
    headings: tuple[str, ...]


def is_struck(node: Tag) -> bool:
    """Crossed out, by element or by the name of its style."""
    if node.name in STRUCK:
        return True
    attributes = node.attrs
    if not attributes:
        return False
    named, style = attributes.get("class"), attributes.get("style")
    return bool(named and STRUCK_CLASS.search(" ".join(named))) or bool(style and STRUCK_CLASS.search(str(style)))


def struck_in(node: Tag) -> str:
    return " ".join(clean(t.get_text(" ")) for t in node.descendants if isinstance(t, Tag) and is_struck(t))


def tags_in(node: Tag) -> list[Tag]:
    """The elements directly below one."""
    return [c for c in node.contents if isinstance(c, Tag)]


def strings_of(element: Tag) -> Iterator[NavigableString]:
    """The texts of an element in page order, without struck ones, buttons and scripts."""
    stack: list[PageElement] = list(reversed(element.contents))
    while stack:
        child = stack.pop()
        if isinstance(child, Tag):
            if child.name not in DROPPED and child.name != "button" and not is_struck(child):
                stack.extend(reversed(child.contents))
        elif type(child) is NavigableString and child.strip():
            yield child


def amounts(text: str) -> int:
    """How many amounts of money a text seems to hold."""
    return len(AMOUNT.findall(text))


def text_of(node: Tag) -> str:
    """Text with blocks apart (a newline each), without struck prices, superscripts and scripts."""
    out: list[str] = []
    stack: list[PageElement | str] = list(reversed(node.contents))
    while stack:
        child = stack.pop()
        if type(child) is str:
            out.append(child)
        elif type(child) is NavigableString:
            out.append(child.replace("\n", " "))
        elif isinstance(child, Tag) and child.name != "sup" and child.name not in DROPPED and not is_struck(child):
            apart = child.name in BLOCKS
            if apart:
                out.append("\n")
                stack.append("\n")
            stack.extend(reversed(child.contents))
    return "".join(out)


def panes_of(node: Tag, soup: BeautifulSoup) -> tuple[str, ...]:
    """The words of the tabs or panes a node lies in, outermost first."""
    out: list[str] = []
    for parent in node.parents:
        if not isinstance(parent, Tag):
            continue
        label = parent.get("data-value") or parent.get("data-tab") or parent.get("aria-label")
        by = parent.get("aria-labelledby")
        if by and (named := soup.find(id=str(by))) is not None and isinstance(named, Tag):
            label = clean(named.get_text(" "))
        own = PANE_ID.search(str(parent.get("id") or ""))
        if not label and own and "tab" in " ".join(parent.get("class") or ()):
            out.append(own.group(1))
        if not label and (tab := tab_label(parent)):
            out.append(tab)
        if label and (parent.get("data-value") or parent.get("role") == "tabpanel" or parent.get("data-tab")):
            out.append(clean(str(label)))
    return tuple(reversed(out))


def tab_label(pane: Tag) -> str | None:
    """The label of a pane's tab, by order, where a list of as many tabs stands beside the panes."""
    names = pane.get("class") or ()
    kind = next((c for c in names if TAB_PANE.search(c)), None)
    if kind is None or not isinstance(pane.parent, Tag):
        return None
    beside = tags_in(pane.parent)
    panes = [p for p in beside if kind in (p.get("class") or ())]
    held = {id(p) for p in panes}
    for other in (t for t in beside if id(t) not in held):
        for box in (other, *(t for t in other.descendants if isinstance(t, Tag))):
            items = tags_in(box)
            if len(items) == len(panes) > 1 and all(0 < len(clean(i.get_text(" "))) < 40 for i in items):
                at = next(n for n, p in enumerate(panes) if p is pane)
                return clean(items[at].get_text(" "))
    return None
