"""The lock of maestro/sections.h as a model, every interleaving of its steps explored: no reader beside a writer, nobody waits
for ever. The thesis's algorithm 3.2 as printed, in the same model, fails both: so the model can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

# A state: for each core, where it is and what it holds; `reads` flags; number of writers; tickets taken and served.
# Steps are those that memory orders as sequentially consistent: one load or store of a shared variable each.
Core = tuple[str, int]  # place, ticket
State = tuple[tuple[Core, ...], tuple[bool, ...], int, int, int]
Steps = Callable[[State, int], Iterator[State]]


def put(state: State, core: int, place: str, ticket: int = 0, **changes: int | bool) -> State:
    cores, reads, writers, taken, served = state
    cores = (*cores[:core], (place, ticket), *cores[core + 1 :])
    if "reads" in changes:
        reads = (*reads[:core], bool(changes["reads"]), *reads[core + 1 :])
    writers += int(changes.get("writers", 0))
    return (
        cores,
        reads,
        writers,
        (taken + int(changes.get("taken", 0))) % 8,
        (served + int(changes.get("served", 0))) % 8,
    )


def write(state: State, core: int, place: str, ticket: int) -> Iterator[State]:
    """write_lock and write_unlock, from the place "left" of a reader that has to write; the same in both algorithms."""
    _, reads, _, taken, served = state
    if place == "left":
        yield put(state, core, "announced", writers=1)
    elif place == "announced":
        yield put(state, core, "queued", taken, taken=1)
    elif place == "queued" and served == ticket:
        yield put(state, core, "scan 0", ticket)
    elif place.startswith("scan"):
        other = int(place[5:])
        if not reads[other]:
            more = other + 1 < len(reads)
            yield put(state, core, f"scan {other + 1}" if more else "writing", ticket)
    elif place == "writing":
        yield put(state, core, "wrote", served=1)
    elif place == "wrote":
        yield put(state, core, "idle", writers=-1)


def ours(state: State, core: int) -> Iterator[State]:
    (place, ticket), writers, taken, served = state[0][core], state[2], state[3], state[4]
    if place == "idle":
        yield put(state, core, "flagged", reads=True)
    elif place == "flagged":
        yield put(state, core, "reading" if writers == 0 else "blocked")
    elif place == "blocked":
        yield put(state, core, "turn wanted", reads=False)
    elif place == "turn wanted":
        yield put(state, core, "turn queued", taken, taken=1)
    elif place == "turn queued":
        if served == ticket:
            yield put(state, core, "turn", ticket)
    elif place == "turn":
        yield put(state, core, "turn flagged", ticket, reads=True)
    elif place == "turn flagged":
        yield put(state, core, "reading", served=1)
    elif place == "reading":
        yield put(state, core, "idle", reads=False)
        yield put(state, core, "left", reads=False)
    else:
        yield from write(state, core, place, ticket)


def printed(state: State, core: int) -> Iterator[State]:
    (place, ticket), writers = state[0][core], state[2]
    if place == "idle":
        yield put(state, core, "flagged", reads=True)
    elif place == "flagged":
        yield put(state, core, "reading" if writers == 0 else "blocked")
    elif place == "blocked":
        yield put(state, core, "waiting", reads=False)
    elif place == "waiting":
        if writers == 0:
            yield put(state, core, "over")
    elif place == "over":
        yield put(state, core, "reading", reads=True)
    elif place == "reading":
        yield put(state, core, "idle", reads=False)
        yield put(state, core, "left", reads=False)
    else:
        yield from write(state, core, place, ticket)


def explore(steps: Steps, cores: int) -> dict[State, list[tuple[int, State]]]:
    """All reachable states, each with the steps out of it and who makes them."""
    start: State = ((("idle", 0),) * cores, (False,) * cores, 0, 0, 0)
    graph: dict[State, list[tuple[int, State]]] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state not in graph:
            graph[state] = [(core, after) for core in range(cores) for after in steps(state, core)]
            waiting += [after for _, after in graph[state]]
    return graph


def meets(state: State) -> bool:
    places = [place for place, _ in state[0]]
    return "writing" in places and ("reading" in places or places.count("writing") > 1)


def starves(graph: dict[State, list[tuple[int, State]]], core: int) -> bool:
    """Whether others can go on for ever while `core` waits to read, though it makes a step if it can make one for long enough:
    a cycle of states in which it waits, and in at least one of which it can do nothing."""
    waits = {state for state in graph if state[0][core][0] in ("waiting", "turn queued")}
    for start in (state for state in waits if all(who != core for who, _ in graph[state])):
        seen, stack = set(), [after for who, after in graph[start] if after in waits and who != core]
        while stack:
            state = stack.pop()
            if state == start:
                return True
            if state not in seen:
                seen.add(state)
                stack += [after for who, after in graph[state] if after in waits and who != core]
    return False


@pytest.mark.parametrize("cores", [2, 3])
def test_no_reader_is_in_beside_a_writer(cores: int) -> None:
    graph = explore(ours, cores)
    assert len(graph) > 100 and not any(map(meets, graph))
    assert all(graph.values()), "somebody can always go on"


def test_nobody_waits_for_ever() -> None:
    assert not starves(explore(ours, 2), 0)


def test_the_algorithm_as_printed_fails_both() -> None:
    graph = explore(printed, 2)
    assert any(map(meets, graph))
    assert starves(graph, 0)
