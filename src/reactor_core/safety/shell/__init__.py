"""Shell actions: parsed, expanded as the shell would, and judged command by command."""
