#!/usr/bin/env python3
# What can be wrong with what the command line is given: each is answered by one line on standard
# error and the right exit status (2 bad usage or input, 1 a failure), and nothing is lost.
# Usage: bad_input.py INTERPSCALE
# SPDX-License-Identifier: Apache-2.0
import gzip
import os
import re
import resource
import struct
import subprocess
import sys
import tempfile

import tool

BINARY = sys.argv[1]


def expect(name, arguments, status, *fragments, **options):
    """Runs the command; one line on standard error that holds all fragments."""
    found, _, error = tool.run(BINARY, arguments, **options)
    lines = error.splitlines()
    tool.check(found == status, f"{name}: exit status {found}, wanted {status}: {error}")
    tool.check(len(lines) == 1, f"{name}: {len(lines)} lines on standard error: {error}")
    tool.check(lines[0].startswith("interpscale: "), f"{name}: {lines[0]}")
    for fragment in fragments:
        tool.check(fragment in lines[0], f"{name}: no '{fragment}' in: {lines[0]}")
    print(f"ok: {name}")


def write_data_set(folder, count=64):
    """Four IDX files of 28 x 28 images."""
    os.makedirs(folder)
    for half in ("train", "t10k"):
        images = struct.pack(">IIII", 0x803, count, 28, 28) + bytes(
            (i * 7) % 256 for i in range(count * 784))
        labels = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
        with gzip.open(os.path.join(folder, f"{half}-images-idx3-ubyte.gz"), "wb") as stream:
            stream.write(images)
        with open(os.path.join(folder, f"{half}-labels-idx1-ubyte"), "wb") as stream:
            stream.write(labels)


def usage():
    expect("no command", [], 2)
    expect("an unknown command", ["measure"], 2)
    expect("an unknown option", ["run", "--fast"], 2)
    expect("a number that is none", ["run", "--rounds", "many"], 2, "rounds")
    expect("an unknown preset", ["run", "--preset", "fast"], 2, "'fast'", "quick, standard, full")
    expect("a width of zero", ["run", "--widths", "0"], 2, "widths is 0")
    expect("an absurd width", ["run", "--widths", "1000000000"], 2, "widths is 1000000000")
    expect("a negative width", ["run", "--widths", "-8"], 2, "found -8")
    expect("no rounds", ["run", "--rounds", "0"], 2, "rounds is 0")
    expect("an unknown subject", ["run", "--subjects", "telepathy"], 2, "'telepathy'")
    expect("an unknown backend", ["run", "--backend", "abacus"], 2, "'abacus'")
    expect("a hidden layer without units", ["train", "--hidden", "8,0"], 2, "hidden")
    expect("an unknown activation", ["train", "--activation", "step"], 2, "activation")
    expect("an unknown scale of experiments", ["run", "--experiments", "huge"], 2, "'huge'")
    expect("experiments without images",
           ["run", "--preset", "argument", "--data", "teacher-student"], 2, "images")
    expect("a preset without a quick form", ["run", "--preset", "full", "--quick"], 2,
           "'full-quick'")
    expect("an unknown task of modules", ["modules", "--task", "chess"], 2, "chess")
    expect("no clusters", ["modules", "--clusters", "0"], 2, "clusters")
    expect("more clusters than units",
           ["modules", "--clusters", "5000"], 2,
           "clusters: found 5000, wanted 1 to 1538")
    expect("a network that is not there", ["modules", "--model", "/nowhere/x.safetensors"], 2,
           "/nowhere/x.safetensors")
    expect("a network and a task's seeds",
           ["modules", "--model", "x.safetensors", "--seeds", "2"], 2, "--model")


