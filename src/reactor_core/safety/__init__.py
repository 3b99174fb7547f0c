"""The safety gate: understands actions, asks rarely, and can always stop."""
