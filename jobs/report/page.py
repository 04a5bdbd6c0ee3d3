"""Sections and figures -> a folder that opens from disk: one HTML page, its charts beside it. Fetches nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from data.errors import UsageError
from jobs.report.figure import Figure, drawn
from jobs.report.sections import Section, heading, numeric, shown

MARK = ".undercut-report"  # only a folder with this file in it is ever replaced
NAME, PROSE = 11, 60  # characters beyond which a cell is wide enough for a name, for a sentence


def html(
    title: str,
    intro: str,
    sections: Sequence[Section],
    figures: Sequence[Figure] = (),
    *,
    big: Sequence[tuple[str, str]] = (),
    foot: str = "",
) -> str:
    """The page; every text is escaped. A figure that a section names stands there, the others at the end."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    placed = {s.chart for s in sections if s.chart}
    return env.get_template("page.html.j2").render(
        title=title,
        intro=intro,
        sections=sections,
        figures=[f for f in figures if f.name not in placed],
        by_name={f.name: f for f in figures},
        big=big,
        foot=foot,
        heading=heading,
        kind=kind,
        numeric=numeric,
        shown=shown,
    )


def kind(section: Section, column: str) -> str:
    """How wide a column's cells are at least: n (a number), name or prose by its longest text, else nothing."""
    if numeric(section, column):
        return "n"
    longest = max((len(shown(column, r[column])) for r in section.rows), default=0)
    return "prose" if longest > PROSE else "name" if longest > NAME else ""


def write_folder(folder: Path, pages: dict[str, str], figures: Sequence[Figure], *, png: bool = True) -> None:
    """Everything or nothing: written beside and then put in place of the last report. Raises UsageError for a foreign folder."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError("the folder is not empty and no report of ours.", where=str(folder), fix="name a new folder with --out.")  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        made.chmod(0o755)
        (made / MARK).write_text("written by undercut report; replaced by the next\n", encoding="utf-8")
        (made / "charts").mkdir()
        for figure in figures:
            if figure.rows:
                _draw(figure, made / "charts", png)
        for name, text in pages.items():
            (made / name).write_text(text, encoding="utf-8")
        old = folder.with_name(f".{folder.name}-old-{os.getpid()}")
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _draw(figure: Figure, folder: Path, with_png: bool) -> None:
    from jobs.report.charts import png, svg

    chart = drawn(figure)
    (folder / f"{figure.name}.svg").write_text(svg(chart, "light"), encoding="utf-8")
    (folder / f"{figure.name}-dark.svg").write_text(svg(chart, "dark"), encoding="utf-8")
    if with_png:
        (folder / f"{figure.name}.png").write_bytes(png(chart))
