"""Networks only: tensors in, tensors out. Fitting them is the business of `hsu_lib.learning.fit`."""

from hsu_lib.learning.networks.autoencoder import ConvolutionalAutoencoder

__all__ = ["ConvolutionalAutoencoder"]
