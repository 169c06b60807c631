"""Rounds in turns: ours and each peer once a round, limits of the machine before and after.

SPDX-License-Identifier: Apache-2.0
"""

from comparing.processes import OURS

LIMIT_SECONDS = 0.01
LONG_SECONDS = 0.5


def turns(names, round_index):
    """Every other round backwards: what drifts within a round favours nobody."""
    return list(names) if round_index % 2 == 0 else list(reversed(names))


def placement_of(before, after):
    """'near' or 'far' if both say so; 'mixed' where the cores moved in between."""
    return before if before == after else "mixed"


def time_entry(name, peers, seconds, rounds):
    """The record of one entry: limits and seconds, round by round, and who failed.

    peers: name to Peer, those that have the entry, ours among them. An entry whose run takes
    LONG_SECONDS or more is timed in at most three rounds.
    """
    record = {"name": name, "flops": 0, "rounds": [], "failed": {}}
    wanted = rounds
    round_index = 0
    while round_index < wanted:
        this = {"seconds": {}, "placement": {}, "round_trip_nanoseconds": {}}
        before = peers[OURS].limits(LIMIT_SECONDS)
        this["flops_per_second"] = before["flops_per_second"]
        for peer in turns(peers, round_index):
            if peer in record["failed"]:
                continue
            answer = peers[peer].time(name, seconds)
            after = peers[OURS].limits(LIMIT_SECONDS)
            if not answer["ok"]:
                record["failed"][peer] = answer["reason"]
                continue
            record["flops"] = max(record["flops"], answer["flops"])
            this["seconds"][peer] = answer["seconds"]
            this["placement"][peer] = placement_of(before["placement"], after["placement"])
            this["round_trip_nanoseconds"][peer] = [
                before["round_trip_nanoseconds"],
                after["round_trip_nanoseconds"],
            ]
            before = after
        record["rounds"].append(this)
        round_index += 1
        if max(this["seconds"].values(), default=0.0) >= LONG_SECONDS:
            wanted = min(wanted, 3)
    return record
