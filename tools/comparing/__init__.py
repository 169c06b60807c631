"""Our kernels and other libraries timed in turns: the processes, the rounds, the table.

SPDX-License-Identifier: Apache-2.0
"""
