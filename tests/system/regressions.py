#!/usr/bin/env python3
# `interpscale compare`, `history` and `export` from outside: what they take, what they refuse, what
# they write. Nothing here depends on how long anything takes.
# Usage: regressions.py INTERPSCALE INTERPSCALE_BENCH
# SPDX-License-Identifier: Apache-2.0
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import tool

BINARY, BENCH = sys.argv[1:3]
# Three sizes of one small family.
SMALL = ["--widths", "4,8,16", "--inputs", "16", "--batch", "8", "--filter",
         "activation_statistics/fast"]
VERDICTS = {0: ("unchanged", "improved"), 1: ("regressed",), 3: ("inconclusive",)}


def refused(name, arguments, *fragments):
    status, output, error = tool.run(BINARY, arguments)
    tool.check(status == 2, f"{name}: exit status {status}, wanted 2: {output}{error}")
    tool.check(len(error.splitlines()) == 1, f"{name}: not one line: {error}")
    for fragment in fragments:
        tool.check(fragment in error, f"{name}: no '{fragment}' in: {error}")
    print(f"ok: {name}")


def two_builds(scratch):
    paths = {kind: os.path.join(scratch, f"out.{kind}") for kind in ("json", "markdown", "junit")}
    status, output, error = tool.run(
        BINARY, ["compare", BENCH, BENCH, *SMALL, "--slice", "0.5", "--budget", "4",
                 *(word for kind, path in paths.items() for word in (f"--{kind}", path))])
    tool.check(status in VERDICTS, f"compare: status {status}: {error}")
    with open(paths["json"], encoding="utf-8") as stream:
        comparison = json.load(stream)[0]
    tool.check(comparison["verdict"] in VERDICTS[status], f"compare: {status}, {comparison}")
    tool.check(len(comparison["cells"]) == 3, "compare: not three cells")
    tool.check(comparison["control"]["cells"] == 3, "compare: no A/A arm")
    tool.check(len(comparison["exponents"]) == 1, "compare: no exponent")
    tool.check(all(cell["rounds"] >= 5 for cell in comparison["cells"]), "compare: few rounds")
    cases = xml.parse(paths["junit"]).getroot().findall("testsuite/testcase")
    tool.check(len(cases) == 4, f"compare: {len(cases)} test cases, wanted 4")
    for word in ("geometric mean", "A/A arm", "stolen", comparison["verdict"]):
        tool.check(word in output, f"compare: no '{word}' on the terminal")
    with open(paths["markdown"], encoding="utf-8") as stream:
        tool.check("| cell | base |" in stream.read(), "compare: no table in Markdown")
    print("ok: two builds")
    refused("no cell left", ["compare", BENCH, BENCH, "--filter", "^nothing$"], "^nothing$")
    refused("a filter that is none", ["compare", BENCH, BENCH, "--filter", "("], "expression")
    refused("a budget for no round", ["compare", BENCH, BENCH, *SMALL, "--budget", "0.01"],
            "rounds of 3 cells", "wanted at least 5", "allow")


def instructions():
    arguments = ["compare", BENCH, BENCH, *SMALL, "--metric", "instructions"]
    if shutil.which("valgrind") is None:
        refused("no valgrind", arguments, "tools/setup")
        return
    status, output, error = tool.run(BINARY, [*arguments, "--json", "-"])
    tool.check(status == 0, f"instructions: status {status}: {error}")
    comparison = json.loads(output)[0]
    tool.check("AVX2" in comparison["note"], "instructions: the target is not named")
    for cell in comparison["cells"]:
        tool.check(cell["base"] > 1000, f"instructions: {cell}")
        tool.check(abs(cell["ratio"] - 1) < 1e-3, f"instructions: two counts differ: {cell}")
    print("ok: instructions")


