"""Sign builds through SignPath."""

__version__ = "0.1.0"
