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
# # Methods
#
# Every method of the book, from the catalogue that the code itself reads: what it does, what it is given
# beside the image, what a run takes, and which chapters use it. What each minimises, what can be set and
# where each default comes from is in the [API of the methods](api_methods.md). All are called in the same
# way, [from Python or from the terminal](rerun), on any image. All pass the same contract tests, and golden
# numbers in `tests/golden/` hold what each makes of a small scene.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["hide-input"]
from collections import defaultdict

import numpy as np
import pandas as pd

from hsu_lib.methods import METHODS
from hsu_lib.publishing import html, pages, published, reference
from hsu_lib.runs import Store

page = pages.Page("methods", profile)

rows = {row["key"]: row for row in Store().rows() if row["origin"] != "local"}
chapters, seconds = defaultdict(dict), defaultdict(list)
for manifest in published.manifests():
    for key in manifest.keys:
        if key in rows:
            chapters[rows[key]["method"]][manifest.chapter] = None
for row in rows.values():
    seconds[row["method"]].append(row["seconds"])

# %% [markdown]
# ## At a glance
#
# *Takes* is told by the published runs, most of them on one CPU core: shortest, median and longest,
# with the scenes and the training that the chapters give them.

# %% tags=["remove-input"]
table = pd.DataFrame(
    [
        {
            "method": html.link("", name, name),
            "kind": method.kind,
            "what it does": method.summary,
            "is given": reference.given(method),
            "takes (s)": " · ".join(f"{q:.3g}" for q in np.quantile(seconds[name], [0, 0.5, 1]))
            if seconds[name]
            else "",
        }
        for name, method in METHODS.items()
    ]
)
page.table(
    table,
    caption="Methods; seconds: least, median, most of the published runs",
    formats={"method": lambda link: link},
)

# %% [markdown]
# ## One by one

# %% tags=["remove-input"]
for name, method in METHODS.items():
    page.heading(name)
    used = ", ".join(f"[{html.verbatim(c)}]({c}.html)" for c in sorted(chapters[name]))
    page.text(
        f"{html.verbatim(method.summary[:1].upper() + method.summary[1:])}. "
        f"Source: {html.verbatim(method.source)}. "
        f"[Its equation and its settings]({reference.page_of(method)}.html#{name}). "
        f"Version {method.version}. {f'Used in: {used}.' if used else 'No published chapter uses it yet.'}"
    )

# %% tags=["remove-input", "nbval-check-output"]
print(f"{len(METHODS)} methods: " + ", ".join(f"{n} (version {m.version})" for n, m in METHODS.items()))

# %% tags=["remove-input"]
page.provenance()
