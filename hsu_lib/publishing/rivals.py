"""What the chapter on the rivals of LDVAE shows: which printed figures can be compared, and errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from hsu_lib import claims
from hsu_lib.publishing import scores
from hsu_lib.publishing.figures import grid, method_colours
from hsu_lib.publishing.published import manifests
from hsu_lib.runs import Record, Run, Store
from hsu_lib.runs.amounts import Amounts, amounts
from hsu_lib.scene import Scene, SceneSpec
from hsu_lib.solvers.variability import nearest_spectra
from hsu_lib.words import seeds_of

#: What both papers print of methods that are not theirs.
DOCUMENTS, OWN = ("ldvae", "spacnn_ldvae"), ("ldvae", "spacnn-ldvae")
RMSE, SAD = "rmse-abundances", "sad-endmembers"
#: The history's curve of methods with a spectrum for each pixel.
RELATIVE = "relative-error-reconstruction"
#: Blind methods of the page: label to method, and to its name in the papers' tables of Samson.
BLIND = {
    "VCA + FCLSU": ("vca-fclsu", "vca-fcls"),
    "L1/2-NMF": ("l12-nmf", ""),
    "RSNMF": ("rsnmf", ""),
    "TV-RSNMF": ("tv-rsnmf", ""),
    "GLNMF": ("glnmf", ""),
    "SSWNMF, a reading": ("sswnmf", ""),
    "SGSNMF": ("sgsnmf", "sgsrnmf"),
    "SCLSU": ("sclsu", ""),
    "ELMM": ("elmm", "elmm"),
    "GLMM": ("glmm", "glmm"),
    "PLMM": ("plmm", "plmm"),
    "DeepGUn": ("deepgun", "deepgun"),
    "CNNAEU": ("cnnaeu", "cnnaeu"),
    "MTLAEU": ("mtlaeu", "mtlaeu"),
}


class Column(NamedTuple):
    """Printed figures of one kind: what they are called here, how they are found, and what may be done."""

    name: str
    query: str
    comparable: bool
    why: str


COLUMNS = (
    Column(
        "Samson: errors of reconstructions",
        f"dataset == 'samson' and metric == '{RELATIVE}'",
        True,
        "printed among errors of abundances; under their true name",
    ),
    Column(
        "Samson: abundances and endmembers",
        f"dataset == 'samson' and metric != '{RELATIVE}'",
        True,
        "image and reference are everybody's; settings are mostly not printed, nor what EACNN's error is",
    ),
    Column(
        "Urban with four endmembers",
        "dataset == 'urban' and condition == 'endmembers=4'",
        False,
        "of another reference than the papers' own six; neither it nor the whole image is here",
    ),
    Column(
        "Urban with six: endmembers",
        "dataset == 'urban' and condition == 'endmembers=6' and metric == 'sad-endmembers'",
        False,
        "the whole image is not here",
    ),
    Column(
        "Urban with six: errors",
        "dataset == 'urban' and condition == 'endmembers=6' and metric == 'rmse-reconstruction'",
        False,
        "printed among errors of abundances, probably of the image",
    ),
    Column(
        "the synthetic cube",
        "dataset == 'ontech-syn-21'",
        False,
        "probably quoted from a paper with another cube, which is not public",
    ),
    Column("Cuprite", "dataset == 'cuprite'", False, "of the whole image; a window of it is here"),
)


@cache
def quoted() -> pd.DataFrame:
    """All figures that the two papers print of methods of others, with the index of their `COLUMNS`."""
    every = pd.concat([claims.reported(document) for document in DOCUMENTS], ignore_index=True)
    every = every[~every["method"].isin(OWN) & every["value"].notna()].fillna({"condition": ""})
    kinds = pd.Series(-1, index=every.index)
    for k, column in enumerate(COLUMNS):
        kinds[every.query(column.query).index] = k
    return every.assign(column=kinds)


def kinds(every: pd.DataFrame) -> pd.DataFrame:
    """The `COLUMNS` as a table, with how many of the `quoted` figures each has."""
    counts = every["column"].value_counts()
    told = [
        (column.name, int(counts[k]), "yes" if column.comparable else "no", column.why)
        for k, column in enumerate(COLUMNS)
    ]
    return pd.DataFrame(told, columns=["printed figures", "how many", "can be compared", "because"])


def printed(method: str, metric: str) -> float | None:
    """Figure of a method on Samson, in the column `method` of the first of the two papers that prints it."""
    rows = quoted().query("dataset == 'samson' and target in ('mean', 'overall')")
    rows = rows[(rows["method"] == method) & (rows["metric"] == metric)]
    return None if rows.empty else float(rows["value"].iloc[0])


def blind_runs(spec: SceneSpec, seeds: Iterable[int], how: Amounts) -> list[Run]:
    """The runs of `BLIND` on a scene, trained as much as the amounts say."""
    pairs = product(BLIND.items(), seeds)
    return [Run(method, spec, seed, how.of(method, {}), label=label) for (label, (method, _)), seed in pairs]


def beside_printed(document: str, store: Store) -> pd.DataFrame | None:
    """What a paper prints of methods of others on Samson, beside what the published chapter has of them.

    Parameters
    ----------
    document
        One of `DOCUMENTS`.
    store
        Where runs are looked up.

    Returns
    -------
    DataFrame or None
        A row per method: its printed error and what that measures, and ours, with means over seeds. None
        while the chapter is not published.
    """
    chapter = next((m for m in manifests() if m.chapter == "rivals" and m.executed), None)
    if chapter is None or chapter.executed is None or chapter.executed.parameters["scene"] != "samson":
        return None
    given = chapter.executed.parameters
    runs = blind_runs(SceneSpec("samson"), seeds_of(given["seeds"], "seeds"), amounts(given["profile"]))
    found: dict[str, list[Record]] = defaultdict(list)
    for run in runs:
        if (record := store.find(run.key)) is not None:
            found[BLIND[run.label][1]].append(record)
    rows = claims.reported(document).query("dataset == 'samson' and target in ('mean', 'overall')")
    rows = rows[~rows["method"].isin(OWN) & rows["value"].notna()]
    return pd.DataFrame(
        [
            {"method": method} | _beside(some, found.get(method, []), chapter.facts["power"])
            for method, some in rows.groupby("method", sort=False)
        ]
    ).fillna("–")


def _beside(theirs: pd.DataFrame, ours: Sequence[Record], power: float) -> dict[str, str]:
    """Cells of a row of `beside_printed`."""
    printed = theirs.set_index("metric")["value"]
    told: dict[str, str] = {}
    for metric, is_probably in ((RELATIVE, "relative error of the reconstruction"), (RMSE, "RMSE of A")):
        if metric in printed:
            told |= {"printed error": f"{printed[metric]:g}", "is probably": is_probably}
    if SAD in printed:
        told["printed angle of E"] = scores.value(SAD, float(printed[SAD]))
    if ours:
        errors = [relative_error(record, power) for record in ours]
        told["ours: error of the reconstruction"] = f"{np.mean(errors):.4f}"
        for title, metric in (("RMSE of A", RMSE), ("angle of E", SAD)):
            told[f"ours: {title}"] = scores.spread(metric, [record.scores[metric] for record in ours])
    return told


def relative_error(record: Record, power: float) -> float:
    """Norm of what a method's own model leaves of the image, over that of the image.

    Parameters
    ----------
    record
        Of a method whose history tells that error, else of one whose model is ``E A``.
    power
        Mean square of the image.
    """
    curve = record.arrays.get(f"history/{RELATIVE}")
    return float(np.sqrt(record.scores["mse-reconstruction"] / power) if curve is None else curve[-1])


class Left(NamedTuple):
    r"""What spectra for each pixel leave of an image, for some abundances and weights :math:`\kappa`.

    Parameters
    ----------
    power
        :math:`\|a_n\|^2`, shape ``(pixels,)``.
    shares
        Norm of a pixel's residual over that with one spectrum per endmember; ``(weights, pixels)``.
    errors
        Relative errors of the reconstruction, shape ``(weights,)``.
    """

    power: NDArray[np.float64]
    shares: NDArray[np.float64]
    errors: NDArray[np.float64]


def left_over(Y: ArrayLike, E: ArrayLike, A: ArrayLike, weights: Sequence[float]) -> Left:
    r"""What is left when the spectra of every pixel are fitted with weights :math:`\kappa`, `A` as it is.

    Parameters
    ----------
    Y, E, A
        Shapes ``(bands, pixels)``, ``(bands, endmembers)``, ``(endmembers, pixels)``.
    weights
        :math:`\kappa`, of the spectra to the endmembers.
    """
    y, e, a = (torch.tensor(np.asarray(X, dtype=np.float64)) for X in (Y, E, A))
    base, shares, errors = (y - e @ a).norm(dim=0), [], []
    for weight in weights:
        S = nearest_spectra(y, e.T[:, :, None], a, weight)
        left = y - (S * a[:, None]).sum(dim=0)
        shares.append((left.norm(dim=0) / base).numpy())
        errors.append(float(left.norm() / y.norm()))
    return Left((a**2).sum(dim=0).numpy(), np.array(shares), np.array(errors))


def left_over_cases(image: Scene, weights: Sequence[float]) -> dict[str, Left]:
    """`left_over` of a scene with its endmembers, for the reference's abundances, equal and random ones."""
    assert image.E is not None
    assert image.A is not None
    A = image.A.reshape(len(image.A), -1).astype(np.float64)
    random = np.random.default_rng(0).dirichlet(np.ones(len(A)), A.shape[1]).T
    given = {"the reference": A, "equal shares": np.full_like(A, 1 / len(A)), "random shares": random}
    return {name: left_over(image.pixels, image.E, shares, weights) for name, shares in given.items()}


