"""Writes the experience log: pool.jsonl to learn from and heldout.jsonl to be judged by.

    python examples/experience/generate.py            # write both files
    python examples/experience/generate.py --check    # exit 1 if the files differ from what would be written

Whole templates go to one side or the other, together with all templates of the same skeleton, and a pool row that
nearly equals a held-out row is dropped. The same seed gives the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from slots import SLOTS
from template import KINDS, LABELS, Template, TemplateError, expand, skeleton, slot_names

from reactor_core.data.dedup import near_duplicates

HERE = Path(__file__).parent
SEED = 20250301
HELDOUT_SHARE = 0.15
POOL_ROWS_PER_TEMPLATE = 3
HELDOUT_ROWS_PER_TEMPLATE = 1
HELDOUT_ROWS = 480
NEAR_DUPLICATE = 0.7
"""Jaccard similarity of lower-cased 5-character shingles from which two actions count as the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the log; `approved` is what the person answered to a confirm row, None for the others."""

    action: str
    kind: str
    label: str
    rule: str
    template: str
    approved: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A template with its id and kind, and the slots of its own module."""

    id: str
    kind: str
    template: Template
    slots: Mapping[str, tuple[str, ...]]

    @property
    def stratum(self) -> tuple[str, str]:
        return self.kind, self.template.label

    @property
    def skeleton(self) -> str:
        return skeleton(self.template.pattern)


def load_templates(folder: Path = HERE) -> list[Entry]:
    """All templates of the templates_*.py files, in file order; ids count within a kind.

    Raises:
        TemplateError: an unknown kind or slot, a slot defined twice, a pattern given twice.
    """
    entries: list[Entry] = []
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("templates_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if module.KIND not in KINDS:
            raise TemplateError(f"{path.name}: KIND {module.KIND!r} is not one of {', '.join(KINDS)}")
        own = getattr(module, "SLOTS", {})
        if own is not SLOTS and (twice := sorted(set(own) & set(SLOTS))):
            raise TemplateError(f"{path.name}: slots {', '.join(twice)} are already defined in slots.py")
        slots = SLOTS | own
        for template in module.TEMPLATES:
            counts[module.KIND] += 1
            entries.append(Entry(f"{module.KIND}-{counts[module.KIND]:03d}", module.KIND, template, slots))
    patterns: dict[str, str] = {}
    for entry in entries:
        pattern = entry.template.pattern
        if pattern in patterns:
            raise TemplateError(f"{entry.id} repeats the pattern of {patterns[pattern]}: {pattern!r}")
        patterns[pattern] = entry.id
        if missing := [name for name in slot_names(pattern) if name not in entry.slots]:
            raise TemplateError(f"{entry.id}: unknown slot «{missing[0]}» in {pattern!r}; define it in SLOTS")
    return entries


def split(entries: Sequence[Entry], seed: int) -> set[str]:
    """Ids of the held-out templates: HELDOUT_SHARE of each kind and label, whole skeletons at a time.

    Skeletons are visited in the order of a hash, so a new template moves few of the others.
    """
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.skeleton].append(entry)
    quota = {s: round(c * HELDOUT_SHARE) for s, c in Counter(e.stratum for e in entries).items()}
    taken: Counter[tuple[str, str]] = Counter()
    heldout: set[str] = set()
    for form in sorted(groups, key=lambda text: _digest(seed, text)):
        need = Counter(entry.stratum for entry in groups[form])
        if all(taken[stratum] + count <= quota[stratum] for stratum, count in need.items()):
            taken += need
            heldout.update(entry.id for entry in groups[form])
    return heldout


def rows_of(entry: Entry, limit: int, seed: int) -> list[Row]:
    """At most `limit` rows of a template."""
    template = entry.template
    rng = random.Random(f"{seed}/{entry.kind}/{template.pattern}")
    rows = []
    for action in islice(expand(template.pattern, entry.slots, rng), limit):
        approved = rng.random() < template.approve if template.label == "confirm" else None
        rows.append(Row(action, entry.kind, template.label, template.rule, entry.id, approved, template.why))
    return rows


