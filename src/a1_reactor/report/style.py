"""How the page looks, in light and dark, and the policy that it may be shown under."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["POLICY", "STYLE"]

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d1d9e0; --paper: #fff; --tile: #f6f8fa;
  --now: #0969da; --old: #8c959f; --window: #fff1d6; --mark: #9a6700; --good: #1a7f37; --look: #9a6700; --bad: #cf222e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117;
  --tile: #151b23; --now: #4493f8; --old: #7d8590; --window: #2e2410; --mark: #d29922; --good: #3fb950; --look: #d29922;
  --bad: #f85149 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 1080px; padding: 24px }
h1 { font-size: 25px; margin: 0 0 4px } h2 { font-size: 19px; margin: 34px 0 8px }
h3 { font-size: 14px; margin: 12px 0 2px }
p { margin: 6px 0; max-width: 78ch } .soft { color: var(--soft) }
.prompt { font-size: 17px; overflow-wrap: anywhere }
.verdict { background: var(--tile); border: 1px solid var(--line); border-left: 6px solid var(--old);
  border-radius: 8px; padding: 12px 16px; margin: 16px 0 }
.verdict b { font-size: 18px } .verdict.good { border-left-color: var(--good) }
.verdict.look { border-left-color: var(--look) } .verdict.bad { border-left-color: var(--bad) }
ul.found { list-style: none; margin: 8px 0 0; padding: 0 } ul.found li { padding: 2px 0 2px 26px; position: relative }
ul.found li::before { position: absolute; left: 4px; font-weight: 700 }
.found .good::before { content: '✓'; color: var(--good) } .found .look::before { content: '!'; color: var(--look) }
.found .bad::before { content: '✕'; color: var(--bad) } .found .fact::before { content: '·'; color: var(--soft) }
figure { margin: 14px 0 } figcaption { font-weight: 600; font-size: 14px }
.key { font-weight: 400; color: var(--soft); margin-left: 14px; font-size: 13px; white-space: nowrap }
.key::before { content: ''; display: inline-block; width: 18px; border-top: 3px solid var(--now); margin-right: 6px;
  vertical-align: 4px }
.key.old::before { border-color: var(--old) } .key.goal::before { border-top: 2px dashed var(--mark) }
svg { display: block; width: 100%; height: auto; overflow: visible }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round } .line.now { stroke: var(--now) }
.line.old { stroke: var(--old) } .grid { stroke: var(--line); stroke-width: 1 } .window { fill: var(--window) }
.goal { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 5 4 } svg .mark { stroke: var(--mark) }
.hint { fill: var(--ink); opacity: 0 } .hint:hover { opacity: .12 }
.strip { display: flex; gap: 6px; overflow-x: auto; padding: 4px } .strip figure { margin: 0; flex: none }
.strip:focus-visible { outline: 2px solid var(--now) }
.strip img { display: block; height: 104px; width: auto; border: 2px solid var(--line); border-radius: 5px }
.strip .in img { border-color: var(--mark) }
.strip figcaption { font-weight: 400; font-size: 12px; color: var(--soft); text-align: center }
table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums } .scroll { overflow-x: auto }
th, td { border: 1px solid var(--line); padding: 4px 10px; text-align: right } th { background: var(--tile) }
td.text, th.text { text-align: left } td.long { min-width: 190px; overflow-wrap: anywhere }
tr.chosen td { font-weight: 700 }
@media (max-width: 600px) { body { padding: 16px } th, td { padding: 4px 6px } svg text { font-size: 26px } }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere } summary { cursor: pointer; color: var(--soft) }
"""

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""Content-Security-Policy of the page: no script, no request to anywhere, this style and no other. A server sends it as
a header; the page carries it itself too, without ``frame-ancestors``, which only a header can say."""
