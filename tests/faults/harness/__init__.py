"""Starts the processes of a run, kills them, and judges what they left behind."""
