"""All methods by name. A new method is one function: write it in a family of this folder and list it here."""

from __future__ import annotations

from difflib import get_close_matches

from hsu_lib.methods.autoencoders.autoencoder import PATCHES, PLAIN
from hsu_lib.methods.autoencoders.cnnaeu import CNNAEU
from hsu_lib.methods.autoencoders.cycunet import CYCUNET
from hsu_lib.methods.autoencoders.endnet import ENDNET
from hsu_lib.methods.autoencoders.mtlaeu import MTLAEU
from hsu_lib.methods.autoencoders.perturbation import PERTURBATIONS
from hsu_lib.methods.autoencoders.udas import UDAS
from hsu_lib.methods.autoencoders.vae import VAE
from hsu_lib.methods.factorization.conmf import CONMF
from hsu_lib.methods.factorization.edaa import EDAA
from hsu_lib.methods.factorization.min_simplex import MIN_SIMPLEX
from hsu_lib.methods.factorization.mvc import MVC
from hsu_lib.methods.factorization.nmf import NMF
from hsu_lib.methods.factorization.palm import PALM
from hsu_lib.methods.factorization.qmv import QMV
from hsu_lib.methods.factorization.regularised import REGULARISED
from hsu_lib.methods.factorization.sgsnmf import SGSNMF
from hsu_lib.methods.geometric.fclsu import FCLSU
from hsu_lib.methods.geometric.nfindr import NFINDR
from hsu_lib.methods.geometric.ppi import PPI
from hsu_lib.methods.geometric.random import RANDOM
from hsu_lib.methods.geometric.sivm import SIVM
from hsu_lib.methods.geometric.snpa import SNPA
from hsu_lib.methods.geometric.uniform import UNIFORM
from hsu_lib.methods.geometric.vca import VCA
from hsu_lib.methods.labelled.fclsu import LABELLED
from hsu_lib.methods.labelled.ldvae import LDVAE
from hsu_lib.methods.labelled.spacnn import SPACNN
from hsu_lib.methods.method import Method
from hsu_lib.methods.nonlinear.fan import FAN
from hsu_lib.methods.nonlinear.hapke_cnn import HAPKE_CNN
from hsu_lib.methods.priors.misicnet import MISICNET
from hsu_lib.methods.priors.suncnn import SUNCNN
from hsu_lib.methods.priors.undip import CONFIGURABLE, UNDIP
from hsu_lib.methods.sparse.clsunsal import CLSUNSAL
from hsu_lib.methods.sparse.mua import MUA_BPT, MUA_SLIC
from hsu_lib.methods.sparse.s2wsu import S2WSU
from hsu_lib.methods.sparse.sunsal import SUNSAL
from hsu_lib.methods.sparse.sunsal_sure import SUNSAL_SURE
from hsu_lib.methods.sparse.sunsal_tv import SUNSAL_TV
from hsu_lib.methods.variability.bundles import GROUP_BUNDLES, LIBRARY_BUNDLES
from hsu_lib.methods.variability.deepgun import DEEPGUN
from hsu_lib.methods.variability.plmm import PLMM
from hsu_lib.methods.variability.scaled import ELMM, GLMM, SCLSU

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        FCLSU,
        VCA,
        SIVM,
        SNPA,
        NFINDR,
        PPI,
        RANDOM,
        UNIFORM,
        SUNSAL,
        SUNSAL_SURE,
        SUNSAL_TV,
        CLSUNSAL,
        S2WSU,
        MUA_SLIC,
        MUA_BPT,
        SUNCNN,
        GROUP_BUNDLES,
        LIBRARY_BUNDLES,
        PALM,
        NMF,
        *REGULARISED,
        SGSNMF,
        MIN_SIMPLEX,
        EDAA,
        MVC,
        QMV,
        CONMF,
        SCLSU,
        ELMM,
        GLMM,
        PLMM,
        DEEPGUN,
        PLAIN,
        PATCHES,
        *PERTURBATIONS,
        VAE,
        CNNAEU,
        MTLAEU,
        ENDNET,
        UDAS,
        CYCUNET,
        UNDIP,
        CONFIGURABLE,
        MISICNET,
        FAN,
        HAPKE_CNN,
        LABELLED,
        LDVAE,
        SPACNN,
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
