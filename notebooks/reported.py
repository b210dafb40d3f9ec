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
# # What the documents report
#
# Every figure that the five documents print, the claims they make, and the places where they contradict
# themselves or each other. Figures are kept digit for digit; nothing on this page is ours except the
# sums in the first table and the recomputed figures beside an inconsistency. The files behind it are in
# `book/reported/`, with the conventions in their `README.md`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
import pandas as pd

from hsu_lib import claims, paths
from hsu_lib.publishing import html, pages

page = pages.Page("reported", profile)

SUPPORT = {"supports": "for", "mixed": "in part", "contradicts": "against", "none": "not at all"}


def figures(source):
    """Every figure of a document as text, so that no digit is lost."""
    return pd.read_csv(paths.reported() / f"{source}.csv", dtype=str, keep_default_na=False)


def show_figures(source):
    """One table on the page for each table of the document: what varies down, methods across."""
    for name, rows in figures(source).groupby("table", sort=False):
        rows = rows.assign(
            value=rows["value"] + rows["spread"].radd(" ± ").where(rows["spread"] != "", ""),
            metric=rows["metric"] + rows["unit"].map(lambda unit: "" if unit == "1" else f" ({unit})"),
        )
        down = ["dataset", "condition", "target", "metric", "statistic"]
        fixed = [column for column in down if rows[column].nunique() == 1]
        if rows.groupby("method")["condition"].nunique().max() == 1:
            fixed.append("condition")  # it only repeats which method it is
        down = [column for column in down if column not in fixed] or ["metric"]
        table = rows.pivot(index=down, columns="method", values="value")[rows["method"].unique()]
        table = rows[down].drop_duplicates().merge(table.reset_index(), on=down)  # in the order printed
        constant = {rows[c].iloc[0] for c in fixed if rows[c].nunique() == 1} - {"", "overall", "value"}
        told = f"{name}{': ' if constant else ''}{', '.join(sorted(constant))}"
        page.table(table, caption=told, folded=True)
    notes = figures(source)[["table", "note"]].query("note != ''").drop_duplicates()
    if len(notes):
        page.table(notes, caption=f"{len(notes)} notes to these figures.", folded=True)


