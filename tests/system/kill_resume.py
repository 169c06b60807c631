#!/usr/bin/env python3
# Kills a small study, or the child that works on a round, at random moments; runs the same command
# again until it finishes; nothing may be lost, doubled or changed.
# Usage: kill_resume.py INTERPSCALE
# SPDX-License-Identifier: Apache-2.0
import collections
import os
import random
import signal
import sys
import tempfile
import time

import tool

KILLS = 10
ROUNDS = 10  # so many that the study outlives the kills
KERNEL_ROUNDS = 2
# Long enough that most of a round is timing, not start-up: so that kills fall inside of it.
STUDY = tool.TINY + ["--rounds", str(ROUNDS), "--min-seconds", "0.04",
                     "--kernel-rounds", str(KERNEL_ROUNDS), "--trainings", "smoke"]
SWEEPS, RESULTS, WIDTHS = 25, 30, 5  # of the smoke design


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as stream:
            return [int(child) for child in stream.read().split()]
    except OSError:
        return []


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_at_random_moments(binary, arguments, folder, chance, longest):
    """Interrupts the study KILLS times, each within `longest` seconds of its start; returns how
    often it was the parent, and a child."""
    killed = collections.Counter()
    for _ in range(KILLS):
        process = tool.start(binary, arguments)
        time.sleep(chance.uniform(0, longest))
        before = tool.journal(folder)
        child = children(process.pid)
        if child and chance.random() < 0.4:
            kill(child[0])
            killed["child"] += 1
            time.sleep(chance.uniform(0, longest))
            before = tool.journal(folder)
        if process.poll() is None:
            kill(process.pid)
            killed["parent"] += 1
        process.communicate()
        tool.check(tool.journal(folder).startswith(before), "a kill changed what had been written")
    return killed


def check_complete(folder):
    records = tool.records(folder)
    of_kind = collections.defaultdict(list)
    for record in records:
        of_kind[record["kind"]].append(record)
    cells = [record["cell"] for record in of_kind["cell"]]
    tool.check(len(of_kind["study"]) == 1, "the study stands more than once")
    tool.check(len(cells) == 12 and len(set(cells)) == 12, f"found {len(cells)} cells, wanted 12")
    topologies = [record["topology"] for record in of_kind["network"]]
    tool.check(len(topologies) == 4 and len(set(topologies)) == 4, "a network is missing or twice")
    timings = collections.Counter((t["round"], t["cell"]) for t in of_kind["timing"])
    wanted = {(number, cell) for number in range(ROUNDS) for cell in cells}
    tool.check(set(timings) == wanted, f"found {len(timings)} of {len(wanted)} timings")
    tool.check(set(timings.values()) == {1}, "a timing stands twice")
    runs = collections.Counter(
        (t["purpose"], t["width"], t["seed"], t["steps"],
         t["learning_rate"] if t["purpose"] == "sweep" else None) for t in of_kind["training"])
    tool.check(len(runs) == SWEEPS + RESULTS, f"found {len(runs)} of {SWEEPS + RESULTS} trainings")
    tool.check(set(runs.values()) == {1}, "a training stands twice")
    steps = collections.Counter((s["round"], s["width"]) for s in of_kind["step"])
    tool.check(len(steps) == ROUNDS * WIDTHS, f"found {len(steps)} of {ROUNDS * WIDTHS} steps")
    tool.check(set(steps.values()) == {1}, "a step stands twice")
    failed = [t for t in of_kind["timing"] if t["status"] != "ok"]
    tool.check(not failed, f"a timing failed: {failed[:1]}")
    check_kernels(of_kind)


def check_kernels(of_kind):
    """Overhead keeps networks this small from theory, so their kernels are timed."""
    cells = [record["cell"] for record in of_kind["calls"]]
    tool.check(cells and len(set(cells)) == len(cells), "calls are missing or recorded twice")
    kernels = {call["kernel"] for record in of_kind["calls"] for call in record["calls"]}
    times = collections.Counter((k["round"], k["kernel"]) for k in of_kind["kernel"])
    wanted = {(number, kernel) for number in range(KERNEL_ROUNDS) for kernel in kernels}
    tool.check(set(times) == wanted, f"found {len(times)} of {len(wanted)} kernel times")
    tool.check(set(times.values()) == {1}, "a kernel's time stands twice")


def check_interrupted_kernels(binary, finished, scratch, chance):
    """A study killed while kernels were timed: its journal ends within those records, its last line
    perhaps torn."""
    lines = finished.splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if b'"kind":"calls"' in line)
    folder = os.path.join(scratch, "study")
    end = chance.randrange(first, len(lines) - 1)
    kept = b"".join(lines[:end])
    with open(os.path.join(folder, "journal.jsonl"), "wb") as stream:
        stream.write(kept + lines[end][:chance.randrange(len(lines[end]) - 1)])
    status, _, error = tool.run(binary, STUDY + ["--out", folder])
    tool.check(status == 0, f"a study killed among its kernels does not finish: {error}")
    tool.check(tool.journal(folder).startswith(kept), "resuming changed what had been written")
    check_complete(folder)


def main():
    binary = sys.argv[1]
    chance = random.Random(20261123)
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "study")
        arguments = STUDY + ["--out", folder]
        begin = time.monotonic()
        status, _, error = tool.run(binary, STUDY + ["--out", os.path.join(scratch, "whole")])
        tool.check(status == 0, f"an undisturbed study fails: {status}: {error}")
        longest = 0.2 * (time.monotonic() - begin)
        killed = kill_at_random_moments(binary, arguments, folder, chance, longest)
        before = tool.journal(folder)
        status, _, error = tool.run(binary, arguments)
        tool.check(status == 0, f"the study did not finish: {status}: {error}")
        finished = tool.journal(folder)
        tool.check(finished.startswith(before), "resuming changed what had been written")
        check_complete(folder)
        status, _, error = tool.run(binary, arguments)
        tool.check(status == 0, f"a finished study cannot be run again: {status}: {error}")
        tool.check(tool.journal(folder) == finished, "a finished study was added to")
        for _ in range(3):
            check_interrupted_kernels(binary, finished, scratch, chance)
        tool.check(killed["parent"] > 0, "no parent was killed: the study is too short")
        rounds = sum(record["kind"] == "round" for record in tool.records(folder))
        tool.check(rounds > ROUNDS, "no round was interrupted")
        print(f"killed the parent {killed['parent']} and a child {killed['child']} times; "
              f"{len(finished.splitlines())} records, none lost, doubled or changed")


if __name__ == "__main__":
    main()
