"""Frames as PNG files, clips as mp4 files, and pictures of clips."""