def words(value):
    """A mapping or list of the claims file as a line of prose."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {words(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def statement_of(rows):
    """How the name of a row is shown: below its statement."""
    return lambda name: html.named(rows["statement"][name], name)


def show_claims(source):
    """The claims of a document, each with what its own figures say about it."""
    mine = all_claims[all_claims["source"] == source]
    page.table(
        pd.DataFrame(
            {
                "claim": mine.index,
                "where": mine["where"],
                "reported": mine["reported"].map(words),
                "own figures speak": mine["own_figures"].map(SUPPORT),
            }
        ).reset_index(drop=True),
        caption=f"{len(mine)} claims, and what the document's own figures say about each.",
        folded=True,
        formats={"claim": statement_of(mine)},
    )


def show_inconsistencies(rows):
    """Where a document disagrees with itself or with another one."""
    page.table(
        pd.DataFrame(
            {
                "inconsistency": rows.index,
                "where": rows["where"],
                "figures": rows["figures"],
            }
        ),
        caption=f"{len(rows)} inconsistencies, with the figures that show them.",
        folded=True,
        formats={"inconsistency": statement_of(rows)},
    )


def show_settings(source):
    """What a document leaves open, which any rerun has to choose."""
    left_open = pd.DataFrame({"left open": claims.settings()[source]["not_stated"]})
    page.table(left_open, caption=f"{len(left_open)} settings that the document leaves open.", folded=True)


def show(source):
    """All that is reported by a document, each table folded."""
    show_figures(source)
    show_claims(source)
    show_inconsistencies(own[source])
    show_settings(source)


all_claims, inconsistencies = claims.claims(), claims.inconsistencies()
single = inconsistencies[inconsistencies["sources"].map(len) == 1]
between = inconsistencies[inconsistencies["sources"].map(len) > 1]
own = {
    source: single[single["sources"].map(lambda s, source=source: source in s)] for source in claims.DOCUMENTS
}

# %% tags=["remove-input"]
support = all_claims.groupby("source")["own_figures"].value_counts().unstack(fill_value=0)
overview = pd.DataFrame(
    {
        "document": list(claims.DOCUMENTS.values()),
        "figures": [len(figures(source)) for source in claims.DOCUMENTS],
        "claims": [int(support.loc[source].sum()) for source in claims.DOCUMENTS],
        **{
            words: [int(support.loc[source, kind]) for source in claims.DOCUMENTS]
            for kind, words in SUPPORT.items()
        },
        "inconsistencies": [len(own[source]) for source in claims.DOCUMENTS],
    }
)
page.table(
    overview,
    caption="What each document reports; for how many of its claims its own figures speak for, in part, "
    "against, or not at all; and how often it contradicts itself.",
)

# %% tags=["remove-input"]
claimed = overview["claims"].sum()
page.text(
    f"Together {overview['figures'].sum()} figures and {claimed} claims. Of these claims the documents' own "
    f"figures support {overview['for'].sum()} and contradict "
    f"{overview['against'].sum()}; {overview['in part'].sum()} are borne out in "
    f"part, and for {overview['not at all'].sum()} no figures are printed. {len(inconsistencies)} "
    f"inconsistencies were found, {len(single)} within one document and {len(between)} between documents. "
    "What became of the claims when they were run again is on [the scorecard](index.html)."
)

# %% tags=["remove-cell", "nbval-check-output"]
print("figures:", overview["figures"].sum())
print("claims:", claimed)
print("inconsistencies:", len(inconsistencies))
assert overview["inconsistencies"].sum() + len(between) == len(inconsistencies)

# %% [markdown]
# <div class="hsu-filter"></div>
#
# ## Self-supervised perturbations
#
# {cite:t}`prim` train a convolutional autoencoder on the whole image, on patches, and on synthetic images
# made by perturbing a first estimate, on Urban and Samson, and add a VAE that generates endmembers.

# %% tags=["remove-input"]
show("prim")

# %% [markdown]
# ## UnDIP
#
# {cite:t}`undip_report` reproduce UnDIP {cite:p}`rasti2022undip` and vary its optimiser, noise, network and
# initialisation. Results are printed as plots only, so the one table holds the network's sizes.

# %% tags=["remove-input"]
show("undip")

# %% [markdown]
# ## The tutorial
#
# {cite:t}`tutorial` teaches supervised, blind and sparse unmixing and prints comparisons of fifteen methods
# on simulated scenes and Samson.

# %% tags=["remove-input"]
show("tutorial")

# %% [markdown]
# ## SpACNN-LDVAE
#
# {cite:t}`spacnn_ldvae` give the encoder of LDVAE a spatial neighbourhood and compare on Samson, Urban,
# Cuprite and a synthetic scene.

# %% tags=["remove-input"]
show("spacnn_ldvae")

# %% [markdown]
# ## LDVAE
#
# {cite:t}`ldvae` model abundances by a Dirichlet latent variable, with transfer from synthetic to real
# scenes.

# %% tags=["remove-input"]
show("ldvae")

# %% [markdown]
# ## Between the documents
#
# The two papers share authors, scenes and baselines, so most of these are one figure printed twice with
# different digits or labels. Whoever compares a new method with these tables has to pick one.

# %% tags=["remove-input"]
show_inconsistencies(between.assign(where=between["sources"].map(", ".join) + ": " + between["where"]))

# %% [markdown]
# ## The code behind the report on perturbations
#
# Its repository is public, and the reported figures came out of it. Where text and code differ, a chapter
# runs both readings. [What the code does](prim_code.md) has the facts.

# %% tags=["remove-input"]
page.provenance()
