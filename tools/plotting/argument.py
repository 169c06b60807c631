"""Reuse of neurons, known concepts, and surrogates upon surrogates, from a study's experiments.

SPDX-License-Identifier: Apache-2.0
"""

import math

from . import style
from .leaks import named, outcomes
from .style import plt

CHANCE_OF_LABELS = math.log(10)  # nats: the loss of equal odds on ten classes


def by_size(results, figure):
    """n, and the mean and range over seeds of a figure; sizes without it are left out."""
    sizes = {}
    for outcome in results:
        value = named(outcome["figures"], "value").get(figure)
        if value is not None:
            sizes.setdefault(outcome["neurons"], []).append(value)
    neurons = sorted(sizes)
    return (neurons, [sum(sizes[n]) / len(sizes[n]) for n in neurons],
            [min(sizes[n]) for n in neurons], [max(sizes[n]) for n in neurons])


def draw_figure(axes, results, figure, colour, label, line="o-"):
    neurons, mean, low, high = by_size(results, figure)
    if not neurons:
        return
    axes.fill_between(neurons, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(neurons, mean, line, color=colour, markersize=3, label=label)


def of_neurons(axes, ylabel, title, below=False):
    """Labels an axis of sizes by the sizes there are; the legend inside, or below the axes."""
    axes.set_xscale("log")
    sizes = sorted({n for line in axes.get_lines() for n in line.get_xdata()})
    axes.set_xticks(sizes, [f"{n:g}" for n in sizes])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("hidden neurons n")
    axes.set_ylabel(ylabel)
    axes.set_title(title, loc="left")
    if below:
        axes.legend(frameon=False, fontsize=6.5, ncols=2, loc="upper center",
                    bbox_to_anchor=(0.5, -0.22))
    else:
        axes.legend(frameon=False, fontsize=6.5)


def draw_reuse(report):
    """Shares of neurons found again, and what the analysis of the rest costs."""
    results = outcomes(report, "reuse")
    if not results:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.PAGE_INCHES, 3.1))
    for name, colour, label in (
            ("twin_share", style.GREEN, "as wide, another seed"),
            ("share", style.BLUE, "half as wide, another seed"),
            ("smallest_share", style.PURPLE, "the smallest network"),
            ("one_to_one_share", style.SKY, "half as wide, one to one"),
            ("untrained_share", style.GREY, "half as wide, untrained")):
        draw_figure(left, results, name, colour, label)
    left.set_ylim(0, 1)
    of_neurons(left, "share of neurons explained", "best match over the samples", below=True)
    for name, colour, label in (
            ("all_seconds", style.RED, "all neurons"),
            ("marginal_seconds", style.BLUE, "matching and the rest"),
            ("matching_seconds", style.SKY, "matching alone")):
        draw_figure(right, results, name, colour, label)
    right.set_yscale("log")
    of_neurons(right, "seconds", "zero ablation, neuron by neuron")
    figure.tight_layout()
    return figure


def draw_concepts(report):
    """Variance that known concepts explain, against size, and layer by layer."""
    results = outcomes(report, "concepts")
    if not results:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.PAGE_INCHES, 2.7))
    kinds = (("label", style.GREEN, "labels, images"), ("teacher", style.BLUE, "the teacher's units"),
             ("stranger", style.GREY, "a stranger's units"))
    for name, colour, label in kinds:
        draw_figure(left, results, f"{name}_share", colour, label)
        draw_figure(left, results, f"{name}_single", colour, None, "o:")
    left.set_ylim(0, 1)
    of_neurons(left, "variance explained (dotted: by one)", "four best concepts")
    for name, colour, label in kinds:
        curves = [named(o["series"], "values").get(f"{name}_share_by_layer") for o in results]
        curves = [curve for curve in curves if curve]
        if curves:
            layers = range(1, len(curves[0]) + 1)
            right.plot(layers, [sum(values) / len(curves) for values in zip(*curves)], "o-",
                       color=colour, markersize=3, label=label)
            right.set_xticks(list(layers))
    right.set_ylim(0, 1)
    right.set_xlabel("hidden layer")
    right.set_ylabel("variance explained")
    right.set_title("mean over networks", loc="left")
    figure.tight_layout()
    return figure


def depth_of(outcome):
    return len(outcome["topology"].split("/")[0].split("-")) - 2


