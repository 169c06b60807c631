#!/usr/bin/python3
"""PyTorch's training step as a peer (bench/peers/serve.hpp says what is asked and answered).

The set-up is the fastest of several ways to write the same step, found anew for every entry: plain
or traced network, the optimizer's loop over parameters or its fused lists of tensors. 64 inputs,
three hidden layers, ReLU, ten classes, a batch of 128, mean cross-entropy.

SPDX-License-Identifier: Apache-2.0
"""

import argparse
import json
import os
import sys
import warnings

import torch
from torch_timing import time_work

warnings.filterwarnings("ignore")

INPUTS, CLASSES, BATCH = 64, 10, 128
WIDTHS = (16, 64, 128, 256, 512, 1024, 2048, 4096)
STANDING_RATE = 1e-20
CALIBRATION_TIMINGS = 3  # as long as one of a round


def network_of(width):
    torch.manual_seed(1)
    layers = []
    fan_in = INPUTS
    for _ in range(3):
        layers += [torch.nn.Linear(fan_in, width), torch.nn.ReLU(inplace=True)]
        fan_in = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(fan_in, CLASSES))


def product_flops(width):
    weights = INPUTS * width + 2 * width * width + CLASSES * width
    return BATCH * (6 * weights - 2 * INPUTS * width)


def steps_of(kind, width):
    """Name and function of each way to write the step."""
    inputs = torch.randn(BATCH, INPUTS)
    labels = torch.arange(BATCH) % CLASSES
    for traced in (False, True):
        for foreach in (False, True):
            network = network_of(width)
            optimizer = (torch.optim.SGD if kind == "sgd" else torch.optim.Adam)(
                network.parameters(), lr=STANDING_RATE, foreach=foreach
            )
            call = torch.jit.trace(network, inputs) if traced else network
            name = ("traced" if traced else "plain") + (", lists of tensors" if foreach else "")

            def step(call=call, optimizer=optimizer):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(call(inputs), labels).backward()
                optimizer.step()

            yield name, step


class Server:
    def __init__(self):
        self.name = None
        self.way = None
        self.step = None

    def prepare(self, name, seconds):
        if name == self.name:
            return
        self.step = None
        kind, width = name.removeprefix("training_step/").split("/w:")
        best = None
        for way, step in steps_of(kind, int(width)):
            for _ in range(5):
                step()
            taken, _ = time_work(step, CALIBRATION_TIMINGS * seconds)
            if best is None or taken < best:
                best, self.way, self.step = taken, way, step
        self.name = name

    def time(self, name, seconds):
        self.prepare(name, seconds)
        self.step()
        taken, iterations = time_work(self.step, seconds)
        return {
            "name": name,
            "ok": True,
            "seconds": taken,
            "iterations": iterations,
            "flops": product_flops(int(name.rsplit(":", 1)[1])),
            "way": self.way,
            "reason": "",
        }


def main():
    parser = argparse.ArgumentParser(description="PyTorch's training step as a peer.")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    names = [f"training_step/{kind}/w:{width}" for kind in ("sgd", "adam") for width in WIDTHS]

    def answer(value):
        print(json.dumps(value), flush=True)

    answer(
        {
            "peer": "torch",
            "version": torch.__version__,
            "setup": "best of plain and traced network, foreach and for-loop optimizer",
            "threads": arguments.threads,
            "binding": os.environ.get("OMP_PROC_BIND", "unbound"),
            "names": names,
        }
    )
    server = Server()
    for line in sys.stdin:
        words = line.split()
        if len(words) != 3 or words[0] != "time" or words[2] not in names:
            print(f"torch_step: found '{line.strip()}', wanted 'time SECONDS NAME'", file=sys.stderr)
            return 2
        answer(server.time(words[2], float(words[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
