"""Peers as processes that answer one line for one line (bench/peers/serve.hpp).

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import subprocess
from pathlib import Path

# OpenBLAS built with OpenMP, where Debian puts it: its own thread pool gets in the way of OpenMP's.
OPENMP_OPENBLAS = Path("/usr/lib/x86_64-linux-gnu/openblas-openmp")
PYTHON = "/usr/bin/python3"
OURS = "interpscale"
PEERS = ("openblas", "blis", "onednn", "libxsmm", "eigen")
TORCH = "torch"
WAYS = ("vec", "patched", "stock")  # to write an analysis in PyTorch


class PeerFailed(Exception):
    """One line for a person."""


def environment(name, threads):
    """What the run-times of a peer read before they start their threads."""
    variables = dict(os.environ)
    for pool in ("OMP", "OPENBLAS", "BLIS", "MKL"):
        variables[f"{pool}_NUM_THREADS"] = str(threads)
    # A team's threads wait for each other busily while they work, and sleep between.
    variables.setdefault("OMP_WAIT_POLICY", "active")
    variables.setdefault("GOMP_SPINCOUNT", "30000")
    if threads > 1 and (OPENMP_OPENBLAS / "libopenblas.so.0").exists():
        before = variables.get("LD_LIBRARY_PATH")
        variables["LD_LIBRARY_PATH"] = str(OPENMP_OPENBLAS) + (f":{before}" if before else "")
    if threads > 1 and name in (TORCH, *WAYS):
        # The other peers pin their threads themselves.
        variables.update(OMP_PROC_BIND="close", OMP_PLACES="cores")
    return variables


def commands(binaries, scripts, threads, wanted=()):
    """Name and command of every peer that is there and wanted (all of them: nothing), ours first."""
    found = {}
    for name in (OURS, *PEERS):
        program = binaries / f"interpscale_peers_{name}"
        if program.exists() and not (name == "libxsmm" and threads > 1):
            found[name] = [str(program), "--serve", f"--threads={threads}"]
    if (not wanted or TORCH in wanted) and torch_is_there():
        found[TORCH] = [PYTHON, str(scripts / "torch_step.py"), f"--threads={threads}"]
    return found


def torch_is_there():
    if not Path(PYTHON).exists():
        return False
    probe = subprocess.run([PYTHON, "-c", "import torch"], capture_output=True, check=False)
    return probe.returncode == 0


class Peer:
    """A running process and what it said of itself."""

    def __init__(self, name, command, threads):
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(name, threads),
        )
        self.about = self._read()
        self.names = frozenset(self.about.pop("names"))

    def time(self, name, seconds):
        return self._ask(f"time {seconds:g} {name}")

    def write(self, name, folder):
        return self._ask(f"write {name} {folder}")

    def verify(self, name, allowed):
        return self._ask(f"verify {allowed!r} {name}")

    def limits(self, seconds):
        return self._ask(f"limits {seconds:g}")

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, line):
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise PeerFailed(f"{self.name}: gone before '{line}': {error.strerror}") from error
        return self._read()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(f"{self.name}: ended with status {self._process.wait()}, no answer")
        try:
            return json.loads(line)
        except ValueError as error:
            raise PeerFailed(f"{self.name}: found '{line.strip()}', wanted JSON") from error
