"""A laid-out figure as SVG, and as PNG through Pillow."""

from __future__ import annotations

import importlib.util
import io
import math
import os
from html import escape
from typing import Any

from .figure import Figure
from .layout import LINE, Layout, Point

#: Fill and border of each kind of box.
COLOURS = {
    "parameter": ("#dcebfb", "#3b76b5"), "constant": ("#f2f2f2", "#8a8a8a"), "value": ("#ffffff", "#8a8a8a"),
    "result": ("#fde7d2", "#c8701a"), "operator": ("#e8f3e4", "#4b8b3b"),
}  # fmt: skip
LABEL, INK = "#a02c2c", "#222222"


def svg(figure: Figure, layout: Layout) -> str:
    """The figure as an SVG document."""
    wide, high = _extent(figure, layout)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}" '
        'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="11">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#666"/></marker></defs>',
        f'<rect width="{wide:.0f}" height="{high:.0f}" fill="#fff"/>',
    ]
    for path in layout.paths:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
        parts.append(f'<polyline points="{points}" fill="none" stroke="#666" marker-end="url(#tip)"/>')
    for key, box in figure.boxes.items():
        x, y, w, h = layout.places[key]
        fill, border = COLOURS[box.kind]
        round_ = h / 2 if box.kind == "operator" else 4
        dashed = ' stroke-dasharray="4 2"' if box.kind == "constant" else ""
        parts.append(
            f'<rect class="{box.kind}" x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{round_:.1f}" '
            f'fill="{fill}" stroke="{border}"{dashed}/>'
        )
        parts += _svg_text(x, y, box.lines, INK, bold=True)
    for number, line in enumerate(figure.lines):
        if line.labels:
            x, y, w, h = layout.places["label", number]
            parts.append(
                f'<rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" fill="#fff" opacity="0.9"/>'
            )
            parts += _svg_text(x, y, line.labels, LABEL)
    for k, remark in enumerate(figure.remarks):
        parts.append(f'<text x="10" y="{layout.height + 14 + k * LINE:.1f}" fill="{INK}" font-style="italic">{escape(remark)}</text>')
    return "\n".join([*parts, "</svg>"])


def _extent(figure: Figure, layout: Layout) -> Point:
    wide = max([layout.width, *(len(each) * 5.8 + 20 for each in figure.remarks)])
    return wide, layout.height + (len(figure.remarks) * LINE + 8 if figure.remarks else 0)


def _svg_text(x: float, y: float, lines: list[str], colour: str, bold: bool = False) -> list[str]:
    top = y - (len(lines) - 1) * LINE / 2 + 4
    return [
        f'<text x="{x:.1f}" y="{top + k * LINE:.1f}" text-anchor="middle" fill="{colour}"'
        + (' font-weight="bold"' if bold and k == 0 else "")
        + f">{escape(text)}</text>"
        for k, text in enumerate(lines)
    ]


def png(figure: Figure, layout: Layout, scale: float = 2.0) -> bytes:
    """The figure as a PNG, ``scale`` dots a point.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise ImportError("drawing a PNG needs Pillow: pip install pillow (an SVG needs nothing)") from error
    wide, high = _extent(figure, layout)
    picture = Image.new("RGB", (math.ceil(wide * scale), math.ceil(high * scale)), "white")
    pen = ImageDraw.Draw(picture)
    font = _font(11 * scale)

    def text(x: float, y: float, lines: list[str], colour: str) -> None:
        top = y - (len(lines) - 1) * LINE / 2
        for k, each in enumerate(lines):
            pen.text((x * scale, (top + k * LINE) * scale), each, colour, font, anchor="mm")

    for path in layout.paths:
        points = [(x * scale, y * scale) for x, y in path]
        pen.line(points, "#666666", max(1, round(scale)))
        pen.polygon(_tip(points, 7 * scale), "#666666")
    for key, box in figure.boxes.items():
        x, y, w, h = layout.places[key]
        fill, border = COLOURS[box.kind]
        corners = [((x - w / 2) * scale, (y - h / 2) * scale), ((x + w / 2) * scale, (y + h / 2) * scale)]
        pen.rounded_rectangle(corners, (h / 2 if box.kind == "operator" else 4) * scale, fill, border, max(1, round(scale)))
        text(x, y, box.lines, INK)
    for number, line in enumerate(figure.lines):
        if line.labels:
            x, y, w, h = layout.places["label", number]
            pen.rectangle([((x - w / 2) * scale, (y - h / 2) * scale), ((x + w / 2) * scale, (y + h / 2) * scale)], "white")
            text(x, y, line.labels, LABEL)
    for k, remark in enumerate(figure.remarks):
        pen.text((10 * scale, (layout.height + 10 + k * LINE) * scale), remark, INK, font, anchor="lm")
    data = io.BytesIO()
    picture.save(data, format="PNG")
    return data.getvalue()


def _tip(points: list[Point], size: float) -> list[Point]:
    """The triangle at the end of a line."""
    (x0, y0), (x, y) = points[-2:]
    length = math.hypot(x - x0, y - y0) or 1.0
    dx, dy = (x - x0) / length * size, (y - y0) / length * size
    return [(x, y), (x - dx - dy / 2, y - dy + dx / 2), (x - dx + dy / 2, y - dy - dx / 2)]


def _font(size: float) -> Any:
    """DejaVu Sans, which has ∂: the system's, or the one matplotlib brings along; else Pillow's own."""
    from PIL import ImageFont

    names = ["DejaVuSans.ttf"]
    found = importlib.util.find_spec("matplotlib")
    if found is not None and found.origin:
        names.append(os.path.join(os.path.dirname(found.origin), "mpl-data", "fonts", "ttf", "DejaVuSans.ttf"))
    for name in names:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
