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
# # Is an untrained network a prior for abundances?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
iterations = 0  # of training; 0: as many as the profile has
filters = 0  # of the networks; 0: as many as the profile has

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from hsu_lib import scenes
from hsu_lib.claims.rule import Verdict
from hsu_lib.methods.priors.fitting import snapshots_at
from hsu_lib.publishing import cards, figures, pages, scores
from hsu_lib.runs import curves
from hsu_lib.runs.computed import score_of
from hsu_lib.words import seeds_of

CLAIMS = [
    "undip-reproduction-succeeds",
    "undip-re-is-not-enough",
    "undip-extra-iterations-can-hurt",
    "undip-ewma-smooths",
    "undip-ewma-slows-convergence",
    "undip-ewma-makes-more-epochs-safe",
    "undip-adam-0001-best",
]
UNDIP, OUTPUT, FCLSU = "UnDIP", "UnDIP without averaging", "SiVM + FCLSU"
PAIRS = [f"adam {rate}" for rate in (0.01, 0.005, 0.001)]
PAIRS += [f"nadam {rate}" for rate in (0.001, 0.0005, 0.0001)] + ["rmsprop 0.01"]
RE, MAE, OTHER = "mse-reconstruction", "mae-abundances-fclsu", "mae-abundances"
URBAN = "urban-detection-window, reference end6"
CALLED = {"samson": "Samson", "jasper": "Jasper Ridge", URBAN: "Urban"}
BEFORE = {"seeds": seeds if compute else "0-2", "amounts": "desk"}  # of runs that decide nothing

page = pages.Page("undip", profile, iterations=iterations, filters=filters)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
answers, fresh, counted = asked.answers, asked.of(), seeds_of(seeds, "seeds")
drawn, followed = scene or "samson", scene or "jasper"  # maps and optimisers; errors over the iterations
names = list(dict.fromkeys([drawn, followed]))
names += [URBAN] * (len(fresh.pick(URBAN, UNDIP)) >= len(counted))  # no earlier runs of so many iterations


def chosen(name, labels, **earlier):
    """The runs that decide, where all of them are there; else earlier ones, which decide nothing."""
    found = {
        label: [r for r in fresh.pick(name, label) if r.asked["seed"] in counted and MAE in r.scores]
        for label in labels
    }
    if min(map(len, found.values())) >= 0.9 * len(counted):
        return found
    runs = page.beside(labels, name, **BEFORE, **earlier)
    return {label: runs.pick(name, label) for label in labels}


def mean(records, score):
    return scores.value(score, np.mean([record.scores[score] for record in records]))


def effect(claim):
    """Mean of the comparison that decides; None where the claim is not answered."""
    decides = answers[claim].deciding
    return decides.interval[0] if decides and np.isfinite(decides.interval[0]) else None


long = {name: chosen(name, [UNDIP], iterations=3000)[UNDIP] for name in names}
least = {
    name: fresh.pick(name, FCLSU)[:1] or page.beside([FCLSU], name, amounts="desk").pick(name, FCLSU)
    for name in names
}
tried = chosen(drawn, PAIRS, iterations=750)
by_error = sorted(PAIRS, key=lambda pair: np.mean([r.scores[MAE] for r in tried[pair]]))


def listed(records, score):
    return ", ".join(f"{mean(records[name], score)} ({CALLED.get(name, name)})" for name in names)


told = [
    "UnDIP fits a network to a single image, without training data: it puts out *abundances* (how much of "
    "each material is in each pixel) that, mixed with *endmembers* picked from the image (the spectra of the "
    f"materials), look like the image. **Its abundances end {listed(long, MAE)} from those of constrained "
    "least squares** (FCLSU), which the student report takes for the truth; from the published reference "
    f"they are {listed(long, OTHER)} away, FCLSU's "
    f"{', '.join(mean(least[name], OTHER) for name in names)}: the fit works, and is as wrong as least "
    "squares are. (All are mean absolute errors.)"
]
if None not in (smoother := effect("undip-ewma-smooths"), later := effect("undip-ewma-slows-convergence")):
    told += [
        f"**Averaging the outputs** makes the error {np.exp(abs(smoother)):.3g} times "
        f"{'steadier' if smoother > 0 else 'unsteadier'} and {100 * abs(np.expm1(later)):.0f} % "
        f"{'slower' if later > 0 else 'faster'} to come down."
    ]
told += [
    "Of **seven optimisers** the report's best, Adam at 0.001, is number "
    f"{by_error.index(PAIRS[2]) + 1} from the best on {CALLED.get(drawn, drawn)}."
]
page.opening(" ".join([*told, pages.waiting(answers.values())]), answers.values())

