"""Runs interpscale_bench briefly and looks at what it prints and how it exits.

SPDX-License-Identifier: Apache-2.0
"""

import json
import subprocess
import sys


def run(binary, *flags):
    return subprocess.run([binary, *flags], capture_output=True, text=True, check=False)


def expect(condition, message, result):
    if not condition:
        sys.exit(f"{message}\nexit status {result.returncode}\n{result.stdout}\n{result.stderr}")


def check_json(binary):
    result = run(
        binary,
        "--batch=8",
        "--benchmark_filter=(gemm/nt|update/sgd|pass/.*|activation_statistics/.*)/.*:64/",
        "--benchmark_min_time=0.001",
        "--benchmark_format=json",
    )
    expect(result.returncode == 0, "a short run failed", result)
    report = json.loads(result.stdout)
    for key in ("simd_target", "fma_peak", "interpscale", "interpscale_build", "timing_library"):
        expect(report["context"].get(key), f"the context lacks {key}", result)
    names = [benchmark["name"] for benchmark in report["benchmarks"]]
    for start in ("kernel/gemm/nt/", "pass/forward/", "pass/training_step/", "method/"):
        expect(any(name.startswith(start) for name in names), f"no {start} was timed", result)
    for benchmark in report["benchmarks"]:
        # What Google Benchmark's compare.py reads.
        for key in ("name", "run_type", "real_time", "cpu_time", "time_unit", "iterations"):
            expect(key in benchmark, f"{benchmark['name']} lacks {key}", result)
        for counter in ("FLOP/s", "bytes/s", "peak_share"):
            expect(benchmark[counter] > 0, f"{benchmark['name']}: {counter} is not positive", result)


def check_console(binary):
    result = run(binary, "--benchmark_filter=gemm/nt/.*n:64/", "--benchmark_min_time=0.001")
    expect(result.returncode == 0, "a short run failed", result)
    expect("timing_library" in result.stderr, "the console lacks our context", result)
    expect("built as DEBUG" not in result.stderr, "the library's warning came through", result)


def check_mistakes(binary):
    unknown_backend = run(binary, "--backend=abacus")
    expect(unknown_backend.returncode == 2, "an unknown backend went unnoticed", unknown_backend)
    unknown_flag = run(binary, "--benchmark_filtre=x")
    expect(unknown_flag.returncode == 2, "an unknown flag went unnoticed", unknown_flag)
    no_match = run(binary, "--benchmark_filter=^nothing$", "--benchmark_min_time=0.001")
    expect(no_match.returncode == 2, "a filter without match went unnoticed", no_match)


def check_list(binary):
    result = run(binary, "--benchmark_list_tests")
    expect(result.returncode == 0, "the list failed", result)
    names = result.stdout.split()
    expect(len(names) == len(set(names)) > 20, "the list has gaps or repeats itself", result)


if __name__ == "__main__":
    for check in (check_json, check_console, check_mistakes, check_list):
        check(sys.argv[1])
