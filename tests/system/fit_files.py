#!/usr/bin/env python3
# `interpscale fit` on files that are not studies: losses of training runs, anyone's timings.
# Usage: fit_files.py INTERPSCALE
# SPDX-License-Identifier: Apache-2.0
import json
import os
import sys
import tempfile

import tool

BINARY = sys.argv[1]


def fit(*arguments):
    """What the command prints with --json."""
    status, output, error = tool.run(BINARY, ["fit", *arguments, "--json"])
    tool.check(status == 0, f"fit {arguments}: exit status {status}: {error}")
    return json.loads(output)


def refuse(name, arguments, *fragments):
    status, _, error = tool.run(BINARY, ["fit", *arguments])
    tool.check(status == 2, f"{name}: exit status {status}, wanted 2: {error}")
    tool.check(len(error.splitlines()) == 1, f"{name}: {error}")
    for fragment in fragments:
        tool.check(fragment in error, f"{name}: no '{fragment}' in: {error}")
    print(f"ok: {name}")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
    return path


def losses(scratch):
    law = {"E": 1.7, "A": 400.0, "B": 1800.0, "alpha": 0.34, "beta": 0.37}
    rows = ["\ufeff\"\",Model Size,\"Training FLOP, total\",tokens,loss"]
    for i in range(60):
        n = 10 ** (7 + 3 * (i * 0.618 % 1))
        d = 10 ** (9 + 2.5 * (i * 0.755 % 1))
        loss = law["E"] + law["A"] * n ** -law["alpha"] + law["B"] * d ** -law["beta"]
        rows.append(f"{i},{n!r},{6 * n * d!r},{d!r},{loss!r}")
    path = write(scratch, "runs.csv", "\r\n".join(rows) + "\r\n")
    common = ["--law", "loss", "--params", "Model Size", "--loss", "loss", path]
    found = fit(*common, "--flop", "Training FLOP, total")
    tool.check(set(found) == {"E", "A", "B", "alpha", "beta", "objective", "exponent_n",
                              "standard_errors", "intervals"}, f"keys: {sorted(found)}")
    law["exponent_n"] = law["beta"] / (law["alpha"] + law["beta"])
    for name, value in law.items():
        tool.check(abs(found[name] / value - 1) < 1e-6, f"{name}: {found[name]}, wanted {value}")
        low, high = found["intervals"][name]
        tool.check(low <= found[name] <= high, f"{name} outside of its interval")
        tool.check(found["standard_errors"][name] < 1e-5 * value, f"standard error of {name}")
    from_data = fit(*common, "--data", "tokens")
    tool.check(abs(from_data["alpha"] / law["alpha"] - 1) < 1e-6, "the law from D")
    of_size = fit(*common)
    tool.check(of_size["B"] is None and of_size["E"] > 0, "a law of N alone")
    status, output, _ = tool.run(BINARY, ["fit", *common, "--data", "tokens"])
    tool.check(status == 0 and "objective" in output and "alpha" in output, output)
    print("ok: loss laws")

    refuse("both FLOP and data", [*common, "--data", "tokens", "--flop", "loss"], "--data")
    refuse("a loss law without columns", ["--law", "loss", path], "--params")
    refuse("an unknown column", [*common, "--data", "D"], "runs.csv", "'D'", "tokens")
    bad = write(scratch, "bad.csv", "N,D,L\n1,2,3\n4,5,nan\n")
    refuse("a loss that is none", ["--law", "loss", "--params", "N", "--data", "D", "--loss", "L",
                                   bad], "bad.csv:3:5", "'nan'")
    few = write(scratch, "few.csv", "N,D,L\n1,2,3\n4,5,2\n")
    refuse("too few runs", ["--law", "loss", "--params", "N", "--data", "D", "--loss", "L", few],
           "few.csv", "found 2 points")
    refuse("a file that is not there", ["--law", "loss", "--params", "N", "--loss", "L",
                                        os.path.join(scratch, "none.csv")], "none.csv")


