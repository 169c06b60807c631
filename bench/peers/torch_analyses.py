#!/usr/bin/python3
"""PyTorch's analyses as a peer of ours (bench/peers/serve.hpp says what is asked and answered).

    torch_analyses.py --way vec | patched | stock --data FOLDER [--threads N]

FOLDER/w:WIDTH holds what `write` of interpscale_peers_analyses left there: network W_l, b_l (three
hidden layers of w ReLUs), inputs x [B, d], donor [B, d], labels [B], orders [T, w] by layer, and the
`values` of the method that ours was asked for last. Three ways to the same numbers, each its own
process:

- stock: as the usual attribution library does it: forward passes of the whole network with hooks,
  gradients of every sample's scalar in one call (`autograd.grad(torch.unbind(...))`), neuron by
  neuron (layer by layer for layer conductance);
- patched: the same with one gradient of the scalars' sum;
- vec: all neurons at once by matrix products and rank-one updates, no autograd, results into
  buffers that stay, in blocks; the fastest of several block sizes, found anew for every entry.

The first two are loops over pieces of equal cost. Where all of them would take longer than --cap,
evenly spaced ones of every layer are run and the time is scaled up; `share` says of how many.

SPDX-License-Identifier: Apache-2.0
"""

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

import torch
import torch_ways
from torch_timing import time_work

warnings.filterwarnings("ignore")  # of a PyTorch that was built without NumPy, say

SETUPS = {
    "vec": "all neurons at once, no autograd, in the fastest of several block sizes",
    "patched": "autograd and hooks, neuron by neuron, one gradient of the scalars' sum",
    "stock": "autograd and hooks, neuron by neuron, one gradient of every sample's scalar",
}
LONG_SECONDS = 1.0  # a block size whose run takes this long is not held against others
CALIBRATION_SECONDS = 0.03
# Besides twice the method's tolerance of every value: of all of them, as a share of their norm.
# Rounding stays far below it, another definition far above.
MOST_APART = 1e-3


class Vectorised:
    """All values at once, in the fastest blocks."""

    share = 1.0

    def __init__(self, problem, method):
        self.problem, self.method = problem, torch_ways.VEC[method]
        self.block, self.values = None, None
        best = None
        for block in torch_ways.rows_of_a_block(problem, method):
            start = time.perf_counter()
            values = self.compute(block)
            taken = time.perf_counter() - start
            if taken < LONG_SECONDS:
                taken, _ = time_work(lambda block=block: self.compute(block), CALIBRATION_SECONDS)
            if best is None or taken < best:
                best, self.block, self.values = taken, block, values
            if taken >= LONG_SECONDS:
                break
        self.way = f"blocks of {self.block}"

    def compute(self, block):
        with torch.inference_mode():
            return self.method(self.problem, block)

    def run(self):
        self.compute(self.block)

    def compared(self, values):
        """What was found and what ours found, value by value."""
        return self.values, values[:, : self.values.shape[1]]


