"""The edges on Windows."""
