"""Settings, clock, ids, files and hashes that every other room stands on."""
