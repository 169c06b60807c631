"""Executed FLOP/s against arithmetic intensity, under the peak and bandwidths that were measured
in the same study.

SPDX-License-Identifier: Apache-2.0
"""

import numpy as np

from . import style
from .style import plt


def median_limits(rounds):
    peak = float(np.median([r["limits"]["flops_per_second"] * max(1, r["threads"])
                            for r in rounds]))
    levels = {}
    for each in rounds:
        for bandwidth in each["limits"]["bandwidths"]:
            levels.setdefault(bandwidth["level"], []).append(bandwidth["bytes_per_second"])
    return peak, {level: float(np.median(values)) for level, values in levels.items()}


def draw_roofs(axes, peak, bandwidths, low, high):
    for level, bandwidth in bandwidths.items():
        ridge = peak / bandwidth
        if ridge > low:
            axes.plot([low, ridge], [low * bandwidth, peak], color="#999999", linewidth=0.9,
                      zorder=2)
            axes.annotate(level, (low, low * bandwidth), xytext=(2, 1), textcoords="offset points",
                          fontsize=6.5, color=style.GREY, va="bottom")
    ridge = min(peak / bandwidth for bandwidth in bandwidths.values()) if bandwidths else low
    axes.plot([max(low, ridge), high], [peak, peak], color=style.BLACK, linewidth=1.1, zorder=2)
    axes.annotate(f"FMA peak {peak / 1e9:.0f} GFLOP/s", (high, peak), xytext=(0, 2),
                  textcoords="offset points", fontsize=6.5, ha="right", va="bottom")


def draw(report):
    groups = {"passes": [], "fast": [], "naive": []}
    for subject in report["subjects"]:
        group = subject["variant"] if subject["variant"] in groups else "passes"
        for cell in subject["cells"]:
            if cell["median_seconds"] and cell["bytes"] and cell["flops"]:
                groups[group].append((cell["flops"] / cell["bytes"],
                                      cell["flops"] / cell["median_seconds"]))
    points = [point for group in groups.values() for point in group]
    if not points or not report["rounds"]:
        return None
    peak, bandwidths = median_limits(report["rounds"])
    ridges = [peak / bandwidth for bandwidth in bandwidths.values()]
    low = 0.5 * min([p[0] for p in points] + ridges)
    high = 2 * max(p[0] for p in points)
    figure, axes = plt.subplots(figsize=(style.COLUMN_INCHES * 1.25, 2.9))
    draw_roofs(axes, peak, bandwidths, low, high)
    looks = {"passes": (style.BLACK, "s"), "fast": (style.BLUE, "o"), "naive": (style.ORANGE, "^")}
    for name, group in groups.items():
        if group:
            colour, marker = looks[name]
            axes.plot(*zip(*group), marker, color=colour, markersize=2.6, alpha=0.65,
                      markeredgewidth=0, label=name, zorder=4 if name == "passes" else 3)
    style.log_axes(axes)
    axes.set_xlim(low, high)
    axes.set_xlabel("arithmetic intensity / FLOP per byte (least traffic)")
    axes.set_ylabel("executed FLOP/s")
    axes.legend(loc="lower right", frameon=False, fontsize=7, handletextpad=0.2)
    figure.tight_layout()
    return figure
