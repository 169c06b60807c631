"""Reads the report that a study left behind.

SPDX-License-Identifier: Apache-2.0
"""

import json


class BadReport(Exception):
    """One line for a person."""


def read_report(folder):
    path = folder / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadReport(
            f"{path}: {error.strerror}: write it with 'interpscale report {folder}'"
        ) from error
    except ValueError as error:
        raise BadReport(f"{path}: not JSON: {error}") from error
    if not isinstance(report, dict) or report.get("kind") != "report":
        raise BadReport(f"{path}: not a study's report: no \"kind\": \"report\"")
    return report
