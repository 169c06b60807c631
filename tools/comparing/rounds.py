"""Rounds in turns: ours and each peer once a round, limits of the machine before and after.

SPDX-License-Identifier: Apache-2.0
"""

from comparing.processes import OURS

LIMIT_SECONDS = 0.01
LONG_SECONDS = 0.5
VERY_LONG_SECONDS = 10.0


def turns(names, round_index):
    """Every other round backwards: what drifts within a round favours nobody."""
    return list(names) if round_index % 2 == 0 else list(reversed(names))


def placement_of(before, after):
    """'near' or 'far' if both say so; 'mixed' where the cores moved in between."""
    return before if before == after else "mixed"


def rounds_for(spent, wanted):
    """In how many rounds a peer is asked whose run takes so many seconds."""
    if spent >= VERY_LONG_SECONDS:
        return 1
    return min(wanted, 3) if spent >= LONG_SECONDS else wanted


def asked_in(round_index, peers, most, failed):
    """Who is timed in this round; nobody once ours, or all of the others, have had their rounds."""
    asked = [peer for peer in peers if peer not in failed and round_index < most[peer]]
    others = [peer for peer in peers if peer != OURS and peer not in failed]
    if OURS not in asked or (others and asked == [OURS]):
        return []
    return turns(asked, round_index)


def time_entry(name, peers, seconds, rounds):
    """The record of one entry: limits and seconds, round by round, and who failed.

    peers: name to Peer, those that have the entry, ours among them. One whose run takes
    LONG_SECONDS or more is timed in at most three rounds, from VERY_LONG_SECONDS on in one. (A time
    that was scaled up says what was really `spent`.)
    """
    record = {"name": name, "flops": 0, "rounds": [], "failed": {}}
    most = {peer: rounds for peer in peers}
    for round_index in range(rounds):
        asked = asked_in(round_index, peers, most, record["failed"])
        if not asked:
            break
        this = {"seconds": {}, "placement": {}, "round_trip_nanoseconds": {}}
        before = peers[OURS].limits(LIMIT_SECONDS)
        this["flops_per_second"] = before["flops_per_second"]
        for peer in asked:
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
            most[peer] = rounds_for(answer.get("spent", answer["seconds"]), rounds)
            before = after
        record["rounds"].append(this)
    return record
