"""Times as records: the sealed file of a sitting (`hsu_lib.runs.timing`), and the timed scores it holds.

A verdict on time comes from this file alone, so that it is the same whenever it is looked at. The scores are
those of ``conditions.yaml`` that are ``timed``. Repetitions stand for seeds, the first for the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hsu_lib import methods, paths
from hsu_lib.atomic import write_atomically
from hsu_lib.claims.questions import Question, Term, View, Vocabulary, read_question
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.methods.settings import asked as asked_settings
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.campaign import place_of, run_of, settings_of
from hsu_lib.runs.canonical import digest, sealed, to_json, unsealed
from hsu_lib.runs.choices import nothing_chosen
from hsu_lib.runs.layout import DamagedRecord
from hsu_lib.runs.question import Run
from hsu_lib.scene import SceneSpec

FORMAT = 1
#: The first file's name, in the local store and among the published results.
NAME = "times.json"
#: Repetitions that stand for the seeds of the first look of rule 2; with fewer, nothing counts.
REPETITIONS = 10
#: Processors that others may keep busy during a repetition, in the mean, for it to have nothing beside it.
BESIDE = 0.2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """What is timed: a run at its document's amount of training, with seed 0.

    Parameters
    ----------
    run
        Method, settings, scene.
    made
        The words for its scene, where that is made for timing.
    """

    run: Run
    made: str = ""

    def asked(self) -> dict[str, Any]:
        """Everything that decides its times, as JSON-ready values."""
        run, method = self.run, methods.get(self.run.method)
        if not self.made:
            return {name: value for name, value in run.asked().items() if name != "seed"}
        return {
            "method": run.method,
            "method_version": method.version,
            "settings": dict(asked_settings(method.configure(**run.settings))),
            "scene": {"made": self.made},
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of what is asked."""
        return digest(to_json(self.asked()))

    @property
    def first(self) -> Subject | None:
        """What it starts from."""
        first = None if self.made else self.run.first
        return None if first is None else Subject(first)

    def __str__(self) -> str:
        where = self.run.scene.name if self.made else str(self.run.scene)
        return f"{self.run.label or self.run.method} on {where}"


def subject_of(
    term: Term, question: Question, view: View, entry: int, words: Vocabulary, amounts: Amounts | None = None
) -> Subject | None:
    """What a term of a question asks the time of; None where settings are still to be chosen.

    Networks have the size of the amounts, so that their times belong to records made with these; training is
    as long as the document's.
    """
    amounts = (amounts or Amounts()).widths()
    place, condition = place_of(term, entry, words), words.conditions[term.condition]
    if place.made:
        settings = settings_of(condition, place, term.snr, question, words)
        run = Run(condition.method, SceneSpec(term.scene), settings=settings, label=condition.name)
        return Subject(run, place.made)
    found = run_of(term, question, view, entry, words, amounts, nothing_chosen)
    return None if found is None else Subject(found)


@dataclass(frozen=True)
class Timed:
    """Times of one subject.

    Parameters
    ----------
    label
        In words.
    asked
        `Subject.asked`.
    parts
        Wall times in seconds, one per repetition: of a run with ``few`` and with ``many`` steps of training,
        of one with its ``whole`` set-up, and of making one ``image``.
    steps
        Steps of training of those runs, and of the ``document``; empty where a run is timed as it is.
    images
        How many whole images its document makes for training.
    values
        How many values its network trains, where that is asked.
    """

    label: str
    asked: Mapping[str, Any]
    parts: Mapping[str, tuple[float, ...]]
    steps: Mapping[str, int]
    images: int = 0
    values: int = 0

    @property
    def key(self) -> str:
        """Of its subject."""
        return digest(to_json(dict(self.asked)))

    def part(self, name: str) -> Array:
        """Wall times of a part, shape ``(repetitions,)``.

        Raises
        ------
        LookupError
            If that was not timed.
        """
        if name not in self.parts:
            raise LookupError(f"the sitting did not time {name!r} of {self.label}")
        return np.array(self.parts[name])

    @property
    def per_step(self) -> Array:
        """Seconds of a step of training: what more steps take longer, set-up apart."""
        return (self.part("many") - self.part("few")) / (self.steps["many"] - self.steps["few"])

    @property
    def set_up(self) -> Array:
        """Seconds of all but the steps."""
        whole = "whole" if "whole" in self.parts else "few"
        return self.part(whole) - self.steps[whole] * self.per_step if self.steps else self.part(whole)

    @property
    def seconds(self) -> Array:
        """Seconds of the document's amount of training, without what it starts from."""
        return self.set_up + self.steps["document"] * self.per_step if self.steps else self.set_up


