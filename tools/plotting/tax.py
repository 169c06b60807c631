"""The transparency tax against N: time of a method over time of a training step.

SPDX-License-Identifier: Apache-2.0
"""

import math

import numpy as np

from . import style
from .style import plt

COLOURS = {"grows": style.RED, "constant": style.BLUE, "shrinks": style.GREEN,
           "undecided": style.GREY}


def line(tax, reference, sizes):
    return tax["at_reference"] * (sizes / reference) ** tax["exponent"]


def draw_tax(axes, subject, reference):
    tax = subject["tax"]
    points = tax["points"]
    colour = COLOURS[tax["growth"]]
    sizes = np.geomspace(points[0]["parameters"], points[-1]["parameters"], 60)
    ratios = line(tax, reference, sizes)
    middle = math.sqrt(sizes[0] * sizes[-1])
    edges = [ratios * (sizes / middle) ** (end - tax["exponent"]) for end in tax["interval"]]
    axes.fill_between(sizes, *edges, color=colour, alpha=0.15, linewidth=0, zorder=2)
    axes.plot(sizes, ratios, color=colour, zorder=3)
    axes.plot([p["parameters"] for p in points], [p["ratio"] for p in points], "o", color=colour,
              markersize=2, alpha=0.7, markeredgewidth=0, zorder=4)
    return sizes[-1], ratios[-1], colour


def label_ends(axes, ends, right):
    """Names beside the lines' ends, moved apart, each with a thin line to its own end."""
    low, high = axes.get_ylim()
    height = axes.get_window_extent().height * 72 / axes.figure.dpi
    gap = 6.6 / height * math.log10(high / low)
    places = style.spread([math.log10(end[1]) for end in ends], gap)
    for (x, y, colour, name), place in zip(ends, places):
        axes.annotate(name, xy=(x, y), xytext=(right, 10**place), fontsize=5.5, color=colour,
                      va="center", annotation_clip=False,
                      arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.4,
                                  "alpha": 0.5, "shrinkA": 0, "shrinkB": 1})


def draw(report):
    subjects = [s for s in report["subjects"] if s["tax"] and s["variant"]]
    if not subjects:
        return None
    reference = report["tax_reference_parameters"]
    panels = [("naive", "one neuron at a time (naive)"), ("fast", "best known algorithm (fast)")]
    panels = [(v, t) for v, t in panels if any(s["variant"] == v for s in subjects)]
    most = max(sum(s["variant"] == v for s in subjects) for v, _ in panels)
    figure, grid = plt.subplots(1, len(panels), squeeze=False, sharey=True,
                                figsize=(style.PAGE_INCHES * len(panels) / 2,
                                         max(2.8, 0.105 * most + 1.2)))
    figure.subplots_adjust(wspace=0.9)
    drawn = []
    for axes, (variant, title) in zip(grid[0], panels):
        ends = []
        for subject in subjects:
            if subject["variant"] == variant:
                ends.append((*draw_tax(axes, subject, reference),
                             subject["subject"].replace("_", " ")))
        style.log_axes(axes)
        axes.axhline(1, color=style.BLACK, linewidth=0.8, zorder=1)
        axes.axvline(reference, color="#BBBBBB", linewidth=0.8, zorder=1)
        axes.set_title(title, loc="left")
        axes.set_xlabel("parameters N")
        drawn.append((axes, ends))
    grid[0][0].set_ylabel("time / time of a training step")
    for axes, ends in drawn:
        low, high = axes.get_xlim()
        label_ends(axes, ends, 10 ** (math.log10(high) + 0.04 * math.log10(high / low)))
    present = [g for g in COLOURS if any(s["tax"]["growth"] == g for s in subjects)]
    figure.legend(handles=[plt.Line2D([], [], color=COLOURS[g], label=g) for g in present],
                  loc="lower left", bbox_to_anchor=(0.11, 0.95), ncol=len(present), frameon=False,
                  fontsize=7)
    return figure
