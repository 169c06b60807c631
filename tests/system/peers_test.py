"""The comparison with other libraries: its rounds and its table on made-up processes, and a tiny run.

    peers_test.py BUILD_FOLDER

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tools"))

from comparing import analyses, processes, rounds, table  # noqa: E402

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

    def test_a_long_peer_gets_few_rounds_and_the_others_all(self):
        peers = {
            "interpscale": Scripted([0.1] * 9),
            "vec": Scripted([0.2] * 9),
            "patched": Scripted([0.6] * 9),
            "stock": Scripted([20.0] * 9),
        }
        record = rounds.time_entry("analysis/neuron_shapley/w:16", peers, 0.01, 9)
        self.assertEqual(len(record["rounds"]), 9)
        asked = {name: len(peer.asked) for name, peer in peers.items()}
        self.assertEqual(asked, {"interpscale": 9, "vec": 9, "patched": 3, "stock": 1})
        peers = {"interpscale": Scripted([0.1] * 9), "stock": Scripted([20.0] * 9)}
        self.assertEqual(len(rounds.time_entry("x", peers, 0.01, 9)["rounds"]), 1)

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
        shown = table.as_markdown(table.lines_of(rows, ["blis", "torch"]))
        self.assertIn("| 15 us |", shown)
        self.assertIn("| - | 20.00 | 20.00 torch |", shown)
        self.assertEqual(len(table.as_text(table.lines_of(rows, ["torch"])).splitlines()), 2)
        self.assertEqual(table.duration(2.5), "2.5 s")
        self.assertEqual(table.duration(2.5e-9), "2.5 ns")


class Tool(unittest.TestCase):
    def peers(self, *arguments, **variables):
        return subprocess.run(
            [sys.executable, str(PROJECT / "tools/peers"), f"--build={BUILD}", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables},
        )


class Run(Tool):
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


def analysis_record(shares, *seconds):
    record = record_of("analysis/zero_ablation/w:64", *seconds)
    record["ways"] = {way: {"share": share} for way, share in shares.items()}
    record["facts"] = {"activity": [0.5, 0.48]}
    return record


class AnalysesTable(unittest.TestCase):
    def test_ratios_carry_their_extremes_and_say_what_was_scaled(self):
        record = analysis_record(
            {"vec": 1.0, "stock": 0.25},
            {"interpscale": 1.0, "vec": 2.0, "stock": 300.0},
            {"interpscale": 2.0, "vec": 3.0, "stock": 600.0},
            {"interpscale": 1.0, "vec": 5.0},
        )
        row = analyses.summarise(record, 1)
        self.assertEqual((row["method"], row["width"]), ("zero_ablation", 64))
        (_, line) = analyses.lines_of([row], ["vec", "patched", "stock"])
        self.assertEqual(line[-3:], ["2 (1.5-5)", "-", "~300 (300-300)"])
        self.assertIn("48.0 to 50.0 %", analyses.activity_line([record]))
        self.assertIn("| zero_ablation | 64 |", table.as_markdown([line]))

    def test_runs_of_different_ways_are_one_row(self):
        one = analysis_record({"vec": 1.0}, {"interpscale": 1.0, "vec": 2.0})
        other = analysis_record({"stock": 0.5}, {"interpscale": 2.0, "stock": 8.0})
        (record,) = analyses.merged([one, other])
        row = analyses.summarise(record, 1)
        self.assertEqual(row["rounds"], 2)
        self.assertEqual(row["ratio"]["vec"]["median"], 2.0)
        self.assertEqual(row["ratio"]["stock"]["median"], 4.0)

    def test_time_left_is_known_once_every_method_was_seen(self):
        progress = analyses.Progress([("a", 16), ("b", 16), ("a", 32), ("b", 32)])
        progress.taken = {("a", 16): 1.0}
        progress.index = 1
        self.assertIsNone(progress.left())
        progress.taken["b", 16] = 2.0
        progress.index = 2
        self.assertEqual(progress.left(), 3.0 * 2.0**analyses.ASSUMED_GROWTH)


class Analyses(Tool):
    tiny = ("--analyses", "--widths=4", "--rounds=1", "--seconds=0.001", "--cap=0.01")

    def test_mistakes_are_named(self):
        for fragment, arguments in (
            ("no analysis 'telepathy'", ["--analyses", "--methods=telepathy"]),
            ("no way 'abacus', only vec, patched, stock", ["--analyses", "--peers=abacus"]),
            ("found 'wide'", ["--analyses", "--widths=wide"]),
            ("from 1 to 4096", ["--analyses", "--widths=0,16"]),
            ("--cap must be positive", ["--analyses", "--cap=-1"]),
            ("must be positive", ["--analyses", "--rounds=0"]),
            ("--analyses takes --methods", ["--analyses", "--filter=gemm"]),
            ("belong to --analyses", ["--widths=16"]),
        ):
            result = self.peers(*arguments)
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn(fragment, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_without_pytorch_it_says_how_to_get_it_and_leaves_what_there_is(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "torch.py").write_text("raise ImportError\n")
            out = Path(folder) / "kept.json"
            out.write_text("kept")
            result = self.peers(*self.tiny, f"--out={out}", PYTHONPATH=folder)
            self.assertEqual(result.returncode, 2)
            self.assertIn("apt-get install python3-torch", result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertEqual(out.read_text(), "kept")

    def test_a_tiny_run_or_the_reason_why_not(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "rounds.json"
            result = self.peers(*self.tiny, f"--out={out}", "--format=markdown")
            if not processes.torch_is_there():
                self.assertIn("python3-torch", result.stderr)
                return
            self.assertEqual(result.returncode, 0, result.stderr)
            written = json.loads(out.read_text())
            self.assertEqual(len(written["records"]), len(analyses.METHODS))
            for record in written["records"]:
                self.assertEqual(record["failed"], {})
                self.assertEqual(len(record["rounds"]), 1)
                self.assertGreater(record["flops"], 0)
                self.assertLess(record["ways"]["vec"]["apart"], 1e-4)
                self.assertIn("vec", record["rounds"][0]["seconds"])
            again = self.peers("--analyses", "--format=markdown", "--read", str(out))
            self.assertEqual(again.stdout, result.stdout)
            mixed = self.peers("--read", str(out))
            self.assertEqual(mixed.returncode, 2)
            self.assertIn("written with --analyses", mixed.stderr)

    def test_ours_and_the_way_in_pytorch_refuse_what_they_do_not_understand(self):
        program = Path(BUILD) / "bin" / "interpscale_peers_analyses"
        for request in ("write analysis/nothing/w:4 /\n", "time 1 x\n"):
            result = subprocess.run(
                [program, "--widths=4"], input=request, capture_output=True, text=True, check=False
            )
            self.assertFalse(json.loads(result.stdout.splitlines()[1])["ok"])
        result = subprocess.run(
            [program, "--widths=4"], input="sing\n", capture_output=True, text=True, check=False
        )
        self.assertEqual(result.returncode, 2)
        self.assertIn("'sing'", result.stderr)

    def test_values_that_differ_are_not_timed(self):
        if not processes.torch_is_there():
            return
        program = Path(BUILD) / "bin" / "interpscale_peers_analyses"
        script = PROJECT / "bench/peers/torch_analyses.py"
        name = "analysis/attribution_patching/w:4"
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "w:4").mkdir()
            asked = f"write {name} {folder}/w:4\n"
            subprocess.run(
                [program, "--widths=4"], input=asked, capture_output=True, text=True, check=True
            )
            result = subprocess.run(
                [processes.PYTHON, script, "--way=vec", f"--data={folder}", "--widths=4"],
                input=f"verify 0.0 {name}\ntime 0.001 {name}\n",
                capture_output=True,
                text=True,
                check=True,
            )
            _, verified, timed = (json.loads(line) for line in result.stdout.splitlines())
            self.assertIn("allowed is 0", verified["reason"])
            self.assertEqual(timed["reason"], "not verified")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
