# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # When light bounces twice: what does the linear model cost?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon-bilinear,lagoon-intimate"  # comma-separated names of scenes that are not linear mixtures
snr = 30.0  # dB of noise that is added
seeds = "200-201"
network_seeds = "200"  # of HapkeCNN, which takes long
iterations = 100  # of HapkeCNN; 8000 in its public code
filters = 16  # of HapkeCNN; 256 in its public code

# %% tags=["hide-input"]
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from hsu_lib import methods, metrics, scenes
from hsu_lib.publishing import figures, pages, scores, standings
from hsu_lib.runs import Run
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.hapke import albedo
from hsu_lib.words import seeds_of

RMSE, SAD = "rmse-abundances", "sad-endmembers"
LINEAR, RIGHT, EQUAL = "true endmembers, linear", "true endmembers, bilinear", "equal abundances"
BLIND, BENT, NETWORK = "VCA, linear", "VCA, bilinear", "HapkeCNN"
#: Label to method and settings; the linear ones first.
WAYS = {
    EQUAL: ("uniform", {}),
    LINEAR: ("fclsu", {}),
    BLIND: ("vca-fclsu", {}),
    "labels, linear": ("labelled-fclsu", {}),
    RIGHT: ("fan", {"endmembers_from": "scene"}),
    BENT: ("fan", {}),
    NETWORK: ("hapke-cnn", {"iterations": iterations, "filters": filters}),
}
WHOLE = methods.get("hapke-cnn").configure()
page = pages.Page("nonlinear", profile)
places = [replace(place, snr_db=snr) for place in standings.places(scene)]
found = page.sweep(
    Run(method, replace(place, noise_seed=seed), seed, settings, label=label)
    for place in places
    for label, (method, settings) in WAYS.items()
    for seed in seeds_of(network_seeds if label == NETWORK else seeds, "seeds")
)


def errors(place, label, score=RMSE):
    """A score by seed: the noise is another one for each."""
    return found.scores(str(place), label, score)


def told(place, label):
    return scores.value(RMSE, errors(place, label).mean())


def blind(place):
    """What nonlinear models make of an image alone, beside the linear one, in words."""
    best = min((BENT, NETWORK), key=lambda label: errors(place, label).mean())
    bar = min(errors(place, label).mean() for label in (BLIND, EQUAL))
    return (
        f"{place.name}: VCA with the linear model {told(place, BLIND)}, with the bilinear one "
        f"{told(place, BENT)}, HapkeCNN {told(place, NETWORK)}, equal abundances {told(place, EQUAL)}; "
        + (f"**{best} is better than either**" if errors(place, best).mean() < bar else "**none mends it**")
    )


mended = [place.name for place in places if errors(place, RIGHT).mean() < errors(place, LINEAR).mean()]
page.text(
    "Light that meets two materials, or grains of several, mixes otherwise than areas side by side; the "
    "tutorial cites papers on it and prints no figure. **Even "
    "with the true endmembers the linear model is off by "
    + ", ".join(f"{told(place, LINEAR)} on {place.name}" for place in places)
    + "; with the bilinear model it is "
    + ", ".join(f"{told(place, RIGHT)}" for place in places)
    + f", less on {', '.join(mended) or 'none of them'}** (RMSE of the abundances, means over seeds). "
    + "From the image alone, "
    + "; ".join(blind(place) for place in places)
    + f". HapkeCNN is cut short here: {iterations} iterations of {WHOLE.iterations}, {filters} filters of "
    f"{WHOLE.filters}."
    + " **A rehearsal: twins of lagoon stand in for the scenes.**"
    * scene.startswith("lagoon")
)

# %% tags=["remove-cell", "nbval-check-output"]
for place in places:
    print(place, *WAYS, sep="; ")

# %% [markdown]
# ## Every model on every image
#
# *What to look for*: with the true endmembers only the law differs, so that the lines *true endmembers*
# tell what a wrong law costs; from the image alone the endmembers are wrong, too, and may hide it.
# *Labels, linear* has the endmembers that explain pixels of known abundances best.

# %% tags=["remove-input"]


def in_albedo(place):
    """Errors of FCLSU where intimate mixtures are linear, with the true endmembers."""
    errors = []
    for seed in seeds_of(seeds, "seeds"):
        image = scenes.load(replace(place, noise_seed=seed))
        A = fclsu(albedo(image.pixels.astype(float).clip(0, 1)), albedo(image.E.astype(float)))
        errors.append(metrics.rmse_pooled(A, image.A.reshape(A.shape)))
    return errors


