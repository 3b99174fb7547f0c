"""Where frames come from: one small protocol and those who speak it."""
