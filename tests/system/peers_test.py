"""The comparison with other libraries: its rounds and its table on made-up processes, and a tiny run.

    peers_test.py BUILD_FOLDER

SPDX-License-Identifier: Apache-2.0
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tools"))

from comparing import processes, rounds, table  # noqa: E402

BUILD = None


class Scripted:
    """A peer that answers with these seconds in turn, on cores that are placed as told."""

    def __init__(self, seconds, placements=("near",)):
        self.seconds = list(seconds)
        self.placements = list(placements)
        self.asked = []

    def time(self, name, seconds):
        self.asked.append(name)
        answer = self.seconds.pop(0)
        if answer is None:
            return {"ok": False, "reason": "does not want to"}
        return {"ok": True, "seconds": answer, "flops": 1000, "reason": ""}

    def limits(self, seconds):
        placement = self.placements[0]
        if len(self.placements) > 1:
            self.placements.pop(0)
        trip = {"near": 50.0, "far": 300.0}[placement]
        return {"flops_per_second": 2000, "round_trip_nanoseconds": trip, "placement": placement}


class Environment(unittest.TestCase):
    def test_every_pool_has_as_many_threads_and_those_of_torch_are_pinned(self):
        for threads in (1, 2):
            for name in ("blis", "torch"):
                variables = processes.environment(name, threads)
                for pool in ("OMP", "OPENBLAS", "BLIS"):
                    self.assertEqual(variables[f"{pool}_NUM_THREADS"], str(threads))
        self.assertEqual(processes.environment("torch", 2)["OMP_PROC_BIND"], "close")


class Rounds(unittest.TestCase):
    def test_every_peer_is_asked_once_a_round_and_the_order_turns(self):
        self.assertEqual(rounds.turns("abc", 0), ["a", "b", "c"])
        self.assertEqual(rounds.turns("abc", 1), ["c", "b", "a"])
        peers = {"interpscale": Scripted([0.1] * 4), "blis": Scripted([0.2] * 4)}
        record = rounds.time_entry("gemm/nn/m:1/n:1/k:1", peers, 0.01, 4)
        self.assertEqual(len(record["rounds"]), 4)
        self.assertEqual(len(peers["blis"].asked), 4)
        self.assertEqual(record["flops"], 1000)

    def test_long_entries_get_three_rounds(self):
        peers = {"interpscale": Scripted([0.6] * 9), "blis": Scripted([0.2] * 9)}
        record = rounds.time_entry("gemm/nn/m:1/n:1/k:1", peers, 0.01, 9)
        self.assertEqual(len(record["rounds"]), 3)

    def test_a_peer_that_fails_is_named_and_not_asked_again(self):
        peers = {"interpscale": Scripted([0.1] * 2), "blis": Scripted([None])}
        record = rounds.time_entry("gemm/nn/m:1/n:1/k:1", peers, 0.01, 2)
        self.assertEqual(record["failed"], {"blis": "does not want to"})
        self.assertEqual(table.summarise(record, 1)["ratio"], {})

    def test_a_timing_during_which_the_cores_moved_is_mixed(self):
        self.assertEqual(rounds.placement_of("near", "near"), "near")
        self.assertEqual(rounds.placement_of("near", "far"), "mixed")
        ours = Scripted([0.1, 0.1], ["near", "far", "far", "far", "far", "far"])
        record = rounds.time_entry("x", {"interpscale": ours, "blis": Scripted([0.3] * 2)}, 0.01, 2)
        placements = [this["placement"] for this in record["rounds"]]
        self.assertEqual(placements[0], {"interpscale": "mixed", "blis": "far"})
        self.assertEqual(placements[1], {"blis": "far", "interpscale": "far"})


def record_of(name, *seconds, placement="near"):
    return {
        "name": name,
        "flops": 1000,
        "failed": {},
        "rounds": [
            {
                "seconds": one,
                "flops_per_second": 2000,
                "placement": {peer: placement for peer in one},
                "round_trip_nanoseconds": {peer: [50, 50] for peer in one},
            }
            for one in seconds
        ],
    }


class Table(unittest.TestCase):
    def test_ratios_are_medians_of_ratios_within_a_round(self):
        record = record_of(
            "gemm/nn/m:1/n:1/k:1",
            {"interpscale": 1.0, "blis": 2.0, "eigen": 3.0},
            {"interpscale": 2.0, "blis": 1.0, "eigen": 6.0},
            {"interpscale": 4.0, "blis": 6.0},
        )
        row = table.summarise(record, threads=1)
        self.assertEqual(row["ratio"], {"blis": 1.5, "eigen": 3.0})
        self.assertEqual((row["best_peer"], row["worst_ratio"]), ("blis", 1.5))
        self.assertEqual(row["seconds"]["interpscale"], 2.0)
        self.assertEqual(row["share"], 0.25)
        self.assertEqual(table.summarise(record, threads=2)["share"], 0.125)

    def test_modes_are_kept_apart(self):
        near = record_of("x", {"interpscale": 1.0, "blis": 2.0})
        far = record_of("x", {"interpscale": 3.0, "blis": 3.0}, placement="far")
        record = {**near, "rounds": near["rounds"] + far["rounds"]}
        self.assertEqual(table.modes_of([record]), ["near", "far"])
        self.assertEqual(table.summarise(record, 2, "near")["ratio"], {"blis": 2.0})
        self.assertEqual(table.summarise(record, 2, "far")["ratio"], {"blis": 1.0})
        self.assertIsNone(table.summarise(record, 2, "mixed"))

    def test_overall_is_by_kind_and_names_the_worst(self):
        rows = [
            table.summarise(record_of(name, {"interpscale": 1.0, "blis": value}), 1)
            for name, value in (("gemm/nn/m:1/n:1/k:1", 2.0), ("gemm/nn/m:2/n:1/k:1", 0.5))
        ]
        (entry,) = table.overall(rows)
        self.assertEqual(entry["kind"], "gemm/nn")
        self.assertAlmostEqual(entry["geometric_mean"], 1.0)
        self.assertEqual((entry["smallest"], entry["at"]), (0.5, "gemm/nn/m:2/n:1/k:1"))

    def test_shown_as_text_and_markdown(self):
        record = record_of("training_step/sgd/w:16", {"interpscale": 1.5e-5, "torch": 3.0e-4})
        rows = [table.summarise(record, 1)]
        self.assertIn("| 15 us |", table.as_markdown(rows, ["blis", "torch"]))
        self.assertIn("| - | 20.00 | 20.00 torch |", table.as_markdown(rows, ["blis", "torch"]))
        self.assertEqual(len(table.as_text(rows, ["torch"]).splitlines()), 2)
        self.assertEqual(table.duration(2.5), "2.5 s")
        self.assertEqual(table.duration(2.5e-9), "2.5 ns")


class Run(unittest.TestCase):
    def peers(self, *arguments):
        return subprocess.run(
            [sys.executable, str(PROJECT / "tools/peers"), f"--build={BUILD}", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_a_tiny_run_of_whatever_is_installed(self):
        for threads in (1, 2):
            result = self.peers(
                f"--threads={threads}",
                "--filter=^gemm/(nt|tn)/m:65/|^training_step/(sgd|adam)/w:16$",
                "--rounds=1",
                "--seconds=0.001",
                "--json",
            )
            self.assertEqual(result.returncode, 0, result.stderr)
            report = json.loads(result.stdout)
            self.assertEqual(len(report["records"]), 4)
            for record in report["records"]:
                self.assertGreater(record["flops"], 0)
                (this,) = record["rounds"]
                self.assertGreater(this["seconds"][processes.OURS], 0.0)
                before, after = this["round_trip_nanoseconds"][processes.OURS]
                self.assertGreaterEqual(min(before, after), 0.0)
            self.assertIn("eigen", report["records"][0]["rounds"][0]["seconds"])

    def test_rounds_that_were_written_are_shown_again(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rounds.json"
            common = ("--peers=eigen", "--rounds=1", "--seconds=0.001", "--format=markdown")
            first = self.peers(*common, "--filter=^gemm/nn/m:65/", f"--out={file}")
            self.assertEqual(first.returncode, 0, first.stderr)
            again = self.peers("--format=markdown", "--read", str(file))
            self.assertEqual(again.stdout, first.stdout)
            file.write_text("[]")
            self.assertIn("not written by --out", self.peers("--read", str(file)).stderr)

    def test_mistakes_are_named(self):
        self.assertIn("no peer 'abacus'", self.peers("--peers=abacus").stderr)
        nothing = self.peers("--peers=eigen", "--filter=^nothing$")
        self.assertEqual(nothing.returncode, 2)
        self.assertIn("leaves nothing", nothing.stderr)
        nowhere = subprocess.run(
            [sys.executable, str(PROJECT / "tools/peers"), "--build=nowhere"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(nowhere.returncode, 2)
        self.assertIn("build the target", nowhere.stderr)

    def test_a_peer_refuses_what_it_does_not_understand(self):
        program = Path(BUILD) / "bin" / "interpscale_peers_interpscale"
        result = subprocess.run(
            [program, "--serve"], input="sing 1 song\n", capture_output=True, text=True, check=False
        )
        self.assertEqual(result.returncode, 2)
        self.assertIn("'sing 1 song'", result.stderr)
        result = subprocess.run(
            [program, "--serve"], input="time 1 x\n", capture_output=True, text=True, check=False
        )
        self.assertFalse(json.loads(result.stdout.splitlines()[1])["ok"])

    def test_a_peer_is_a_google_benchmark_too(self):
        program = Path(BUILD) / "bin" / "interpscale_peers_eigen"
        result = subprocess.run(
            [program, "--benchmark_filter=^gemm/nn/m:65/", "--benchmark_min_time=0.001"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("gemm/nn/m:65/n:65/k:65", result.stdout)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
