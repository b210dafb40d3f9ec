"""All methods by name. A new method is one function: write it in a file beside this one and list it here."""

from __future__ import annotations

from difflib import get_close_matches

from hsu_lib.methods.autoencoders import autoencoder, perturbation, vae
from hsu_lib.methods.factorization import refined as factorized
from hsu_lib.methods.geometric import pixels as geometric
from hsu_lib.methods.labelled import fclsu as labelled
from hsu_lib.methods.labelled import ldvae, spacnn
from hsu_lib.methods.method import Method
from hsu_lib.methods.priors import undip

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        geometric.FCLSU,
        geometric.VCA,
        geometric.SIVM,
        geometric.SNPA,
        factorized.PALM,
        factorized.NMF,
        autoencoder.PLAIN,
        autoencoder.PATCHES,
        *perturbation.PERTURBATIONS,
        vae.VAE,
        undip.UNDIP,
        undip.CONFIGURABLE,
        labelled.LABELLED,
        ldvae.LDVAE,
        spacnn.SPACNN,
    )
}


def get(name: str) -> Method:
    """Method of that name.

    Raises
    ------
    ValueError
        If there is none; the known names are listed, the closest first.
    """
    if name not in METHODS:
        close = get_close_matches(name, METHODS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"no method {name!r}.{hint} Known: {', '.join(METHODS)}")
    return METHODS[name]
