"""Questions are registered before the runs that decide them: ``book/reported/registered.yaml``.

A registration holds a fingerprint of the question with all words it is asked in, and since when it stands. A
question that differs from its registration, or a run that is older, decides nothing.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from typing import Any

import yaml

from hsu_lib import paths
from hsu_lib.atomic import write_atomically
from hsu_lib.claims.questions import Condition, Question, Vocabulary, base, questions, vocabulary

#: Parts of a question that decide nothing.
_BESIDE = ("secondary", "why")
_FILE = "registered.yaml"
_HEAD = """\
# Since when each question stands as it is, with a fingerprint of it and of the words it is asked in.
# Written by `hsu register`; a run that is older than its question decides nothing.
"""


@dataclass(frozen=True)
class Registration:
    """Since when a question stands.

    Parameters
    ----------
    since
        Date and time, UTC, ISO 8601.
    commit
        That has the question.
    sha256
        `fingerprint` of the question.
    """

    since: str
    commit: str
    sha256: str

    def precedes(self, made: str) -> bool:
        """Whether a run of that date and time is not older."""
        return _moment(made) >= _moment(self.since)


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def fingerprint(question: Question, words: Vocabulary) -> str:
    """SHA-256 of all that decides: the question without what is told beside it, and its words.

    Conditions, places, scores, views and reading are taken as they are defined, so a change of one of
    these changes the fingerprint of every question that uses it.
    """
    terms = [term for each in question.terms() for term in words.needs(each)]
    views = [words.views[name] for name in question.views]
    conditions = {t.condition for t in terms} | {new for view in views for new in view.replace.values()}
    scores = {base(t.score) for t in terms} | {base(new) for view in views for new in view.replace.values()}
    used: dict[str, Any] = {
        "question": {name: value for name, value in question.says.items() if name not in _BESIDE},
        "places": {t.scene: [asdict(place) for place in words.places(t.scene)] for t in terms},
        "conditions": {n: _asked(words.conditions[n]) for n in conditions if n in words.conditions},
        "scores": {name: words.scores[name] for name in scores if name in words.scores},
        "views": [asdict(view) for view in views],
        "reading": words.readings.get(question.reading),
    }
    return sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()


def _asked(condition: Condition) -> dict[str, Any]:
    # tuning came later than most registrations: without it a condition is what it was
    return {name: value for name, value in asdict(condition).items() if name != "tuned" or value}


@cache
def registrations() -> Mapping[str, Registration]:
    """Registration of every claim that has one.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    text = (paths.reported() / _FILE).read_text(encoding="utf-8")
    return {claim: Registration(**fields) for claim, fields in yaml.safe_load(text).items()}


def changed() -> list[str]:
    """Claims whose question is not the one that is registered, or that are not registered at all."""
    known, words = registrations(), vocabulary()
    return [
        claim
        for claim, question in questions().items()
        if claim not in known or known[claim].sha256 != fingerprint(question, words)
    ]


def register(claims: Iterable[str], *, commit: str, now: str) -> None:
    """Note that these questions stand as they are since now; those of the others stay.

    Parameters
    ----------
    claims
        Their ids.
    commit
        That has them.
    now
        As of `Registration.since`.

    Raises
    ------
    ValueError
        If a file differs from the commit, or a claim is not known.
    """
    asked, words = questions(), vocabulary()
    if commit.endswith("+") or not commit:
        raise ValueError("commit the questions first: a registration names the commit that has them")
    if unknown := [claim for claim in claims if claim not in asked]:
        raise ValueError(f"no such claim: {', '.join(unknown)}")
    found = dict(registrations()) | {
        claim: Registration(now, commit, fingerprint(asked[claim], words)) for claim in claims
    }
    body = yaml.safe_dump({claim: asdict(found[claim]) for claim in asked if claim in found}, sort_keys=False)
    write_atomically(paths.reported() / _FILE, (_HEAD + body).encode())
    registrations.cache_clear()
