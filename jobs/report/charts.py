"""Rows -> charts as SVG (light and dark) and PNG. The only door to Altair and vl-convert; fetches nothing.

Every chart takes rows of a query and states its unit on its axes. Unknown is left out, never drawn as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import vl_convert

Row = dict[str, Any]
Theme = Literal["light", "dark"]
WIDTH, HEIGHT = 640, 280
INK = {"light": "#1f2933", "dark": "#e4e7eb"}
FAINT = {"light": "#d9dee4", "dark": "#3a444f"}
NOW, BEST, OTHER, EDGE = "#c2410c", "#0f766e", "#8b95a1", "#4338ca"
SCALE = ["#0f766e", "#c2410c", "#4338ca", "#a16207", "#be185d", "#0369a1"]
ON_DARK = dict(zip(SCALE, ["#2dd4bf", "#fb923c", "#a5b4fc", "#facc15", "#f9a8d4", "#7dd3fc"], strict=True))


def frontier(rows: Sequence[Row]) -> alt.LayerChart:
    """Quality against cost of 1,000 calls, both with their 80 % intervals; rows of `candidates` with a `role`."""
    base = _of(rows)
    x = alt.X("usd_per_1k:Q", title="USD per 1,000 calls (log)", scale=alt.Scale(type="log"))
    y = alt.Y("quality:Q", title="quality, 0 to 1", scale=alt.Scale(zero=False))
    colour = alt.Color("role:N", title=None, legend=alt.Legend(orient="top"),
                       scale=alt.Scale(domain=["in use", "recommended", "frontier", "eligible"], range=[NOW, BEST, EDGE, OTHER]))  # fmt: skip
    bars = base.mark_rule(opacity=0.55).encode(x=x, y=alt.Y("quality_low:Q"), y2="quality_high:Q", color=colour)
    wide = base.mark_rule(opacity=0.55).encode(x=alt.X("usd_low:Q"), x2="usd_high:Q", y=y, color=colour)
    line = (
        base.transform_filter("datum.on_frontier")
        .mark_line(interpolate="step-after", strokeDash=[3, 3], color=OTHER)
        .encode(x=x, y=y)
    )
    dots = base.mark_point(filled=True, opacity=1).encode(
        x=x, y=y, color=colour, size=alt.condition("datum.role == 'eligible'", alt.value(25), alt.value(110))
    )
    used = base.transform_filter("datum.role == 'in use'").mark_text(align="right", dx=4, dy=20, fontWeight="bold")
    best = base.transform_filter("datum.role == 'recommended'").mark_text(align="left", dx=9, dy=-9, fontWeight="bold")
    names = used.encode(x=x, y=y, text="endpoint:N", color=colour) + best.encode(
        x=x, y=y, text="endpoint:N", color=colour
    )
    return _sized(line + wide + bars + dots + names)


def steps(rows: Sequence[Row]) -> alt.LayerChart:
    """A price is a step: it holds until it changes. Rows: day, usd_per_mtok, what."""
    base = _of(rows)
    line = base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(
        x=alt.X("day:T", title=None),
        y=alt.Y("usd_per_mtok:Q", title="USD per million tokens, 3 in : 1 out (log)", scale=alt.Scale(type="log")),
        color=_series("what"),
    )
    return _sized(line + line.mark_point(filled=True, size=40))


def floors(rows: Sequence[Row]) -> alt.LayerChart:
    """Lowest price at a quality level; rows: day, usd_per_mtok, level, whose (ours or published)."""
    base = _of(rows)
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=alt.X("day:T", title=None),
        y=alt.Y("usd_per_mtok:Q", title="USD per million tokens (log)", scale=alt.Scale(type="log")),
        color=_series("level"),
        strokeDash=alt.StrokeDash(
            "whose:N",
            title=None,
            sort=["ours", "published"],
            legend=alt.Legend(orient="top", symbolType="stroke", symbolStrokeColor=OTHER),
        ),
    )
    return _sized(line + base.transform_filter("datum.whose == 'published'").mark_point(filled=True, size=22).encode(
        x="day:T", y="usd_per_mtok:Q", color=_series("level")))  # fmt: skip


def fan(rows: Sequence[Row]) -> alt.LayerChart:
    """Now, then 80 % intervals at each horizon; rows: use_case, days, usd_per_month, low and high."""
    base = _of(rows)
    x = alt.X("days:Q", title="days from now", axis=alt.Axis(values=[0, 90, 180, 365]))
    log = alt.Scale(type="log", nice=False, padding=12)
    band = base.mark_area(opacity=0.22).encode(
        x=x,
        y=alt.Y("low_usd_per_month:Q", scale=log, title="USD a month (log)"),
        y2="high_usd_per_month:Q",
        color=_series("use_case"),
    )
    line = base.mark_line(point=True).encode(x=x, y=alt.Y("usd_per_month:Q", scale=log), color=_series("use_case"))
    return _sized(band + line)


def costs(rows: Sequence[Row]) -> alt.LayerChart:
    """Cost now and of the recommended choice, a bar each; rows: use_case, kind, usd_per_month."""
    base = _of(rows)
    kinds = alt.Scale(domain=["now", "recommended"], range=[NOW, BEST])
    bars = base.mark_bar(height={"band": 0.85}).encode(
        x=alt.X("usd_per_month:Q", title="USD a month at list prices"),
        y=alt.Y("use_case:N", title=None, sort="-x"),
        yOffset=alt.YOffset("kind:N", sort=["now", "recommended"]),
        color=alt.Color("kind:N", title=None, scale=kinds, legend=alt.Legend(orient="top")),
    )
    return _sized(
        bars + bars.mark_text(align="left", dx=4).encode(text=alt.Text("usd_per_month:Q", format="$,.0f")), step=24
    )


def savings(rows: Sequence[Row]) -> alt.LayerChart:
    """Savings by what became of them; rows: state, usd_per_month."""
    base = _of(rows)
    bars = base.mark_bar(color=BEST).encode(
        x=alt.X("usd_per_month:Q", title="USD a month at list prices"),
        y=alt.Y("state:N", title=None, sort=["accepted", "open, proven", "open, not yet proven", "declined"]),
    )
    return _sized(
        bars + bars.mark_text(align="left", dx=4).encode(text=alt.Text("usd_per_month:Q", format="$,.0f")), step=34
    )


def health(rows: Sequence[Row]) -> alt.LayerChart:
    """Age of what each source last said, the oldest first as the query gives them; rows: source, days, outcome."""
    outcomes = alt.Scale(domain=["new", "changed", "unchanged", "failed"], range=[BEST, EDGE, OTHER, NOW])
    bars = (
        _of(rows)
        .mark_bar(height=9)
        .encode(
            x=alt.X("days:Q", title="days behind the newest data"),
            y=alt.Y("source:N", title=None, sort=[r["source"] for r in rows]),
            color=alt.Color("outcome:N", title=None, legend=alt.Legend(orient="top"), scale=outcomes),
        )
    )
    names = bars.mark_text(align="left", dx=4).encode(text=alt.Text("days:Q"))
    return _sized(bars + names, step=18)


def svg(chart: alt.LayerChart, theme: Theme) -> str:
    text = str(vl_convert.vegalite_to_svg(_themed(chart, theme)))
    if theme == "dark":
        for light, dark in ON_DARK.items():
            text = text.replace(light, dark)
    return text


def png(chart: alt.LayerChart, scale: float = 2.0) -> bytes:
    """For Slack, which shows no SVG."""
    return bytes(vl_convert.vegalite_to_png(_themed(chart, "light"), scale=scale))


def _themed(chart: alt.LayerChart, theme: Theme) -> str:
    ink, faint = INK[theme], FAINT[theme]
    text = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    config: dict[str, Any] = {
        "background": "transparent" if theme == "dark" else "white",
        "font": "Arial, Helvetica, sans-serif",
        "padding": {"left": 34, "right": 40, "top": 6, "bottom": 8},  # the reader's font may be wider than ours
        "view": {"stroke": None},
        "axis": {**text, "gridColor": faint, "domainColor": faint, "tickColor": faint},
        "legend": {**text, "columns": 4, "labelLimit": 260},
        "text": {"color": ink, "fontSize": 12},
    }
    return str(chart.configure(**config).to_json())


def _sized(chart: alt.LayerChart, step: int | None = None) -> alt.LayerChart:
    height: Any = alt.Step(step) if step else HEIGHT
    return chart.properties(width=WIDTH, height=height)


def _series(field: str) -> alt.Color:
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=alt.Scale(range=SCALE),
        legend=alt.Legend(orient="top", columns=2, symbolType="stroke"),
    )


def _of(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=_plain(rows)))


def _plain(rows: Sequence[Row]) -> list[Row]:
    """Days as text, so that JSON takes them."""
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in r.items()} for r in rows]
