"""How much is trained under each name of ``book/reported/amounts.yaml``, and which decides a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import yaml

from hsu_lib import methods, paths
from hsu_lib.claims.documents import claims as claims_of_documents


@dataclass(frozen=True)
class Amounts:
    """How much is trained: for each method, the share of a setting of its document.

    Parameters
    ----------
    share
        The same in words.
    methods
        Factor of each setting, by method.
    documents
        The same for the claims of one document, before the others: where two methods that train unequal
        amounts elsewhere are compared.
    claims
        All amounts of single claims, in place of these.
    given
        Values of such settings, in place of all shares: a reader's own, which decide nothing.
    """

    share: str = ""
    methods: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Mapping[str, Fraction]]] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, Mapping[str, Fraction]]] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)

    def with_given(self, **values: int) -> Amounts:
        """The same with values of settings such as ``iterations``; a zero leaves the share."""
        given = {name: value for name, value in values.items() if value}
        share = f"As asked for: {', '.join(f'{n} {v}' for n, v in given.items())}. " if given else ""
        return replace(self, share=share + self.share, given=given)

    def for_claim(self, claim: str) -> Amounts:
        """The amounts for a claim: its own, or those of its document."""
        own = self.documents.get(claims_of_documents()["source"].get(claim, ""), {})
        found = self.claims.get(claim, {**self.methods, **own})
        return replace(self, methods=found, documents={}, claims={})

    def part(self, method: str) -> float:
        """How much of its document's training a method gets: the product of its factors."""
        factors = dict(self.methods.get(method, {}))
        usual = methods.get(method).configure()
        factors |= {n: Fraction(value, getattr(usual, n)) for n, value in self._given(method).items()}
        return float(prod(factors.values(), start=Fraction(1)))

    def widths(self) -> Amounts:
        """The same without what is trained for longer or on more: the size of networks alone."""
        return self._only(lambda setting: setting == "filters")

    def lengths(self) -> Amounts:
        """The same without the size of networks: how long, and on how much, they are trained."""
        return self._only(lambda setting: setting != "filters")

    def _only(self, kept: Callable[[str], bool]) -> Amounts:
        chosen = {m: {n: f for n, f in fs.items() if kept(n)} for m, fs in self.methods.items()}
        given = {name: value for name, value in self.given.items() if kept(name)}
        return replace(self, methods=chosen, documents={}, claims={}, given=given)

    def of(self, method: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with their share of training; what they do not name is the method's default."""
        asked = methods.get(method).configure(**settings)
        found = dict(settings)
        for name, factor in self.methods.get(method, {}).items():
            full = getattr(asked, name)
            found[name] = max(1, round(full * factor)) if full else full
        return found | self._given(method)

    def _given(self, method: str) -> dict[str, int]:
        """What is given of what says how much a method is trained: all that `quick` shortens."""
        trained = amounts("quick").methods.get(method, {}) if self.given else {}
        return {name: self.given[name] for name in trained if name in self.given}


@cache
def deciding_amounts() -> Amounts:
    """For the claims of each document the amounts of the profile that decides them."""
    decides = {name: _of_profile(profile) for profile, name in _decides()}
    documents = {name: {**how.methods, **how.documents.get(name, {})} for name, how in decides.items()}
    sources = set(claims_of_documents()["source"])
    return Amounts(
        "Each claim at the profile that decides it.",
        documents={name: methods for name, methods in documents.items() if name in sources},
        claims=_of_claims(),
    )


@cache
def decided_by(profile: str) -> tuple[str, ...]:
    """Claims that a profile decides: those that name it, and of its documents those that name no other."""
    decides = {name: by for by, name in _decides()}
    sources = claims_of_documents()["source"]
    return tuple(c for c, source in sources.items() if decides.get(c, decides.get(source)) == profile)


@cache
def amounts(profile: str) -> Amounts:
    """The amounts of ``book/reported/amounts.yaml`` under that name.

    Those that decide something ask single claims that another profile decides as that one does.

    Raises
    ------
    ValueError
        If there are none.
    """
    found = _of_profile(profile)
    return replace(found, claims=_of_claims()) if decided_by(profile) else found


def _of_profile(profile: str) -> Amounts:
    """The same without single claims."""
    known = _amounts_file()
    if profile not in known:
        raise ValueError(f"no amounts of training for {profile!r}; known: {', '.join(known)}")
    says = known[profile]
    documents = {name: _factors(methods) for name, methods in says.get("documents", {}).items()}
    return Amounts(says["share"], _factors(says["methods"]), documents)


def _of_claims() -> dict[str, Mapping[str, Mapping[str, Fraction]]]:
    """Amounts of the claims that name the profile that decides them."""
    known = claims_of_documents().index
    return {name: _of_profile(by).for_claim(name).methods for by, name in _decides() if name in known}


def _decides() -> list[tuple[str, str]]:
    """Profiles, each with a document or a claim that it decides."""
    return [(profile, name) for profile, says in _amounts_file().items() for name in says.get("decides", ())]


@cache
def _amounts_file() -> dict[str, Any]:
    return yaml.safe_load((paths.reported() / "amounts.yaml").read_text(encoding="utf-8"))


def _factors(written: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Fraction]]:
    return {
        method: {name: Fraction(str(factor)) for name, factor in factors.items()}
        for method, factors in written.items()
    }
