"""A forest plot of the joint laws' exponents, beside what the declared FLOPs give.

SPDX-License-Identifier: Apache-2.0
"""

from . import style
from .style import plt


def exponent(fit, predictor):
    return fit["exponents"].get(predictor) if fit else None


def draw_side(axes, subjects, predictor, colour, landmarks):
    for value in landmarks:
        axes.axvline(value, color="#BBBBBB", linewidth=0.8, zorder=1)
    for row, subject in enumerate(subjects):
        measured = exponent(subject["joint"], predictor)
        theory = exponent(subject["theory"], predictor)
        if theory:
            axes.plot(theory["exponent"], row, "|", color=style.BLACK, markersize=8,
                      markeredgewidth=1.4, zorder=3)
        if measured:
            low, high = measured["interval"]
            axes.plot([low, high], [row, row], color=colour, linewidth=1.4, zorder=4)
            axes.plot(measured["exponent"], row, "o", color=colour, markersize=3.5, zorder=5)
        else:
            axes.text(landmarks[-1], row, "not identified ", fontsize=6, color=style.GREY,
                      va="center", ha="right")
    axes.set_xlabel(f"exponent in {predictor}")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def draw(report):
    subjects = [s for s in report["subjects"] if s["joint"]]
    if not subjects:
        return None
    figure, (left, right) = plt.subplots(
        1, 2, sharey=True, figsize=(style.PAGE_INCHES, 0.19 * len(subjects) + 0.8))
    draw_side(left, subjects, "N", style.BLUE, [0, 1])
    draw_side(right, subjects, "n", style.RED, [0, 1])
    left.set_yticks(range(len(subjects)), [style.label_of(s) for s in subjects])
    left.set_ylim(len(subjects) - 0.4, -0.6)
    figure.tight_layout(w_pad=1.0)
    figure.legend(
        handles=[
            plt.Line2D([], [], color=style.GREY, marker="o", markersize=3.5,
                       label="measured, 95 % interval"),
            plt.Line2D([], [], color=style.BLACK, marker="|", markersize=8, markeredgewidth=1.4,
                       linestyle="", label="declared FLOPs, same fit"),
        ],
        loc="lower left", bbox_to_anchor=(0.25, 0.99), ncol=2, frameon=False, fontsize=7)
    return figure
