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

TITLES = {
    "prim": "000 · PRIM project",
    "undip": "001 · Report on UnDIP",
    "tutorial": "002 · Tutorial",
    "spacnn_ldvae": "003 · SpACNN-LDVAE",
    "ldvae": "004 · LDVAE",
}
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
        page.table(table, caption=f"{name}{': ' if constant else ''}{', '.join(sorted(constant))}")
        notes = [f"- {html.verbatim(note)}" for note in rows["note"].unique() if note]
        if notes:
            page.text("Notes to this table:\n\n" + "\n".join(notes))


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
        formats={"inconsistency": statement_of(rows)},
    )


def show_settings(source):
    """What a document leaves open, which any rerun has to choose."""
    page.text("\n".join(f"- {html.verbatim(item)}" for item in claims.settings()[source]["not_stated"]))


all_claims, inconsistencies = claims.claims(), claims.inconsistencies()
single = inconsistencies[inconsistencies["sources"].map(len) == 1]
between = inconsistencies[inconsistencies["sources"].map(len) > 1]
own = {source: single[single["sources"].map(lambda s, source=source: source in s)] for source in TITLES}

# %% tags=["remove-input"]
support = all_claims.groupby("source")["own_figures"].value_counts().unstack(fill_value=0)
overview = pd.DataFrame(
    {
        "document": list(TITLES.values()),
        "figures": [len(figures(source)) for source in TITLES],
        "claims": [int(support.loc[source].sum()) for source in TITLES],
        **{words: [int(support.loc[source, kind]) for source in TITLES] for kind, words in SUPPORT.items()},
        "inconsistencies": [len(own[source]) for source in TITLES],
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
# ## 000 · PRIM project
#
# {cite:t}`prim` train a convolutional autoencoder on the whole image, on patches, and on synthetic images
# made by perturbing a first estimate, on Urban and Samson, and add a VAE that generates endmembers.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its figures"}
show_figures("prim")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its claims"}
show_claims("prim")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its inconsistencies"}
show_inconsistencies(own["prim"])

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the settings it leaves open"}
show_settings("prim")

# %% [markdown]
# ## 001 · Report on UnDIP
#
# {cite:t}`undip_report` reproduce UnDIP {cite:p}`rasti2022undip` and vary its optimiser, noise, network and
# initialisation. Results are printed as plots only, so the one table holds the network's sizes.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its figures"}
show_figures("undip")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its claims"}
show_claims("undip")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its inconsistencies"}
show_inconsistencies(own["undip"])

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the settings it leaves open"}
show_settings("undip")

# %% [markdown]
# ## 002 · Tutorial
#
# {cite:t}`tutorial` teaches supervised, blind and sparse unmixing and prints comparisons of fifteen methods
# on simulated scenes and Samson.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its figures"}
show_figures("tutorial")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its claims"}
show_claims("tutorial")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its inconsistencies"}
show_inconsistencies(own["tutorial"])

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the settings it leaves open"}
show_settings("tutorial")

# %% [markdown]
# ## 003 · SpACNN-LDVAE
#
# {cite:t}`spacnn_ldvae` give the encoder of 004 a spatial neighbourhood and compare on Samson, Urban, Cuprite
# and a synthetic scene.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its figures"}
show_figures("spacnn_ldvae")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its claims"}
show_claims("spacnn_ldvae")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its inconsistencies"}
show_inconsistencies(own["spacnn_ldvae"])

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the settings it leaves open"}
show_settings("spacnn_ldvae")

# %% [markdown]
# ## 004 · LDVAE
#
# {cite:t}`ldvae` model abundances by a Dirichlet latent variable, with transfer from synthetic to real
# scenes.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its figures"}
show_figures("ldvae")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its claims"}
show_claims("ldvae")

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show its inconsistencies"}
show_inconsistencies(own["ldvae"])

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the settings it leaves open"}
show_settings("ldvae")

# %% [markdown]
# ## Between the documents
#
# 003 and 004 share authors, scenes and baselines, so most of these are one figure printed twice with
# different digits or labels. Whoever compares a new method with these tables has to pick one.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the inconsistencies"}
show_inconsistencies(between.assign(where=between["sources"].map(", ".join) + ": " + between["where"]))

# %% [markdown]
# ## The code behind document 000
#
# Its repository is public, and the reported figures came out of it. Where text and code differ, a chapter
# runs both readings. The facts it rests on are in `book/prim_code.md`.

# %% tags=["remove-input"]
page.provenance()
