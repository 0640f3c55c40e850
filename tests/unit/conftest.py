"""For unit tests."""

from hypothesis import settings

# No deadline for an example: how long it takes is a matter of what else the machine is doing. What
# is not said here stays: random examples at home, the same ones every time where CI is set.
_GIVEN = settings.get_profile(settings.get_current_profile_name())
settings.register_profile("full", _GIVEN, deadline=None, max_examples=150)
settings.register_profile("quick", _GIVEN, deadline=None, max_examples=30)
settings.load_profile("full")
