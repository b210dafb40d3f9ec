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
# # The exercises, filled
#
# The tutorial ends with tables to fill: methods, starts, rates, weights, filters, iterations. Here they
# are, with mean and standard deviation over seeds, and what to look for in each. The slides name no scene;
# their rows, road, tree, roof and water, are those of the APEX crop in the public notebooks, which is not
# among ours. Each table is filled on all scenes of the page.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names, with a reference behind a colon where it is not the usual one
snr = 40.0  # dB of noise that is added; 0: none
seeds = "0-1"
network_seeds = "0"  # of MiSiCNet, which takes long
iterations = 0  # of MiSiCNet; 0: as many as the profile has
filters = 0  # of MiSiCNet; 0: as many as the profile has

# %% tags=["hide-input"]
from dataclasses import replace
from fractions import Fraction

import pandas as pd

from hsu_lib import methods, scenes
from hsu_lib.claims.questions import vocabulary
from hsu_lib.publishing import pages, scores, standings
from hsu_lib.runs import Run
from hsu_lib.words import seeds_of

RMSE, SAD = "rmse-abundances", "sad-endmembers"
#: Column of the tutorial's first tables to method; MiSiCNet is the last.
SIX = {
    "FCLSU": "vca-fclsu",
    "UnDIP": "undip",
    "EDAA": "edaa",
    "EndNet": "endnet",
    "CNNAE": "cnnaeu",
    "MiSiCNet": "misicnet",
}

page = pages.Page("exercises", profile, iterations=iterations, filters=filters)
places = [replace(place, snr_db=snr or None) for place in standings.places(scene)]
LONG = page.amounts.of("misicnet", {})  # what of it is trained here
WHOLE = methods.get("misicnet").configure()
#: Settings of MiSiCNet on a scene: the weight that its public code has there.
OWN = {place: dict(vocabulary().places(place.name)[0].settings) for place in places}
WEIGHTED = "its weight " + ", ".join(
    f"{OWN[place].get('center_weight', WHOLE.center_weight):g} on {place.name}" for place in places
)
page.text(
    "Scenes and references: "
    + ", ".join(f"{p.name} ({p.reference or scenes.describe(p.name).usual})" for p in places)
    + (f"; white noise of {snr:g} dB is added." if snr else "; no noise is added.")
)


def run(columns, of_seeds=seeds):
    """Columns of a table, label to method and settings, on every scene."""
    return page.sweep(
        Run(
            method,
            replace(place, noise_seed=seed if snr else 0),
            seed,
            settings=(OWN[place] if method == "misicnet" else {}) | settings,
            label=label,
        )
        for place in places
        for label, (method, settings) in columns.items()
        for seed in seeds_of(of_seeds, "seeds")
    )


def misicnet(**settings):
    """MiSiCNet with some settings, the others as far as they are trained here."""
    return "misicnet", LONG | settings


def told(found, place, label, score):
    """Mean and standard deviation over seeds; a dash where a run diverged."""
    values = [record.scores.get(score) for record in found.pick(str(place), label)]
    return "–" if None in values or not values else scores.spread(score, values)


def part(name, setting):
    """What the slide calls a setting, and how much of its values it has here."""
    share = Fraction(LONG.get(setting, getattr(WHOLE, setting)), getattr(WHOLE, setting))
    return f", {name} on the slide" + f" ({share} of its values)" * (share != 1)


def short(found, columns, caption):
    """A table of the tutorial: two scores, a column for each setting; a row for each scene here."""
    rows = {
        f"{place}, {scores.title(score)}": {label: told(found, place, label, score) for label in columns}
        for place in places
        for score in (RMSE, SAD)
    }
    page.table(pd.DataFrame(rows).T.rename_axis("scene"), caption=caption)


# %% [markdown]
# ## 1 Six methods, material by material
#
# *What to look for*: which materials are easy for all? Do a low error of the abundances and a small angle
# of the endmembers go together? EndNet and the convolutional autoencoder compare angles: what becomes of
# shade?