# %% tags=["hide-input"]
why = {}
if (lagging := answers["undip-ewma-slows-convergence"]).verdict in (Verdict.SMALLER, Verdict.ABSENT):
    both = chosen(followed, [UNDIP, OUTPUT], iterations=3000)
    pairs = list(zip(*both.values(), strict=False))
    levels = [1.05 * max(score_of(r, "mae-of-last-tenth") for r in pair) for pair in pairs]
    down = np.mean(
        [
            [curves.first_down_to(record, f"{MAE}-averaged", level) for record in pair]
            for pair, level in zip(pairs, levels, strict=True)
        ],
        axis=0,
    )
    why[lagging.claim] = (
        "The average lags behind the outputs by about its window of 100 iterations, however long the run: on "
        f"{followed} the outputs are down at an error that both reach after {down[1]:.0f} iterations, their "
        f"average {down[0] - down[1]:.0f} later (means over seeds). That is "
        f"{100 * (down[0] / down[1] - 1):.0f} %, and ten percent would count."
    )
errors = {pair: np.mean([r.scores[MAE] for r in tried[pair]]) for pair in PAIRS}
near = sum(error < errors[by_error[0]] + 0.01 for error in errors.values())
if (rivals := answers["undip-adam-0001-best"]).verdict in (Verdict.SMALLER, Verdict.ABSENT, Verdict.REVERSED):
    why[rivals.claim] = (
        "All seven fit the same network to the same image with the same endmembers, and go the same way, to "
        f"what FCLSU finds: {near} of them end within one percent of abundance of the best, {by_error[0]} "
        f"({scores.value(MAE, errors[by_error[0]])}). What differs after 750 iterations is how far they "
        f"have come: Adam at 0.001 is at {mean(tried[PAIRS[2]], MAE)} then, and at {mean(long[drawn], MAE)} "
        "after 3000."
    )

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked, why=why.get(claim, ""))

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in answers.items():
    print(f"{claim:36} {answer.word}")

# %% [markdown]
# ## Over the iterations
#
# What one run records in every iteration: the errors of the network's output, and those of the average of all
# outputs so far, in which the last hundred weigh most. The network keeps moving, so that single outputs may
# jump.

# %% tags=["hide-input"]
TITLES = {
    RE: "reconstruction error",
    MAE: "MAE of A against FCLSU (%)",
    OTHER: "MAE of A against reference (%)",
}


def histories(quantity, records):
    """Output and average over the iterations, in the unit of the score."""
    both = {"output": quantity, "average": f"{quantity}-averaged"}
    found = {label: curves.together(records, name) for label, name in both.items()}
    return {label: scores.unit(quantity).factor * values for label, (_, values) in found.items()}


shown = {title: histories(quantity, long[followed]) for quantity, title in TITLES.items()}
at, _ = curves.together(long[followed], RE)
span = cards.spans(sorted(record.asked["seed"] for record in long[followed]))
last = "; ".join(f"{title} {both['average'][:, -1].mean():.3g}" for title, both in shown.items())
page.figure(
    "curves",
    lambda: figures.curve_panels(shown, ylabel="error", steps="iterations", counted=True, at=at),
    alt=f"Three errors on {followed} over the iterations, of outputs and of their average. "
    f"Last means of the average: {last}.",
    caption=f"{followed}, seeds {span}: median, and range of all; MAE is the mean absolute error of an "
    "abundance, the reconstruction error is squared, in the unit of the normalised image. Last means of the "
    f"average: {last}.",
)

# %% [markdown]
# The end of one run, iteration by iteration: in single outputs the error of the abundances may rise while the
# reconstruction error falls.

# %% tags=["hide-input"]
single = page.beside([UNDIP], followed, **BEFORE | {"seeds": "0"}, iterations=3000).pick(followed, UNDIP)
end = slice(-min(300, curves.iterations(single[0]) - 1), None)
panels = {
    TITLES[q]: {label: values[:, end] for label, values in histories(q, single).items()} for q in (RE, MAE)
}
at, _ = curves.together(single, RE)
page.figure(
    "jumps",
    lambda: figures.curve_panels(panels, ylabel="error", steps="iterations", counted=True, at=at[end]),
    alt=f"Two errors of one run on {followed} over its last {len(at[end])} iterations, of the outputs and of "
    "their average.",
    caption=f"{followed}, seed 0 (earlier run), the last {len(at[end])} iterations; units as above.",
)

# %% [markdown]
# How the maps take shape, and where they end beside FCLSU's.

