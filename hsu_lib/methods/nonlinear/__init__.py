"""Beyond the linear model: light that meets two materials, or grains of several."""