class Loop:
    """Piece by piece: all of them, or as many of every layer as take `cap` seconds."""

    def __init__(self, problem, method, stock, cap):
        self.problem, self.stock = problem, stock
        self.prepare, self.piece = torch_ways.LOOPS[method]
        self.by_order = method == "neuron_shapley"
        self.by_layer = method == "layer_conductance"
        layers = range(torch_ways.LAYERS)
        count = 1 if self.by_layer else problem.width
        if self.by_order:
            count = problem.orders[0].shape[0]
        self.pieces = [(layer, 0) for layer in layers]
        self.results()
        taken, _ = time_work(self.run, CALIBRATION_SECONDS)
        kept = max(1, min(count, int(cap / taken)))
        self.share = kept / count
        units = [index * count // kept for index in range(kept)]
        self.pieces = [(layer, unit) for layer in layers for unit in units]
        self.way = "all pieces" if kept == count else f"{kept} of {count} pieces a layer"

    def results(self):
        state = self.prepare(self.problem) if self.prepare else None
        return [self.piece(self.problem, state, *piece, self.stock) for piece in self.pieces]

    def run(self):
        self.results()

    def compared(self, values):
        """As of Vectorised; of some orders only, what a layer's marginals add up to."""
        results, width = self.results(), self.problem.width
        if self.by_layer:
            return torch.cat(results), values
        if not self.by_order:
            rows = [layer * width + unit for layer, unit in self.pieces]
            return torch.stack(results), values[rows]
        marginals = torch.stack(results).view(torch_ways.LAYERS, -1, width)
        ours = values[:, 0].view(-1, width)
        if self.share < 1.0:
            return marginals.sum(2), ours.sum(1, keepdim=True).expand(marginals.shape[:2])
        means = map(torch_ways.mean_marginals, self.problem.orders, marginals)
        return torch.stack(list(means)), ours


class Server:
    """Keeps what was verified last."""

    def __init__(self, way, data, cap):
        self.way, self.data, self.cap = way, data, cap
        self.name = None
        self.work = None

    def verify(self, name, allowed):
        self.name, self.work = None, None
        method, width = name.removeprefix("analysis/").split("/")
        folder = self.data / width
        problem = torch_ways.Problem(folder)
        values = torch_ways.read_tensors(folder / "values.safetensors")["values"]
        if self.way == "vec":
            work = Vectorised(problem, method)
        else:
            work = Loop(problem, method, self.way == "stock", self.cap)
        found, ours = work.compared(values)
        deviation = (found - ours).abs().max().item()
        apart = ((found - ours).norm() / ours.norm()).item()
        reason = ""
        if not deviation <= allowed:  # so for NaN too
            reason = f"values differ by {deviation:.3g}, allowed is {allowed:.3g}"
        elif not apart <= MOST_APART:
            reason = f"values are {apart:.3g} of their norm apart, allowed is {MOST_APART:.3g}"
        ok = not reason
        if ok:
            self.name, self.work = name, work
        return {
            "name": name,
            "ok": ok,
            "deviation": deviation,
            "apart": apart,
            "way": work.way,
            "share": work.share,
            "reason": reason,
        }

    def time(self, name, seconds):
        if name != self.name:
            return {"name": name, "ok": False, "reason": "not verified"}
        taken, iterations = time_work(self.work.run, seconds)
        return {
            "name": name,
            "ok": True,
            "seconds": taken / self.work.share,
            "spent": taken,
            "iterations": iterations,
            "flops": 0,
            "reason": "",
        }


def methods_of(way):
    if way == "vec":
        return list(torch_ways.VEC)
    return list(torch_ways.LOOPS if way == "stock" else torch_ways.PATCHED)


def parse():
    parser = argparse.ArgumentParser(description="PyTorch's analyses as a peer.")
    parser.add_argument("--way", choices=("vec", "patched", "stock"), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--widths", default="16,64,128,256,512")
    parser.add_argument("--cap", type=float, default=1.0, help="seconds of a loop's run")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    names = [
        f"analysis/{method}/w:{width}"
        for width in arguments.widths.split(",")
        for method in methods_of(arguments.way)
    ]
    answer(
        {
            "peer": arguments.way,
            "version": f"PyTorch {torch.__version__}",
            "setup": SETUPS[arguments.way],
            "threads": arguments.threads,
            "binding": os.environ.get("OMP_PROC_BIND", "unbound"),
            "names": names,
        }
    )
    server = Server(arguments.way, arguments.data, arguments.cap)
    asked = {"verify": server.verify, "time": server.time}
    for line in sys.stdin:
        words = line.split()
        if len(words) != 3 or words[0] not in asked or words[2] not in names:
            print(
                f"torch_analyses: found '{line.strip()}', wanted 'verify ALLOWED NAME' or "
                "'time SECONDS NAME'",
                file=sys.stderr,
            )
            return 2
        answer(asked[words[0]](words[2], float(words[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
