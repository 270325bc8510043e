"""The small window in the corner of the screen: what is tracked, and a working day's few acts (R11, R23)."""
