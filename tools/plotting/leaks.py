"""Surrogates spliced in, and modules retrained toward theirs: what it does to the loss.

SPDX-License-Identifier: Apache-2.0
"""

from . import style
from .style import plt

KINDS = {"linear": style.BLUE, "low_rank_relu": style.RED, "mlp": style.GREEN}


def outcomes(report, experiment):
    return [o for o in report.get("experiments", [])
            if o["experiment"] == experiment and o["status"] == "ok"]


def named(items, key):
    return {item["name"]: item[key] for item in items}


def draw_sizes(axes, outcome):
    """Leak of all modules replaced, in nats, against the surrogates' size, by kind."""
    series = named(outcome["series"], "values")
    for kind, colour in KINDS.items():
        if f"{kind}_leak" not in series:
            continue
        sizes, leaks = series[f"{kind}_sizes"], series[f"{kind}_leak"]
        axes.fill_between(sizes, series[f"{kind}_leak_low"], series[f"{kind}_leak_high"],
                          color=colour, alpha=0.15, linewidth=0)
        axes.plot(sizes, leaks, "o-", color=colour, markersize=3, label=kind.replace("_", " "))
        axes.plot(sizes, series[f"{kind}_single_leaks"], ":", color=colour, linewidth=0.9)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.set_xlabel("size of each surrogate (rank or hidden units)")
    axes.set_ylabel("rise of the loss")
    axes.set_title(f"all modules of {outcome['topology']} replaced", loc="left")
    axes.legend(frameon=False, fontsize=7, title="dotted: sum of single rises", title_fontsize=6)


def draw_replaced(axes, results):
    """Loss with 1, 2, ... retrained modules in place, beside that of independent errors."""
    for outcome, colour in zip(results, style.CYCLE):
        series = named(outcome["series"], "values")
        replaced = range(len(series["losses"]))
        axes.plot(replaced, series["losses"], "o-", color=colour, markersize=3,
                  label=f"w = {outcome['width']}")
        axes.plot(replaced, series["predicted_losses"], "--", color=colour, linewidth=0.9)
    axes.set_xlabel("modules replaced by retrained ones")
    axes.set_ylabel("loss")
    axes.set_title("dashed: independent errors", loc="left")
    axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw(report):
    leaks = [o for o in outcomes(report, "leaks") if o["seed"] == 0]
    retrained = [o for o in outcomes(report, "retraining") if o["seed"] == 0]
    if not leaks or not retrained:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.PAGE_INCHES, 2.7))
    draw_sizes(left, max(leaks, key=lambda o: o["parameters"]))
    draw_replaced(right, retrained)
    figure.tight_layout()
    return figure
