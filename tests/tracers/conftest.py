"""Settings of the property tests of this room."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no fault of the code.
settings.register_profile("tracers", deadline=None)
settings.load_profile("tracers")
