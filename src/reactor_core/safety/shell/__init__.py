"""Shell actions: read, expanded as the shell would, and judged command by command.

Nothing runs. Each way that a script may take is followed with what can be known of its variables, files and streams.
What cannot be known in the place of a command or of a target is a question to a person.
"""

from reactor_core.safety.shell.run import judge as judge

__all__ = ["judge"]
