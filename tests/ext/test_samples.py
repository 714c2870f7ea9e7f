"""What is made of the states of threads, on any interpreter: holds, pauses, and for whom others wait."""

from __future__ import annotations

import pytest

from gilkit._ext._samples import MadeUpSamples

MAIN, OTHER, THIRD = (100, 1), (200, 2), (300, 3)  # threads: an address, and an id
NOBODY = (0, 0)
GOING = (False, False, 0)
ROOM = 512  # threads that are told apart in shares

Thread = tuple[int, int]
Asked = tuple[bool, bool, int]


def asked(who: Thread) -> Asked:
    return True, False, who[0]


def stopped(who: Thread) -> Asked:
    return True, True, who[0]


class Samples:
    """Samples of threads, one a second."""

    def __init__(self, bridge: float = 10.0, collector: Thread = NOBODY, canary: Thread = NOBODY) -> None:
        self.made = MadeUpSamples(bridge, collector[0], canary[0])
        self.moment = 0.0

    def see(
        self,
        attached: list[Thread],
        pause: Asked = GOING,
        before: Asked | None = None,
        there: list[Thread] | None = None,
    ) -> bool:
        """Take a sample of threads: by default of these three."""
        self.moment += 1.0
        threads = sorted(there or [MAIN, OTHER, THIRD], key=lambda thread: -thread[1])
        states = [(*thread, thread in attached) for thread in threads]
        return self.made.take(self.moment, states, pause if before is None else before, pause, 0)

    @property
    def blocker(self) -> Thread:
        return self.made.blocker()

    @property
    def holds(self) -> list[tuple[float, float, Thread]]:
        return [(start, end, (address, unique)) for start, end, address, unique in self.made.end()[0]]

    @property
    def pauses(self) -> list[tuple[float, float, float, Thread, Thread]]:
        return [
            (start, until, end, (who, made), (last, last_made))
            for start, until, end, who, made, last, last_made in self.made.end()[1]
        ]


def test_while_the_world_is_stopped_those_wait_who_ran() -> None:
    samples = Samples()
    samples.see([MAIN, OTHER])
    assert samples.blocker == NOBODY
    samples.see([MAIN], stopped(MAIN))
    assert samples.blocker == MAIN


@pytest.mark.parametrize("ran", [[MAIN], []])
def test_for_one_thread_that_stops_the_world_nobody_waits(ran: list[Thread]) -> None:
    samples = Samples()
    samples.see(ran)
    samples.see([MAIN], asked(MAIN))
    assert samples.blocker == NOBODY
    samples.see([MAIN], stopped(MAIN))
    assert samples.blocker == NOBODY


def test_that_our_collector_of_stalls_waits_does_not_count() -> None:
    samples = Samples(collector=OTHER)
    samples.see([MAIN, OTHER])
    samples.see([MAIN, OTHER], asked(MAIN))
    assert samples.blocker == NOBODY
    samples.see([MAIN], stopped(MAIN))
    assert samples.blocker == NOBODY


def test_a_canary_always_waits_and_what_it_stops_itself_is_nobodys_doing() -> None:
    samples = Samples(canary=THIRD)
    samples.see([MAIN])
    samples.see([MAIN], stopped(MAIN))
    assert samples.blocker == MAIN
    samples.see([MAIN])
    samples.see([MAIN], asked(THIRD))
    assert samples.blocker == MAIN  # for it, as it stays attached
    samples.see([THIRD], stopped(THIRD))
    assert samples.blocker == NOBODY
    samples.see([MAIN, THIRD])
    samples.see([MAIN, THIRD], asked(MAIN))  # it may have lost its CPU
    assert samples.blocker == NOBODY


def test_who_is_late_to_stop_is_who_others_wait_for_and_until_then_they_do() -> None:
    samples = Samples()
    samples.see([MAIN, OTHER])
    samples.see([MAIN, OTHER], asked(MAIN))
    assert samples.blocker == OTHER
    samples.see([MAIN, OTHER], asked(MAIN))
    samples.see([MAIN], stopped(MAIN))
    assert samples.blocker == MAIN
    samples.see([MAIN, OTHER])
    assert samples.blocker == NOBODY
    assert samples.pauses == [(1.5, 3.0, 4.5, MAIN, OTHER)]


def test_of_two_that_are_late_the_last_one_is_named() -> None:
    samples = Samples()
    samples.see([MAIN, OTHER, THIRD])
    samples.see([MAIN, OTHER, THIRD], asked(MAIN))
    samples.see([MAIN, OTHER], asked(MAIN))
    assert samples.blocker == OTHER
    samples.see([MAIN])
    assert [last for *_, last in samples.pauses] == [OTHER]


