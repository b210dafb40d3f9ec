"""Blocks of missing runs that decide claims together, those first that decide most in a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hsu_lib.runs.campaign import Enumeration, Way, worth
from hsu_lib.runs.question import Run, can_be_twin
from hsu_lib.runs.schedule import plan


@dataclass(frozen=True)
class Block:
    """Runs that are made together, because together they decide claims.

    Parameters
    ----------
    runs
        By seed: all conditions with the first seed, then with the next.
    ways
        What can be decided when they are there, which could not before.
    seconds
        Estimate of what is missing; None where nothing is known of a method.
    missing
        Keys of those of the runs that are not there.
    chooses
        Whether these are the runs of a grid: when they are there, settings are chosen by them, and the ways
        get the runs that decide them.
    """

    runs: tuple[Run, ...]
    ways: tuple[Way, ...]
    seconds: float | None
    missing: frozenset[str]
    chooses: bool = False

    @property
    def claims(self) -> tuple[str, ...]:
        """Those decided by its first ways to ask, then those told otherwise or alike by further ones."""
        first = [way.claim for way in self.ways if way.number == 0]
        return tuple(dict.fromkeys([*first, *(way.claim for way in self.ways)]))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions."""
        return tuple(dict.fromkeys(run.label for run in self.runs))

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes in words."""
        return tuple(dict.fromkeys(str(run.scene) for run in self.runs))


def blocks(found: Enumeration, there: Iterable[str], seconds: Callable[[Run], float | None]) -> list[Block]:
    """Blocks by how many claims each second can decide, the best first.

    Parameters
    ----------
    found
        What is needed.
    there
        Keys of runs that need not be made.
    seconds
        Estimate of a run, without what it starts from; None where nothing is known.
    """
    there, also = set(there), twins(found.runs)
    given = {run.key: key for key, runs in also.items() for run in runs}
    there = {key for key in there if all(run.key in there for run in also.get(key, ()))}
    grids = _sorted(found.runs, found.waiting, {}, there, seconds, chooses=True)
    return grids + _sorted(found.runs, found.ways, given, there, seconds)


def _sorted(
    runs: Mapping[str, Run],
    ways: Mapping[Way, Mapping[int, tuple[str, ...]]],
    given: Mapping[str, str],
    there: set[str],
    seconds: Callable[[Run], float | None],
    *,
    chooses: bool = False,
) -> list[Block]:
    """Blocks of these ways, the best first; `given` names the run that gives another one."""
    needed = {
        way: frozenset(given.get(key, key) for keys in by_seed.values() for key in keys)
        for way, by_seed in ways.items()
    }
    costs = _Costs(runs, frozenset().union(*needed.values()), seconds)
    done, result = set(there), []
    left = {way: needs for way, needs in needed.items() if not needs <= done}
    while left:

        def gain(keys: frozenset[str]) -> float:
            ready = [way for way, needs in left.items() if needs <= done | keys]  # noqa: B023
            value = sum(1.0 if chooses else worth(way) for way in ready)
            return value / max(costs.of(keys, done), 1e-3)  # noqa: B023

        best = max(sorted(set(left.values()), key=sorted), key=gain)
        ready = tuple(way for way, needs in left.items() if needs <= done | best)
        missing = frozenset(best - done)
        if missing:
            made = tuple(runs[key] for key in _by_seed(ready, ways, best))
            known = all(costs.known(key) for key in missing)
            result.append(Block(made, ready, costs.of(missing, done) if known else None, missing, chooses))
        done |= best | costs.firsts(best)
        left = {way: needs for way, needs in left.items() if way not in ready}
    return result


class _Costs:
    """Estimated seconds of sets of runs, what they start from included."""

    def __init__(
        self, runs: Mapping[str, Run], keys: Iterable[str], seconds: Callable[[Run], float | None]
    ) -> None:
        self._seconds = {key: seconds(runs[key]) for key in keys}
        self._first: dict[str, str] = {}
        for key in list(self._seconds):
            first = runs[key].first
            if first is not None:
                self._first[key] = first.key
                if first.key not in self._seconds:
                    self._seconds[first.key] = seconds(first)

    def known(self, key: str) -> bool:
        """Whether there is an estimate."""
        return self._seconds[key] is not None

    def firsts(self, keys: Iterable[str]) -> set[str]:
        """What runs start from."""
        return {self._first[key] for key in keys if key in self._first}

    def of(self, keys: Iterable[str], done: set[str]) -> float:
        """Sum over those that are not done; where nothing is known, 0."""
        missing = set(keys) - done
        return sum(self._seconds[key] or 0.0 for key in missing | (self.firsts(missing) - done))


def twins(runs: Mapping[str, Run]) -> dict[str, tuple[Run, ...]]:
    """By key, other runs that differ in the reference only, where the method never sees it.

    The run with the usual reference is made, and its estimate is scored by the others.
    """
    found: dict[str, tuple[Run, ...]] = {}
    for run in runs.values():
        if run.scene.reference and can_be_twin(run):
            usual = replace(run, scene=replace(run.scene, reference="")).key
            if usual in runs:
                found[usual] = (*found.get(usual, ()), run)
    return found


def _by_seed(
    ready: Sequence[Way], ways: Mapping[Way, Mapping[int, tuple[str, ...]]], keys: frozenset[str]
) -> list[str]:
    """The keys seed by seed."""
    seeds = dict.fromkeys(seed for way in ready for seed in ways[way])
    ordered = [k for seed in seeds for way in ready for k in ways[way].get(seed, ()) if k in keys]
    return list(dict.fromkeys(ordered))


def to_make(chosen: Sequence[Block], found: Enumeration, there: Callable[[Run], bool]) -> list[Run]:
    """What blocks lack, in order, what a run starts from before it.

    Parameters
    ----------
    chosen
        The blocks.
    found
        What they were made of.
    there
        Whether what others start from need not be made.
    """
    missing = {key for block in chosen for key in block.missing}
    wanted = [found.runs[key] for block in chosen for key in _ordered(block)]
    return plan(wanted, done=lambda run: run.key not in missing and there(run))


def _ordered(block: Block) -> list[str]:
    return [key for key in (run.key for run in block.runs) if key in block.missing]
