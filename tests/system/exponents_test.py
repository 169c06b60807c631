"""Exponents of studies side by side, on reports made up for it.

SPDX-License-Identifier: Apache-2.0
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "tools" / "exponents"


def subject(label, **exponents):
    return {"label": label, "joint": {"identified": bool(exponents), "exponents": {
        symbol: {"exponent": value, "interval": [value - half, value + half]}
        for symbol, (value, half) in exponents.items()}}}


class Exponents(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def study(self, name, *subjects, backend="simd"):
        folder = Path(self.folder.name) / name
        folder.mkdir()
        (folder / "report.json").write_text(json.dumps(
            {"kind": "report", "plan": {"backend": backend}, "subjects": subjects}))
        return folder

    def run_tool(self, *arguments):
        return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True)

    def compared(self, *studies):
        result = self.run_tool(*studies, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_exponents_agree_within_the_interval_of_their_difference(self):
        first = self.study("a", subject("step", N=(1.0, 0.03), n=(0.5, 0.03)))
        # The half-width of the difference is 0.05: 0.049 is within, 0.051 is not.
        second = self.study("b", subject("step", N=(1.049, 0.04), n=(0.551, 0.04)))
        result = self.compared(first, second)
        self.assertEqual([row["agree"] for row in result["rows"]], [[True], [False]])
        self.assertEqual(result["agree"], {"b": 1})

    def test_studies_are_named_by_backend_where_that_tells_them_apart(self):
        step = subject("step", N=(1.0, 0.1))
        simd = self.study("a", step)
        blas = self.study("b", step, backend="blas")
        self.assertEqual(self.compared(simd, blas)["studies"], ["simd", "blas"])
        self.assertEqual(self.compared(simd, simd)["studies"], ["a", "a"])

    def test_what_one_study_does_not_identify_is_left_out(self):
        first = self.study("a", subject("step", N=(1.0, 0.1)), subject("method", N=(1.0, 0.1)))
        second = self.study("b", subject("step", N=(1.0, 0.1)), subject("method"))
        rows = self.compared(first, second)["rows"]
        self.assertEqual([row["subject"] for row in rows], ["step"])

    def test_a_table_marks_what_disagrees(self):
        first = self.study("a", subject("step", N=(1.0, 0.01)))
        second = self.study("b", subject("step", N=(1.5, 0.01)))
        table = self.run_tool(first, second, "--format", "markdown").stdout
        self.assertIn("| step, N | 1.00 [0.99, 1.01] | 1.50 [1.49, 1.51] * |", table)
        self.assertIn("b: 0 of 1 agree with a", table)

    def test_bad_input_is_one_line_and_exit_2(self):
        good = self.study("a", subject("step", N=(1.0, 0.1)))
        broken = self.study("b", {"label": "step"})
        nothing = self.study("c", subject("step"))
        truncated = self.study("d")
        (truncated / "report.json").write_text("{")
        for other in (broken, nothing, truncated, Path(self.folder.name) / "none"):
            result = self.run_tool(good, other)
            self.assertEqual(result.returncode, 2, other)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertEqual(self.run_tool(good).returncode, 2)


if __name__ == "__main__":
    unittest.main()