@dataclass(frozen=True)
class Sitting:
    """Times that were taken in turn, on one machine.

    Parameters
    ----------
    repetitions
        How many.
    timed
        What was timed.
    made
        Provenance: device, threads, versions, commit, ``begin`` and ``end`` (UTC), and whether it was made
        ``anyway``.
    load
        What the machine did beside: ``begin`` and ``repetitions`` with the load ``average`` of the last
        minute and how many processors others kept busy (``beside``).
    """

    repetitions: int
    timed: tuple[Timed, ...]
    made: Mapping[str, Any]
    load: Mapping[str, Any]

    # ------------------------------------------------------------------- what counts

    @property
    def objection(self) -> str:
        """Why it decides nothing; empty if it counts."""
        commit = str(self.made.get("commit", ""))
        if not commit or commit.endswith("+"):
            return "its files differ from any commit"
        if self.made.get("anyway") or any(one["beside"] > BESIDE for one in self.load["repetitions"]):
            return "it may have had something beside it"
        if self.repetitions < REPETITIONS:
            return f"it has {self.repetitions} repetitions, and {REPETITIONS} are needed"
        return ""

    def __str__(self) -> str:
        made = self.made
        return (
            f"{self.repetitions} repetitions in turn on {made['device']}, {str(made['begin'])[:10]}, "
            f"commit {made['commit'] or 'unknown'}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row per subject: seconds of set-up, step, the document's training and image (medians)."""
        found = []
        for timed in self.timed:
            row: dict[str, Any] = {"timed": timed.label}
            if "whole" in timed.parts or {"few", "many"} <= set(timed.parts):
                row |= {"set-up": timed.set_up, "document": timed.seconds}
            if "many" in timed.parts:
                row["step"] = timed.per_step
            if "image" in timed.parts:
                row["image"] = timed.part("image")
            if list(timed.parts) == ["few"]:
                row["set-up"] = timed.part("few")
            medians = {name: round(float(np.median(v)), 4) for name, v in row.items() if name != "timed"}
            found.append({"timed": timed.label, **medians})
        return found

    # ------------------------------------------------------------------- scores

    @cached_property
    def _by_key(self) -> dict[str, Timed]:
        return {timed.key: timed for timed in self.timed}

    def holds(self, wanted: Iterable[tuple[Subject, Iterable[str]]]) -> bool:
        """Whether it timed all these parts of these subjects."""
        return all(
            subject.key in self._by_key and set(parts) <= set(self._by_key[subject.key].parts)
            for subject, parts in wanted
        )

    def timed_of(self, subject: Subject) -> Timed:
        """Its times.

        Raises
        ------
        LookupError
            If it was not timed.
        """
        try:
            return self._by_key[subject.key]
        except KeyError:
            raise LookupError(f"the sitting did not time {subject}") from None

    def score(self, score: str, subject: Subject, iterations: Array | None = None) -> Array:
        """A timed score, shape ``(repetitions,)``; definitions in ``conditions.yaml``.

        Of ``size-and-time``, which several conditions have together (`size_and_time`), that of each is its
        seconds per iteration.

        Parameters
        ----------
        iterations
            ``iterations-to-common-mae`` by seed, for ``seconds-to-common-mae``; shape ``(repetitions,)``.

        Raises
        ------
        LookupError
            If the sitting does not hold it, or it is none that a sitting holds.
        """
        timed = self.timed_of(subject)
        if score == "seconds-per-image":
            return timed.part("image")
        if score == "seconds":
            return self._seconds(subject)
        if score == "seconds-stored":
            return self._seconds(subject) + (timed.images * timed.part("image") if timed.images else 0.0)
        if score in ("seconds-per-iteration", "size-and-time"):
            return timed.seconds / timed.steps["document"]
        if score == "seconds-to-common-mae" and iterations is not None:
            random = self.timed_of(random_start(subject))
            start = timed.part("few") - random.part("few")  # of equally many steps
            return iterations * random.seconds / random.steps["document"] + start
        raise LookupError(f"a sitting has no {score}")

    def _seconds(self, subject: Subject) -> Array:
        alone = self.timed_of(subject).seconds
        return alone if subject.first is None else alone + self._seconds(subject.first)

    def size_and_time(self, subjects: Sequence[Subject]) -> Array:
        """Rank correlation of the number of trained values with the seconds per iteration, by repetition."""
        sizes = [self.timed_of(subject).values for subject in subjects]
        times = np.array([self.score("size-and-time", subject) for subject in subjects])
        return np.array([_rank_correlation(sizes, column) for column in times.T])

    def first(self, count: int) -> Sitting:
        """The same with the first repetitions only.

        Raises
        ------
        LookupError
            If it has fewer.
        """
        if count > self.repetitions:
            raise LookupError(f"needs a sitting of {count} repetitions; this one has {self.repetitions}")
        timed = [
            replace(one, parts={name: values[:count] for name, values in one.parts.items()})
            for one in self.timed
        ]
        load = {**self.load, "repetitions": self.load["repetitions"][:count]}
        return replace(self, repetitions=count, timed=tuple(timed), load=load)

    def answer(
        self, score: str, subjects: Sequence[Subject | None], iterations: Array | None = None
    ) -> Array:
        """A timed score of one subject, or that which several have together; shape ``(repetitions,)``.

        Parameters
        ----------
        iterations
            See `score`.

        Raises
        ------
        LookupError
            If the sitting does not hold it, or settings are still to be chosen.
        """
        found = [subject for subject in subjects if subject is not None]
        if len(found) < len(subjects):
            raise LookupError("waits for settings that are chosen by validation")
        if len(found) == 1:
            return self.score(score, found[0], iterations)
        if score != "size-and-time":
            raise LookupError(f"{len(found)} conditions have no {score} together")
        return self.size_and_time(found)

    def of(self, score: str, condition: str, scene: str, *, reading: str = "", **settings: Any) -> Array:
        """The same by the names of ``conditions.yaml``, for those who show times.

        Parameters
        ----------
        score, condition, scene
            Names; of a scene with several entries the first.
        reading
            Of the report on perturbations.
        **settings
            Of the question, such as its iterations.

        Raises
        ------
        LookupError
            If the sitting does not hold it.
        """
        says = {"primary": "", "reading": reading, "settings": settings}
        term = Term(condition, scene, score, None)
        subject = subject_of(term, read_question("", says), View(), 0, all_words())
        assert subject is not None  # no view, no choice
        return self.score(score, subject)

    # ------------------------------------------------------------------- the file

    def write(self, path: Path) -> None:
        """As JSON with its own checksum, wholly there or not at all."""
        fields = {"format": FORMAT, **asdict(self)}
        write_atomically(path, sealed(json.dumps(fields, indent=1, allow_nan=False)).encode())

    @classmethod
    def read(cls, path: Path) -> Sitting:
        """Inverse of `write`.

        Raises
        ------
        FileNotFoundError
            If there is none.
        DamagedRecord
            If a byte is not what was written.
        ValueError
            If it is of a newer format.
        """
        data = path.read_bytes()
        try:
            fields = unsealed(data.decode())
            form = int(fields.pop("format"))
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedRecord(
                f"{path} is damaged ({error}): take the times again with `hsu time`, "
                "or restore the file if it is a published one"
            ) from error
        if form > FORMAT:
            raise ValueError(
                f"{path} has format {form}, this version reads up to {FORMAT}: a newer one is needed"
            )
        timed = [
            Timed(**one | {"parts": {name: tuple(values) for name, values in one["parts"].items()}})
            for one in fields.pop("timed")
        ]
        return cls(timed=tuple(timed), **fields)


def random_start(subject: Subject) -> Subject:
    """The same from a random start (UnDIP)."""
    settings = {**subject.run.settings, "input": "random"}
    return replace(subject, run=replace(subject.run, settings=settings, label=""))


def _rank_correlation(one: Sequence[float], other: Sequence[float] | Array) -> float:
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def sittings(folder: Path) -> list[Path]:
    """Files of the sittings in a folder, the earliest first: ``times.json``, ``times-2.json`` and so on."""
    return list(takewhile(Path.is_file, _names(folder)))


def free(folder: Path) -> Path:
    """Where the next sitting of a folder goes: in place of the last one if that does not count.

    Raises
    ------
    DamagedRecord
        If one is not what was written.
    """
    there = sittings(folder)
    if there and Sitting.read(there[-1]).objection:
        return there[-1]
    return next(path for path in _names(folder) if path not in there)


def _names(folder: Path) -> Iterator[Path]:
    yield folder / NAME
    for number in count(2):
        yield (folder / NAME).with_stem(f"{Path(NAME).stem}-{number}")


def counting(*folders: Path) -> tuple[Sitting, ...]:
    """The sittings in these folders that count; the published ones by default.

    A question is answered from the first that timed all it asks: a later one adds and takes nothing back.

    Raises
    ------
    DamagedRecord
        If one is not what was written.
    """
    found = (Sitting.read(path) for folder in folders or (paths.published(),) for path in sittings(folder))
    return tuple(sitting for sitting in found if not sitting.objection)


def publish(path: Path) -> Path:
    """Copy a sitting to the published results; where it went.

    Raises
    ------
    ValueError
        If it does not count, or holds only what a published one holds.
    OSError
        If it cannot be read or written.
    """
    sitting = Sitting.read(path)
    if sitting.objection:
        raise ValueError(f"{path} is not published: {sitting.objection}")
    folder = paths.published()
    for there in sittings(folder):
        if Sitting.read(there) == sitting:
            return there
    held = {timed.key for one in counting(folder) for timed in one.timed}
    if held.issuperset(timed.key for timed in sitting.timed):
        raise ValueError(f"{path} is not published: all it timed is in a sitting that is published")
    target = free(folder)
    sitting.write(target)
    return target
