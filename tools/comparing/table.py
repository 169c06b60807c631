"""From rounds to ratios, and how they are shown.

SPDX-License-Identifier: Apache-2.0
"""

import math
from statistics import median

from comparing.processes import OURS


def in_mode(record, mode):
    """The record's rounds in which ours ran in that placement mode; all of them for None. A peer's
    time in such a round counts if it ran in the same mode."""
    if mode is None:
        return record["rounds"]
    kept = []
    for this in record["rounds"]:
        seconds = {
            peer: value for peer, value in this["seconds"].items() if this["placement"][peer] == mode
        }
        if OURS in seconds:
            kept.append({**this, "seconds": seconds})
    return kept


def modes_of(records):
    """The placement modes that ours was seen in, near before far before mixed."""
    seen = {this["placement"].get(OURS) for record in records for this in record["rounds"]}
    return [mode for mode in ("near", "far", "mixed", "unknown") if mode in seen]


def summarise(record, threads, mode=None):
    """One row, or None where ours has no time in this mode.

    seconds: medians over rounds. ratio: median over rounds of (peer's time / ours in that round), so
    above 1 where ours is faster; only rounds that have both. share: of `threads` times the FMA peak
    measured in the same round.
    """
    rounds = in_mode(record, mode)
    times = {}
    ratios = {}
    shares = []
    for this in rounds:
        ours = this["seconds"].get(OURS)
        if ours is None:
            continue
        shares.append(record["flops"] / ours / (threads * this["flops_per_second"]))
        for peer, value in this["seconds"].items():
            times.setdefault(peer, []).append(value)
            ratios.setdefault(peer, []).append(value / ours)
    if not shares:
        return None
    row = {
        "name": record["name"],
        "rounds": len(shares),
        "seconds": {peer: median(values) for peer, values in times.items()},
        "ratio": {peer: median(values) for peer, values in ratios.items() if peer != OURS},
        "share": median(shares),
        "failed": record["failed"],
    }
    row["best_peer"] = min(row["ratio"], key=row["ratio"].get, default=None)
    row["worst_ratio"] = row["ratio"].get(row["best_peer"])
    return row


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values)) if values else None


def overall(rows):
    """Smallest and geometric mean of the ratios to the best peer, by kind of entry."""
    kinds = {}
    for row in rows:
        if row["worst_ratio"] is not None:
            kinds.setdefault(row["name"].rsplit("/m:", 1)[0].rsplit("/w:", 1)[0], []).append(row)
    return [
        {
            "kind": kind,
            "entries": len(members),
            "smallest": min(row["worst_ratio"] for row in members),
            "at": min(members, key=lambda row: row["worst_ratio"])["name"],
            "geometric_mean": geometric_mean([row["worst_ratio"] for row in members]),
        }
        for kind, members in kinds.items()
    ]


def duration(seconds):
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def cells(row, peers):
    ratio = row["ratio"]
    return [
        row["name"],
        duration(row["seconds"][OURS]),
        f"{100 * row['share']:.0f} %",
        *(f"{ratio[peer]:.2f}" if peer in ratio else "-" for peer in peers),
        f"{row['worst_ratio']:.2f} {row['best_peer']}" if row["best_peer"] else "-",
    ]


def header(peers):
    return ["entry", "ours", "of peak", *peers, "best peer"]


def lines_of(rows, peers):
    return [header(peers)] + [cells(row, peers) for row in rows]


def as_markdown(lines):
    """A table whose first line is the header."""
    head, *body = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


def as_text(lines):
    """The same in columns: the first to the left, numbers to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def overall_lines(rows):
    return [
        f"{entry['kind']}: {entry['entries']} entries, against the best peer at each "
        f"{entry['geometric_mean']:.2f} in the geometric mean, {entry['smallest']:.2f} at worst "
        f"({entry['at']})"
        for entry in overall(rows)
    ]
