"""How near each method comes on each scene, from all runs that there are: for *All methods, all scenes*."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from hsu_lib.claims import claims
from hsu_lib.publishing.rivals import BLIND, blind_runs
from hsu_lib.runs import Results, Run, Store, asking
from hsu_lib.runs.amounts import Amounts, amounts, deciding_amounts
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.choices import chosen_from
from hsu_lib.scene import SceneSpec
from hsu_lib.words import seeds_of

SCORE = "rmse-abundances"
#: What is run for the page itself, at its defaults: label to method.
OWN = {
    "the scene's endmembers + FCLSU": "fclsu",
    "VCA + FCLSU": "vca-fclsu",
    "SiVM + FCLSU": "sivm-fclsu",
    "SNPA + FCLSU": "snpa-fclsu",
    "MVC-NMF": "mvc-nmf",
    "NMF-QMV": "nmf-qmv",
    "CoNMF": "conmf",
}
#: To measure others by.
LANDMARKS = [*OWN][:2]
#: What is taken from the runs of the chapter on rivals, where they are: labels of its methods.
RIVALS = [label for label in BLIND if label not in OWN]
#: What is taken from the runs of the claims: condition to label.
ARCHETYPES = {"EDAA": "EDAA"}
NETWORKS = {
    "whole image": "autoencoder, whole image",
    "patches": "autoencoder, patches",
    "simple, patches": "perturbed copies, patches",
    "pixel-wise, patches": "perturbed in every pixel, patches",
    "VAE, alpha 0.3": "endmembers by a VAE",
    "UnDIP": "UnDIP",
    "MiSiCNet": "MiSiCNet",
    "uDAS": "uDAS",
    "CyCUNet": "CyCUNet",
}
LABELLED = {
    "labels + FCLSU": "labels + FCLSU",
    "LDVAE": "LDVAE",
    "SpACNN-LDVAE": "SpACNN-LDVAE",
}


def places(text: str) -> list[SceneSpec]:
    """Scenes of a chapter's parameter: names with commas between, a reference behind a colon."""
    pairs = (entry.partition(":") for entry in text.split(","))
    return [SceneSpec(name, reference=reference) for name, _, reference in pairs]


def own_runs(specs: Iterable[SceneSpec], seeds: Iterable[int], amounts: Amounts) -> list[Run]:
    """The runs of `OWN` on scenes, as long as the amounts say."""
    every = product(specs, OWN.items(), seeds)
    return [
        Run(method, spec, seed, settings=amounts.of(method, {}), label=label)
        for spec, (label, method), seed in every
    ]


def means(specs: Sequence[SceneSpec], seeds: Sequence[int], own: Results, store: Store) -> pd.DataFrame:
    """Mean score of each method on each scene, a row per label; not a number where it was not run.

    Parameters
    ----------
    specs
        The scenes; in words they are the columns.
    seeds
        Of what draws at random.
    own
        The runs of `OWN` that are there.
    store
        Where those of the chapter on rivals and of the claims are looked up; of the latter what decides
        counts, without noise.
    """
    scenes = [str(spec) for spec in specs]
    pairs = [*zip(own.table["label"], own.records, strict=True)]
    others = [
        run for spec in specs for run in blind_runs(spec, seeds, amounts("desk")) if run.label in RIVALS
    ]
    pairs += [(run.label, record) for run in others if (record := store.find(run.key)) is not None]
    asked = enumerated(deciding_amounts(), None, claims().index, choices=chosen_from(store.find))
    first = [by_seed for way, by_seed in asked.ways.items() if way.number == 0]
    keys = dict.fromkeys(key for by_seed in first for some in by_seed.values() for key in some)
    labels = ARCHETYPES | NETWORKS | LABELLED
    for run in map(asked.runs.get, keys):
        if run is not None and run.label in labels and str(run.scene) in scenes:
            record = store.find(run.key)
            pairs += [(labels[run.label], record)] if record is not None else []
    found = pd.DataFrame(
        [(label, str(record.scene), record.scores.get(SCORE)) for label, record in pairs],
        columns=["label", "scene", SCORE],
    )
    table = found.pivot_table(index="label", columns="scene", values=SCORE, aggfunc="mean", dropna=False)
    return table.reindex(index=[*OWN, *RIVALS, *labels.values()], columns=scenes).astype(float)


def again(parameters: Mapping[str, Any], store: Store) -> pd.DataFrame:
    """`means` as the page with these parameters has them, from what is stored."""
    specs = places(parameters["scene"])
    seeds = seeds_of(parameters["seeds"], "seeds")
    own = {run.key: run for run in own_runs(specs, seeds, amounts(parameters["profile"]))}
    return means(specs, seeds, asking.stored(own, store), store)
