"""The figures of a study's report, one module each.

SPDX-License-Identifier: Apache-2.0
"""
