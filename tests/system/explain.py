#!/usr/bin/env python3
# `interpscale explain` from outside: its worked example runs as printed, its three formats agree,
# and what cannot be done is said in one line.
# Usage: explain.py INTERPSCALE
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import tool

BINARY = sys.argv[1]
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def write_safetensors(path, tensors):
    """tensors: {name: (dtype, shape, struct code, values)}."""
    header, data = {}, b""
    for name, (dtype, shape, code, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}{code}", *values)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path, name):
    """Shape and values of an F32 or F64 tensor."""
    with open(path, "rb") as stream:
        content = stream.read()
    length = struct.unpack("<Q", content[:8])[0]
    entry = json.loads(content[8:8 + length])[name]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    code = {"F32": "f", "F64": "d"}[entry["dtype"]]
    count = (end - begin) // struct.calcsize(code)
    return entry["shape"], struct.unpack(f"<{count}{code}", content[begin:end])


def worked_example():
    """The lines of --help, in a scratch folder; docs/explain.md shows the same."""
    status, text, _ = tool.run(BINARY, ["explain", "--help"])
    tool.check(status == 0, "explain --help fails")
    lines = text[text.index("Example, to be pasted:"):].splitlines()[1:]
    lines = [line.strip() for line in lines if line.strip()]
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    for line in lines:
        tool.check(line in page, f"docs/explain.md does not show: {line}")
    environment = dict(os.environ, PATH=f"{pathlib.Path(BINARY).parent}:{os.environ['PATH']}")
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(["bash", "-eu", "-c", "\n".join(lines)], cwd=scratch,
                              env=environment, capture_output=True, text=True, check=False)
        tool.check(done.returncode == 0, f"the worked example fails: {done.stderr}")
        tool.check(done.stderr == "", f"progress is shown to a pipe: {done.stderr!r}")
        tool.check(len(done.stdout.splitlines()) >= 5, "the worked example shows nothing")
    print("ok: the worked example")


def write_subject(scratch):
    """A network of 3-4-5-2 and six samples."""
    model, data = os.path.join(scratch, "model.safetensors"), os.path.join(scratch, "d.safetensors")
    tensors = {}
    for layer, (inputs, outputs) in enumerate([(3, 4), (4, 5), (5, 2)]):
        weights = [((i * 7 + layer * 3) % 11 - 5) / 6 for i in range(inputs * outputs)]
        tensors[f"{2 * layer}.weight"] = ("F32", [outputs, inputs], "f", weights)
        tensors[f"{2 * layer}.bias"] = ("F64", [outputs], "d", [0.1 * i for i in range(outputs)])
    write_safetensors(model, tensors)
    write_safetensors(data, {
        "inputs": ("F32", [6, 3], "f", [((i * 5) % 9 - 4) / 3 for i in range(18)]),
        "labels": ("I64", [6], "q", [0, 1, 1, 0, 1, 0]),
    })
    return ["explain", "--model", model, "--data", data]


def explained(arguments, path, *more):
    status, output, error = tool.run(BINARY, [*arguments, "--out", path, "--json", *more])
    tool.check(status == 0, f"explain {more}: {error}")
    tool.check(error == "", f"explain {more} says on standard error: {error}")
    return json.loads(output)


def formats_agree(scratch, arguments):
    paths = {kind: os.path.join(scratch, f"out.{kind}") for kind in ("csv", "json", "safetensors")}
    method = ["--method", "gradient_x_activation"]
    for path in paths.values():
        explained(arguments, path, *method)
    with open(paths["json"], encoding="utf-8") as stream:
        document = json.load(stream)
    with open(paths["csv"], encoding="utf-8") as stream:
        table = list(csv.reader(stream))
    shape, values = read_safetensors(paths["safetensors"], "attribution")
    tool.check(shape == [9, 6], f"wrong shape {shape}")
    tool.check(document["method"] == "gradient_x_activation", "wrong method")
    tool.check(table[0] == ["layer", "neuron", *document["columns"]], "columns differ")
    tool.check([(r["layer"], r["neuron"]) for r in document["rows"]] ==
               [(1, j) for j in range(4)] + [(2, j) for j in range(5)], "rows are mislabelled")
    for number, row in enumerate(document["rows"]):
        flat = values[number * 6:number * 6 + 6]
        # Text that reads back as the same single-precision number.
        rounded = struct.unpack("<6f", struct.pack("<6f", *row["values"]))
        tool.check(rounded == flat, f"row {number} differs between JSON and safetensors")
        tool.check([float(v) for v in table[number + 1][2:]] == row["values"], "CSV differs")
    print("ok: three formats agree")


def precisions_agree(scratch, arguments):
    for method in ("zero_ablation", "layer_conductance", "activation_statistics", "class_selectivity"):
        single, double = (os.path.join(scratch, f"{p}.safetensors") for p in ("f32", "f64"))
        explained(arguments, single, "--method", method)
        summary = explained(arguments, double, "--method", method, "--precision", "f64")
        tool.check(summary["how"] == "reference", "f64 is not the reference")
        fast = read_safetensors(single, "attribution")
        exact = read_safetensors(double, "attribution")
        largest = max(abs(value) for value in exact[1])
        worst = max(abs(a - b) for a, b in zip(fast[1], exact[1]))
        tool.check(fast[0] == exact[0] and worst <= 2e-5 * largest, f"{method}: {worst}")
    print("ok: single and double precision agree")