rows = {
    place.name: {label: scores.spread(RMSE, errors(place, label)) for label in WAYS}
    | {
        "true endmembers, albedo": "–" if values is None else scores.spread(RMSE, np.array(values)),
    }
    for place in places
    for values in [page.fact(f"albedo, {place.name}", partial(in_albedo, place), needs=[place])]
}
page.table(
    pd.DataFrame(rows).rename_axis("method"),
    caption=f"RMSE of the abundances at {snr:g} dB, mean ± standard deviation over seeds {seeds} (HapkeCNN: "
    f"{network_seeds}). In albedo intimate mixtures are linear, as the last line uses.",
)

# %% tags=["hide-input"]
page.figure(
    "seeds",
    lambda: figures.seed_panels(
        {
            place.name: {
                RMSE: {label: scores.unit(RMSE).factor * errors(place, label) for label in WAYS},
            }
            for place in places
        },
        {RMSE: scores.title(RMSE)},
    ),
    alt="Errors of the abundances of every seed by method, a panel per image. "
    + " ".join(
        f"{place.name}: {', '.join(f'{label} {told(place, label)}' for label in WAYS)}." for place in places
    ),
    caption=f"Every seed of noise and method a dot ({seeds}; HapkeCNN {network_seeds}), bars their means.",
)

# %% [markdown]
# ## Where the linear model errs
#
# Not in pure pixels, which look alike under all three laws. Grains that are mixed are darker than areas side
# by side, so that dark materials get more than their share; light that bounces twice makes a mixture
# brighter.

# %% tags=["hide-input"]


def purity(label, place):
    """Mean absolute error of the pixels by their largest abundance, in steps."""
    image = scenes.load(replace(place, noise_seed=seeds_of(seeds, "seeds")[0]))
    record = found.pick(str(place), label)[0]
    largest = image.A.max(axis=0)
    off = np.abs(record.unmixing.A - image.A).mean(axis=0)
    steps = pairwise(np.linspace(1 / len(image.A), 1, 7))
    inside = [((low + high) / 2, off[(largest >= low) & (largest <= high)]) for low, high in steps]
    return [(100 * middle, 100 * values.mean()) for middle, values in inside if len(values)]


def draw():
    figure, axes = figures.grid(1, len(places), ratio=0.75)
    for ax, place in zip(axes.flat, places, strict=True):
        for label in (LINEAR, RIGHT):
            ax.plot(*zip(*purity(label, place), strict=True), "o-", label=label)
        ax.set(title=place.name, xlabel="largest abundance (%)", ylabel="mean absolute error (%)")
        ax.set_ylim(0, None)
        ax.legend(fontsize="small")
    return figure


page.mapped(found.pick(str(place), label)[0] for place in places for label in (LINEAR, RIGHT))
page.figure(
    "purity",
    draw,
    alt="Mean absolute error of the abundances over the largest abundance of a pixel, with the linear model "
    "and the bilinear one, a panel per image.",
    caption="Error of the abundances over how pure a pixel is, with the true endmembers; first seed.",
    needs=places,
)

# %% [markdown]
# ## The models
#
# With endmembers $e_k$ and abundances $a_k$, the bilinear model of Fan has every pair once more,
#
# $$ y = \sum_k a_k e_k + \sum_{j<k} a_j a_k\, e_j \odot e_k, $$
#
# and is fitted by least squares. In an intimate mixture single-scattering albedos $w$ mix, and reflectance is
# Hapke's function of them, for light from above seen from above,
#
# $$ y = R\Bigl(\sum_k a_k w(e_k)\Bigr), \qquad R(w) = \frac{w}{(1 + 2\sqrt{1 - w})^2}. $$
#
# HapkeCNN fits it with endmembers that move and a convolutional network, fed with noise, for the abundances:
#
# $$ \min_{0 \le E \le 1} \tfrac12\lVert Y - R(w(E)A)\rVert_F^2 + \tfrac\alpha2\lVert Y - EA\rVert_F^2
# + \lambda\lVert w(E)(I - \tfrac1p\mathbf 1\mathbf 1^\top)\rVert_F^2, $$
#
# with a linear model that hardly counts, and albedos drawn to their mean.

# %% tags=["remove-input"]
page.settings("fan", "hapke-cnn")
page.provenance()
