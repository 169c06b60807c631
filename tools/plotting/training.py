"""Training to a result: loss curves, loss against N, steps against N, the tax by flavour.

SPDX-License-Identifier: Apache-2.0
"""

import numpy as np

from . import style
from .style import plt

FLAVOURS = [style.BLUE, style.RED, style.GREEN, style.PURPLE, style.ORANGE]


def tasks_of(report):
    return [task for task in report.get("trainings", []) if task["sizes"]]


def panels(tasks, height):
    columns = min(2, len(tasks))
    rows = (len(tasks) + columns - 1) // columns
    figure, grid = plt.subplots(rows, columns, squeeze=False,
                                figsize=(style.COLUMN_INCHES * columns, height * rows))
    figure.subplots_adjust(hspace=0.45, wspace=0.3)
    axes = [a for row in grid for a in row]
    for spare in axes[len(tasks):]:
        spare.set_axis_off()
    return figure, axes


def draw_curves(report):
    tasks = [task for task in tasks_of(report) if task["curves"]]
    if not tasks:
        return None
    figure, all_axes = panels(tasks, 2.3)
    for axes, task in zip(all_axes, tasks):
        curves = sorted(task["curves"], key=lambda curve: curve["width"])
        colours = plt.cm.viridis(np.linspace(0, 0.9, len(curves)))
        for curve, colour in zip(curves, colours):
            points = [p for p in curve["points"] if p["steps"] > 0]
            axes.plot([p["flops"] for p in points], [p["loss"] for p in points], color=colour,
                      linewidth=0.9, label=str(curve["width"]))
        style.log_axes(axes)
        axes.set_title(f"{task['task']}: longest runs by width", loc="left")
        axes.set_xlabel("training FLOPs")
        axes.set_ylabel("test loss")
        axes.legend(fontsize=5, frameon=False, ncol=2, loc="lower left")
    return figure


def law_at(law, size):
    at = law["at"][0]
    return None if at["value"] is None else (
        at["value"] * (size / at["parameters"]) ** law["exponent"])


def draw_losses(report):
    tasks = tasks_of(report)
    if not tasks:
        return None
    figure, all_axes = panels(tasks, 2.3)
    for axes, task in zip(all_axes, tasks):
        for done, marker, label in ((True, "o", "converged"), (False, "x", "still improving")):
            sizes = [s for s in task["sizes"] if s["converged"] == done]
            points = [(s["parameters"], min(run)) for s in sizes for run in s["losses"]]
            if points:
                axes.plot(*zip(*points), marker, color=style.BLUE if done else style.GREY,
                          markersize=3, label=label)
        law = task["loss_power"]
        if law:
            sizes = np.geomspace(law["smallest"], law["largest"], 50)
            values = law_at(law, sizes)
            if values is not None:
                axes.plot(sizes, values, color=style.BLUE,
                          label=f"N^{law['exponent']:.2f}")
                alpha = task["reference_alpha"]
                if alpha:
                    middle = len(sizes) // 2
                    axes.plot(sizes, values[middle] * (sizes / sizes[middle]) ** -alpha, "--",
                              color=style.BLACK, linewidth=0.8, label=f"4/d: N^-{alpha:.2f}")
        style.log_axes(axes)
        axes.set_title(task["task"], loc="left")
        axes.set_xlabel("parameters N")
        axes.set_ylabel("best test loss")
        axes.legend(fontsize=6, frameon=False)
    return figure


def draw_steps(report):
    tasks = tasks_of(report)
    if not tasks:
        return None
    figure, all_axes = panels(tasks, 2.3)
    for axes, task in zip(all_axes, tasks):
        for law, colour in zip(task["steps"], FLAVOURS):
            label = law["flavour"]
            if law["steps"]:
                label += f": N^{law['steps']['exponent']:.2f}"
            reached, censored = [], []
            for size, runs in zip(task["sizes"], law["runs"]):
                for run in runs:
                    (reached if run["reached"] == "reached" else censored).append(
                        (size["parameters"], run["steps"]))
            if reached:
                axes.plot(*zip(*reached), "o", color=colour, markersize=3, label=label)
            if censored:
                axes.plot(*zip(*censored), "x", color=colour, markersize=3, alpha=0.6,
                          label=None if reached else label)
            fit = law["steps"]
            if fit:
                sizes = np.geomspace(fit["smallest"], fit["largest"], 20)
                values = law_at(fit, sizes)
                if values is not None:
                    axes.plot(sizes, values, color=colour, linewidth=0.9,
                              label=None if reached else label)
        style.log_axes(axes)
        axes.set_title(f"{task['task']}: steps S(N); x: censored", loc="left")
        axes.set_xlabel("parameters N")
        axes.set_ylabel("steps")
        axes.legend(fontsize=5, frameon=False)
    return figure


def draw_flavours(report):
    rows = []
    for subject in report["subjects"]:
        taxes = subject.get("training_taxes")
        if not subject["variant"] or not taxes or not taxes["per_training"]:
            continue
        rows.append((style.label_of(subject), taxes))
    if not rows:
        return None
    flavours = []
    for _, taxes in rows:
        for tax in taxes["per_training"]:
            if tax["flavour"] not in flavours:
                flavours.append(tax["flavour"])
    figure, axes = plt.subplots(figsize=(style.PAGE_INCHES, 0.16 * len(rows) + 1.2))
    for i, (_, taxes) in enumerate(rows):
        shown = [("per training step", style.BLACK, taxes["per_step"])]
        shown += [(tax["flavour"], FLAVOURS[flavours.index(tax["flavour"]) % len(FLAVOURS)], tax)
                  for tax in taxes["per_training"]]
        for j, (label, colour, tax) in enumerate(shown):
            if tax is None:
                continue
            y = i + 0.7 * (j / max(1, len(shown) - 1) - 0.5)
            axes.plot(tax["interval"], [y, y], color=colour, linewidth=0.8)
            axes.plot([tax["exponent"]], [y], "o", color=colour, markersize=2.5)
    axes.axvline(0, color=style.BLACK, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=6)
    axes.invert_yaxis()
    axes.set_xlabel("exponent of the tax in N: left of 0 it shrinks")
    handles = [plt.Line2D([], [], color=style.BLACK, label="per training step")]
    handles += [plt.Line2D([], [], color=FLAVOURS[i % len(FLAVOURS)], label=name)
                for i, name in enumerate(flavours)]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.1, 0.9), ncol=3,
                  frameon=False, fontsize=6)
    return figure
