"""Our analyses and PyTorch's in turns: what is verified, timed, and shown.

Ours writes network, batch and values; each way to write the analysis in PyTorch is held against the
values, then both are timed round by round.

SPDX-License-Identifier: Apache-2.0
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from comparing import processes, rounds, table

METHODS = (
    "attribution_patching",
    "neuron_gradient",
    "layer_conductance",
    "zero_ablation",
    "activation_patching",
    "neuron_integrated_gradients",
    "neuron_conductance",
    "neuron_shapley",
)
WIDTHS = (16, 64, 128, 256, 512)
LEAST_ACTIVITY, MOST_ACTIVITY = 0.45, 0.55
SMALLEST_CHECKED_WIDTH = 16  # of narrower layers, a unit's luck decides
ASSUMED_GROWTH = 2.0  # an entry's time as this power of the width, to say how much is left

NO_TORCH = (
    f"--analyses compares with PyTorch, which {processes.PYTHON} does not find; on Debian: "
    "apt-get install python3-torch. Nothing else needs it; without --analyses the other libraries "
    "are compared"
)


def chosen(text, known, what):
    """What a list by commas names, in the known order; all of it for nothing."""
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise processes.PeerFailed(f"no {what} '{name}', only {', '.join(known)}")
    return [name for name in known if not names or name in names]


def widths_of(text):
    try:
        widths = sorted({int(word) for word in text.split(",")}) if text else list(WIDTHS)
    except ValueError as error:
        raise processes.PeerFailed(f"--widths: found '{text}', wanted numbers by comma") from error
    if not 1 <= widths[0] <= widths[-1] <= 4096:
        raise processes.PeerFailed(f"--widths: found '{text}', wanted from 1 to 4096")
    return widths


class Comparison:
    """The processes, and the folder through which data goes from ours to the others."""

    def __init__(self, arguments, methods, widths, ways):
        self.arguments, self.methods, self.widths = arguments, methods, widths
        self._folder = tempfile.TemporaryDirectory(prefix="interpscale-analyses-")
        self.folder = Path(self._folder.name)
        program = arguments.build / "bin" / "interpscale_peers_analyses"
        if not program.exists():
            raise processes.PeerFailed(
                f"{program}: not there; build the target interpscale_peers first"
            )
        if not processes.torch_is_there():
            raise processes.PeerFailed(NO_TORCH)
        common = [f"--threads={arguments.threads}", f"--widths={','.join(map(str, widths))}"]
        script = Path(__file__).resolve().parents[2] / "bench/peers/torch_analyses.py"
        commands = {processes.OURS: [str(program), *common]}
        for way in ways:
            data = [f"--way={way}", f"--data={self.folder}", f"--cap={arguments.cap}"]
            commands[way] = [processes.PYTHON, str(script), *data, *common]
        self.peers = {
            name: processes.Peer(name, command, arguments.threads)
            for name, command in commands.items()
        }
        self.abouts = {name: peer.about for name, peer in self.peers.items()}

    def close(self):
        for peer in self.peers.values():
            peer.close()
        self._folder.cleanup()

    def run(self, keep):
        """The records of all entries; `keep` is handed those there are after each."""
        entries = [(method, width) for width in self.widths for method in self.methods]
        records, progress = [], Progress(entries)
        for method, width in entries:
            progress.begin(method, width)
            records.append(self.entry(method, width))
            progress.end()
            keep(records)
        progress.finish()
        return records

    def entry(self, method, width):
        name = f"analysis/{method}/w:{width}"
        folder = self.folder / f"w:{width}"
        folder.mkdir(exist_ok=True)
        written = self.peers[processes.OURS].write(name, folder)
        if not written["ok"]:
            failed = {processes.OURS: written["reason"]}
            return {"name": name, "flops": 0, "rounds": [], "failed": failed}
        facts = written["facts"]
        failed = {}
        if width >= SMALLEST_CHECKED_WIDTH and not all(
            LEAST_ACTIVITY <= share <= MOST_ACTIVITY for share in facts["activity"]
        ):
            failed[processes.OURS] = f"shares of active units are {facts['activity']}"
        taking_part, ways = {processes.OURS: self.peers[processes.OURS]}, {}
        for way, peer in self.peers.items():
            if way == processes.OURS or name not in peer.names or failed:
                continue
            answer = peer.verify(name, facts["allowed"])
            ways[way] = {key: answer[key] for key in ("deviation", "apart", "way", "share")}
            if answer["ok"]:
                taking_part[way] = peer
            else:
                failed[way] = answer["reason"]
        record = rounds.time_entry(
            name, taking_part, self.arguments.seconds, self.arguments.rounds
        )
        record["failed"].update(failed)
        return {**record, "facts": facts, "ways": ways}


class Progress:
    """A line on standard error for each entry, with the time left as soon as that can be said; on
    a terminal each overwrites the last."""

    def __init__(self, entries):
        self.entries, self.index = entries, 0
        self.taken = {}
        self.started = 0.0
        self.overwrites = sys.stderr.isatty()

    def begin(self, method, width):
        left = self.left()
        text = f"peers: {self.index + 1} of {len(self.entries)}: {method}, width {width}"
        if left is not None:
            text += f"; about {clock(left)} left"
        sys.stderr.write(f"\r\x1b[K{text}" if self.overwrites else f"{text}\n")
        sys.stderr.flush()
        self.started = time.monotonic()

    def end(self):
        self.taken[self.entries[self.index]] = time.monotonic() - self.started
        self.index += 1

    def left(self):
        """Every entry as its method at the next smaller width, grown; None before the first width
        is through."""
        total = 0.0
        for method, width in self.entries[self.index :]:
            known = [at for name, at in self.taken if name == method]
            if not known:
                return None
            total += self.taken[method, known[-1]] * (width / known[-1]) ** ASSUMED_GROWTH
        return total

    def finish(self):
        if self.overwrites:
            sys.stderr.write("\r\x1b[K")


def clock(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def summarise(record, threads, mode=None):
    """One row, or None where ours has no time in this mode: medians over rounds, and for each way
    the median, smallest and largest of (its time / ours in that round)."""
    row = table.summarise(record, threads, mode)
    if row is None:
        return None
    _, row["method"], width = record["name"].split("/")
    row["width"] = int(width.removeprefix("w:"))
    kept = table.in_mode(record, mode)
    for way in list(row["ratio"]):
        ratios = [
            this["seconds"][way] / this["seconds"][processes.OURS]
            for this in kept
            if way in this["seconds"] and processes.OURS in this["seconds"]
        ]
        row["ratio"][way] = {
            "median": median(ratios),
            "smallest": min(ratios),
            "largest": max(ratios),
            "share": record["ways"][way]["share"],
        }
    del row["best_peer"], row["worst_ratio"]
    return row


def ratio_text(ratio):
    if ratio is None:
        return "-"
    digits = [
        f"{ratio[which]:.0f}" if ratio["median"] >= 100 else f"{ratio[which]:.3g}"
        for which in ("median", "smallest", "largest")
    ]
    scaled = "~" if ratio["share"] < 1.0 else ""
    return f"{scaled}{digits[0]} ({digits[1]}-{digits[2]})"


def lines_of(rows, ways):
    head = ["analysis", "w", "ours", "of peak", "rounds", *ways]
    body = [
        [
            row["method"],
            str(row["width"]),
            table.duration(row["seconds"][processes.OURS]),
            f"{100 * row['share']:.0f} %",
            str(row["rounds"]),
            *(ratio_text(row["ratio"].get(way)) for way in ways),
        ]
        for row in rows
    ]
    return [head, *body]


def activity_line(records):
    shares = [share for record in records for share in record.get("facts", {}).get("activity", ())]
    if not shares:
        return "no network was looked at"
    return f"{100 * min(shares):.1f} to {100 * max(shares):.1f} % of a layer's units active"


def merged(records):
    """One record an entry: the rounds, ways and failures of all that there are of it."""
    by_name = {}
    for record in records:
        empty = {**record, "rounds": [], "ways": {}, "failed": {}}
        known = by_name.setdefault(record["name"], empty)
        known["rounds"] = known["rounds"] + record["rounds"]
        known["ways"] = {**known["ways"], **record.get("ways", {})}
        known["failed"] = {**known["failed"], **record["failed"]}
    return list(by_name.values())


def table_order(record):
    _, method, width = record["name"].split("/")
    return METHODS.index(method), int(width.removeprefix("w:"))


def show(arguments, abouts, records):
    records = sorted(merged(records), key=table_order)
    ways = [name for name in processes.WAYS if name in abouts]
    modes = table.modes_of(records) if arguments.threads > 1 else [None]
    tables = {
        mode: [
            row
            for row in (summarise(record, arguments.threads, mode) for record in records)
            if row is not None
        ]
        for mode in modes
    }
    if arguments.format == "json":
        shown = {mode or "all": rows for mode, rows in tables.items()}
        about = {"kind": "analyses", "threads": arguments.threads, "peers": abouts}
        print(json.dumps({**about, "tables": shown, "records": records}, indent=1))
        return
    for name, about in abouts.items():
        print(f"{name}: {about['version']}; {about['setup']}; threads on {about['binding']}")
    print(f"64 inputs, three hidden layers of w ReLUs, batch 128; {activity_line(records)}.")
    for mode, rows in tables.items():
        threads = "One thread" if mode is None else f"{arguments.threads} threads, cores {mode}"
        print(f"\n{threads}. Ratios: a way's time over ours, median (smallest-largest) of rounds.\n")
        shown = table.as_markdown if arguments.format == "markdown" else table.as_text
        print(shown(lines_of(rows, ways)))
        if any(ratio["share"] < 1.0 for row in rows for ratio in row["ratio"].values()):
            print("\n~: timed on evenly spaced neurons (orders) of every layer, and scaled up.")
