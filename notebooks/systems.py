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
# # Systems

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["hide-input"]
import pandas as pd
from markupsafe import Markup

from hsu_lib.claims import DOCUMENTS
from hsu_lib.claims.systems import own, systems
from hsu_lib.methods.rank import ESTIMATORS
from hsu_lib.publishing import html, pages

page = pages.Page("systems", profile)
ALL = systems()
RUN, LEFT = [s for s in ALL if s.runs], [s for s in ALL if not s.runs]
METHODS = dict.fromkeys(name for s in RUN for name in s.methods)
COUNTED = dict.fromkeys(name for s in RUN for name in s.estimators)


def short(source):
    """A document's title without its kind."""
    return DOCUMENTS[source].partition(" (")[0]


def where(system):
    """Which documents name a system, and where."""
    return Markup("<br>").join(
        Markup("<em>{}</em>: {}").format(short(source), places) for source, places in system.where.items()
    )


def ours(system):
    """What runs a system, each leading to where it is explained, with the variants that a document names."""
    found = [html.link("methods", name, name) for name in system.methods]
    found += [html.link("how_many", "the-estimators", ESTIMATORS[name].label) for name in system.estimators]
    variants = f" (also: {'; '.join(system.conditions)})" if system.conditions else ""
    return Markup(", ").join(found) + variants


def show(listed, column, tell, caption):
    """A row for each system: its name, where it is named, how many figures it has, and what is told of it."""
    rows = [
        {
            "system": system.name,
            "named by": where(system),
            "figures": system.figures,
            column: Markup("<br>").join(filter(None, (tell(system), system.note))),
        }
        for system in listed
    ]
    page.table(pd.DataFrame(rows), caption=caption, formats=dict.fromkeys(("named by", column), as_it_is))


def as_it_is(markup):
    """Links and lines are shown as such."""
    return markup


told = [s for s in ALL if s.figures]
page.text(
    html.lead(
        "Which of the systems that the five documents name can be run here? "
        f"**{len(RUN)} of {len(ALL)}**, by {len(METHODS)} methods and {len(COUNTED)} estimators of the "
        f"number of endmembers. Of {len(told)} systems the documents report figures, and "
        f"{sum(s.runs for s in told)} of these can be run. "
        "Those that cannot: " + ", ".join(html.verbatim(s.name) for s in LEFT) + "."
    )
)

# %% [markdown]
# A *system* is a procedure for unmixing, or for a step of it: how many endmembers there are, the endmembers,
# the abundances. It is on this page if a document names it by a name of its own, says what it does, or gives
# its paper on a slide as something to study, however briefly. What only a number in a text cites is not, nor
# are families of methods, and mixing models without a procedure. *Figures* are the numbers that the documents
# report of a system, settings apart. That a system can be run says nothing of how near its figures we come:
# [the scorecard](index.ipynb) does.

# %% tags=["remove-input"]
page.table(
    pd.DataFrame(
        [
            {
                "document": DOCUMENTS[source],
                "names": sum(source in s.where for s in ALL),
                "of these run here": sum(source in s.where for s in RUN),
                "not": sum(source in s.where for s in LEFT),
            }
            for source in DOCUMENTS
        ]
    ),
    caption="Systems by document; many are named by several.",
)

# %% [markdown]
# ## What cannot be run here

# %% tags=["remove-input"]
show(
    LEFT,
    "why not",
    lambda system: system.why_not,
    "Systems without a method here, where they are named, and how many figures are reported of them.",
)

# %% [markdown]
# ## What can
#
# A method leads to its settings and source, and to the chapters that use it. In brackets: variants that a
# document names, as this book's questions call them.

# %% tags=["remove-input"]
show(
    RUN,
    "ours",
    ours,
    "Systems, where they are named, how many figures are reported of them, and what runs them.",
)

# %% [markdown]
# ## Methods of the book's own
#
# These stand for no system of the documents.

# %% tags=["remove-input"]
page.table(
    pd.DataFrame({"ours": [html.link("methods", name, name) for name in own()], "what for": own().values()}),
    caption="Methods that no document names.",
    formats={"ours": as_it_is},
)

# %% tags=["remove-input", "nbval-check-output"]
print(f"{len(ALL)} systems, {len(RUN)} can be run; not: {', '.join(s.name for s in LEFT)}")

# %% tags=["remove-input"]
page.provenance()
