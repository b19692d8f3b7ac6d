"""Where the project lives. A test compares every other mention in the repository with this."""

from __future__ import annotations

HOME = "signpath-ci/signpath-ci"
"""Owner and name on GitHub."""
