"""Markdown and MDX -> grids: pipe tables with the headings above them and the paragraph before."""

from __future__ import annotations

import re

from scraper.grids.mdx import component_end, component_grid
from scraper.grids.types import Cell, Grid, clean

RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
IMAGE = re.compile(r"!\[[^\]]*\]\([^()\s]*\)")
NAMED_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()\s]+)\)(\S+)")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
COMPONENT = re.compile(r"^\s*<[A-Z]\w*\b(?!.*</?\w+>\s*$)")
SOURCE = re.compile(r"^(?:export|import) (?:default )?(?:const|function|class|let)\b.*[{(]\s*$")
ITEM = re.compile(r"^\s*[-*+]\s+(.*\S)\s*$")
MONEY = re.compile(r"[$€£¥]\s?\.?\d|\d\s?[元€£$]")
STRIKE = re.compile(r"~~(.+?)~~|<(s|del)>(.+?)</\2>")


def markdown_grids(text: str) -> tuple[list[Grid], list[Grid], str]:
    """Grids in page order, the lists of prices under headings as cards, and the text without markup."""
    lines = text.splitlines()
    chain: dict[int, str] = {}
    intro: list[str] = []
    grids: list[Grid] = []
    cards: list[Grid] = []
    items: list[Cell] = []
    n, fenced = 0, False
    while n < len(lines):
        line = lines[n]
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (found := HEADING.match(line)):
            cards, items = [*cards, *list_card(chain, items)], []
            level = len(found.group(1))
            chain = {k: v for k, v in chain.items() if k < level} | {level: plain(found.group(2))}
            intro = []
        elif not fenced and SOURCE.match(line):  # source of a component, no text of the page
            while n + 1 < len(lines) and not re.match(r"^[})]", lines[n]):
                n += 1
        elif not fenced and COMPONENT.match(line) and (end := component_end(ahead(lines, n), 0)) > 0:
            tag = ahead(lines, n)[:end]
            grid = component_grid(tag, n + 1, tuple(chain[k] for k in sorted(chain)), " ".join(intro))
            if grid is not None:
                grids.append(grid)
                n += tag.count("\n")
        elif not fenced and "|" in line and n + 1 < len(lines) and RULE.match(lines[n + 1]):
            end = n + 2
            while end < len(lines) and "|" in lines[end] and lines[end].strip():
                end += 1
            rows = [cells(lines[i], i + 1, header=i == n) for i in range(n, end) if i != n + 1]
            headings = tuple(chain[k] for k in sorted(chain))
            grids.append(Grid(tuple(rows), f"line {n + 1}", headings, (), " ".join(intro)))
            n, intro = end - 1, []
        elif not fenced and (found := ITEM.match(line)):
            items.append(cell(found.group(1), f"line {n + 1}", False))
            intro = [*intro, plain(line)][-4:]
        elif not fenced and line.strip():
            intro = [*intro, plain(line)][-4:]
        n += 1
    return grids, [*cards, *list_card(chain, items)], clean(plain(text))


def list_card(chain: dict[int, str], items: list[Cell]) -> list[Grid]:
    """`### Model` and a list of its prices as a table of one row."""
    priced = [c for c in items if MONEY.search(c.text)]
    if not priced or not chain:
        return []
    *above, title = (chain[k] for k in sorted(chain))
    name = Cell(title, f"{priced[0].locator}/name")
    header = tuple(Cell("", f"{c.locator}/label", True) for c in (name, *priced))
    return [Grid((header, (name, *priced)), priced[0].locator, tuple(above))]


def ahead(lines: list[str], n: int) -> str:
    """The text from a line on, where a component with lists of values begins there."""
    near = "\n".join(lines[n : n + 3])
    return "\n".join(lines[n : n + 3000]) if "={" in near else ""


def cells(line: str, number: int, *, header: bool) -> tuple[Cell, ...]:
    body = line.strip()
    body = body.removeprefix("|")
    body = body[:-1] if body.endswith("|") and not body.endswith("\\|") else body
    parts = enumerate(re.split(r"(?<!\\)\|", body))
    return tuple(cell(part, f"line {number}/{c}", header) for c, part in parts)


def cell(part: str, locator: str, header: bool) -> Cell:
    """A cell; a linked name followed by its id (the end of the link's path) gives both, badges between them dropped."""
    shown = IMAGE.sub("", STRIKE.sub(" ", part)).strip()
    found = NAMED_LINK.fullmatch(shown)
    if found:
        path, rest = found.group(2).strip("/"), found.group(3)
        ends = [path.split("/", n)[-1] for n in range(path.count("/") + 1)]
        ident = next((e for e in ends if e and rest.endswith(e)), None)
        if ident:
            return Cell(plain(found.group(1)), locator, header, struck(part), part.strip(), ident=ident)
    return Cell(plain(shown), locator, header, struck(part), part.strip())


def struck(part: str) -> str:
    return " ".join(plain(a or b) for a, _, b in STRIKE.findall(part))


def plain(text: str) -> str:
    """Markdown as a reader sees it: no links, marks, tags or escapes."""
    text = re.sub(r"<sup>.*?</sup>|\^\\?\*\^", "", text)
    text = re.sub(r"<br\s*/?>", " ", text)
    for _ in range(2):
        text = LINK.sub(r"\1", text)
    text = TAG.sub(" ", text)
    text = re.sub(r"\*\*|__|`", "", text)
    text = re.sub(r"\\([\\`*_{}\[\]()#+\-.!|$<>~])", r"\1", text)
    return clean(text)
