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
# # Bundles: does it help to give a material several spectra?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names, with a reference behind a colon; bundles are from the image
library_scene = ""  # the same, of scenes that have a library of their materials
seeds = "200-201"  # of what is drawn for bundles from the image
iterations = 100  # of the fractional norm at most; 1000 in the public code

# %% tags=["hide-input"]
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hsu_lib import scenes
from hsu_lib.metrics.alignment import align
from hsu_lib.publishing import figures, pages, scores, standings
from hsu_lib.runs import Run
from hsu_lib.solvers.bundles import image_bundles, members
from hsu_lib.words import seeds_of

RMSE, SAD = "rmse-abundances", "sad-endmembers"
PLAIN, MEANS = "all spectra, FCLSU", "a mean per material, FCLSU"
#: What is done with a bundle: label to penalty and its weights; the larger is the public code's own.
WAYS = {
    MEANS: ("means", (0.0,)),
    PLAIN: ("none", (0.0,)),
    "group": ("group", (0.5, 2.0)),
    "elitist": ("elitist", (0.1, 0.5)),
    "fractional": ("fractional", (0.1, 0.4)),
}


@dataclass(frozen=True)
class Case:
    """A way with a weight."""

    label: str
    penalty: str
    weight: float

    @property
    def name(self):
        return f"{self.label}, weight {self.weight:g}" if self.weight else self.label


CASES = [Case(label, penalty, weight) for label, (penalty, weights) in WAYS.items() for weight in weights]

page = pages.Page("bundles", profile)
images = standings.places(scene)
given = standings.places(library_scene) if library_scene else []
every, drawn = [*images, *given], seeds_of(seeds, "seeds")


def run(method, spec, case, seed):
    settings = {"penalty": case.penalty, "weight": case.weight}
    settings |= {"iterations": iterations} if case.penalty == "fractional" else {}
    return Run(method, spec, seed, settings, label=case.name)


TRUE, PIXELS = "the reference's endmembers, FCLSU", "VCA, FCLSU"
found = page.sweep(
    [
        *(run("group-bundles", spec, case, seed) for spec in images for case in CASES for seed in drawn),
        *(run("library-bundles", spec, case, drawn[0]) for spec in given for case in CASES),
        *(Run("vca-fclsu", spec, seed, label=PIXELS) for spec in images for seed in drawn),
        *(Run("fclsu", spec, drawn[0], label=TRUE) for spec in every),
    ]
)


def errors(spec, label, score=RMSE):
    return found.scores(str(spec), label, score)


def best(spec, label):
    """Of the weights of a way the one with the least mean error: the truth is needed to know it."""
    return min((c for c in CASES if c.label == label), key=lambda c: errors(spec, c.name).mean())


def told(spec):
    """The lines of a scene in words."""
    plain, means = (scores.value(RMSE, errors(spec, label).mean()) for label in (PLAIN, MEANS))
    norms = [best(spec, label) for label in ("group", "elitist", "fractional")]
    lead = min(norms, key=lambda c: errors(spec, c.name).mean())
    return (
        f"{spec}: a mean per material {means}, **all spectra {plain}**, the best norm ({lead.name}) "
        f"{scores.value(RMSE, errors(spec, lead.name).mean())}"
    )


def gains(spec):
    return errors(spec, MEANS).mean() - errors(spec, PLAIN).mean()


def gained(spec):
    """What the best norm takes off the error of all spectra."""
    norms = (errors(spec, best(spec, label).name).mean() for label in ("group", "elitist", "fractional"))
    return errors(spec, PLAIN).mean() - min(norms)


def between(spec):
    """The least and the largest error of all spectra, over the draws."""
    low, high = (scores.value(RMSE, x(errors(spec, PLAIN))) for x in (np.min, np.max))
    return f"{low} to {high}"


page.text(
    "The tutorial cites a paper on bundles and prints no figure of it. **Several spectra instead of their "
    "mean lower the error of FCLSU on "
    f"{sum(gains(spec) > 0 for spec in every)} of {len(every)} images.** RMSE of the abundances: "
    + "; ".join(told(spec) for spec in every)
    + ". The weights of the norms are the better of two with the truth in sight, so theirs are ceilings. "
    "**Where bundles are drawn from the image, draws differ by more than the best norm gains on "
    f"{sum(np.std(errors(spec, PLAIN), ddof=1) > gained(spec) for spec in images)} of {len(images)}**: all "
    f"spectra, over {len(drawn)} seeds, {'; '.join(f'{spec.name} {between(spec)}' for spec in images)}."
    + " **A rehearsal: lagoon stands in for the scenes.**"
    * (scene == "lagoon")
)

# %% tags=["remove-cell", "nbval-check-output"]
for spec in every:
    print(spec, len(CASES), "ways")