def choices(scratch, arguments):
    path = os.path.join(scratch, "layer.json")
    for method in ("zero_ablation", "top_examples", "class_selectivity", "linear_probe",
                   "sparse_autoencoder", "neuron_gradient", "gradient_x_activation",
                   "edge_attribution", "influence", "neuron_shapley", "pairwise_ablation",
                   "feature_visualization"):
        whole = os.path.join(scratch, "whole.json")
        explained(arguments, whole, "--method", method)
        explained(arguments, path, "--method", method, "--layer", "2")
        with open(whole, encoding="utf-8") as stream:
            every = json.load(stream)["rows"]
        with open(path, encoding="utf-8") as stream:
            chosen = json.load(stream)["rows"]
        tool.check(chosen == [row for row in every if row["layer"] == 2],
                   f"{method}: --layer 2 is not layer 2 of the whole")
    explained(arguments, path, "--method", "gradient_x_activation", "--target", "1")
    print("ok: layers and targets are chosen")


def options(scratch, arguments):
    path = os.path.join(scratch, "options.json")

    def document(*more):
        explained(arguments, path, *more)
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)

    # Inputs of the norm that was asked for, none higher with a larger ball around it.
    feature = ["--method", "feature_visualization", "--starts", "3", "--steps", "20"]
    small, large = (document(*feature, "--radius", radius) for radius in ("0.5", "2"))
    tool.check(small["columns"][-2:] == ["pre_activation", "activation"], "columns are misnamed")
    for row, wider in zip(small["rows"], large["rows"]):
        norm = math.sqrt(sum(value * value for value in row["values"][:-2]))
        tool.check(norm <= 0.5 * (1 + 1e-5), f"an input of norm {norm}")
        tool.check(row["layer"] != 1 or wider["values"][-2] > row["values"][-2],
                   "a larger ball holds no higher value")
    # All edges: as many as the summaries say.
    edges = document("--method", "edge_attribution", "--edges")
    for row in edges["rows"]:
        into = [v for name, v in zip(edges["columns"], row["values"]) if name.startswith("in_")]
        tool.check(abs(sum(into) - row["values"][0]) <= 1e-5 * (1 + row["values"][1]),
                   "edges do not add up to their sum")
    # Without epsilon, relevance is gradient x activation.
    gradient = document("--method", "gradient_x_activation")["rows"]
    relevance = document("--method", "lrp_epsilon", "--epsilon", "1e-9")["rows"]
    default = document("--method", "lrp_epsilon")["rows"]
    largest = max(abs(value) for row in gradient for value in row["values"])

    def distance(rows):
        return max(abs(a - b) for one, other in zip(rows, gradient)
                   for a, b in zip(one["values"], other["values"]))

    tool.check(distance(relevance) <= 1e-5 * largest < distance(default), "epsilon is not heard")
    print("ok: options reach their methods")


def refusals(scratch, arguments):
    out = os.path.join(scratch, "no.csv")

    def expect(name, status, *fragments, more=(), base=arguments, path=out):
        found, _, error = tool.run(BINARY, [*base, "--out", path, *more])
        tool.check(found == status, f"{name}: exit status {found}, wanted {status}: {error}")
        tool.check(len(error.splitlines()) == 1, f"{name}: not one line: {error}")
        for fragment in fragments:
            tool.check(fragment in error, f"{name}: no '{fragment}' in: {error}")
        tool.check(not os.path.exists(path), f"{name}: a file was written")

    ablation = ["--method", "zero_ablation"]
    expect("a method that is not there", 2, "'telepathy'", more=["--method", "telepathy"])
    expect("a variant that is not there", 2, "'slow'", more=[*ablation, "--variant", "slow"])
    expect("a layer that is not there", 2, "found 3, wanted 1 to 2", more=[*ablation, "--layer", "3"])
    expect("a target that is not there", 2, "found 2, wanted 0 to 1",
           more=[*ablation, "--target", "2"])
    expect("a target that is no number", 2, "found 'two'", more=[*ablation, "--target", "two"])
    expect("too many samples", 2, "found 6 samples, wanted 7", more=[*ablation, "--samples", "7"])
    expect("too little memory", 2, "wants", "bytes", more=[*ablation, "--memory", "1KB"])
    expect("an unknown format", 2, ".npy", more=ablation, path=os.path.join(scratch, "no.npy"))
    expect("a folder that is not there", 1, "cannot be written", more=ablation,
           path=os.path.join(scratch, "none", "no.csv"))
    swapped = ["explain", "--model", arguments[4], "--data", arguments[2]]
    expect("data for a network", 2, arguments[4], more=ablation, base=swapped)
    with open(arguments[2], "rb") as stream:
        whole = stream.read()
    damaged = os.path.join(scratch, "damaged.safetensors")
    with open(damaged, "wb") as stream:
        stream.write(whole[:-1])
    expect("a truncated network", 2, damaged, "wanted", more=ablation,
           base=["explain", "--model", damaged, "--data", arguments[4]])
    print("ok: refusals are one line each")


def main():
    worked_example()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = write_subject(scratch)
        formats_agree(scratch, arguments)
        precisions_agree(scratch, arguments)
        choices(scratch, arguments)
        options(scratch, arguments)
        refusals(scratch, arguments)


if __name__ == "__main__":
    main()
