"""Where the names in a scatter go, so that none covers a point, an interval or another name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LETTER = 5.6
"""Width of a letter in points at the size that the figures use, on the wide side."""
HEIGHT = 12.0


@dataclass(frozen=True)
class Box:
    """A rectangle in points, from its left lower corner."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return wide * high if wide > 0 and high > 0 else 0.0


@dataclass(frozen=True)
class Place:
    """Where a label stands: its left middle, in points, and whether it is far enough to need a line to its point."""

    x: float
    y: float
    line: bool


def place(
    names: Sequence[str], points: Sequence[tuple[float, float]], taken: Sequence[Box], size: tuple[float, float]
) -> list[Place]:
    """A place for each name near its point.

    Args:
        names: The labels, in order of importance.
        points: The points they name, in points of the panel.
        taken: What must not be covered: intervals, other marks.
        size: Width and height of the panel; labels stay inside.
    """
    marks = [*taken, *(Box(x - 5, y - 5, 10, 10) for x, y in points)]
    places: list[Place] = []
    boxes: list[Box] = []
    for name, point in zip(names, points, strict=True):
        cost, box, far = min(
            ((_cost(box, marks, boxes, size) + 0.5 * far, box, far) for box, far in _candidates(name, point)),
            key=lambda choice: choice[0],
        )
        del cost
        boxes.append(box)
        places.append(Place(box.x, box.y + HEIGHT / 2, far > 14))
    return places


def _candidates(name: str, point: tuple[float, float]) -> list[tuple[Box, float]]:
    width = LETTER * len(name)
    found: list[tuple[Box, float]] = []
    for far in (9.0, 18.0, 28.0, 40.0, 56.0, 74.0):
        for step in range(16):
            angle = step * math.pi / 8
            x, y = point[0] + far * math.cos(angle), point[1] + far * math.sin(angle)
            # The end of the label that faces the point stands at that distance.
            left = x - width * (0.5 - 0.5 * math.cos(angle))
            found.append((Box(left, y - HEIGHT / 2, width, HEIGHT), far))
    return found


def _cost(box: Box, marks: list[Box], boxes: list[Box], size: tuple[float, float]) -> float:
    inside = box.overlap(Box(0, 0, *size))
    outside = box.width * box.height - inside
    return 3 * sum(box.overlap(mark) for mark in marks) + 8 * sum(box.overlap(other) for other in boxes) + 20 * outside