def build(entries: Sequence[Entry], seed: int) -> tuple[list[Row], list[Row]]:
    """(pool, heldout), both balanced over the labels and in their final order.

    Raises:
        TemplateError: one action came out under two labels.
    """
    outside = split(entries, seed)
    heldout = [rows_of(e, HELDOUT_ROWS_PER_TEMPLATE, seed) for e in entries if e.id in outside]
    pool = [rows_of(e, POOL_ROWS_PER_TEMPLATE, seed) for e in entries if e.id not in outside]
    check_labels(row for rows in heldout + pool for row in rows)
    heldout = _distinct(heldout, set())
    pool = _distinct(pool, {row.action for rows in heldout for row in rows})
    # Balanced rows come in threes, one of each label, so the cut keeps the balance.
    return balanced_order(_apart(pool, heldout), seed), balanced_order(heldout, seed)[:HELDOUT_ROWS]


def check_labels(rows: Iterable[Row]) -> None:
    """Raises TemplateError if one action (white space aside) stands under two labels."""
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(" ".join(row.action.split()), row)
        if other.label != row.label:
            raise TemplateError(
                f"{row.action!r} is {other.label} by {other.template} and {row.label} by {row.template}"
            )


def balanced_order(by_template: Sequence[Sequence[Row]], seed: int) -> list[Row]:
    """Rows with the labels in turn, cut to the smallest label, first one row of every template, then the second.

    Within a pass the kinds are mixed in proportion, so any prefix is balanced and as varied as its length allows.
    """
    queues = {
        label: _passes([rows for rows in by_template if rows and rows[0].label == label], seed) for label in LABELS
    }
    return [row for triple in zip(*queues.values(), strict=False) for row in triple]


def _passes(by_template: Sequence[Sequence[Row]], seed: int) -> list[Row]:
    """Rows of one label, pass by pass."""
    ordered = []
    for kind in KINDS:
        of_kind = sorted(
            (rows for rows in by_template if rows[0].kind == kind), key=lambda rows: _digest(seed, rows[0].template)
        )
        # The middle of a template's place within its kind, as a share, interleaves kinds of different sizes.
        ordered += [((place + 0.5) / len(of_kind), kind, rows) for place, rows in enumerate(of_kind)]
    ordered.sort(key=lambda item: item[:2])
    longest = max((len(rows) for rows in by_template), default=0)
    return [rows[turn] for turn in range(longest) for _, _, rows in ordered if turn < len(rows)]


def _distinct(by_template: Sequence[Sequence[Row]], seen: set[str]) -> list[list[Row]]:
    """The rows whose action is not yet in `seen`, which grows."""
    kept = []
    for rows in by_template:
        fresh = [row for row in rows if row.action not in seen]
        seen.update(row.action for row in fresh)
        kept.append(fresh)
    return kept


def _apart(pool: Sequence[Sequence[Row]], heldout: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """The pool without rows that nearly equal a held-out row or have its skeleton."""
    forms = {skeleton(row.action) for rows in heldout for row in rows}
    flat = [row for rows in pool for row in rows]
    held = [row.action.lower() for rows in heldout for row in rows]
    pairs = near_duplicates([row.action.lower() for row in flat], held, NEAR_DUPLICATE)
    near = {flat[pair.index_a].action for pair in pairs}
    return [[r for r in rows if r.action not in near and skeleton(r.action) not in forms] for rows in pool]


def _digest(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}/{text}".encode()).hexdigest()


def to_jsonl(rows: Iterable[Row]) -> str:
    """The text of a log file, one JSON object a line."""
    return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)


def differs(path: Path, text: str) -> bool:
    """Whether the file is absent or holds another text."""
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks the two files; returns the exit status."""
    parser = argparse.ArgumentParser(description="write the experience log")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of pool.jsonl and heldout.jsonl")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 if they differ")
    args = parser.parse_args(argv)
    pool, heldout = build(load_templates(), args.seed)
    status = 0
    for name, rows in (("pool.jsonl", pool), ("heldout.jsonl", heldout)):
        path, text = args.out / name, to_jsonl(rows)
        if not args.check:
            path.write_text(text, encoding="utf-8", newline="\n")
        elif differs(path, text):
            print(f"{path} differs from what generate.py writes; run it without --check", file=sys.stderr)
            status = 1
        used = len({row.template for row in rows})
        print(f"{name}: {len(rows)} rows of {used} templates, {dict(Counter(row.kind for row in rows))}")
    return status


if __name__ == "__main__":
    sys.exit(main())
