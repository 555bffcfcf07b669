"""Bars as SVG, by hand: one bar for each candidate, its spread as a line, its number beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bench.session_check.ratios import Ratio

_WIDTH, _LABELS, _NUMBERS = 880, 330, 170
_ROW, _BAR, _TOP, _BOTTOM = 30, 16, 64, 16
_OURS, _OTHERS, _SPREAD = "#1d5fbf", "#8a94a3", "#111827"

Attributes = Mapping[str, str | float]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A candidate, how far its bar goes, and whether it is this service."""

    label: str
    length: Ratio
    number: str
    is_ours: bool


def draw_bars(title: str, subtitle: str, bars: Sequence[Bar]) -> str:
    """Give a whole SVG file, readable on a light page and on a dark one."""
    height = _TOP + _ROW * len(bars) + _BOTTOM
    longest = max(bar.length.highest for bar in bars)
    scale = (_WIDTH - _LABELS - _NUMBERS) / longest
    lines = [
        _element("rect", {"width": _WIDTH, "height": height, "fill": "#ffffff"}),
        _text(title, x=16, y=26, more={"font-size": 17, "font-weight": 600}),
        _text(subtitle, x=16, y=47, more={"fill": "#4b5563"}),
    ]
    for number, bar in enumerate(bars):
        lines += _draw(bar, top=_TOP + _ROW * number, scale=scale)
    picture: Attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {_WIDTH} {height}",
        "role": "img",
        "aria-label": title,
        "font-family": "system-ui, sans-serif",
        "font-size": 14,
    }
    return _element("svg", picture, "\n" + "\n".join(lines) + "\n") + "\n"


def _draw(bar: Bar, *, top: int, scale: float) -> list[str]:
    middle = top + _ROW // 2
    length = max(1.0, bar.length.median * scale)
    low, high = (_LABELS + value * scale for value in (bar.length.lowest, bar.length.highest))
    weight: Attributes = {"font-weight": 600} if bar.is_ours else {}
    end = max(_LABELS + length, high)
    shape: Attributes = {
        "x": _LABELS,
        "y": middle - _BAR // 2,
        "width": f"{length:.1f}",
        "height": _BAR,
        "rx": 2,
        "fill": _OURS if bar.is_ours else _OTHERS,
    }
    spread: Attributes = {
        "x1": f"{low:.1f}",
        "x2": f"{high:.1f}",
        "y1": middle,
        "y2": middle,
        "stroke": _SPREAD,
        "stroke-width": 1.5,
    }
    return [
        _text(bar.label, x=_LABELS - 10, y=middle + 5, more={"text-anchor": "end", **weight}),
        _element("rect", shape),
        _element("line", spread),
        _text(bar.number, x=end + 8, y=middle + 5, more=weight),
    ]


def _text(words: str, *, x: float, y: float, more: Attributes) -> str:
    return _element("text", {"x": f"{x:.0f}", "y": y, "fill": "#111827", **more}, escape(words))


def _element(name: str, attributes: Attributes, inside: str = "") -> str:
    written = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"