def data_sets(scratch):
    folder = os.path.join(scratch, "data")
    arguments = ["--data", folder]
    expect("a data set that is missing", ["train", *arguments], 2, folder)
    write_data_set(folder)
    labels = os.path.join(folder, "train-labels-idx1-ubyte")
    with open(labels, "rb") as stream:
        whole = stream.read()
    study = tool.TINY + [*arguments, "--out", os.path.join(scratch, "from-data")]
    with open(labels, "wb") as stream:
        stream.write(whole[:-3])
    expect("truncated labels, train", ["train", *arguments], 2, labels, "3 more bytes")
    expect("truncated labels, run", study, 2, labels, "3 more bytes")
    with open(labels, "wb") as stream:
        stream.write(b"\x00\x00\x08\x03" + whole[4:])
    expect("a wrong magic number", study, 2, labels, "magic")
    with open(labels, "wb") as stream:
        stream.write(whole)
    images = os.path.join(folder, "train-images-idx3-ubyte.gz")
    with open(images, "rb") as stream:
        packed = stream.read()
    with open(images, "wb") as stream:
        stream.write(packed[:len(packed) // 2])
    expect("truncated images", study, 2, images)
    with open(images, "wb") as stream:
        stream.write(packed)
    expect("inputs that images cannot have", study + ["--inputs", "17"], 2)
    status, _, error = tool.run(BINARY, study + ["--rounds", "1"])
    tool.check(status == 0, f"a small data set cannot be studied: {error}")
    print("ok: a small data set of one's own")


def output_folders(scratch):
    expect("an output folder that cannot be", tool.TINY + ["--out", "/dev/null/study"], 1,
           "/dev/null/study")
    expect("a network that cannot be saved",
           ["train", "--data", os.path.join(scratch, "data"), "--epochs", "1", "--hidden", "8",
            "--save", "/dev/null/network"], 1, "/dev/null/network")
    full_disk(scratch)


def full_disk(scratch):
    """A study that runs out of space keeps what it has, and finishes when there is some again."""
    folder = os.path.join(scratch, "full")
    os.makedirs(folder)
    arguments = tool.TINY + ["--out", folder]
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder],
                             capture_output=True).returncode == 0
    try:
        if mounted:
            expect("a full disk", arguments, 1, folder)
        else:
            expect("a full disk", arguments, 1, folder, restore_signals=False,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)))
        before = tool.journal(folder)
        tool.check(before, "a full disk: nothing had been written at all")
        if mounted:
            grown = subprocess.run(["mount", "-o", "remount,size=16m", folder], capture_output=True)
            tool.check(grown.returncode == 0, "the file system cannot be enlarged")
        status, _, error = tool.run(BINARY, arguments)
        tool.check(status == 0, f"after a full disk: {status}: {error}")
        tool.check(tool.journal(folder).startswith(before), "after a full disk: records changed")
        print("ok: a study goes on after a full disk")
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)


def journals(scratch):
    folder = os.path.join(scratch, "study")
    arguments = tool.TINY + ["--out", folder]
    path = os.path.join(folder, "journal.jsonl")
    status, _, error = tool.run(BINARY, arguments)
    tool.check(status == 0, f"a tiny study fails: {error}")
    whole = tool.journal(folder)
    expect("another plan in the same folder", arguments + ["--seed", "2"], 2, path,
           "seed: 1 in the first, 2 in the second")
    tool.check(tool.journal(folder) == whole, "another plan touched the journal")
    lines = whole.splitlines(keepends=True)

    def damaged(name, content, *fragments):
        with open(path, "wb") as stream:
            stream.write(content)
        expect(name, arguments, 2, path, *fragments)
        with open(path, "rb") as stream:
            tool.check(stream.read() == content, f"{name}: the journal was touched")

    middle = len(lines) // 2
    damaged("a malformed line in the middle",
            b"".join(lines[:middle]) + b'{"kind": nonsense}\n' + b"".join(lines[middle:]),
            f":{middle + 1}:")
    damaged("a timing that stands twice", whole + lines[-1], "a second timing")
    damaged("another schema", re.sub(rb'"schema":\d+', b'"schema":99', whole, count=1),
            "'schema': found 99")
    with open(path, "wb") as stream:
        stream.write(whole[:-20])
    status, _, error = tool.run(BINARY, arguments)
    tool.check(status == 0, f"a torn last line is not forgiven: {error}")
    tool.check(len(tool.records(folder)) == len(lines) + 1, "a torn line was not measured again")
    print("ok: a torn last line")


def main():
    usage()
    with tempfile.TemporaryDirectory() as scratch:
        data_sets(scratch)
        output_folders(scratch)
        journals(scratch)


if __name__ == "__main__":
    main()
