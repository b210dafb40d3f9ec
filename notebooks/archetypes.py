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
# # Archetypes: how much does the start matter?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
starts = "1,2,5,10"  # of which one is selected, in the pictures

# %% tags=["hide-input"]

from hsu_lib.publishing import figures, pages, scores, tutorial
from hsu_lib.words import value_of

CLAIM = "tutorial-edaa-start-sensitive"
MANY, ONE, PIXELS = "EDAA", "EDAA, one start", "SiVM + FCLSU"
RMSE, SAD = "rmse-abundances", "sad-endmembers"

page = pages.Page("archetypes", profile)
asked = page.ask([CLAIM], seeds=seeds, scene=scene, compute=compute)
answer = asked.answers[CLAIM]
names = [scene] if scene else ["samson", "jasper"]
counts = value_of(starts, tuple[int, ...], "starts")
beside = {name: page.beside([PIXELS, ONE], name, seeds=seeds) for name in names}
some = {(name, n): page.beside([MANY], name, seeds=seeds, starts=n) for name in names for n in counts}


def found(name, label):
    """Angle of the endmembers by seed; None where it was not run."""
    return asked.scores(CLAIM, name, label, SAD)


def told(name, label):
    """Its mean and the range over the seeds, in words."""
    values = found(name, label)
    if values is None:
        return "not run yet"
    low, high = (scores.value(SAD, x) for x in (values.min(), values.max()))
    return f"{scores.value(SAD, values.mean())} ({low} to {high})"


page.opening(
    "Archetypal analysis looks for endmembers that are mixtures of pixels, from a random start. The "
    "tutorial says that the solution is sensitive to it, and that a selection among several was suggested "
    "therefore, by what is left unexplained and by how alike the endmembers are; it prints no figures. "
    "Angle of the endmembers from one start, mean and range over seeds: "
    + "; ".join(
        f"{name} **{told(name, ONE)}**, of 50 starts the selected one **{told(name, MANY)}**"
        for name in names
    )
    + f". {pages.waiting(asked.answers.values(), earlier=False)}{tutorial.stands_in(scene)}",
    asked.answers.values(),
)

# %% [markdown]
# ## The claim

# %% tags=["remove-input"]
page.judge(CLAIM, asked)

# %% tags=["remove-cell", "nbval-check-output"]
print(CLAIM, answer.word)

# %% [markdown]
# ## How many starts?
#
# The more there are, the more there is to choose from; more than the best of them nobody can have, and which
# one that is, the selection cannot know.

# %% tags=["hide-input"]
factor = scores.unit(SAD).factor
curves = {
    name: {"selected": [factor * some[name, n].scores(name, MANY, SAD) for n in counts]} for name in names
}
page.figure(
    "starts",
    lambda: figures.dose_panels(
        counts, curves, {name: f"{name}: {scores.title(SAD)}" for name in names}, xlabel="starts"
    ),
    alt="Angle of the selected endmembers over the number of starts, a panel per scene.",
    caption=f"Angle of the endmembers of the selected start; dots are seeds ({seeds}), lines their means.",
)

# %% [markdown]
# ## What the selection looks at
#
# Every start of one run. The slide wants residual (the sum of absolute values) and coherence small, without
# saying how the two are weighed. The public code selects, of the starts whose residual is at most the
# smallest over one less its tolerance (the line), the one of least coherence. Coherence is the largest inner
# product of two endmembers on the slide, and their largest correlation in the code, which is taken here.

# %% tags=["hide-input"]
records = {name: some[name, counts[-1]].records[0] for name in names}


def draw():
    figure, axes = figures.grid(1, len(names), ratio=0.75)
    for ax, (name, record) in zip(axes.flat, records.items(), strict=True):
        residual, coherence = (record.arrays[f"history/{key}"] for key in ("residual", "coherence"))
        best = int(record.arrays["history/selected"][0])
        ax.scatter(residual / residual.min(), coherence, s=16, label="starts")
        ax.scatter(residual[best] / residual.min(), coherence[best], s=60, marker="*", label="selected")
        ax.axvline(1 / (1 - record.asked["settings"]["tolerance"]), color="0.5", linewidth=1)
        ax.set(
            title=name, xlabel="residual over the smallest", ylabel="largest correlation of two endmembers"
        )
    axes.flat[0].legend()
    return figure


stalled = {name: float(record.arrays["history/stalled"][0]) for name, record in records.items()}
page.figure(
    "selection",
    draw,
    alt="Scatter plots of the starts of one run: residual against the largest correlation of two "
    "endmembers, the selected one marked.",
    caption="Starts of one run. Starts that never left equal abundances: "
    + "; ".join(f"{name} {100 * share:.0f} %" for name, share in stalled.items())
    + ".",
)

# %% [markdown]
# ## The method
#
# Endmembers are mixtures of pixels, $E = YB$, with columns of $B$ and $A$ nonnegative and of sum one,
#
# $$ \min_{A, B} \tfrac12 \lVert Y - Y B A\rVert^2, $$
#
# by steps that multiply every entry by a positive number and divide by the sum (entropic descent), so that
# the constraints need no projection. $B$ starts nearly uniform: all endmembers near the mean pixel, apart
# only by a tenth of a random number. The factor of the step is drawn anew for each start, between 1/8 and
# 8.

# %% tags=["remove-input"]
page.settings("edaa")
page.provenance()
