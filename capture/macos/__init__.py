"""The edges on macOS."""
