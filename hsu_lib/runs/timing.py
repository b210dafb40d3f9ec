"""A sitting: how long things take, all timed in turn on one machine with nothing beside them.

What a method takes is read from runs of itself: one with few and one with many steps of training tell the
seconds of a step, and what is left is its set-up. So nothing of a method is repeated here. The scores that
come of it are in `hsu_lib.runs.times`.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from hsu_lib import methods, scenes
from hsu_lib.claims.questions import Question, Vocabulary
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.learning.fit import seeded
from hsu_lib.learning.networks.prior import parameters
from hsu_lib.methods.autoencoders import perturbation, vae
from hsu_lib.methods.autoencoders.augmentation import AugmentationSettings
from hsu_lib.methods.autoencoders.autoencoder import AutoencoderSettings
from hsu_lib.methods.priors.undip import UnDIPSettings
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.campaign import in_view
from hsu_lib.runs.execution import beside_image
from hsu_lib.runs.provenance import arithmetic, commit, device_name, versions
from hsu_lib.runs.times import BESIDE, REPETITIONS, Sitting, Subject, Timed, random_start, subject_of

#: Steps between the runs with few and with many.
STEPS = 30
#: Images that are made in a row; what counts is the mean.
IMAGES = 3
#: Bands, endmembers, height and width of ``simulated-image``: Urban's, as ``conditions.yaml`` says.
SIMULATED = (162, 6, 307, 307)
_CPU = torch.device("cpu")


class Disturbed(RuntimeError):
    """Something runs beside a sitting."""


# --------------------------------------------------------------------------- what is timed


@dataclass(frozen=True)
class Probes:
    """The runs from which a subject's time is told.

    Parameters
    ----------
    runs
        By part (see `hsu_lib.runs.times.Timed`): settings in place of the document's.
    steps
        Steps of training of each part, and of the ``document``.
    images
        How many whole images the document makes for training.
    """

    runs: Mapping[str, Mapping[str, Any]]
    steps: Mapping[str, int] = field(default_factory=dict)
    images: int = 0


def probes(settings: Any) -> Probes:
    """The runs that tell how long one with these settings takes; with no steps that are known, itself.

    An epoch of the runs with few and with many steps is one step, on a batch as the document's.
    """
    if isinstance(settings, UnDIPSettings):
        few, many = {"iterations": 1, "snapshots": 0}, {"iterations": 1 + STEPS, "snapshots": 0}
        return Probes({"few": few, "many": many}, _steps(settings.iterations))
    if not isinstance(settings, AutoencoderSettings):
        return Probes({"whole": {}})
    images = settings.images if isinstance(settings, AugmentationSettings) else 0
    patches = images * max(settings.patches, 1) if images else settings.patches
    per_epoch = -(-patches // settings.batch) or 1  # one step of the whole image, where there are no patches
    one = {"patches": min(settings.patches, settings.batch)}
    if images:
        one |= {"images": 1 if settings.patches else min(images, settings.batch)}
    runs: dict[str, Mapping[str, Any]] = {}
    steps = _steps(settings.epochs * per_epoch)
    if isinstance(settings, vae.VAESettings):  # of its set-up, the steps need none
        one |= {"repeats": 2, "vae_epochs": 1}
        fewest = min(settings.patches, 1)
        runs["whole"] = {"epochs": 1, "patches": fewest}
        steps["whole"] = -(-images // settings.batch)
    return Probes({"few": one | {"epochs": 1}, "many": one | {"epochs": 1 + STEPS}} | runs, steps, images)


def _steps(document: int) -> dict[str, int]:
    return {"few": 1, "many": 1 + STEPS, "document": document}


#: Subjects with the parts that are timed of them, each once, in the order of the questions.
Wanted = Sequence[tuple[Subject, Sequence[str]]]


def subjects(
    claims: Iterable[str] | None = None,
    *,
    amounts: Amounts | None = None,
    held: Iterable[Sitting] = (),
    questions: Mapping[str, Question] | None = None,
    words: Vocabulary | None = None,
) -> tuple[Wanted, list[str]]:
    """What the timed questions of claims need, and which claims these are.

    Parameters
    ----------
    claims
        Their ids; by default all. Those that ask for no time, or for methods that are still to be written,
        need nothing.
    amounts
        The size of networks is as they have it; by default the document's.
    held
        Sittings that count; a claim needs nothing if one of them timed all it asks.
    questions, words
        By default those of the book.
    """
    questions, words = questions or all_questions(), words or all_words()
    held = tuple(held)
    asked: list[tuple[str, Subject]] = []
    asking = []
    for claim in questions if claims is None else claims:
        question = questions[claim]
        timed = [term for term in question.terms() if words.timed(term.score)]
        if not timed or any(words.conditions[term.condition].planned for term in question.terms()):
            continue
        its: list[tuple[str, Subject]] = []
        for (view, entry), term in product(question.ways(words), timed):
            seen = in_view(term, view)
            subject = subject_of(seen, question, view, entry, words, amounts)
            its += [(seen.score, subject)] if subject else []
        if not any(sitting.holds(_parts(its)) for sitting in held):
            asking.append(claim)
            asked += its
    return _parts(asked), asking


def _parts(asked: Sequence[tuple[str, Subject]]) -> Wanted:
    """What these scores of these subjects are made of."""
    found = {subject.key: subject for _, subject in reversed(asked)}  # by the name it is first asked by
    parts: dict[str, dict[str, None]] = {}
    for score, subject in asked:
        for one, needed in _needed(score, subject):
            found.setdefault(one.key, one)
            parts.setdefault(one.key, {}).update(dict.fromkeys(needed))
    return [(found[key], tuple(names)) for key, names in parts.items()]


def _needed(score: str, subject: Subject) -> list[tuple[Subject, Iterable[str]]]:
    """Which parts of which subjects a score is made of; the other half of `Sitting.score`."""
    if score == "seconds-per-image":
        return [(subject, ["image"])]
    told = _probes(subject)
    if score == "seconds-to-common-mae":
        random = random_start(subject)
        return [(random, _probes(random).runs), (subject, ["few"])]
    stored = ["image"] if score == "seconds-stored" and told.images else []
    found: list[tuple[Subject, Iterable[str]]] = [(subject, [*told.runs, *stored])]
    if score in ("seconds", "seconds-stored") and subject.first is not None:
        found += _needed("seconds", subject.first)
    return found


def _settings(subject: Subject) -> Any:
    return methods.get(subject.run.method).configure(**subject.run.settings)


def _probes(subject: Subject) -> Probes:
    return probes(_settings(subject))


# --------------------------------------------------------------------------- one of them


class Bench:
    """A subject, all at hand that its runs need.

    Parameters
    ----------
    subject, parts
        What is timed.
    """

    def __init__(self, subject: Subject, parts: Iterable[str]) -> None:
        self.subject, self.parts = subject, tuple(parts)
        self.settings, self.probes = _settings(subject), _probes(subject)
        run = subject.run
        self._size = SIMULATED
        if subject.made:
            return
        self._scene = scenes.load(run.scene)
        count = run.endmembers or self._scene.endmembers or 1
        self._size = (self._scene.bands, count, self._scene.height, self._scene.width)
        self._given = beside_image(run, self._scene)
        if run.first is not None:  # what it starts from decides no time: any will do
            method = methods.get(run.first.method)
            settings = {**run.first.settings, **_probes(Subject(run.first)).runs.get("few", {})}
            self._given["start"] = method.unmix(self._scene, endmembers=run.endmembers, **settings)

    def __call__(self, seed: int) -> dict[str, float]:
        """Wall time of each part in seconds."""
        return {part: self._image(seed) if part == "image" else self._run(part, seed) for part in self.parts}

    def _run(self, part: str, seed: int) -> float:
        run = self.subject.run
        settings = {**run.settings, **self.probes.runs[part]}
        started = time.perf_counter()
        methods.get(run.method).unmix(
            self._scene, endmembers=run.endmembers, seed=seed, **self._given, **settings
        )
        return time.perf_counter() - started

    def _image(self, seed: int) -> float:
        """Of one whole image, as the method makes its training data, noise included: mean of `IMAGES`."""
        bands, endmembers, height, width = self._size
        generator = torch.Generator().manual_seed(seed)
        E = torch.rand(bands, endmembers, generator=generator)
        A = torch.rand(endmembers, height, width, generator=generator).softmax(dim=0)
        settings = replace(self.settings, images=1, patches=0, batch=1)
        started = time.perf_counter()
        for _ in range(IMAGES):
            if isinstance(settings, vae.VAESettings):
                made = vae.stream(E[None], A[None], settings, noise=settings.noise, generator=generator)
            else:
                made = perturbation.stream(E, A, settings, generator)
            made.make(torch.zeros(1, dtype=torch.long))
        return (time.perf_counter() - started) / IMAGES

    def values(self) -> int:
        """Trained values of a network whose size is asked; 0 of others."""
        if not isinstance(self.settings, UnDIPSettings):
            return 0
        with seeded(0, _CPU):
            return parameters(self.settings.network(self._size[1]))


# --------------------------------------------------------------------------- a sitting


def sit(
    wanted: Wanted, *, repetitions: int = REPETITIONS, anyway: bool = False, progress: bool = False
) -> Sitting:
    """Time all subjects in turn, again and again, after a first time that does not count.

    Parameters
    ----------
    wanted
        What, from `subjects`.
    repetitions
        How many that count.
    anyway
        Go on with something beside it; such a sitting decides nothing.
    progress
        Show a progress bar on stderr.

    Raises
    ------
    Disturbed
        If something runs beside it, or nobody can tell; after a repetition at most.
    ValueError, OSError
        What scenes or methods find wrong.
    """
    if not wanted or repetitions < 1:
        raise ValueError(f"nothing to time: {len(wanted)} subjects, {repetitions} repetitions")
    others = Others()
    time.sleep(1)
    before = others.since(anyway)
    made = {
        "device": device_name("cpu"),
        **arithmetic("cpu"),
        "versions": versions(),
        "commit": commit(),
        "begin": _now(),
    }
    benches = [Bench(subject, parts) for subject, parts in wanted]
    found: list[dict[str, list[float]]] = [{part: [] for part in bench.parts} for bench in benches]
    load = []
    with tqdm(total=(1 + repetitions) * len(benches), disable=not progress, unit="timing") as bar:
        for number in range(1 + repetitions):
            others = Others()
            for bench, parts in zip(benches, found, strict=True):
                bar.set_postfix_str(str(bench.subject), refresh=True)
                for part, seconds in bench(number).items():
                    parts[part] += [round(seconds, 6)] if number else []
                bar.update()
            now = others.since(anyway)
            load += [now] if number else []
    timed = [
        Timed(
            str(bench.subject),
            bench.subject.asked(),
            {part: tuple(values) for part, values in parts.items()},
            dict(bench.probes.steps),
            bench.probes.images,
            bench.values(),
        )
        for bench, parts in zip(benches, found, strict=True)
    ]
    made |= {"end": _now(), "anyway": anyway}
    return Sitting(repetitions, tuple(timed), made, {"begin": before, "repetitions": load})


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


class Others:
    """What other processes do on this machine from now on."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy(), time.process_time()

    def since(self, anyway: bool = False) -> dict[str, float]:
        """Load ``average`` of the last minute, and how many processors others kept busy (``beside``).

        Raises
        ------
        Disturbed
            If that is more than `BESIDE`, unless it is to go on `anyway`.
        """
        try:
            average = os.getloadavg()[0]
        except (OSError, AttributeError):  # not on this system
            average = 0.0
        wall, busy, own = time.monotonic() - self._began, _busy(), time.process_time() - self._own
        known = busy is not None and self._busy is not None
        beside = max(0.0, (busy - self._busy - own) / max(wall, 1e-9)) if known else 0.0  # type: ignore[operator]
        if beside > BESIDE and not anyway:
            raise Disturbed(
                f"other processes keep {beside:.2f} processors busy (load average {average:.2f}), and times "
                f"count only with nothing beside them (at most {BESIDE:g}): stop them and begin anew; "
                "`--anyway` goes on, and then the times decide nothing"
            )
        if not known and not anyway:
            raise Disturbed(
                "this system does not tell what else it does (/proc/stat): take the times on Linux; "
                "`--anyway` goes on, and then the times decide nothing"
            )
        return {"average": round(average, 2), "beside": round(beside, 3)}


def _busy() -> float | None:
    """Seconds that all processors were not idle, since some time ago; None where nobody tells."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
        user, nice, system, _idle, _waiting, *more = map(int, first[1:])
        return (user + nice + system + sum(more[:3])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def keep(sitting: Sitting, path: Path) -> None:
    """Write a sitting; one that counts is never replaced.

    Raises
    ------
    FileExistsError
        If there is one that counts.
    OSError
        If it cannot be written; what was there still is.
    """
    refuse(path)
    sitting.write(path)


def refuse(path: Path) -> None:
    """Tell, before the work, of a sitting that is not to be replaced; raises as `keep`."""
    try:
        there = Sitting.read(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # a damaged one may go
        return
    if not there.objection:
        raise FileExistsError(
            f"{path} has a sitting that counts ({there}): `--out` takes another file, and by default a "
            "further sitting goes beside it"
        )
