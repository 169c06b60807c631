#!/usr/bin/env python3
"""Writes the seeds that fuzzing of safetensors files starts from: small files that are right, and
headers that are nearly so. Usage: make_corpus.py FOLDER"""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import struct
import sys

WIDTHS = {"F32": 4, "F64": 8, "I32": 4, "I64": 8, "BF16": 2}


def layout(tensors, metadata=None):
    """Header text and data of (name, dtype, shape) tensors that stand one after another."""
    header, offset = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, dtype, shape in tensors:
        size = WIDTHS[dtype]
        for extent in shape:
            size *= extent
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    return json.dumps(header, separators=(",", ":")).encode(), b"\x3f" * offset


def network(widths, dtype="F32", prefix=""):
    tensors = []
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        tensors.append((f"{prefix}{2 * layer}.weight", dtype, [outputs, inputs]))
        tensors.append((f"{prefix}{2 * layer}.bias", dtype, [outputs]))
    return tensors


def seeds():
    yield "network", *layout(network([2, 3, 1]))
    yield "deep", *layout(network([3, 2, 2, 2, 1]))
    yield "double", *layout(network([2, 2, 1], "F64"))
    yield "prefix", *layout(network([2, 1, 1], prefix="net."), {"format": "pt"})
    labels = [("inputs", "F32", [2, 3]), ("labels", "I64", [2])]
    yield "samples", *layout(labels)
    yield "more-samples", *layout([("inputs", "F64", [2, 2]), ("labels", "I32", [2]),
                                   ("donor", "F32", [2, 2]), ("baseline", "F32", [2])])
    yield "other-dtype", *layout([("0.weight", "BF16", [2, 2])])
    yield "empty", b"{}", b""
    yield "nested", b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", b""
    yield "odd", b'{"0.bias":{"dtype":"F32","shape":[-1,1.5],"data_offsets":[1e9,null]}}', b"\0" * 9


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, header, data in seeds():
        data = bytes(data) if name not in ("samples", "more-samples") else data.replace(b"\x3f",
                                                                                        b"\0")
        whole = struct.pack("<Q", len(header)) + header + data
        framed = struct.pack("<H", len(header)) + header + data
        (folder / name).write_bytes(b"\0" + whole)
        (folder / f"{name}-framed").write_bytes(b"\1" + framed)


if __name__ == "__main__":
    main()
