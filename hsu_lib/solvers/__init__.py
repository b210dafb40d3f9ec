"""Arrays in, arrays out: least squares, extraction, factorisation; no settings, no seeds of their own."""
