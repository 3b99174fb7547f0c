"""Clips on disk: whole or not there, each frame with its hash."""
