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
# # Hyperspectral unmixing, asked again
#
# A pixel of a hyperspectral image mixes the spectra of what lies under it. *Unmixing* takes it apart: into
# *endmembers*, one spectrum per material, and *abundances*, the share of each material in each pixel. Five
# documents propose ways to do it and report how well they work. **This book runs them again**, with seeds
# that nobody had looked at, and says of each claim what became of it.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
import pandas as pd

from hsu_lib import claims
from hsu_lib.claims.rule import Verdict
from hsu_lib.publishing import cards, html, outcomes, pages, published, standings
from hsu_lib.runs import Store

page = pages.Page("index", profile)
card = claims.scorecard(published.manifests(page.out.parent))
QUESTIONS = [
    (
        "prim-patches-improve-abundances",
        "Does it help a network to learn from patches instead of the whole image?",
        "",
    ),
    (
        "prim-alpha0-poor-endmembers",
        "Does training without an unsupervised part spoil the endmembers?",
        "By the supervised term of the published code; its card says what is to blame.",
    ),
    (
        "prim-patches-help-every-variant",
        "Do patches help in every training variant, not only where no copies are perturbed?",
        "",
    ),
    (
        "undip-acts-as-denoiser",
        "Does UnDIP, a network that sees only noise, clean a noisy image?",
        "Its reconstruction is compared with the clean image.",
    ),
    (
        "ldvae-state-of-the-art",
        "Does LDVAE, an autoencoder with Dirichlet abundances, keep up with least squares?",
        "Both learn from the same labelled pixels.",
    ),
]
card["document"] = card["source"].map(claims.DOCUMENTS)
card["outcome"] = [row.verdict if row.rule == 2 else outcomes.NOT_ANSWERED for row in card.itertuples()]
decided, settled = card[card["rule"] == 2], (Verdict.BY_CONSTRUCTION.value, Verdict.NOT_TESTABLE.value)
unjudged = decided["verdict"].isin(settled)
found = {answer.claim: answer for m in published.manifests(page.out.parent) for answer in m.answers}
page.show(
    html.findings(
        html.Finding(
            question,
            *(
                (found[claim].word, *cards.plain(found[claim]), says, cards.told(found[claim]))
                if claim in found
                else (outcomes.NOT_ANSWERED, "", "", says, "")
            ),
            card["chapter"][claim],
            claim,
        )
        for claim, question, says in QUESTIONS
    )
)
page.text(
    "Mean differences speak for the claim where they are positive, or, as a factor (×), above 1. In brackets "
    "stands the interval that holds the true mean with a certainty of 97.1 %: more than the usual 95 %, for "
    "where ten seeds do not decide, ten more may be looked at. Each leads to its card, where every run is "
    "shown."
)
page.show(
    html.bars(
        {
            document: outcomes.counted(card.loc[card["document"] == document, "outcome"])
            for document in claims.DOCUMENTS.values()
        },
        caption="Claims of each document by what became of them.",
    )
)
figures = sum(len(claims.reported(source)) for source in claims.SOURCES)
waiting = [name for name, rows in card.groupby("document", sort=False) if (rows["rule"] == 0).all()]
told = f"Not run yet: {html.verbatim(', '.join(waiting))}." if waiting else ""
page.text(
    f"{len(decided) - unjudged.sum()} of {len(card)} claims have been put to [the rule](how-to-read.html) "
    f"that decides, and {unjudged.sum()} need no runs: mathematics settles them, or nothing could. "
    f"{figures} reported figures and {len(claims.inconsistencies())} inconsistencies found in the documents "
    f"stand [beside ours](reported.html). {told}"
)

# %% [markdown]
# ## What each method comes to

# %% tags=["remove-input"]
done = [m.executed for m in published.manifests(page.out.parent) if m.chapter == "all_methods" and m.executed]
for executed in done:
    means = standings.again(executed.parameters, Store())
    best = means.loc[[*standings.NETWORKS.values()]].min().to_frame("the best network without labels").T
    page.show(
        html.heat(
            pd.concat([means.loc[standings.LANDMARKS], best]),
            standings.SCORE,
            caption="RMSE of the abundances, mean over seeds. The first row is given the spectra of the "
            "materials (Samson's are scaled, which spoils it), the others nothing but the image: VCA picks "
            "pixels as endmembers, FCLSU is least squares with the constraints of abundances. Not every "
            "network was run on every scene.",
        )
    )
page.text("All of them, and what to use when: [all methods, all scenes](all_methods.html).")

# %% tags=["remove-cell", "nbval-check-output"]
print(f"{len(card)} claims, {figures} reported figures")
for claim, row in card[card["rule"] > 0].iterrows():
    print(claim, row["verdict"])

# %% [markdown]
# ## Every claim

# %% tags=["remove-input"]
COVERAGE = {2: "by fresh seeds", 1: "not answered", 0: "not answered"}
page.show(
    html.claim_list(
        html.Listed(
            str(claim),
            row["statement"],
            row["outcome"],
            row["chapter"],
            row["document"],
            row["scenes"].replace(", ", " "),
            COVERAGE[row["rule"]],
            f"First impression, of earlier runs: {row['verdict']}." if row["rule"] == 1 else "",
        )
        for claim, row in card.iterrows()
    )
)

# %% [markdown]
# ## Where to go
#
# - New here: [how to read this book](how-to-read.md), its [glossary](glossary.md), and
#   [what a stricter rule changed](changes.ipynb).
# - **Self-supervised perturbations**: [does training on patches help?](patching.ipynb),
#   [do perturbed copies of an image teach a network to unmix?](perturbations.ipynb),
#   [does an easier scene need a simpler perturbation?](perturbations_samson.ipynb),
#   [how much supervision?](alpha.ipynb), [can a small VAE make up the endmembers?](vae.ipynb),
#   [the code behind it](prim_code.md)
# - **UnDIP**: [a network that sees only noise](undip.ipynb), [noise in the image](undip_noise.ipynb),
#   [six architectures](undip_architecture.ipynb), [where to start](undip_init.ipynb)
# - **Latent Dirichlet autoencoders**: [pixel by pixel](ldvae.ipynb),
#   [on a synthetic image](ldvae_ontech.ipynb), [with the neighbours](spacnn.ipynb),
#   [on a scene that was not trained on](ldvae_transfer.ipynb), [their rivals](rivals.ipynb)
# - **The tutorial**: [minimum volume instead of pure pixels](minimum_volume.ipynb),
#   [its table of Samson](samson_table.ipynb), [archetypes](archetypes.ipynb),
#   [how many endmembers?](how_many.ipynb), [a library instead of endmembers](library.ipynb),
#   [several spectra for a material](bundles.ipynb), [when light bounces twice](nonlinear.ipynb),
#   [its exercises, filled](exercises.ipynb), [those on sparse unmixing](exercises_sparse.ipynb)
# - **Ground**: [the scenes](scenes.ipynb) and [those made here](scenes_made.ipynb), [all methods on all
#   scenes](all_methods.ipynb), [the methods](methods.ipynb) and [which systems of the documents they
#   are](systems.ipynb), [the metrics](metrics.ipynb) and [alignment](alignment.ipynb),
#   [all that the documents report](reported.ipynb)
# - **Your turn**: [rerun it](rerun.md) with other parameters or scenes, or
#   [unmix an image of your own](own_image.ipynb), with a [gallery](gallery.ipynb) of recipes; from Python, by
#   the [API](api.md); or [cite and reuse](cite.md) what was found.
