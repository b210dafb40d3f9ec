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
# # The rivals: what do the quoted figures say?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # a scene with a reference
seeds = "200-201"  # of VCA and of networks
rehearsal = "lagoon"  # stands in for the scenes of the labelled methods' questions; empty leaves them
labelled_seeds = "0-1"  # of the splits and the labelled networks
compute = True  # make the labelled runs that are in no store

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from hsu_lib import methods, scenes
from hsu_lib.publishing import figures, pages, rivals, scores
from hsu_lib.publishing.rivals import BLIND, COLUMNS, RELATIVE, RMSE, SAD
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec
from hsu_lib.solvers.left_over import left_over_cases
from hsu_lib.words import seeds_of

#: Those whose printed errors are of reconstructions, and their common start.
PROOF = ("VCA + FCLSU", "PLMM", "ELMM", "GLMM", "DeepGUn", "SCLSU")
DEMO = 1  # the seed of VCA with which it picks the endmembers of the public demo on Samson
LEAST, NETWORKS = "labels + FCLSU", ("LDVAE", "SpACNN-LDVAE")

page = pages.Page("rivals", profile)
spec = SceneSpec(scene)
power = page.fact("power", lambda: float(np.mean(scenes.load(spec).Y.astype(float) ** 2)), needs=[spec])


def run(label, seed, **settings):
    method, _ = BLIND[label]
    return Run(method, spec, seed, page.amounts.of(method, settings), label=label)


proof = page.sweep(run(label, DEMO, **{"reading": "code"} if label == "PLMM" else {}) for label in PROOF)
blind = page.sweep(rivals.blind_runs(spec, seeds_of(seeds, "seeds"), page.amounts))


def error(found, label):
    """Relative error of a method's own reconstruction by seed; without the scene none is known of E A."""
    return np.array([rivals.relative_error(r, power or np.nan) for r in found.pick(str(spec), label)])


def told(label):
    """A run of the proof in words."""
    theirs = "" if rehearsal else f"{rivals.printed(BLIND[label][1], RELATIVE):g} printed, "
    rmse = scores.value(RMSE, proof.scores(str(spec), label, RMSE)[0])
    return f"{label} {theirs}{error(proof, label)[0]:.4f} here, its abundances off by {rmse}"


quoted = rivals.quoted()
comparable = int(quoted["column"].map(lambda k: COLUMNS[k].comparable).sum())
mistaken = quoted[quoted["column"] == 0]
page.text(
    "The papers on LDVAE and SpACNN-LDVAE print figures of other methods, quoted from other papers, beside "
    f"their own. **Of {len(quoted)} such figures {comparable} can be compared with runs on the same image: "
    f"those on Samson. And of these, {len(mistaken)} that stand among errors of abundances are relative "
    f"errors of reconstructed images**, of {mistaken['method'].nunique()} methods. Run again, each has both: "
    + "; ".join(told(label) for label in PROOF if BLIND[label][1])
    + "."
    + f" **A rehearsal: {scene} stands in for Samson, and little is run.**" * bool(rehearsal)
)

# %% tags=["remove-cell", "nbval-check-output"]
print(spec, len(BLIND), "blind methods,", len(quoted), "quoted figures,", comparable, "comparable")

# %% [markdown]
# ## Which printed figures can be compared?
#
# A figure of another paper can stand beside ours if image, reference and definition are the same. Neither
# of the two papers says that it ran its rivals, and for most of the columns one of the three is different.

# %% tags=["remove-input"]
page.table(
    rivals.kinds(quoted),
    caption="What both papers print of methods of others, digit for digit on the page of reported figures. "
    "Probably: the papers that they quote were not at hand.",
)

# %% [markdown]
# ## The proof for Samson
#
# Endmembers are those of a public demo of these methods on Samson, and so are the settings, but for GLMM's
# limit on its passes, which is its function's and not the demo's, and the steps of PLMM's public code. SCLSU,
# which is in no table, is where the others start.

# %% tags=["remove-input"]
rows = {
    label: {
        "printed as RMSE of A": rivals.printed(BLIND[label][1], RELATIVE) or "–",
        "relative error of the reconstruction": f"{error(proof, label)[0]:.4f}",
        "RMSE of A": f"{proof.scores(str(spec), label, RMSE)[0]:.4f}",
    }
    for label in PROOF
}
page.table(
    pd.DataFrame(rows).T.rename_axis("method"),
    caption=f"One run each on {spec}, seed {DEMO} of VCA; both errors are of that run. The reconstruction is "
    "the method's own, with the spectra of every pixel. DeepGUn draws the weights of its networks at random.",
)
ran = {label: proof.pick(str(spec), label)[0] for label in PROOF}
page.maps(spec.name, {label: record for label, record in ran.items() if "A" in record.arrays})

# %% [markdown]
# ## What small reconstruction errors mean
#
# A model with spectra $S_n$ of its own for every pixel fits them to that very pixel:
#
# $$ \min_{S_n} \tfrac12 \lVert y_n - S_n a_n \rVert^2 + \tfrac\kappa2 \lVert S_n - B \rVert^2
# \quad\Rightarrow\quad y_n - S_n a_n = \frac{\kappa}{\kappa + \lVert a_n \rVert^2}\,(y_n - B a_n). $$
#
# So of what the base $B$ leaves, a share is left that knows of the abundances nothing but
# $\lVert a_n \rVert^2$: with ELMM's $\kappa = 0.4$ two sevenths of the residual of a pure pixel. Below, the
# spectra are fitted to the reference's abundances, to equal ones and to random ones. All pixels lie on the
# curve, and with a small enough weight nonsense rebuilds the image, too. A small error of the reconstruction
# says how free the spectra are, and nothing of abundances.

