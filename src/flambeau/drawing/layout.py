"""Where boxes go: layers from the inputs down, by Graphviz where ``dot`` is installed, else by grandalf.

Labels of lines are laid out as boxes of their own, so that nothing overlaps.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from .figure import Figure

Point = tuple[float, float]
#: Sizes in points: a letter, a line of text, and what is left free around the text of a box.
LETTER, LINE, MARGIN = 6.7, 15.0, 8.0


class Layout:
    """Positions, y downwards from the upper left corner.

    Attributes:
        places: key of a box, or ("label", number of the line) -> (x, y, width, height), x and y of the middle.
        paths: for each line, the points it goes through.
    """

    def __init__(self) -> None:
        self.places: dict[Any, tuple[float, float, float, float]] = {}
        self.paths: list[list[Point]] = []
        self.width = self.height = 0.0


def size_of(lines: list[str], kind: str) -> Point:
    """What a box for this text measures."""
    wide = max((len(each) for each in lines), default=1) * LETTER
    if kind == "label":
        return wide + 4, len(lines) * (LINE - 2)
    return max(wide + 2 * MARGIN, 44.0), len(lines) * LINE + MARGIN


def lay_out(figure: Figure, engine: str | None = None) -> Layout:
    """Place the boxes of a figure.

    Args:
        engine: "dot" or "grandalf"; by default the first that is there.

    Raises:
        ImportError: neither is installed.
        ValueError: there is no such engine.
    """
    if engine not in (None, "dot", "grandalf"):
        raise ValueError(f"draw: engine is 'dot' or 'grandalf', but got {engine!r}")
    sizes: dict[Any, Point] = {key: size_of(box.lines, box.kind) for key, box in figure.boxes.items()}
    pieces: list[tuple[Any, Any]] = []
    for number, line in enumerate(figure.lines):
        if line.labels:
            label = ("label", number)
            sizes[label] = size_of(line.labels, "label")
            pieces += [(line.source, label), (label, line.target)]
        else:
            pieces.append((line.source, line.target))
    if engine == "dot" or (engine is None and shutil.which("dot")):
        places, paths = _by_dot(sizes, pieces)
    else:
        places, paths = _by_grandalf(sizes, pieces)
    made = Layout()
    left = min(x - sizes[key][0] / 2 for key, (x, _) in places.items())
    top = min(y - sizes[key][1] / 2 for key, (_, y) in places.items())
    made.places = {key: (x - left + 10, y - top + 10, *sizes[key]) for key, (x, y) in places.items()}
    moved = [[(x - left + 10, y - top + 10) for x, y in path] for path in paths]
    made.width = max(x + w / 2 for x, _, w, _ in made.places.values()) + 10
    made.height = max(y + h / 2 for _, y, _, h in made.places.values()) + 10
    place = 0
    for line in figure.lines:  # the two pieces of a labelled line are one again
        count = 2 if line.labels else 1
        points = [point for path in moved[place : place + count] for point in path]
        made.paths.append(_between(points, made.places[line.source], made.places[line.target]))
        place += count
    return made


def _between(points: list[Point], source: Any, target: Any) -> list[Point]:
    """The path from the border of one box to that of the other: what lies within them is cut off."""
    inner = [each for each in points if not _inside(each, source) and not _inside(each, target)]
    middle_of_source, middle_of_target = source[:2], target[:2]
    first = inner[0] if inner else middle_of_target
    last = inner[-1] if inner else middle_of_source
    return [_border(source, first), *inner, _border(target, last)]


def _inside(point: Point, box: Any) -> bool:
    """Within a box, or so near its border that no line worth its arrow is left in between."""
    x, y, wide, high = box
    return abs(point[0] - x) < wide / 2 + 3 and abs(point[1] - y) < high / 2 + 3


def _border(box: Any, towards: Point) -> Point:
    """Where the straight line from a box's middle to a point leaves the box."""
    x, y, wide, high = box
    dx, dy = towards[0] - x, towards[1] - y
    if not dx and not dy:
        return x, y
    scale = min(wide / 2 / abs(dx) if dx else 1e9, high / 2 / abs(dy) if dy else 1e9)
    return x + dx * scale, y + dy * scale


def _by_dot(sizes: dict[Any, Point], pieces: list[tuple[Any, Any]]) -> tuple[dict[Any, Point], list[list[Point]]]:
    """Positions by Graphviz."""
    number = {key: f"n{k}" for k, key in enumerate(sizes)}
    lines = ["digraph g { rankdir=TB; nodesep=0.25; ranksep=0.25; splines=polyline; node [shape=box, fixedsize=true, label=\"\"];"]
    for key, (wide, high) in sizes.items():
        lines.append(f"{number[key]} [width={wide / 72:.4f}, height={high / 72:.4f}];")
    lines += [f"{number[a]} -> {number[b]} [id={k}, dir=none, label=\"\"];" for k, (a, b) in enumerate(pieces)]
    ran = subprocess.run(["dot", "-Tjson"], input="\n".join([*lines, "}"]), capture_output=True, text=True, check=True)
    import json

    found = json.loads(ran.stdout)
    by_name = {name: key for key, name in number.items()}
    places = {}
    for each in found["objects"]:
        x, y = map(float, each["pos"].split(","))
        places[by_name[each["name"]]] = (x, -y)
    paths: list[list[Point]] = [[] for _ in pieces]
    for each in found.get("edges", ()):
        points = [tuple(map(float, pair.split(","))) for pair in each["pos"].split(" ")]
        paths[int(each["id"])] = [(x, -y) for x, y in points[::3]]  # a polyline as Bézier curves: the corners are every third
    return places, paths


def _by_grandalf(sizes: dict[Any, Point], pieces: list[tuple[Any, Any]]) -> tuple[dict[Any, Point], list[list[Point]]]:
    """Positions by grandalf's layered layout."""
    try:
        from grandalf.graphs import Edge, Graph, Vertex
        from grandalf.layouts import SugiyamaLayout, VertexViewer
        from grandalf.routing import EdgeViewer
    except ImportError as error:
        raise ImportError(
            "drawing a graph needs Graphviz's dot program (apt install graphviz, brew install graphviz), or grandalf: "
            "pip install 'flambeau[drawing]' (or pip install grandalf)"
        ) from error
    vertices = {}
    for key, (wide, high) in sizes.items():
        vertices[key] = Vertex(key)
        vertices[key].view = VertexViewer(wide, high)
    edges = []
    for source, target in pieces:
        edge = Edge(vertices[source], vertices[target])
        edge.view = EdgeViewer()
        edges.append(edge)
    graph = Graph(list(vertices.values()), edges)
    right = 0.0
    places: dict[Any, Point] = {}
    paths: dict[Any, list[Point]] = {}
    for component in graph.C:
        layout = SugiyamaLayout(component)
        layout.xspace, layout.yspace = 16, 18
        layout.route_edge = lambda edge, points: edge.view.setpath(points)
        layout.init_all(roots=[each for each in component.sV if not each.e_in()])
        layout.draw(12)
        left = min(each.view.xy[0] - each.view.w / 2 for each in component.sV)
        shift = right - left
        for each in component.sV:
            x, y = each.view.xy
            places[each.data] = (x + shift, y)
            right = max(right, x + shift + each.view.w / 2 + 20)
        for edge in component.sE:
            paths[edge] = [(x + shift, y) for x, y in getattr(edge.view, "_pts", [])]
    return places, [paths.get(edge, []) for edge in edges]
