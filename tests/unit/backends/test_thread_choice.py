"""The choice of the number of threads, fed with made-up times."""

from collections.abc import Callable

import numpy as np
import pytest

from thalweg._engine import ThreadChoice

Time = Callable[[int], float]  # of a step, in nanoseconds, by the number of threads
TIMES: dict[str, tuple[int, Time]] = {
    "alone": (2, lambda threads: 30e3 if threads == 1 else 45e3),
    "in two": (2, lambda threads: 300e3 if threads == 1 else 170e3),
    "in four of eight": (8, lambda threads: 900e3 / threads + 50e3 * threads),
    "in all of twelve": (12, lambda threads: 60e6 / threads),
    "alone of 256": (256, lambda threads: 50e3 * threads),
}


def play(choice: ThreadChoice, time: Time, seconds: float) -> list[int]:
    """The numbers of threads of the steps of some seconds."""
    taken: list[int] = []
    left = seconds * 1e9
    while left > 0:
        taken.append(choice.threads)
        took = time(choice.threads)
        choice.took(took)
        left -= took
    return taken


def settled(choice: ThreadChoice, time: Time, seconds: float) -> int:
    """The number that most steps take, in the end."""
    numbers, counts = np.unique(play(choice, time, seconds), return_counts=True)
    return int(numbers[counts.argmax()])


def fastest(most: int, time: Time) -> int:
    """Of 1, 2, 4, … and the most."""
    rungs = [1 << i for i in range(9) if 1 << i < most]
    return min([*rungs, most], key=time)


def a_while(most: int, time: Time) -> float:
    """Seconds in which it is measured again: a hundred times ten turns, and more."""
    return 1200e-9 * max(700e3, 2 * time(fastest(most, time)))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("start", [1, 2, 256])
def test_the_fastest_is_found_from_above_and_below(name: str, start: int) -> None:
    most, time = TIMES[name]
    choice = ThreadChoice(most, start * 150e3)
    assert choice.threads == min(start, most)
    play(choice, time, 2 * a_while(most, time))
    assert settled(choice, time, a_while(most, time) / 10) == fastest(most, time)


@pytest.mark.parametrize("name", TIMES)
def test_what_is_tried_costs_less_than_a_hundredth(name: str) -> None:
    most, time = TIMES[name]
    choice = ThreadChoice(most, time(1))
    play(choice, time, a_while(most, time))
    taken = play(choice, time, a_while(most, time))
    cost = sum(time(threads) for threads in taken) / len(taken)
    assert cost < 1.01 * time(fastest(most, time))
    assert len(set(taken)) > 1  # and yet it is tried


@pytest.mark.parametrize("seed", range(5))
def test_noise_decides_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)

    def noisy(threads: int) -> float:
        """In one step of thirty something else has the processor."""
        time = TIMES["in two"][1](threads) * random.lognormal(0, 0.1)
        return time + (random.exponential(3e6) if random.random() < 1 / 30 else 0)

    assert share_of(2, noisy) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_short_steps_are_measured_by_many(seed: int) -> None:
    random = np.random.default_rng(seed)

    def uneven(threads: int) -> float:
        return (15e3 + 5e3 * threads) * random.lognormal(0, 0.4)

    assert share_of(1, uneven) > 0.9


def share_of(threads: int, time: Time) -> float:
    """The share of steps that take so many of two threads, after a while."""
    choice = ThreadChoice(2, 0)
    play(choice, time, 1)
    return float(np.mean([taken == threads for taken in play(choice, time, 3)]))


def test_threads_that_have_to_wake_up_are_given_time() -> None:
    before = [1, 0]  # threads, and the steps since there were others

    def waking(threads: int) -> float:
        before[:] = [threads, before[1] + 1 if before[0] == threads else 0]
        return 300e3 if before[1] < 1 and threads > 1 else 40e3 / threads

    assert share_of(2, waking) > 0.9


@pytest.mark.parametrize("work", [0, 1e12])
@pytest.mark.parametrize("gain", [-0.01, 0, 0.01, 0.04])
def test_a_tie_goes_to_fewer_threads(work: float, gain: float) -> None:
    def even(threads: int) -> float:
        return 300e3 * (1 - gain * (threads - 1))

    choice = ThreadChoice(2, work)
    play(choice, even, 1)
    stays = work > 0 and gain == 0.04  # too much to be a tie, too little to change
    assert settled(choice, even, 1) == (2 if stays else 1)


def test_a_change_is_followed() -> None:
    alone, two = TIMES["alone"][1], TIMES["in two"][1]
    choice = ThreadChoice(2, 0)
    for time, best in [(alone, 1), (two, 2), (alone, 1)]:
        play(choice, time, 3)
        assert settled(choice, time, 3) == best


def test_nothing_is_tried_in_the_first_steps_of_a_run() -> None:
    choice = ThreadChoice(4, 0)
    assert {choice.threads for _ in range(50) if choice.took(30e3) is None} == {1}


def test_one_thread_is_all_there_is() -> None:
    choice = ThreadChoice(1, 1e12)
    assert set(play(choice, lambda _: 1e6, 1)) == {1}