# %% tags=["hide-input"]
info, frames = scenes.describe(drawn), 4 if profile == "quick" else 24
moving = page.beside([UNDIP], drawn, **BEFORE | {"seeds": "0"}, iterations=3000, snapshots=frames).pick(
    drawn, UNDIP
)[0]
page.mapped([moving])
kept, materials = moving.arrays["history/snapshots"], info.materials[info.usual]
steps = [step + 1 for step in snapshots_at(curves.iterations(moving), frames)]
page.movie(
    "maps-moving",
    (figures.map_row(maps, materials, f"iteration {n}") for maps, n in zip(kept, steps, strict=True)),
    alt=f"Averaged abundance maps of {', '.join(materials)} on {drawn} over the iterations of UnDIP: from "
    "even grey to clear shapes.",
    caption=f"Averaged abundances on {drawn}, seed 0, at {len(kept)} iterations from 1 to {steps[-1]}; the "
    "steps grow. In print, and for readers who prefer less motion, the last one.",
)

# %% tags=["hide-input"]
page.maps(drawn, {UNDIP: moving, FCLSU: page.beside([FCLSU], drawn, amounts="desk").records[0]})

# %% [markdown]
# ## Seven optimisers

# %% tags=["hide-input"]
panels = {
    score: {p: [scores.unit(score).factor * r.scores[score] for r in tried[p]] for p in PAIRS}
    for score in (MAE, RE)
}
span = cards.spans(sorted(record.asked["seed"] for record in tried[PAIRS[0]]))
ends = "; ".join(f"{pair} {mean(tried[pair], MAE)}" for pair in PAIRS)
page.figure(
    "optimisers",
    lambda: figures.seed_panels({drawn: panels}, {q: f"{TITLES[q]}, lower is better" for q in panels}),
    alt=f"Two errors of every seed by optimiser and rate on {drawn}. Mean MAE against FCLSU: {ends}.",
    caption=f"{drawn}, seeds {span}, after {curves.iterations(tried[PAIRS[0]][0])} iterations: each dot is a "
    f"seed, each bar their mean. Mean MAE against FCLSU: {ends}.",
)

# %% [markdown]
# ## Beside constrained least squares
#
# The report shows curves and pictures, no figures: these are the first.

# %% tags=["hide-input"]
HEADS = {RE: "reconstruction error", MAE: "MAE of A, FCLSU", OTHER: "MAE of A, reference"}
page.table(
    pd.DataFrame(
        {"scene": name, "method": label, "seeds": cards.spans(sorted(r.asked["seed"] for r in records))}
        | {title: scores.spread(score, [r.scores[score] for r in records]) for score, title in HEADS.items()}
        for name in names
        for label, records in ((UNDIP, long[name]), (FCLSU, least[name]))
    ),
    caption=f"Mean ± standard deviation over seeds after {curves.iterations(long[drawn][0])} iterations; "
    "errors of A in percent of abundance. FCLSU has no random part, and no distance to itself.",
)

# %% [markdown]
# ## The method
#
# Endmembers $E$ are picked by SiVM, which has no random part: they are the same in every run. The network
# $f_\theta$ maps a fixed random $Z$, of the image's size with one channel per endmember, to abundances: a
# 3 x 3 convolution with stride 2 and another to 256 channels, bilinear upsampling, joined by 4 channels that
# a 1 x 1 convolution takes straight from $Z$, a 3 x 3 and two 1 x 1 convolutions. Each is followed by batch
# normalisation and leaky ReLU, the last by a softmax, which makes abundances positive and their sum one.
# Adam minimises
#
# $$ \tfrac12 \lVert Y - E f_\theta(Z) \rVert_F^2 $$
#
# over $\theta$, where $Y$ is the image. FCLSU minimises the same over all abundances that are positive and
# sum to one, pixel by pixel: it is what a perfect fit would give. Nearness to FCLSU tells how far the fit
# has come, and not whether the abundances are true. The estimate is not the last output but an average,
#
# $$ \bar A_t = 0.99\, \bar A_{t-1} + 0.01\, f_{\theta_t}(Z), $$
#
# with a window of 100 iterations. Both are recorded in every iteration.
#
# The report leaves open the weight of the average (0.99 in the public code of UnDIP), the law of the random
# input (standard normal here; batch normalisation makes its scale irrelevant), which l1 norm divides the
# image (that of the matrix here: one number, which changes neither SiVM's choice nor, with Adam, the steps),
# the scene of the optimiser study, and every figure.

# %% tags=["remove-input"]
page.settings("undip")
page.provenance()
