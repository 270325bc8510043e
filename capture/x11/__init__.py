"""The edges on an X server."""
