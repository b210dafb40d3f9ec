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
# # What fresh seeds say
#
# **Question.** The verdicts on the front page come from seeds that were looked at while the book was written.
# [Rule 2](how-to-read.md) was written before the runs that it is applied to: what does it say of the claims
# of document 000, by seeds that nobody had looked at?

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
import pandas as pd

from hsu_lib import claims
from hsu_lib.claims import rule
from hsu_lib.claims.questions import questions
from hsu_lib.publishing import html, pages, published
from hsu_lib.runs import evidence
from hsu_lib.runs.answers import answers
from hsu_lib.runs.campaign import SEEDS, amounts

DOCUMENT, AMOUNTS = "prim", "paper"
page = pages.Page("answers", profile)
stated, before = claims.claims(), claims.scorecard(published.manifests())
found = answers([c for c in questions() if stated["source"][c] == DOCUMENT], amounts=amounts(AMOUNTS))
find = evidence.published()
records = [find(key) for key in dict.fromkeys(key for answer in found for key in answer.keys)]
page.used(records)
words = [answer.word for answer in found]
sides = [sum(answer.verdict in side for answer in found) for side in (rule.FOR, rule.AGAINST)]
page.opening(
    f"**So far,** seeds that nobody had looked at bear out {sides[0]} of the {len(found)} claims of document "
    f"000 and speak against {sides[1]}; {words.count('open')} are open. It is the first look of two: what is "
    "decided is final, what is open may be run with as many seeds more.",
    found,
)

# %% tags=["remove-cell", "nbval-check-output"]
for answer in found:
    print(answer.claim, answer.word)

# %% tags=["hide-input"]
kinds = " and ".join(sorted({record.made["device"] for record in records}))
again = sum("estimate_of" in record.made for record in records)
convolutions = {bool(record.made.get("tf32", {}).get("convolutions")) for record in records}
page.text(
    f"**What was run.** {len(records) - again} runs with the seeds {SEEDS[0]} to {SEEDS[-1]}, {again} of "
    "their estimates scored by a second reference too, on "
    f"{html.verbatim(kinds)}, another machine than that of the other chapters. Convolutions were computed "
    f"{'in TF32, which keeps 10 bits of a fraction' if convolutions == {True} else 'not all in TF32'}. Less "
    f"was trained than in the document: {html.verbatim(amounts(AMOUNTS).share)} A comparison whose two sides "
    "got unequal shares of their training is not answered by these runs, since the rule asks for equal ones. "
    "The document's figures are of its own training, so sizes of effects may differ for that reason alone."
)

# %% [markdown]
# ## Before and now
#
# Rule 1 judged other seeds, other amounts of training, often another score and sometimes another scene; the
# questions themselves are sharper now. What changed is therefore not always due to the seeds.

# %% tags=["remove-input"]
table = pd.DataFrame(
    {
        "claim": [answer.claim for answer in found],
        "by rule 1": [before["verdict"][answer.claim] for answer in found],
        "by rule 2": words,
    }
)
table["what changed"] = [claims.changed(*pair) for pair in zip(table["by rule 1"], words, strict=True)]
page.table(
    table,
    caption="Verdicts of the published scorecard (rule 1), and what fresh seeds say (rule 2).",
    formats={
        "claim": lambda claim: html.link("", claim, stated["statement"][claim]),
        "by rule 1": html.badge,
        "by rule 2": html.badge,
    },
)

# %% [markdown]
# ## Claim by claim
#
# Every comparison, in every way to ask, is folded behind the line under a card; the first way decides.

# %% tags=["remove-input"]
page.cards(found, profile=AMOUNTS)
page.provenance()