def gained(outcome):
    return CHANCE_OF_LABELS - named(outcome["figures"], "value")["loss"]


def mean_curves(results, name):
    """Mean over seeds of a series, as a share of what training gained."""
    curves = [[value / gained(o) for value in named(o["series"], "values")[name]] for o in results]
    return [sum(values) / len(curves) for values in zip(*curves)]


def draw_stacked(axes, results):
    """One curve a width and depth; the sum of single leaks dashed."""
    shapes = sorted({(o["width"], depth_of(o)) for o in results})
    deep = [shape for shape in shapes if shape[0] == shapes[0][0]]
    wide = [shape for shape in shapes if shape[1] == shapes[0][1]]
    for (width, depth), colour in zip(dict.fromkeys(deep + wide[-1:]), style.CYCLE):
        chosen = [o for o in results if (o["width"], depth_of(o)) == (width, depth)]
        layers = range(1, depth + 1)
        axes.plot(layers, mean_curves(chosen, "low_rank_relu_4_stacked"), "o-", color=colour,
                  markersize=2.5, label=f"w = {width}, {depth} layers")
        axes.plot(layers, mean_curves(chosen, "low_rank_relu_4_single_sums"), "--", color=colour,
                  linewidth=0.9)
    axes.set_xlabel("layers replaced, from the inputs up")
    axes.set_ylabel("leak, share of what training gained")
    axes.set_title("dashed: sum of single leaks", loc="left")
    axes.legend(frameon=False, fontsize=6.5)


def draw_recursion(axes, results):
    """Leak of the recursion against size, by what it is built on."""
    least = min(depth_of(o) for o in results)
    chosen = [o for o in results if depth_of(o) == least]
    for way, colour in (("modules", style.RED), ("layers", style.BLUE)):
        for reads, line in (("own", "o-"), ("true", "o:")):
            sizes = {}
            for outcome in chosen:
                leak = named(outcome["figures"], "value")[f"{way}_{reads}_leak"]
                sizes.setdefault(outcome["neurons"], []).append(leak / gained(outcome))
            neurons = sorted(sizes)
            axes.plot(neurons, [sum(sizes[n]) / len(sizes[n]) for n in neurons], line,
                      color=colour, markersize=3, label=f"by {way}, on {reads} activations")
    axes.set_yscale("log")
    of_neurons(axes, "leak, share of what training gained", f"all {least} layers replaced")


def draw_stacking(report):
    stacked, rebuilt = outcomes(report, "stacking"), outcomes(report, "recursion")
    if not stacked or not rebuilt:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.PAGE_INCHES, 2.7))
    draw_stacked(left, stacked)
    draw_recursion(right, rebuilt)
    figure.tight_layout()
    return figure


def draw_modules(report):
    """Weight between the modules of two networks over what their volumes would lead to expect."""
    results = [o for o in outcomes(report, "retraining") if o["seed"] == 0
               and "weights_between_clusters" in named(o["series"], "values")]
    if not results:
        return None
    results.sort(key=lambda o: o["parameters"])
    chosen = [results[0], results[-1]] if len(results) > 1 else results
    figure, panels = plt.subplots(1, len(chosen), figsize=(style.PAGE_INCHES, 2.9), squeeze=False)
    for axes, outcome in zip(panels[0], chosen):
        values = named(outcome["series"], "values")["weights_between_clusters"]
        count = math.isqrt(len(values))
        rows = [values[i * count:(i + 1) * count] for i in range(count)]
        volumes = [sum(row) for row in rows]
        total = sum(volumes)
        ratios = [[rows[i][j] * total / (volumes[i] * volumes[j]) for j in range(count)]
                  for i in range(count)]
        image = axes.imshow(ratios, cmap="Blues", vmin=0)
        axes.grid(False)
        axes.set_xticks(range(count), range(1, count + 1))
        axes.set_yticks(range(count), range(1, count + 1))
        axes.set_xlabel("module")
        axes.set_ylabel("module")
        axes.set_title(f"{outcome['topology']}, n-cut "
                       f"{named(outcome['figures'], 'value')['ncut']:.2f}", loc="left")
        figure.colorbar(image, ax=axes, shrink=0.8).set_label("weight over expectation")
    figure.tight_layout()
    return figure
