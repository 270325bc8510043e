"""What the machine sees: the tracking session and one module per edge of the desktop."""
