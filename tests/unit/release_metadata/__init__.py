"""Tests of what describes release files."""