# %% [markdown]
# ## One spectrum, many, few of many
#
# *What to look for*: what is the step from one mean spectrum to all of them worth, and what do the norms add
# to it? The elitist norm asks a pixel to hold all materials alike, and so errs where pixels are pure; the
# group norm and the fractional one ask for few materials.

# %% tags=["remove-input"]
LINES = [TRUE, PIXELS, *(case.name for case in CASES)]


def cell(spec, label):
    return scores.spread(RMSE, errors(spec, label)) if label in found.labels(str(spec)) else "–"


page.table(
    pd.DataFrame({str(spec): {label: cell(spec, label) for label in LINES} for spec in every}).rename_axis(
        "method"
    ),
    caption="RMSE of the abundances: bundles from the image, mean ± standard deviation over seeds "
    f"{seeds}; those of a library, if there is one here, have no randomness.",
)

# %% [markdown]
# ## How much hangs on the draw?
#
# Parts of the image are drawn, VCA picks in each, and clusters by angle say which spectra are of the same
# material. Where VCA finds a dark material in some parts only, or a bright one in two shades, a cluster holds
# two materials and another is split: no norm mends that.

# %% tags=["hide-input"]
DOTS = [MEANS, PLAIN, "group", "elitist", "fractional"]
panels = {
    str(spec): {
        score: {
            label: errors(spec, best(spec, label).name, score) * scores.unit(score).factor for label in DOTS
        }
        for score in (RMSE, SAD)
    }
    for spec in images
}
page.figure(
    "draws",
    lambda: figures.seed_panels(panels, {score: scores.title(score) for score in (RMSE, SAD)}),
    alt="Dots of every seed: error of the abundances and angle of the mean spectra, by what is done with the "
    "bundles. " + " ".join(f"{spec}: RMSE of all spectra {between(spec)}." for spec in images),
    caption=f"Every draw of the bundles a dot (seeds {seeds}), bars their means; of each norm the better "
    "weight. The angle is that of a bundle's mean spectrum, and so the same whatever is done with it.",
    needs=images,
)

# %% tags=["remove-input"]
shares = {
    str(spec): {
        "between draws": scores.value(RMSE, float(np.std(errors(spec, PLAIN), ddof=1))),
        "from a mean to all spectra": scores.difference(RMSE, gains(spec)),
        "from all spectra to the best norm": scores.difference(RMSE, gained(spec)),
    }
    for spec in images
}
page.table(
    pd.DataFrame(shares).T.rename_axis("image"),
    caption="RMSE of the abundances: standard deviation over the draws, beside what the two steps gain.",
)

# %% [markdown]
# ## Bundles in a picture
#
# The spectra of one draw, coloured by the material whose reference is nearest the mean of their cluster.


# %% tags=["hide-input"]
def draw():
    image = scenes.load(images[0])
    bundles = image_bundles(image.pixels, image.endmembers, seed=drawn[0])
    M = members(bundles.groups)
    order = align(bundles.spectra @ M.T / M.sum(axis=1), image.E)
    figure, axes = figures.grid(1, len(order), ratio=1.0)
    for k, (ax, name, group) in enumerate(zip(axes.flat, image.materials, order, strict=True)):
        spectra = bundles.spectra[:, bundles.groups == group]
        ax.plot(spectra, color=figures.material_colour(name, k), alpha=0.6, linewidth=0.8)
        ax.plot(image.E[:, k], color="black", linewidth=1.2)
        ax.set(title=f"{name} ({spectra.shape[1]})", xlabel="band", ylim=(0, None))
    axes.flat[0].set_ylabel("reflectance")
    return figure


page.figure(
    "bundles",
    draw,
    alt=f"The spectra of each bundle of {images[0]} in a panel of its own, with the reference.",
    caption=f"Bundles of {images[0]}, seed {drawn[0]}; black: the reference. In brackets how many spectra.",
    needs=images[:1],
)

# %% [markdown]
# ## The method
#
# With the spectra $B$ of all bundles and the sum $s_g$ of the abundances of a bundle in a pixel,
#
# $$ \min_A \tfrac12 \lVert Y - BA\rVert_F^2 + \lambda\,\Omega(A), \qquad A \ge 0,\ \mathbf 1^\top A = \mathbf
# 1^\top, $$
#
# where $\Omega$ sums over the pixels $\sum_g \lVert a_g \rVert$ (group), $\tfrac12 \sum_g s_g^2$ (elitist)
# or $\sum_g s_g^q$ with a small $q$ (fractional). The abundance of a material is $s_g$, and its endmember
# here the mean of its bundle; what a pixel itself sees is the mean with the weights $a_g$. The elitist
# term is half the squared elitist norm, which the published step is of, and quadratic; the group norm is
# convex: both are minimised here; of the fractional one the published iterations are taken. Weights are in
# squared units of the image: no value serves all images.

# %% tags=["remove-input"]
page.settings("group-bundles", "library-bundles")
page.provenance()
