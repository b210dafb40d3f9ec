"""What a chapter puts on its page: pictures, tables, computed prose, verdicts, provenance.

A `Page` also keeps the chapter's `Manifest`: which records it used and what it judged. How all that looks
is in `html` and its templates.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown, display
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.pyplot import close
from PIL import Image

from hsu_lib import methods, paths, scenes
from hsu_lib.atomic import write_atomically
from hsu_lib.claims import claims, nearer
from hsu_lib.publishing import cards, html
from hsu_lib.publishing.figures import endmember_panels, map_panels, scene_panels
from hsu_lib.publishing.manifest import Manifest, read_published
from hsu_lib.publishing.outcomes import LOOKS
from hsu_lib.publishing.published import PROFILES
from hsu_lib.runs import Record, Results, Run, as_row, asking, evidence, sweep
from hsu_lib.runs.amounts import amounts as amounts_of
from hsu_lib.runs.amounts import decided_by
from hsu_lib.runs.answers import Answer
from hsu_lib.runs.campaign import runs_of
from hsu_lib.runs.evidence import Find
from hsu_lib.runs.verification import Verification
from hsu_lib.scene import SceneSpec
from hsu_lib.words import seeds_of

DPI = 110


class Page:
    """A chapter's page.

    Parameters
    ----------
    chapter
        Its name.
    profile
        Name of the profile its parameters come from.
    **given
        Settings that say how much is trained, such as ``iterations``, in place of the profile's share; a zero
        leaves it.

    Notes
    -----
    What the chapter makes goes to the folder ``HSU_OUT``, by default ``_build/chapters/CHAPTER``.
    """

    def __init__(self, chapter: str, profile: str = "quick", **given: int) -> None:
        self.manifest = Manifest(chapter, profile)
        self.amounts = amounts_of(profile).with_given(**given)
        self.out = Path(os.environ.get("HSU_OUT") or paths.executed() / chapter)
        self.rows: list[pd.DataFrame] = []
        self._records: dict[str, Record | None] = {}  # of cards, each read once
        self._keep()

    def _keep(self) -> None:
        self.manifest.write(self.out / "chapter.json")

    def sweep(self, runs: Iterable[Run]) -> Results:
        """`hsu_lib.runs.sweep`, with its records noted as used by this chapter."""
        results = sweep(list(runs))
        self._note(results)
        return results

    def _note(self, results: Results) -> None:
        if results.records:
            self.manifest.keys = list(dict.fromkeys([*self.manifest.keys, *(r.key for r in results.records)]))
            self.rows.append(results.table)
            self._keep()

    def used(self, records: Iterable[Record]) -> None:
        """Note records that the page shows and has not made, such as published ones of other profiles."""
        found = list(records)
        if not found:
            return
        self.manifest.keys += [r.key for r in found if r.key not in self.manifest.keys]
        self.rows.append(pd.DataFrame([as_row(record) | {"replayed": True} for record in found]))
        self._keep()

    def opening(self, markdown: str, found: Iterable[Answer], *, caption: str = "") -> None:
        """Show a chapter's answer in a sentence or two, and what decides each claim as a forest plot.

        Parameters
        ----------
        markdown
            The answer, as for `text`.
        found
            Answers, of which each is to have a `card` on the page.
        caption
            What is to be said beside how the plot is read.
        """
        self.text(html.lead(markdown))
        _show(cards.forest(found, caption=caption))

    def card(
        self,
        found: Answer,
        *,
        reason: str = "",
        notes: Sequence[str] = (),
        why: str = "",
        find: Find | None = None,
        profile: str = "",
    ) -> None:
        """Show a claim's answer: outcome, picture, figures, and all that is behind it, folded.

        Parameters
        ----------
        found
            What fresh seeds say of it.
        reason, notes
            As of `hsu_lib.publishing.cards.card`; that less was trained is noted by itself.
        why
            Text for a `why` box below it.
        find
            Where its records are looked up; by default among the published ones.
        profile
            Whose amounts of training the runs have; by default this chapter's.
        """
        profile = profile or self.manifest.profile
        find, new = find or evidence.published(), set(found.keys) - set(self._records)
        self._records |= {key: find(key) for key in found.keys if key in new}
        records = [record for key in found.keys if (record := self._records[key]) is not None]
        self.used(record for record in records if record.key in new)
        how = self.amounts if profile == self.manifest.profile else amounts_of(profile)
        how, ran = how.for_claim(found.claim), {str(record.asked["method"]) for record in records}
        parts = {"training": how.lengths(), "filters": how.widths()}
        shares = {what: min(map(of.part, ran), default=1.0) for what, of in parts.items()}
        trained = [f"{100 * x:.2g} % of the {what}: scaled down" for what, x in shares.items() if x < 1]
        if found.claim in self.amounts.claims:  # which another profile decides
            profile = next(name for name in PROFILES if found.claim in decided_by(name))
        told: dict[str, Any] = {"reason": reason, "notes": [*trained, *notes], "profile": profile}
        _show(cards.card(found, claims().loc[found.claim].to_dict(), records=records, **told))
        if why:
            self.why(found.claim, why)

    def cards(
        self, found: Iterable[Answer], *, why: Mapping[str, str] | None = None, profile: str = ""
    ) -> None:
        """Show a `card` for each answer in the order of the outcomes; `why`: claim to Markdown."""
        for answer in sorted(found, key=lambda answer: list(LOOKS).index(answer.word)):
            self.card(answer, why=(why or {}).get(answer.claim, ""), profile=profile)

    def why(self, claim: str, markdown: str) -> None:
        """Show a box "Why it comes out otherwise": what shows the cause, or what was ruled out."""
        self.text(html.why(claim, markdown))

    def figure(
        self,
        name: str,
        draw: Callable[[], Figure | Image.Image],
        *,
        alt: str,
        caption: str,
        needs: Iterable[SceneSpec | str] = (),
    ) -> None:
        """Show a picture with its caption and a text alternative.

        Parameters
        ----------
        name
            File name without ending, unique on the page.
        draw
            Makes the figure, or the picture; called only if everything it needs is here.
        alt
            What the picture shows, for those who do not see it.
        caption
            Markdown-free text under the picture.
        needs
            Scenes whose data the picture shows. Where they are not on this machine, the published
            picture is shown, and a note says so; nothing is downloaded.
        """
        wanted = list(needs)
        if wanted:
            self.manifest.pictures.append(name)
            self._keep()
        missing = [str(scene) for scene in wanted if not scenes.is_available(scene)]
        if missing:
            data = self._published_picture(name)
            if data is None:
                _show(html.missing(caption, f"hsu data fetch {missing[0].split(',')[0]}"))
                return
        else:
            picture = io.BytesIO()
            # without loss half the size of PNG; what is to be published, an eighth of that with some
            _image(draw()).save(picture, "WEBP", lossless=not wanted, quality=80, method=6)
            data = picture.getvalue()
            write_atomically(self.out / "figures" / f"{name}.webp", data)
        _show(html.figure(name, data, alt=alt, caption=caption, notes=["published picture"] * bool(missing)))

    def fact(self, name: str, compute: Callable[[], Any], *, needs: Iterable[SceneSpec | str]) -> Any:
        """What is computed from scenes; the published value where these are not on this machine, or None.

        Parameters
        ----------
        name
            Unique on the page.
        compute
            Makes a JSON-ready value; called only if everything it needs is here.
        needs
            The scenes. Nothing is downloaded.

        Raises
        ------
        ValueError
            If the page has told one of that name.
        """
        if name in self.manifest.facts:
            raise ValueError(f"{self.manifest.chapter} has two facts called {name!r}")
        if all(map(scenes.is_available, needs)):
            value = json.loads(json.dumps(compute()))
        else:
            value = next((facts[name] for facts in self._published_facts if name in facts), None)
        if value is not None:
            self.manifest.facts[name] = value
            self._keep()
        return value

    @cached_property
    def _published_facts(self) -> list[dict[str, Any]]:
        """Those of the profile before those of others, the largest first."""
        places = [folder / "chapters" / f"{self.manifest.chapter}.json" for folder in self._published()]
        return [Manifest.read(path).facts for path in places if path.exists()]

    def _published(self) -> list[Path]:
        """Folders of what is published: of the profile, then of others, the largest first."""
        profile = self.manifest.profile
        return [paths.published() / p for p in (profile, *(p for p in reversed(PROFILES) if p != profile))]

    def endmembers(
        self,
        scene: str,
        shown: Mapping[str, Record],
        angles: Mapping[str, float],
        *,
        over: str = "mean over endmembers and seeds",
    ) -> None:
        """Show estimated endmembers over the references of a scene, a panel per record.

        Parameters
        ----------
        scene
            Its name.
        shown
            Title to a record.
        angles
            Title to a spectral angle in degrees.
        over
            What the angles are means of.
        """
        told = "; ".join(f"{title} {angle:.1f}" for title, angle in angles.items())
        self.figure(
            "endmembers",
            lambda: endmember_panels(scenes.load(scene), {k: r.arrays["E"] for k, r in shown.items()}),
            alt=f"Estimated endmembers over references on {scene}. Spectral angles in degrees: {told}.",
            caption=f"Estimates of {_seeds(shown)} (solid) over references (dashed) on {scene}. "
            f"Spectral angle in degrees, {over}: {told}.",
            needs=[scene],
        )

    def maps(self, scene: str, shown: Mapping[str, Record]) -> None:
        """Show abundance maps of a scene, a row per record, under its reference if it has one."""
        info = scenes.describe(scene)
        materials = ", ".join(info.materials[info.usual])
        scored = any("rmse-abundances" in record.scores for record in shown.values())
        first = "reference, then " if scored else ""
        note = "; the root mean squared error stands under each map" if scored else ", which has no reference"
        self.mapped(shown.values())
        self.figure(
            "maps",
            lambda: map_panels(scenes.load(scene), {k: r.unmixing.A for k, r in shown.items()}),
            alt=f"Abundance maps of {materials} on {scene}: {first}{', '.join(shown)}.",
            caption=f"Abundances on {scene}, {_seeds(shown)}{note}.",
            needs=[scene],
        )

    def scene(self, name: str) -> None:
        """Show a scene of the catalogue: its picture, and what has to be known about it."""
        info = scenes.describe(name)
        bands, height, width = info.size
        materials = ", ".join(info.materials[info.usual])
        self.heading(name)
        self.text(f"**{html.verbatim(info.title)}.** {html.prose(info.summary)}")
        self.figure(
            name,
            lambda: scene_panels(scenes.load(name)),
            alt=f"{info.title}: colour composite of the image, spectra of {materials}, and, where there is a "
            "reference, one abundance map for each of them.",
            caption=f"{info.title}, {height} × {width} pixels, {bands} bands: composite of three bands, "
            f"reference endmembers ({info.usual}) and reference abundances from 0 to 1.",
            needs=[name] if info.all_files else [],
        )
        told = "".join(f"\n- {html.code(k)}: {html.prose(text)}." for k, text in info.references.items())
        self.text(
            f"References, the usual one first:\n{told}\n- Unit: {html.verbatim(info.unit)}.\n- To keep in "
            f"mind: {html.prose(info.cautions)}\n- Licence: {html.verbatim(info.licence)}. Cite: "
            f"{html.verbatim(info.citation)}."
        )

    def mapped(self, records: Iterable[Record]) -> None:
        """Note that the page shows abundance maps of these records, so that they are published with them."""
        self.manifest.maps += [r.key for r in records if r.key not in self.manifest.maps]
        self._keep()

    def movie(
        self, name: str, frames: Iterable[Figure], *, alt: str, caption: str, seconds: float = 0.3
    ) -> None:
        """Show a looping moving picture; its last frame where motion is not wanted, and in print.

        Parameters
        ----------
        name
            File name without ending, unique on the page.
        frames
            Figures of equal size; each is closed once it is drawn.
        alt, caption
            As for `figure`.
        seconds
            How long a frame is shown; the last one stays four times as long.
        """
        pictures = [_image(frame) for frame in frames]
        durations = [round(1000 * seconds)] * (len(pictures) - 1) + [round(4000 * seconds)]
        moving, still = io.BytesIO(), io.BytesIO()
        options: dict[str, Any] = {"save_all": True, "append_images": pictures[1:], "loop": 0}
        pictures[0].save(moving, "WEBP", duration=durations, quality=80, **options)
        pictures[-1].save(still, "PNG")
        for ending, data in (("webp", moving), ("png", still)):
            write_atomically(self.out / "figures" / f"{name}.{ending}", data.getvalue())
        _show(html.movie(name, moving.getvalue(), still.getvalue(), alt=alt, caption=caption))

    def _published_picture(self, name: str) -> bytes | None:
        for folder in self._published():
            path = folder / "figures" / f"{self.manifest.chapter}-{name}.webp"
            if path.exists():
                return read_published(path)
        return None

    def table(
        self,
        table: pd.DataFrame,
        *,
        caption: str,
        formats: html.Formats | None = None,
        folded: bool = False,
    ) -> None:
        """Show a table; it scrolls in its own box where the screen is narrow.

        Parameters
        ----------
        table
            Its index is shown only if it has a name.
        caption
            What the table says, with units.
        formats
            Column to a format such as ``"{:.4f}"``, or to a function whose text is escaped unless it is
            `Markup` from `html`.
        folded
            Show the caption alone, which opens the table: for settings and other long ones.
        """
        _show(html.table(table, caption=caption, formats=formats, folded=folded))

    def heading(self, name: str) -> None:
        """Show a computed heading, which ``#NAME`` leads to."""
        _show(html.heading(name))

    def show(self, markup: Markup) -> None:
        """Show what `hsu_lib.publishing.html` made."""
        _show(markup)

    def text(self, markdown: str) -> None:
        """Show computed prose, in Markdown; names that come from data go through `html.verbatim`."""
        display(Markdown(markdown))

    def ask(
        self, claims: Sequence[str], *, seeds: str, scene: str = "", compute: bool = True
    ) -> asking.Asked:
        """Answer the questions of claims by runs of this chapter's profile, noted as used by it.

        Parameters
        ----------
        claims
            Their ids.
        seeds
            Those that count, such as ``"100-109"``.
        scene
            Stands in for every scene of the questions; empty leaves them.
        compute
            Make the runs that are in no store; otherwise they are missing from the answers.
        """
        asked = asking.ask(
            claims,
            amounts=self.amounts,
            seeds=seeds_of(seeds, "seeds"),
            scene=scene,
            compute=compute,
        )
        self._note(asked.results)
        return asked

    def beside(
        self,
        conditions: Sequence[str],
        scene: SceneSpec | str,
        *,
        seeds: str = "0",
        amounts: str = "",
        **settings: Any,
    ) -> Results:
        """Runs that are only shown: they decide nothing.

        Parameters
        ----------
        conditions
            Names of ``conditions.yaml``.
        scene, seeds
            Where, noise included, and with which seeds, of the noise too.
        amounts
            Profile that says how much is trained; by default, and in the quick profile, this chapter's.
        **settings
            Of every condition, before its own.
        """
        quick = self.manifest.profile == PROFILES[0]
        how = self.amounts if quick or not amounts else amounts_of(amounts).with_given(**self.amounts.given)
        where = SceneSpec(scene) if isinstance(scene, str) else scene
        return self.sweep(runs_of(conditions, where, seeds_of(seeds, "seeds"), how, **settings))

    def judge(self, claim: str, asked: asking.Asked, *, why: str = "") -> None:
        """Show the `card` of a claim, with a `why` box below it if there is one, and note its answer."""
        self.manifest.answers = [a for a in self.manifest.answers if a.claim != claim]
        self.manifest.answers.append(asked.answers[claim])
        self._keep()
        self.card(asked.answers[claim], why=why, find=asked.find)

    def settings(self, *names: str) -> None:
        """Show, folded, the settings of methods and who wrote them: the document's, and those used here."""
        for name in names:
            table = pd.DataFrame(methods.get(name).describe(), dtype=object)  # 200 stays 200 beside 1e-6
            here = self.amounts.of(name, {})
            table.insert(2, "here", [str(here.get(s, d)) for s, d in table[["setting", "default"]].values])
            table["default"] = table["default"].astype(str)
            share = self.amounts.share if here else ""  # which says nothing of what is trained as documented
            told = f"Settings of {name}. Source: {methods.get(name).source}. {share}"
            _show(html.table(table, caption=told.strip(), folded=True))

    def provenance(self) -> None:
        """Say where the numbers on the page come from."""
        told = provenance(self.rows, self.manifest.profile)
        again = f"hsu run {self.manifest.chapter} --profile {self.manifest.profile}"
        _show(html.provenance(told, again))