# %% tags=["remove-input"]
cheap = run(
    {label: (method, page.amounts.of(method, {})) for label, method in SIX.items() if label != "MiSiCNet"}
)
long = run({"MiSiCNet": misicnet()}, network_seeds)
for place in places:
    materials = scenes.describe(place.name).materials[place.reference or scenes.describe(place.name).usual]
    for score in (RMSE, SAD):
        rows = {
            material: {
                label: told(
                    long if label == "MiSiCNet" else cheap,
                    place,
                    label,
                    score if material == "overall" else f"{score}/{material}",
                )
                for label in SIX
            }
            for material in (*materials, "overall")
        }
        page.table(
            pd.DataFrame(rows).T.rename_axis("material"),
            caption=f"{scores.title(score)} on {place}, mean ± standard deviation over seeds {seeds} "
            f"(MiSiCNet: {network_seeds}; {WEIGHTED}).",
        )

# %% [markdown]
# ## 2 Which endmembers FCLSU is given
#
# *What to look for*: how far are picked endmembers from the true ones, and from pixels drawn at random?
# Where the true ones do badly, the reference is in another unit than the image.

# %% tags=["remove-input"]
GIVEN = {"true endmembers": ("fclsu", {}), "random pixels": ("random-fclsu", {}), "VCA": ("vca-fclsu", {})}
short(run(GIVEN), GIVEN, f"FCLSU by its endmembers, mean ± standard deviation over seeds {seeds}.")

# %% [markdown]
# ## 3 MiSiCNet's learning rate
#
# *What to look for*: endmembers move at most by about the rate in each iteration. Has the smallest one
# arrived when the iterations end?

# %% tags=["remove-input"]
RATES = {f"rate {rate:g}": misicnet(learning_rate=rate) for rate in (0.01, 0.001, 0.0001)}
STEPS, WIDTH, SEEDS = (
    f"{LONG['iterations']} iterations",
    f"{LONG['filters']} filters",
    f"seeds {network_seeds}",
)
SHARE = f"MiSiCNet, {STEPS}, {WIDTH}, {SEEDS}"
short(run(RATES, network_seeds), RATES, f"{SHARE}, by learning rate, LR on the slide; {WEIGHTED}.")

# %% [markdown]
# ## 4 The weight of minimum volume
#
# *What to look for*: do both scores agree about the best weight? What does the network add to the rows
# *without a network*, which minimise the same objective?

# %% tags=["remove-input"]
WEIGHTS = {f"weight {weight:g}": weight for weight in (1.0, 10.0, 100.0)}
NET = {label: misicnet(center_weight=weight) for label, weight in WEIGHTS.items()}
EXACT = {label: ("min-simplex", {"center_weight": weight}) for label, weight in WEIGHTS.items()}
short(run(NET, network_seeds), NET, f"{SHARE}, by the weight of its penalty, lambMV on the slide.")
short(run(EXACT), EXACT, f"The same objective without a network, seeds {seeds}.")

# %% [markdown]
# ## 4, again: filters
#
# *What to look for*: does a wider network come to another place, or to the same one sooner?

# %% tags=["remove-input"]
WIDTHS = {f"{n} filters": misicnet(filters=n) for n in (LONG["filters"] // k or 1 for k in (4, 2, 1))}
short(
    run(WIDTHS, network_seeds),
    WIDTHS,
    f"MiSiCNet, {STEPS}, {SEEDS}, by filters{part('nf', 'filters')}; {WEIGHTED}.",
)

# %% [markdown]
# ## 5 Iterations
#
# *What to look for*: do both scores go on improving until the end?

# %% tags=["remove-input"]
LENGTHS = {
    f"{n} iterations": misicnet(iterations=n) for n in (LONG["iterations"] * k // 4 or 1 for k in (2, 3, 4))
}
short(
    run(LENGTHS, network_seeds),
    LENGTHS,
    f"MiSiCNet, {WIDTH}, {SEEDS}, by iterations{part('num_iter1', 'iterations')}; {WEIGHTED}.",
)

# %% [markdown]
# ## 6 Other images
#
# Every table above has a row for each scene: `-p scene=NAME,NAME:REFERENCE` fills them on others. The
# number of endmembers is that of the reference, and changes by itself.

# %% tags=["remove-cell", "nbval-check-output"]
print(*(str(place) for place in places), sep="\n")
print(*SIX)

# %% tags=["remove-input"]
page.settings("misicnet", "edaa", "endnet", "cnnaeu")
page.provenance()
