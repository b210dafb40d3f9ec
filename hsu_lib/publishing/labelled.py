"""What chapters on models that learn from labels show alike.

These are the grid that omega is chosen from, which two documents do not print, scores over the noise, and
whether abundances keep their constraints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hsu_lib.publishing import scores
from hsu_lib.publishing.figures import choice_panels, dose_panels
from hsu_lib.publishing.pages import Page
from hsu_lib.runs import Record, Store
from hsu_lib.runs.choices import (
    BY_VALIDATION,
    NEAREST,
    RMSE,
    SAD,
    SEEDS,
    TAKEN_FROM,
    WEIGHTS,
    Option,
    Scores,
    Wanted,
    by_validation,
    grid,
    nearest,
    printed,
    scores_of,
)
from hsu_lib.runs.evidence import Find

#: What is scored, in the words of a page.
NAMES = {RMSE: "RMSE of A", SAD: "angle of E"}


class Grid(NamedTuple):
    """A grid of weights that is whole, and what is chosen from it.

    Parameters
    ----------
    scores
        By option, score and seed, over validation pixels.
    printed
        The document's figures, by score.
    chosen
        By view, `BY_VALIDATION` first.
    """

    scores: Scores
    printed: Mapping[str, float]
    chosen: Mapping[str, Option]

    def mean(self, option: Option, score: str) -> float:
        """Over the seeds."""
        return float(np.mean(self.scores[option][score]))

    def from_to(self, score: str) -> str:
        """Its means at the least and at the largest weight, with the activation chosen by validation."""
        activation = self.chosen[BY_VALIDATION].activation
        ends = [Option(w, activation) for w in (min(WEIGHTS), max(WEIGHTS))]
        told = [f"{scores.value(score, self.mean(o, score))} at {weight(o.weight)}" for o in ends]
        return " and ".join(told)

    def told(self, option: Option) -> str:
        """What is chosen with its scores, such as "softplus, omega 0.1: RMSE of A 34.37 %"."""
        found = ", ".join(f"{NAMES[s]} {scores.value(s, self.mean(option, s))}" for s in self.printed)
        return f"{option.activation}, omega {weight(option.weight)}: {found}"


def weight(omega: float) -> str:
    """A weight of the abundances as it is printed.

    Examples
    --------
    >>> weight(1e5), weight(0.1)
    ('100\\u202f000', '0.1')
    """
    return f"{omega:,.10g}".replace(",", "\u202f")


def grid_of(page: Page, claim: str, method: str, scene: str, *, find: Find | None = None) -> Grid | None:
    """The grid behind the settings of a method for a claim, at the page's profile; None unless it is whole.

    Parameters
    ----------
    page
        Which is to show it: its records are noted as used.
    claim
        Whose amount of training the grid has.
    method, scene
        For which omega is chosen.
    find
        Where records are looked up; by default in the local store and among the published ones.
    """
    find = find or Store().find
    share = page.amounts.for_claim(claim)
    wanted = Wanted(BY_VALIDATION, method, scene, {}, share)
    found = scores_of(wanted, find)
    if not found:
        return None
    page.used(r for runs in grid(wanted).values() for run in runs if (r := find(run.key)) is not None)
    figures = printed(method, TAKEN_FROM[scene])
    best, near = by_validation(found), nearest(found, figures)
    return Grid(found, figures, {BY_VALIDATION: best, NEAREST: near}) if best and near else None


def show_grid(page: Page, found: Grid | None, scene: str, *, name: str = "omega") -> None:
    """Show a grid as a figure with what is chosen from it in words; without one, say so.

    Parameters
    ----------
    page, scene
        As of `grid_of`.
    found
        The grid.
    name
        Of the figure.
    """
    if found is None:
        page.text(
            f"*The runs that omega is chosen from on {scene} are not all there yet.*"
            if scene in TAKEN_FROM
            else "*A rehearsal makes no grid: two fixed weights stand for what would be chosen from it.*"
        )
        return
    lines = list(dict.fromkeys(option.activation for option in found.scores))
    titles = {s: f"{NAMES[s]} ({scores.unit(s).sign.strip()})" for s in NAMES}
    drawn = {
        titles[s]: {
            line: scores.unit(s).factor * np.array([found.scores[Option(w, line)][s] for w in WEIGHTS])
            for line in lines
        }
        for s in NAMES
    }
    told = "; ".join(
        f"{line} {weight(w)} {scores.value(RMSE, found.mean(Option(w, line), RMSE))}"
        for line in lines
        for w in WEIGHTS
    )
    marks = {view: (option.activation, option.weight) for view, option in found.chosen.items()}
    theirs = ", ".join(f"{NAMES[s]} {scores.value(s, x)}" for s, x in found.printed.items())
    choices = "; ".join(f"{view}: {found.told(option)}" for view, option in found.chosen.items())
    page.figure(
        name,
        lambda: choice_panels(
            WEIGHTS,
            drawn,
            ylabel="on validation pixels",
            reported={titles[s]: scores.unit(s).factor * x for s, x in found.printed.items()},
            chosen=dict.fromkeys(titles.values(), marks),
        ),
        alt=f"Two panels over omega, with {' and '.join(lines)}: {' and '.join(NAMES.values())} on "
        f"validation pixels of {scene}. Mean RMSE by omega: {told}. Reported: {theirs}.",
        caption=f"A fifth of the training pixels of {scene}, held out: each mark is one of {len(SEEDS)} "
        f"seeds, lines are means; dotted: reported ({theirs}). Chosen {choices}.",
    )


def over_noise(
    page: Page,
    scene: str,
    levels: Sequence[int],
    found: Mapping[str, Mapping[str, Sequence[NDArray[np.float64]]]],
    reported: Mapping[str, Sequence[float | None]],
    *,
    model: str,
    note: str = "",
) -> None:
    """Show scores over the noise as a figure, a panel per score.

    Parameters
    ----------
    page, scene
        Where, and of which scene.
    levels
        SNR in dB.
    found
        Score to method to one array ``(seeds,)`` per level.
    reported
        Score to what the document prints for `model` at each level.
    model
        Whose figures are marked.
    note
        What must be known of the runs.
    """
    shown = {
        score: {name: [scores.unit(score).factor * of for of in by] for name, by in methods.items()}
        for score, methods in found.items()
    }
    theirs = {
        score: [None if y is None else scores.unit(score).factor * y for y in values]
        for score, values in reported.items()
    }
    told = "; ".join(
        f"{name} {', '.join(scores.value(RMSE, float(of.mean())) for of in by)}"
        for name, by in found[RMSE].items()
    )
    at = ", ".join(map(str, levels))
    page.figure(
        "noise",
        lambda: dose_panels(
            levels,
            shown,
            {score: f"{NAMES[score]} ({scores.unit(score).sign.strip()})" for score in found},
            xlabel="SNR (dB)",
            reported=theirs,
            reported_as=f"{model}, reported",
            logarithmic=True,
        ),
        alt=f"Panels over the SNR on {scene}: {', '.join(NAMES[score] for score in found)}. RMSE of A at "
        f"{at} dB: {told}.",
        caption=f"{scene}: dots are seeds, lines means, diamonds the paper's {model} on its own image. RMSE "
        f"of A at {at} dB: {told}. {note}".strip(),
    )


def constraints(records: Iterable[Record]) -> pd.DataFrame:
    """By scene, how many runs, their least abundance, and how far a pixel's sum is from one at most.

    Parameters
    ----------
    records
        Of models with labels; others are passed over.
    """
    found: dict[str, list[np.ndarray]] = {}
    for record in records:
        if "history/constraints" in record.arrays:
            found.setdefault(record.scene.name, []).append(record.arrays["history/constraints"])
    return pd.DataFrame(
        {
            "scene": scene,
            "runs": len(told),
            "least abundance": min(float(of[0]) for of in told),
            "largest distance of a sum from 1": max(float(of[1]) for of in told),
        }
        for scene, told in found.items()
    )
