"""What the figures share: palette, sizes, axes, files that do not change from run to run.

SPDX-License-Identifier: Apache-2.0
"""

import os
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import LogLocator, NullFormatter  # noqa: E402

# Okabe and Ito's palette, told apart by all common kinds of colour vision.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#222222"
GREY = "#777777"
CYCLE = [BLUE, RED, GREEN, PURPLE, ORANGE, SKY]

COLUMN_INCHES = 3.4  # a paper's column; figures with panels take two
PAGE_INCHES = 7.0

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "lines.linewidth": 1.3,
        "figure.dpi": 200,
        "svg.hashsalt": "interpscale",
        "svg.fonttype": "path",
    }
)


def label_of(subject):
    name = subject["subject"].replace("_", " ")
    return f"{name} ({subject['variant']})" if subject["variant"] else name


def fitted_cells(subject):
    return [cell for cell in subject["cells"] if cell["fitted"]]


def log_axes(axes):
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(base=10, numticks=7))
        axis.set_minor_formatter(NullFormatter())
        axis.set_tick_params(which="minor", length=0)


def spread(positions, gap):
    """Moves sorted label positions apart until neighbours are `gap` from each other."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    placed = [positions[i] for i in order]
    for _ in range(200):
        moved = False
        for i in range(1, len(placed)):
            lacking = gap - (placed[i] - placed[i - 1])
            if lacking > 1e-9:
                placed[i - 1] -= lacking / 2
                placed[i] += lacking / 2
                moved = True
        if not moved:
            break
    result = [0.0] * len(positions)
    for i, position in zip(order, placed):
        result[i] = position
    return result


def save(figure, folder, name):
    """Writes PNG and SVG, each whole or not at all; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        path = folder / f"{name}.{kind}"
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=f".{kind}")
        os.close(handle)
        figure.savefig(temporary, format=kind, metadata=metadata, bbox_inches="tight",
                       pad_inches=0.04)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        written.append(path)
    plt.close(figure)
    return written
