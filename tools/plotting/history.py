"""Times by revision, a panel a cell, with the levels between change points.

SPDX-License-Identifier: Apache-2.0
"""

import math

from . import style
from .style import plt

MOST_PANELS = 24
COLUMNS = 3


def chosen(history):
    """Cells with changes first (the largest first), then the others, as many as fit."""
    def largest(series):
        return max((abs(math.log(c["after"] / c["before"])) for c in series["changes"]),
                   default=0.0)
    return sorted(history["series"], key=lambda s: -largest(s))[:MOST_PANELS]


def unit_of(seconds):
    for size, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return size, name
    return 1e-9, "ns"


def draw_series(axes, series, revisions):
    lines = [point["line"] for point in series["points"]]
    times = [point["seconds"] for point in series["points"]]
    size, name = unit_of(sorted(times)[len(times) // 2])
    axes.plot(lines, [t / size for t in times], "o", color=style.GREY, markersize=2,
              markeredgewidth=0, zorder=3)
    bounds = [lines[0]] + [c["line"] for c in series["changes"]] + [lines[-1] + 1]
    for i, (begin, end) in enumerate(zip(bounds, bounds[1:])):
        if not series["changes"]:
            level = sorted(times)[len(times) // 2]
        else:
            level = (series["changes"][i]["before"] if i < len(series["changes"])
                     else series["changes"][-1]["after"])
        axes.plot([begin - 0.4, end - 0.6], [level / size] * 2, color=style.BLUE, zorder=4)
    for change in series["changes"]:
        slower = change["after"] > change["before"]
        colour = style.RED if slower else style.GREEN
        axes.axvline(change["line"] - 0.5, color=colour, linewidth=0.8, zorder=2)
        axes.annotate(f"{100 * (change['after'] / change['before'] - 1):+.0f} % "
                      f"{revisions[change['line']]['revision'][:8]}",
                      xy=(change["line"] - 0.5, 1), xycoords=("data", "axes fraction"),
                      xytext=(2, -6), textcoords="offset points", fontsize=5.5, color=colour)
    axes.set_ylim(bottom=0, top=1.15 * max(times) / size)
    axes.set_ylabel(name)
    parts = [p for p in series["name"].split("/") if not p.startswith(("t:", "C:", "backend:"))]
    axes.set_title(" ".join(parts), loc="left", fontsize=5.5)


def draw(history):
    cells = chosen(history)
    if not cells:
        return None
    rows = math.ceil(len(cells) / COLUMNS)
    figure, grid = plt.subplots(rows, COLUMNS, squeeze=False, sharex=True,
                                figsize=(style.PAGE_INCHES, 1.25 * rows + 0.4))
    figure.subplots_adjust(wspace=0.4, hspace=0.45)
    panels = [axes for row in grid for axes in row]
    for axes, series in zip(panels, cells):
        draw_series(axes, series, history["revisions"])
    for axes in panels[len(cells):]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("revision, oldest first")
    return figure