def google_benchmark(scratch):
    path = os.path.join(scratch, "times.json")
    status, _, error = tool.run(
        BENCH, ["--widths=4,8,16", "--depths=1", "--inputs=16", "--batch=8",
                "--benchmark_filter=activation_statistics/fast", "--benchmark_min_time=0.0001",
                "--benchmark_repetitions=5", f"--benchmark_out={path}"])
    tool.check(status == 0, f"interpscale_bench fails: {error}")
    status, output, error = tool.run(BINARY, ["compare", path, path])
    tool.check(status in (0, 3), f"a file against itself: {status}: {error}")
    tool.check("not measured side by side" in output, "saved results: no word about pairs")
    print("ok: Google Benchmark's own file")
    with open(path, encoding="utf-8") as stream:
        whole = stream.read()
    bad = os.path.join(scratch, "bad.json")

    def damaged(name, text, *fragments):
        with open(bad, "w", encoding="utf-8") as stream:
            stream.write(text)
        refused(name, ["compare", path, bad], bad, *fragments)

    damaged("an empty file", "", "empty")
    damaged("a truncated file", whole[:len(whole) // 2], "cut short")
    damaged("another file", "{}", "not of Google Benchmark")
    cpu = json.loads(whole)["context"]["cpu"]
    damaged("another CPU", whole.replace(f'"{cpu}"', '"abacus"'), "CPU", "abacus",
            "--allow-different-machines")
    status, _, error = tool.run(BINARY, ["compare", path, bad, "--allow-different-machines"])
    tool.check(status in (0, 3), f"machines, as asked: {status}: {error}")
    refused("a file and a build", ["compare", path, BENCH], "is a build")
    refused("a missing file", ["compare", path, bad + "x"], bad + "x")
    refused("instructions of files", ["compare", path, path, "--metric", "instructions"], "builds")
    for kind in ("github-action", "bencher", "csv", "extra-p"):
        status, output, error = tool.run(BINARY, ["export", path, "--format", kind])
        tool.check(status == 0 and output, f"export {kind}: {status}: {error}")
    refused("an unknown format", ["export", path, "--format", "xml"], "bencher")
    print("ok: exports")
    return path


def history(scratch, path):
    folder = os.path.join(scratch, "history")
    add = ["history", "add", path, "--folder", folder, "--revision"]
    for revision in ("r1", "r1", "r2"):
        status, output, error = tool.run(BINARY, [*add, revision])
        tool.check(status == 0, f"history add: {error}")
    files = os.listdir(folder)
    tool.check(len(files) == 1, f"history: {files}")
    file = os.path.join(folder, files[0])
    with open(file, encoding="utf-8") as stream:
        tool.check(len(stream.readlines()) == 2, "history: not a line a revision")
    status, output, error = tool.run(BINARY, ["history", "show", file])
    tool.check(status == 0 and "2 revisions, 3 cells" in output, f"history show: {output}{error}")
    draw(file)
    refused("a missing history", ["history", "show", file + "x"], file + "x")
    print("ok: history")


def draw(file):
    """A history of 24 revisions with a step of 20 % at the 13th: found, named and drawn."""
    with open(file, encoding="utf-8") as stream:
        line = json.loads(stream.readline())
    with open(file, "w", encoding="utf-8") as stream:
        for i in range(24):
            cells = [dict(cell, seconds=1e-4 * (1.2 if i >= 12 else 1) * (1 + 1e-3 * (i * 7 % 5)))
                     for cell in line["cells"]]
            stream.write(json.dumps(dict(line, revision=f"r{i}", cells=cells)) + "\n")
    status, output, error = tool.run(BINARY, ["history", "show", file])
    tool.check(status == 0 and output.count("with revision r12") == 3, f"history: {output}{error}")
    status, output, error = tool.run(BINARY, ["history", "show", file, "--json"])
    folder = os.path.dirname(file)
    plot = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "plot-history")
    drawn = subprocess.run(["/usr/bin/python3", plot, "--out", folder], input=output, text=True,
                           capture_output=True, check=False)
    tool.check(drawn.returncode == 0, f"plot-history: {drawn.stderr}")
    tool.check(sorted(os.listdir(folder))[-2:] == ["history.png", "history.svg"], "no figures")
    bad = subprocess.run(["/usr/bin/python3", plot, "--out", folder], input="{}", text=True,
                         capture_output=True, check=False)
    tool.check(bad.returncode == 2, f"plot-history: {bad.returncode}")


def study(scratch):
    folder = os.path.join(scratch, "study")
    status, _, error = tool.run(BINARY, [*tool.TINY, "--rounds", "5", "--out", folder])
    tool.check(status == 0, f"a tiny study fails: {error}")
    status, _, error = tool.run(BINARY, ["compare", folder, folder])
    tool.check(status in (0, 3), f"a study against itself: {status}: {error}")
    other = os.path.join(scratch, "mixed.jsonl")
    lines = tool.journal(folder).decode().splitlines()
    rounds = [i for i, line in enumerate(lines) if '"kind":"round"' in line]
    record = json.loads(lines[rounds[-1]])
    record["environment"]["cpu"] = "abacus"
    lines[rounds[-1]] = json.dumps(record, separators=(",", ":"))
    with open(other, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    refused("a study of two machines", ["compare", folder, other], other, "abacus")
    few = os.path.join(scratch, "few")
    status, _, error = tool.run(BINARY, [*tool.TINY, "--out", few])
    tool.check(status == 0, f"a tiny study fails: {error}")
    refused("too few rounds", ["compare", few, few], "found 3 rounds, wanted at least 5")
    print("ok: studies")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        two_builds(scratch)
        instructions()
        history(scratch, google_benchmark(scratch))
        study(scratch)


if __name__ == "__main__":
    main()
