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
# A pixel of a hyperspectral image mixes the spectra of what lies under it. Unmixing takes it apart: $Y =
# E A + N$, the image $Y$ into endmembers $E$, one spectrum per material, and abundances $A$, the share of
# each material in each pixel, not negative and summing to one.
#
# Five documents propose ways to do it, and report how well they work: a student report on self-supervised
# perturbations, a student report on UnDIP, a tutorial, and two papers on latent Dirichlet autoencoders.
# This book runs them again. It puts our figure, over several seeds, beside every figure that they report,
# and gives each of their claims a verdict by [a rule](how-to-read.md), which also lists what was changed
# with results in sight. A second rule was written before its runs, and seeds that nobody had looked at decide
# by it: [what they say so far](answers.ipynb) about the first document.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
import pandas as pd

from hsu_lib import claims
from hsu_lib.publishing import html, pages, published

page = pages.Page("index", profile)
found = published.manifests(page.out.parent)
card = claims.scorecard(found)
judged = card[card["verdict"] != "not yet judged"]
figures = sum(len(claims.reported(source)) for source in claims.SOURCES)
used = {m.chapter: m.profile for m in found if m.judgements}
told = ", ".join(f"{chapter} with the {name} profile" for chapter, name in used.items())
page.text(
    f"**So far:** {len(judged)} of {len(card)} claims judged, beside {figures} reported figures and "
    f"{len(claims.inconsistencies())} inconsistencies found in the documents themselves. "
    f"Chapters behind the verdicts: {html.verbatim(told or 'none yet')}."
)

# %% tags=["remove-cell", "nbval-check-output"]
print(f"{len(card)} claims, {figures} reported figures")
for claim, row in judged.iterrows():
    print(claim, row["verdict"])

# %% [markdown]
# ## Scorecard

# %% tags=["remove-input"]
TITLES = {
    "prim": "Self-supervised perturbations (student report)",
    "undip": "UnDIP (student report)",
    "tutorial": "Unmixing tutorial",
    "spacnn_ldvae": "SpACNN-LDVAE (paper)",
    "ldvae": "LDVAE (paper)",
}
order = ["reproduced", "contradicted", "undecided", "not testable", "not yet judged"]
counts = card.groupby(["source", "verdict"]).size().unstack(fill_value=0).reindex(columns=order, fill_value=0)
counts = counts.reindex(claims.SOURCES)
counts.insert(0, "document", [TITLES[source] for source in counts.index])
counts.insert(1, "claims", counts[order].sum(axis=1))
page.table(counts.reset_index(drop=True), caption="Claims of each document by verdict.")

# %% tags=["remove-input"]
shown = pd.DataFrame(
    {
        "claim": judged.index,
        "verdict": judged["verdict"].to_list(),
        "own figures": judged["own_figures"].to_list(),
        "scenes": judged["scenes"].to_list(),
        "seeds": judged["seeds"].to_list(),
        "profile": judged["profile"].to_list(),
    }
)
page.table(
    shown,
    caption="Claims judged so far. Own figures: whether the document's own numbers support what it says.",
    formats={
        "claim": lambda claim: html.link(judged["chapter"][claim], claim, judged["statement"][claim]),
        "verdict": html.badge,
    },
)

# %% [markdown]
# ## Where to go
#
# - [How to read this book](how-to-read.md): what a verdict means, and what it does not.
# - The first document: [does training on patches help?](patching.ipynb), then [do perturbed copies
#   teach a network to unmix?](perturbations.ipynb), [does an easier scene need a simpler
#   perturbation?](perturbations_samson.ipynb), [how much supervision?](alpha.ipynb), and [can a small VAE
#   make up the endmembers?](vae.ipynb)
# - [The scenes](scenes.ipynb), [the metrics and the alignment](metrics.ipynb), and
#   [all that the documents report](reported.ipynb), with their inconsistencies.
# - [Rerun it](rerun.md): one command, with your own parameters, scenes or methods.