def _show(markup: Markup) -> None:
    display(HTML(str(markup)))


def _seeds(shown: Mapping[str, Record]) -> str:
    """The seeds of records in words."""
    seeds = sorted({int(record.asked["seed"]) for record in shown.values()})
    return f"seed{'s' * (len(seeds) > 1)} {cards.spans(seeds)}"


def _image(figure: Figure | Image.Image) -> Image.Image:
    """A figure as pixels; it is closed."""
    if isinstance(figure, Image.Image):
        return figure.convert("RGB")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor="white")
    close(figure)
    return Image.open(buffer).convert("RGB")


def provenance(tables: Sequence[pd.DataFrame], profile: str) -> str:
    """One paragraph: profile, how many runs, replayed or computed, device, commit, dates."""
    start = f"Where these numbers come from: profile {profile}"
    if not tables:
        return f"{start}; the page computes everything it shows when it is built."
    runs = pd.concat(tables).drop_duplicates("key")
    replayed = int(runs["replayed"].sum())
    published = sorted({o for o in runs.loc[runs["replayed"], "origin"] if o != "local"})
    kind = f" (published, profile {', '.join(published)})" if published else " from the local store"
    days = sorted(d[:10] for d in runs["date"])
    dates = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return (
        f"{start}; {len(runs)} runs, {replayed} replayed{kind if replayed else ''} and "
        f"{len(runs) - replayed} computed with this page; made on {'; '.join(sorted(set(runs['device'])))}; "
        f"commit {', '.join(sorted(set(runs['commit']) - {''})) or 'unknown'}; {dates} (UTC); "
        f"{runs['seconds'].sum() / 60:.0f} minutes of computing.{_verified(published)}"
    )