def test_where_nobody_was_seen_to_be_late_nobody_was_waited_for() -> None:
    samples = Samples()
    samples.see([MAIN])
    samples.see([MAIN], asked(MAIN))
    samples.see([MAIN], asked(MAIN))
    samples.see([MAIN])
    assert samples.pauses == [(1.5, 1.5, 3.5, MAIN, NOBODY)]


def test_who_stopped_while_it_was_looked_was_not_late() -> None:
    samples = Samples()
    samples.see([MAIN, OTHER])
    samples.see([MAIN, OTHER], asked(MAIN), before=GOING)  # who was attached may have been so before
    assert samples.blocker == NOBODY
    assert samples.pauses == [(1.5, 1.5, 2.0, MAIN, NOBODY)]


def test_a_pause_begins_when_it_is_said_who_asked() -> None:
    samples = Samples()
    samples.see([MAIN, OTHER])
    samples.see([MAIN, OTHER], (True, False, 0))
    assert samples.blocker == NOBODY
    samples.see([MAIN, OTHER], asked(MAIN))
    samples.see([MAIN])
    assert samples.pauses == [(2.5, 3.0, 3.5, MAIN, OTHER)]


@pytest.mark.parametrize(
    ("first", "second"),
    [(stopped(MAIN), asked(MAIN)), (stopped(MAIN), stopped(OTHER)), (asked(MAIN), asked(OTHER))],
)
def test_pauses_that_cannot_be_one_are_two(first: Asked, second: Asked) -> None:
    samples = Samples()
    samples.see([MAIN])
    samples.see([MAIN], first)
    samples.see([MAIN], second)
    samples.see([MAIN])
    assert [(start, end) for start, _, end, *_ in samples.pauses] == [(1.5, 2.5), (2.5, 3.5)]


@pytest.mark.parametrize("bridge", [10.0, 1e9])
def test_who_stays_attached_has_one_hold_however_young_the_clock(bridge: float) -> None:
    samples = Samples(bridge)
    assert not samples.see([MAIN])  # the first sample tells of nobody that it came
    samples.see([MAIN])
    assert samples.made.longest_hold() == (1.0, 2.0, *MAIN)
    assert samples.holds == [(1.0, 2.0, MAIN)]


def test_a_hold_ends_where_nobody_is_attached_and_over_a_long_time_without_a_sample() -> None:
    samples = Samples(bridge=1.5)
    samples.see([MAIN])
    samples.see([])
    assert samples.see([MAIN])
    samples.see([MAIN])
    samples.moment += 1.0
    samples.see([MAIN])
    assert samples.holds == [(1.0, 1.0, MAIN), (3.0, 4.0, MAIN), (6.0, 6.0, MAIN)]


def test_a_hold_goes_on_while_others_come_and_go() -> None:
    samples = Samples()
    for there in ([MAIN], [MAIN, OTHER], [MAIN, OTHER, THIRD], [MAIN, THIRD], [MAIN]):
        samples.see(there, there=there)
    assert sorted(samples.holds) == [(1.0, 5.0, MAIN), (2.0, 3.0, OTHER), (3.0, 4.0, THIRD)]


def test_however_many_threads_there_were_no_hold_is_that_of_another_at_the_same_address() -> None:
    samples, last = Samples(), ROOM + 100
    for unique in range(2, last):
        short = (200 + unique % 2, unique)
        samples.see([MAIN, short], there=[MAIN, short])
    *short_ones, (_, _, longest) = sorted(samples.holds, key=lambda hold: hold[1] - hold[0])
    assert longest == MAIN
    assert [hold[2][1] for hold in sorted(short_ones)] == list(range(2, last))
    assert all(start == end for start, end, _ in short_ones)
    tallies, crowd = samples.made.holders()
    assert len(tallies) == ROOM
    assert (*MAIN, last - 2.0) in tallies
    assert {seconds for *_, seconds in tallies[2:]} == {1.0}  # to no dead thread what others did
    assert crowd > 50


def test_of_many_beyond_the_room_each_has_its_hold_and_all_are_counted_as_one() -> None:
    samples = Samples()
    for unique in range(2, ROOM + 2):
        samples.see([(200, unique)], there=[(200, unique)])
    late = [(300, 1000), (301, 1001)]
    for _ in range(3):
        samples.see(late, there=late)
    assert samples.made.longest_hold()[:2] == (ROOM + 1.0, ROOM + 3.0)
    assert samples.made.holders()[1] == 2.5
    assert [hold[2] for hold in samples.holds][-2:] == late[::-1]
