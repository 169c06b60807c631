# What the system tests of the command line share. Standard library only.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess

# A study that takes seconds, needs no files, and has every kind of cell.
TINY = [
    "run", "--data", "teacher-student", "--widths", "8,16", "--depths", "1,2", "--inputs", "16",
    "--subjects", "forward,training_step,activation_statistics", "--batch", "32",
    "--training-steps", "3", "--rounds", "3", "--extra-rounds", "0", "--min-seconds", "0.001",
    "--warm-up", "0", "--repetitions", "1", "--no-report",
]


def start(binary, arguments, **options):
    return subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def run(binary, arguments, **options):
    """Exit status, standard output, standard error."""
    process = start(binary, arguments, **options)
    output, error = process.communicate(timeout=300)
    return process.returncode, output, error


def journal(folder):
    """The whole lines of a study's journal, as bytes; b"" if there is none yet."""
    path = os.path.join(folder, "journal.jsonl")
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as stream:
        content = stream.read()
    return content[:content.rfind(b"\n") + 1]


def records(folder):
    return [json.loads(line) for line in journal(folder).splitlines()]


def check(condition, message):
    if not condition:
        raise SystemExit("FAILED: " + message)
