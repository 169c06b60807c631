#!/usr/bin/env python3
# `interpscale fit` on files that are not studies: losses of training runs.
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        losses(folder)