def timings(scratch):
    sizes = [2 ** k for k in range(8, 16)]
    rows = ["method,n,d,seconds"]
    for repetition in range(5):
        for n in sizes:
            rows.append(f"linear,{n},3,{(1e-6 + 2e-9 * n) * (1 + 0.001 * repetition)!r}")
            rows.append(f"square,{n},3,{1e-9 * n * n!r}")
    path = write(scratch, "times.csv", "\n".join(rows) + "\n")
    found = fit(path, "--x", "n", "--y", "seconds", "--by", "method")
    linear, square = found["fits"]
    tool.check(linear["series"] == "linear" and linear["cells"] == 8 and linear["rounds"] == 5,
               f"{linear['series']}: {linear['cells']} cells, {linear['rounds']} rounds")
    tool.check(linear["law"]["kind"] == "power with overhead", linear["law"]["kind"])
    tool.check(abs(linear["exponent"] - 1) < 1e-6, f"exponent {linear['exponent']}")
    tool.check(abs(square["exponent"] - 2) < 1e-6, f"exponent {square['exponent']}")
    tool.check(abs(sum(each["weight"] for each in linear["candidates"]) - 1) < 1e-9, "weights")
    status, output, _ = tool.run(BINARY, ["fit", path, "--x", "n", "--y", "seconds", "--by",
                                          "method"])
    tool.check(status == 0 and "Theil-Sen" in output and "square: 8 cells" in output, output)

    rows = ["width,depth,seconds"]
    for width, depth in ((32, 4), (32, 16), (64, 1), (64, 8), (128, 2), (256, 1), (512, 4)):
        rows.append(f"{width},{depth},{1e-9 * width ** 2 * depth ** 0.5!r}")
    path = write(scratch, "two.csv", "\n".join(rows) + "\n")
    found = fit(path, "--x", "width", "--x2", "depth", "--y", "seconds")["fits"][0]
    tool.check(found["identified"] and abs(found["exponents"]["width"]["exponent"] - 2) < 1e-6
               and abs(found["exponents"]["depth"]["exponent"] - 0.5) < 1e-6, str(found))
    same = write(scratch, "same.csv", "a,b,t\n" + "".join(
        f"{2 ** k},{4 ** k},{3 ** k}\n" for k in range(1, 8)))
    found = fit(same, "--x", "a", "--x2", "b", "--y", "t")["fits"][0]
    tool.check(not found["identified"] and found["exponents"] == {} and "rank 1" in
               found["reason"], str(found))
    print("ok: timings in CSV")

    refuse("a CSV file without columns", [path], "--x", "--y")
    refuse("a time that is none", [write(scratch, "zero.csv", "x,t\n1,2\n2,0\n"), "--x", "x", "--y",
                                   "t"], "zero.csv:3:3", "'0'")
    refuse("three sizes", [write(scratch, "three.csv", "x,t\n1,2\n2,3\n3,4\n"), "--x", "x", "--y",
                           "t"], "three.csv", "3 distinct sizes")


def benchmark_entry(n, seconds, **others):
    entry = {"name": f"BM_sort/{n}/repeats:3", "run_name": f"BM_sort/{n}/repeats:3",
             "run_type": "iteration", "real_time": seconds * 1e9, "cpu_time": seconds * 0.9e9,
             "time_unit": "ns", **others}
    return entry


def benchmarks(scratch):
    entries = []
    for n in (2 ** k for k in range(6, 14)):
        for repetition in range(3):
            entries.append(benchmark_entry(n, 1e-8 * n ** 1.5, repetition_index=repetition))
        entries.append(benchmark_entry(n, float("nan"), name=f"BM_sort/{n}/repeats:3_cv",
                                       run_type="aggregate", aggregate_name="cv"))
    path = write(scratch, "bench.json", json.dumps({"context": {}, "benchmarks": entries}))
    found = fit(path)["fits"][0]
    tool.check(found["series"] == "BM_sort" and found["factors"] == ["arg1"], str(found))
    tool.check(found["rounds"] == 3 and abs(found["exponent"] - 1.5) < 1e-6, str(found))
    medians = [benchmark_entry(n, 1e-8 * n, run_type="aggregate", aggregate_name="median")
               for n in (2 ** k for k in range(6, 14))]
    path = write(scratch, "aggregates.json", json.dumps({"benchmarks": medians}))
    found = fit(path, "--x", "arg1", "--y", "cpu_time")["fits"][0]
    tool.check(found["rounds"] == 1 and abs(found["exponent"] - 1) < 1e-6, str(found))
    print("ok: Google Benchmark's JSON")
    refuse("an unknown argument", [path, "--x", "size"], "aggregates.json", "'size'", "arg1")
    refuse("another file's JSON", [write(scratch, "other.json", "{}")], "other.json",
           "'benchmarks'")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        losses(folder)
        timings(folder)
        benchmarks(folder)
