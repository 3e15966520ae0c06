"""The version of wildsr, in one place."""

__version__ = "0.1.0"
