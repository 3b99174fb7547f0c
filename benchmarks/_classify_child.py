"""Runs bash-classify over actions on standard input; a process of its own, since it needs a newer Python than we do.

Reads one JSON list of commands, prints one JSON object with its answers and the seconds that each took.
"""

from __future__ import annotations

import json
import sys
import time

from bash_classify import classify_expression, load_database, load_sensitive_paths


def main() -> None:
    """Answer every command."""
    database, sensitive = load_database(), load_sensitive_paths()
    answers, seconds = [], []
    for command in json.load(sys.stdin):
        begin = time.perf_counter()
        result = classify_expression(command, database, sensitive)
        seconds.append(time.perf_counter() - begin)
        answers.append(result.classification.name)
    print(json.dumps({"answers": answers, "seconds": seconds}))


if __name__ == "__main__":
    main()