# %% tags=["hide-input"]
WEIGHTS = (1e-4, 1e-3, 1e-2, 1e-1, 0.4, 1.0, 10.0)
KAPPA = 4  # ELMM's


def left():
    return left_over_cases(scenes.load(spec), WEIGHTS)


ends = page.fact(
    "left", lambda: {k: [100 * of.errors[i] for i in (0, -1)] for k, of in left().items()}, needs=[spec]
)
page.figure(
    "left",
    lambda: figures.left_panels(left(), WEIGHTS, KAPPA),
    alt="Left: the share of each pixel's residual that is left over the sum of its squared abundances; all "
    "dots lie on one falling curve. Right: relative error of the reconstruction over the weight. "
    + " ".join(
        f"{k}: {high:.2g} % at most, {low:.2g} % at least." for k, (low, high) in (ends or {}).items()
    ),
    caption=f"{spec}, the reference's endmembers as base, spectra fitted to abundances that are given. Left: "
    f"weight {WEIGHTS[KAPPA]:g}, which is ELMM's. Right: all weights.",
    needs=[spec],
)

# %% [markdown]
# ## All rivals that run here
#
# Three classes, and never one ranking: what is **blind** has the image alone; what has **labels** has seen
# the abundances of most pixels. *What to look for*: does a small error of the reconstruction go with a
# small error of the abundances?

# %% tags=["hide-input"]
of_each = {label: (error(blind, label), blind.scores(str(spec), label, RMSE)) for label in BLIND}
least = [min(of_each, key=lambda label: of_each[label][k].mean()) for k in (0, 1)]
page.figure(
    "errors",
    lambda: figures.error_panel(of_each),
    alt="RMSE of the abundances over the relative error of the reconstruction, a dot for every seed. "
    + " ".join(f"{k} {100 * x.mean():.2g} %, {100 * y.mean():.1f} %." for k, (x, y) in of_each.items()),
    caption=f"Blind methods on {spec}, seeds {seeds}: {least[0]} has the least error of "
    f"the reconstruction, {least[1]} that of the abundances.",
)


def cell(label, metric):
    """Ours, and what is printed for Samson in brackets."""
    theirs = rivals.printed(BLIND[label][1], metric)
    ours = scores.spread(metric, blind.scores(str(spec), label, metric))
    return ours if theirs is None else f"{ours} ({scores.value(metric, theirs)})"


rows = {
    k: {
        "RMSE of A": cell(k, RMSE),
        "angle of E": cell(k, SAD),
        "error of the reconstruction": f"{100 * of_each[k][0].mean():.2f} %",
    }
    for k in BLIND
}
page.table(
    pd.DataFrame(rows).T.rename_axis("method"),
    caption=f"Blind: mean ± standard deviation over seeds {seeds}; in brackets what is printed for Samson, "
    "SGSNMF as SGSRNMF. One setting for each method on all scenes, of public code where there is any.",
)

# %% [markdown]
# With **labels**, least squares first: endmembers that explain the labelled pixels best, then FCLSU. Then
# the two networks of the papers, with the weight of the labels by validation. All are scored on pixels
# whose labels were not shown.

# %% tags=["remove-input"]
BASE, SPATIAL = "ldvae-state-of-the-art", "spacnn-samson-lower-rmse"
asked = page.ask([BASE, SPATIAL], seeds=labelled_seeds, scene=rehearsal, compute=compute)
where = rehearsal or "samson"


def of_test(label, score):
    """By seed, of the runs that decide; of three earlier ones where these are missing."""
    found = asked.scores(SPATIAL if label == NETWORKS[1] else BASE, where, label, score)
    if found is not None:
        return scores.spread(score, found)
    earlier = page.beside([label], where, seeds="0-2", amounts="desk", patch=3)
    return scores.spread(score, earlier.scores(where, label, score)) + ", earlier runs"


HEADS = {"RMSE of A, test pixels": f"test/{RMSE}", "angle of E": SAD}
for words, labels in {"linear": [LEAST], "deep": NETWORKS}.items():
    rows = {k: {head: of_test(k, score) for head, score in HEADS.items()} for k in labels}
    page.table(
        pd.DataFrame(rows).T.rename_axis("method"),
        caption=f"Labelled, {words}, on {where}: mean ± standard deviation over seeds {labelled_seeds}. "
        "Earlier runs are three with omega 100 000, which decide nothing.",
    )

# %% [markdown]
# ## The methods
#
# *NMF with terms* starts from VCA and FCLSU and lowers $\tfrac12\lVert Y - EA\rVert^2$, with a penalty on
# sums of abundances that are not one, and a wish for few materials: an $\ell_{1/2}$ norm, a reweighted
# $\ell_1$ norm, the latter with smooth maps, the former with a graph that joins like pixels; SGSNMF has the
# wish for each superpixel, and picks its first endmembers among the means of these, not among pixels.
# *Variability*: SCLSU has one brightness per pixel, ELMM one per pixel and material, GLMM also one per
# band, PLMM any small change, DeepGUn what a network makes of two numbers. *CNNAEU* is a convolutional
# autoencoder, *MTLAEU* one that unmixes four neighbours at a time. Not run here: EACNN and SHDP, without
# public code that could be followed; DAEN and TANet, named in the text alone.
# [LDVAE](ldvae.ipynb) and [SpACNN-LDVAE](spacnn.ipynb) have pages of their own.

# %% tags=["remove-input"]
page.settings(*(name for name, _ in BLIND.values() if methods.get(name).describe()))
page.provenance()