def left_panels(cases: Mapping[str, Left], weights: Sequence[float], shown: int) -> Figure:
    """Shares of the residuals of the pixels at one of the weights, and errors over all weights."""
    figure, axes = grid(1, 2, ratio=0.8)
    colours, pixels, curve = method_colours(cases), axes[0, 0], np.linspace(0, 1, 100)
    kappa = weights[shown]
    pixels.plot(curve, kappa / (kappa + curve), color="black", linewidth=1, label="the formula")
    for k, (name, left) in enumerate(cases.items()):
        some = slice(None, None, max(1, left.power.size // 150))
        look = {"color": colours[name], "alpha": 0.5, "label": name}
        pixels.plot(left.power[some], left.shares[shown, some], "os^"[k % 3], markersize=4, **look)
        axes[0, 1].loglog(weights, 100 * left.errors, color=colours[name], label=name)
    pixels.set(
        xlabel="sum of the squared abundances",
        ylabel="share of the residual that is left",
        ylim=(0, 1),
        title=f"every dot a pixel, weight {kappa:g}",
    )
    axes[0, 1].set(
        xlabel="weight", ylabel="relative error of the reconstruction (%)", title="the whole image"
    )
    pixels.legend(fontsize="small")
    axes[0, 1].legend(fontsize="small")
    return figure


def error_panel(errors: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """RMSE of the abundances over the relative error of the reconstruction, both in percent, by method."""
    figure, axes = grid(1, 1, ratio=0.5)
    ax, colours = axes[0, 0], method_colours(errors)
    for k, (name, (x, y)) in enumerate(errors.items()):
        look = {"color": colours[name], "alpha": 0.75, "label": name, "markersize": 6}
        ax.plot(100 * np.asarray(x), 100 * np.asarray(y), "os^vDP*X"[k % 8], **look)
    ax.set(
        xscale="log",
        xlabel="relative error of the reconstruction (%)",
        ylabel="RMSE of the abundances (%)",
        ylim=(0, None),
    )
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize="small")
    return figure
