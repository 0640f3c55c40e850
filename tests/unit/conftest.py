"""For unit tests."""

from hypothesis import settings

# No deadline for an example: how long it takes is a matter of what else the machine is doing. The
# rest stays as it is: random examples at home, the same ones every time where CI is set.
settings.register_profile(
    "patient", settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("patient")
