"""Run every benchmark and write what they printed to docs/benchmarks.md.

python benchmarks/run_all.py            # what `make bench` does
python benchmarks/run_all.py --quick    # under a minute each; figures that decide nothing, written nowhere
python benchmarks/run_all.py --only events_kill    # this one; the rest of the page stays as it was measured
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Written by `make bench`: each script in `benchmarks/` runs the peer and us in turn, in fresh processes, in the same run,
and compares medians. *Ratio* says how many times better we are. Machines differ and are shared: trust the ratios.

"""


def measure(script: Path, *, quick: bool) -> list[dict[str, Any]]:
    """The claims that one benchmark printed.

    Raises:
        subprocess.CalledProcessError: It could not measure.
    """
    command = [sys.executable, str(script), *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def render(claims: list[dict[str, Any]]) -> str:
    """The page of these claims, by benchmark, with the machine, the versions and the date of each."""
    parts = [HEAD]
    for benchmark in dict.fromkeys(claim["benchmark"] for claim in claims):
        mine = [claim for claim in claims if claim["benchmark"] == benchmark]
        first = mine[0]
        versions = ", ".join(f"{name} {value}" for name, value in first["versions"].items())
        parts.append(f"## {benchmark}\n\n{first['machine']}; {versions}; {first['date']}.\n\n")
        parts.append(
            "| claim | unit | ours | peer | ratio | goal | holds | runs |\n|---|---|---|---|---|---|---|---|\n"
        )
        for claim in mine:
            peer = "" if claim["peer"] is None else f"{claim['peer']:,.4g} ({claim['peer_name']})"
            ratio = "" if claim["ratio"] is None else f"{claim['ratio']:.2f}"
            holds = {True: "yes", False: "no", None: claim.get("reason", "not decided")}[claim["holds"]]
            ours = "" if claim["ours"] is None else f"{claim['ours']:,.4g}"
            parts.append(
                f"| {claim['claim']} | {claim['unit']} | {ours} | {peer} | {ratio} | {claim['goal']} "
                f"| {holds} | {claim['samples']} |\n"
            )
        parts.append("\n")
    return "".join(parts)


def merge(old: str, new: str) -> str:
    """The new page, with the sections of the old one that were not measured anew."""

    def sections(page: str) -> dict[str, str]:
        parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    together = sections(old) | sections(new)
    return HEAD + "".join(f"## {name}{together[name]}" for name in sorted(together))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute each; nothing is written")
    parser.add_argument("--only", action="append", metavar="NAME", help="measure this benchmark; may come again")
    args = parser.parse_args()
    quick = args.quick
    scripts = [path for path in sorted(HERE.glob("*.py")) if path.stem != "run_all" and not path.stem.startswith("_")]
    if args.only is not None:
        scripts = [path for path in scripts if path.stem in args.only]
    claims = [claim for script in scripts for claim in measure(script, quick=quick)]
    for claim in claims:
        print(json.dumps(claim))
    if not quick:
        page = render(claims)
        if args.only is not None and PAGE.exists():
            page = merge(PAGE.read_text(encoding="utf-8"), page)
        PAGE.write_text(page, encoding="utf-8")
        print(f"written: {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
