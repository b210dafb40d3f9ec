"""Methods that learn from pixels with known abundances."""
