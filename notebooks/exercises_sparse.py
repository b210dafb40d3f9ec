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
# # The exercises, sparse
#
# The tutorial's second list of exercises is about SUnCNN: a table to fill for DC1 and DC2 at three levels
# of noise, then its settings, and what becomes of its maps while it is trained. Here they are filled,
# with what to look for in each. Sizes of filters stay as they are (1 and 3).

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names of scenes that are mixtures of a library
noise_levels = "20,40"  # in dB
seeds = "0-1"  # of the first table
level = 20.0  # of the other exercises, on the first scene
iterations = 0  # of SUnCNN; 0: as many as the profile has
filters = 0  # of SUnCNN; 0: as many as the profile has

# %% tags=["hide-input"]
import pandas as pd

from hsu_lib import metrics, scenes
from hsu_lib.methods.priors.suncnn import SEEN
from hsu_lib.metrics.chosen import embedded
from hsu_lib.publishing import figures, pages, scores, standings
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec
from hsu_lib.words import value_of

NETWORK, PLAIN, TAKEN = "SUnCNN", "sre-abundances-plain", "history/active-spectra"

page = pages.Page("exercises_sparse", profile, iterations=iterations, filters=filters)
levels = value_of(noise_levels, tuple[float, ...], "noise_levels")
places = [place.name for place in standings.places(scene)]
table = {
    (place, snr): page.beside([NETWORK], SceneSpec(place, snr_db=snr), seeds=seeds)
    for place in places
    for snr in levels
}
FIRST = SceneSpec(places[0], snr_db=level)
(WHOLE,) = page.beside([NETWORK], FIRST).records
USUAL = {name: WHOLE.asked["settings"][name] for name in ("iterations", "filters")}


def run(changes):
    """The network on the first scene, label to settings that differ from those of the table."""
    return page.sweep(
        Run("suncnn", FIRST, settings={**WHOLE.asked["settings"], **settings}, label=label)
        for label, settings in changes.items()
    )


def short(changes, caption):
    """A row for each of them: error, loss, and how many spectra it takes."""
    found = run(changes)
    rows = {}
    for label in changes:
        (record,) = found.pick(str(FIRST), label)
        rows[label] = {
            scores.title(PLAIN): scores.value(PLAIN, record.scores[PLAIN]),
            "last loss": f"{record.arrays['history/loss'][-1]:.2e}",
            f"spectra with a mean abundance above {SEEN:g}": f"{record.arrays[TAKEN + '-averaged'][-1]:.0f}",
        }
    page.table(pd.DataFrame(rows).T.rename_axis("SUnCNN"), caption=caption)


# %% [markdown]
# ## 1, 2, 3 The table
#
# *What to look for*: does more noise cost more than another scene does? The paper's figures, says
# the tutorial, are means of ten runs.

# %% tags=["remove-input"]
rows = {
    place: {
        f"{snr:g} dB": scores.spread(PLAIN, found.scores(str(SceneSpec(place, snr_db=snr)), NETWORK, PLAIN))
        for (where, snr), found in table.items()
        if where == place
    }
    for place in places
}
page.table(
    pd.DataFrame(rows).T.rename_axis("SRE"),
    caption=f"{scores.title(PLAIN)} of SUnCNN, mean ± standard deviation over seeds {seeds}, "
    f"{USUAL['filters']} filters.",
)

# %% [markdown]
# ## 4 Filters
#
# *What to look for*: does a wider network come nearer, or only sooner to the same loss? Its loss is
# against the noisy image: can it be too low?

# %% tags=["remove-input"]
WIDTHS = {f"{n} filters": {"filters": n} for n in (max(1, USUAL["filters"] * k // 2) for k in (1, 2, 4))}
short(WIDTHS, f"SUnCNN on {FIRST}, seed 0, {USUAL['iterations']} iterations, by filters.")

# %% [markdown]
# ## 4, again: iterations
#
# *What to look for*: the public code stops sooner where there is more noise. What would more iterations do?

# %% tags=["remove-input"]
LENGTHS = {
    f"{n} iterations": {"iterations": n} for n in (USUAL["iterations"] * k // 2 or 1 for k in (1, 2, 3))
}
short(LENGTHS, f"SUnCNN on {FIRST}, seed 0, {USUAL['filters']} filters, by iterations.")

# %% [markdown]
# ## 5 The maps beside the true ones
#
# *What to look for*: how do the maps change over the iterations, and with less noise? Which materials does
# the network give to the wrong spectrum of the library? The tutorial draws a colour image of three
# abundances, here each has a map.

# %% tags=["remove-input"]
size = page.fact("library", lambda: len(scenes.library_of(FIRST.name).names), needs=[FIRST.name])


longer = run(LENGTHS)
rows = {f"{label}, {level:g} dB": longer.pick(str(FIRST), label)[0] for label in LENGTHS}
rows[f"as in the table, {levels[-1]:g} dB"] = table[places[0], levels[-1]].records[0]


def shown():
    """True maps, and the network's of the same spectra."""
    clean, library = scenes.load(FIRST.name), scenes.library_of(FIRST.name)
    there = metrics.Truth(library=library.spectra).places(clean.E)
    maps = {k: embedded(r.unmixing.A, r.arrays["active"], len(library.names)) for k, r in rows.items()}
    return figures.map_panels(clean, {label: X[there] for label, X in maps.items()})


page.mapped(rows.values())
page.figure(
    "maps",
    shown,
    alt=f"Maps of the true materials of {FIRST.name}, and SUnCNN's of the same spectra: {'; '.join(rows)}.",
    caption=f"Abundances on {FIRST.name}: the reference above, SUnCNN below ({'; '.join(rows)}). "
    "What is missing there it has given to other spectra of the library.",
    needs=[FIRST.name],
)

# %% [markdown]
# ## 6 From all spectra to a few
#
# The slide plots every abundance; here is how many spectra have any. *What to look for*: the softmax
# starts with nearly equal shares of all spectra. Nothing in the loss asks for few; do they become few all
# the same, and does the average lag behind? The reason, which the slide asks for, is left open.

# %% tags=["hide-input"]
counts = {"output": WHOLE.arrays[TAKEN], "averaged": WHOLE.arrays[TAKEN + "-averaged"]}
page.figure(
    "taken",
    lambda: figures.curve_panels({FIRST.name: counts}, ylabel="spectra", steps="iterations", counted=True),
    alt=f"Number of spectra with a mean abundance above {SEEN:g}, iteration by iteration: "
    + "; ".join(f"{label} from {curve[0]:.0f} to {curve[-1]:.0f}" for label, curve in counts.items())
    + ".",
    caption=f"SUnCNN on {FIRST}, seed 0: how many of the {size or ''} spectra of the library have a mean "
    f"abundance above {SEEN:g}.",
)

# %% tags=["remove-cell", "nbval-check-output"]
print(*places, NETWORK, *WIDTHS, *LENGTHS, sep="\n")

# %% tags=["remove-input"]
page.settings("suncnn")
page.provenance()
