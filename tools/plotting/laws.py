"""Times against one measure of size: a panel a subject, with the fitted law and theory.

SPDX-License-Identifier: Apache-2.0
"""

import math

import numpy as np

from . import style
from .style import plt

COLUMNS = 4


def law_times(law, sizes):
    if law["kind"] == "x log x":
        return law["coefficient"] * sizes * np.log(sizes)
    return law["overhead"] + law["coefficient"] * sizes ** law["exponent"]


def band(fit, sizes, times):
    """The law with its exponent at either end of the interval, turned about the middle size."""
    middle = math.sqrt(sizes[0] * sizes[-1])
    low, high = fit["interval"]
    lower = times * (sizes / middle) ** (low - fit["exponent"])
    upper = times * (sizes / middle) ** (high - fit["exponent"])
    return np.minimum(lower, upper), np.maximum(lower, upper)


def members(cells, family):
    """The cells that laws in one measure of size stand on; all where these are too few."""
    if not family:
        return cells
    inside = [c for c in cells
              if c["inputs"] == family["inputs"] and c["depth"] == family["depth"]]
    return inside if len(inside) >= 4 else cells


def draw_panel(axes, subject, family, size, fit_name, theory_name):
    ground = members(style.fitted_cells(subject), family)
    for status, colour, marker in (("ok", style.BLUE, "o"), ("mistrusted", style.RED, "D")):
        for inside, face, edge in ((False, "none", style.GREY), (True, colour, colour)):
            cells = [c for c in subject["cells"] if c["status"] == status
                     and c["median_seconds"] and (c in ground) == inside]
            axes.plot([c[size] for c in cells], [c["median_seconds"] for c in cells], marker,
                      color=edge, markerfacecolor=face, markersize=3, markeredgewidth=0.7,
                      zorder=4 if inside else 1)
    fit, theory = subject[fit_name], subject[theory_name]
    cells = ground
    title = style.label_of(subject)
    if fit and cells:
        sizes = np.geomspace(min(c[size] for c in cells), max(c[size] for c in cells), 100)
        times = law_times(fit["law"], sizes)
        axes.fill_between(sizes, *band(fit, sizes, times), color=style.SKY, alpha=0.35,
                          linewidth=0, zorder=2)
        axes.plot(sizes, times, color=style.BLUE, zorder=3)
        low, high = fit["interval"]
        title += f"\n{fit['exponent']:.2f} [{low:.2f}, {high:.2f}]"
        if theory:
            anchored = law_times(theory["law"], sizes)
            # Declared FLOPs have another unit: moved onto the cells by their median ratio.
            ratios = [c["median_seconds"] / law_times(theory["law"], np.array([float(c[size])]))[0]
                      for c in cells]
            axes.plot(sizes, anchored * float(np.median(ratios)), "--", color=style.BLACK,
                      linewidth=0.9, zorder=3)
            title += f"; theory {theory['exponent']:.2f}"
    axes.set_title(title, loc="left", fontsize=6.5, linespacing=1.25)
    style.log_axes(axes)


def draw(report, size, symbol, fit_name, theory_name):
    subjects = [s for s in report["subjects"]
                if any(c["median_seconds"] for c in s["cells"])]
    if not subjects:
        return None
    columns = min(COLUMNS, len(subjects))
    rows = -(-len(subjects) // columns)
    figure, grid = plt.subplots(rows, columns, squeeze=False, sharex=True,
                                figsize=(style.PAGE_INCHES * columns / COLUMNS, 1.55 * rows + 0.4))
    panels = grid.ravel()
    for axes, subject in zip(panels, subjects):
        draw_panel(axes, subject, report.get("family"), size, fit_name, theory_name)
    for index, axes in enumerate(panels):
        if index >= len(subjects):
            axes.set_visible(False)
        elif index + columns >= len(subjects):
            axes.set_xlabel(symbol)
            axes.tick_params(labelbottom=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("time / s")
    handles = [
        plt.Line2D([], [], color=style.BLUE, marker="o", markersize=3, label="measured and fitted"),
        plt.Line2D([], [], color=style.BLACK, linestyle="--", linewidth=0.9,
                   label="declared FLOPs, same fit"),
    ]
    if report.get("family"):
        handles.append(plt.Line2D([], [], color=style.GREY, marker="o", markerfacecolor="none",
                                  markersize=3, linestyle="", label="other depths and inputs"))
    if any(c["status"] == "mistrusted" for s in subjects for c in s["cells"]):
        handles.append(plt.Line2D([], [], color=style.RED, marker="D", markersize=3, linestyle="",
                                  label="mistrusted"))
    figure.tight_layout(h_pad=0.8, w_pad=0.6)
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.03, 1.0),
                  ncol=len(handles), frameon=False, fontsize=7)
    return figure


def against_parameters(report):
    return draw(report, "parameters", "parameters N", "against_parameters",
                "theory_against_parameters")


def against_neurons(report):
    return draw(report, "neurons", "neurons n", "against_neurons", "theory_against_neurons")