def _verified(profiles: Iterable[str]) -> str:
    """What the last verification of published results found, a sentence for each profile that has one."""
    found = [Verification.read(paths.published() / profile) for profile in profiles]
    return "".join(f" Published results were {outcome}." for outcome in found if outcome)


def deciding_or(asked: asking.Asked, claim: str, otherwise: Results) -> tuple[Results, str]:
    """The runs that decide a claim or, where it is not answered, others; with their seeds in words."""
    answer = asked.answers[claim]
    decided = answer.verdict is not None and bool(answer.ways)
    found = asking.chosen(asked.results, answer.ways[0].keys) if decided else otherwise
    seeds = cards.spans(sorted(set(found.table["seed"])))
    return found, f"seeds {seeds}" + ("" if decided else ", which decide nothing")


def which_reading(pairs: Mapping[str, Iterable[tuple[float, float | None]]]) -> str:
    """Which of two readings of a document comes nearer its figures, in Markdown.

    Parameters
    ----------
    pairs
        Reading to our means with what is reported, None where nothing is.
    """
    gaps = {name: [abs(ours - y) for ours, y in some if y is not None] for name, some in pairs.items()}
    if not all(gaps.values()):
        return "**Which reading comes nearer?** No reported figure belongs to this scene."
    off = {name: float(np.mean(some)) for name, some in gaps.items()}
    told = " and ".join(f"{distance:.4f} ({name})" for name, distance in off.items())
    return (
        f"**Which reading comes nearer?** *{nearer(off).capitalize()}*: "
        f"our means are {told} away from the reported figures on average."
    )


def waiting(found: Iterable[Answer], *, earlier: bool = True) -> str:
    """How many claims wait for runs, and whether a page shows earlier ones instead; empty if none does."""
    answers = list(found)
    count = sum(answer.verdict is None for answer in answers)
    if not count:
        return ""
    verb = "is" if count == 1 else "are"
    instead = (
        "; where runs with fresh seeds are missing, numbers and pictures are those of earlier ones, which "
        "decide nothing"
    )
    return f"{count} of {len(answers)} claims {verb} not answered yet{instead * earlier}."
