"""How what was recorded is sealed: keys, rows, grants, and where a device's own keys lie."""
