"""What holds for all tests."""

from hypothesis import settings

# How long an example takes is the machine's business: other work on it must not fail a property.
settings.register_profile("on any machine", deadline=None)
settings.load_profile("on any machine")
