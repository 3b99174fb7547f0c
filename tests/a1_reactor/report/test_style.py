import base64
import hashlib
import re

from a1_reactor.report.style import POLICY, STYLE


def test_the_policy_allows_this_style_and_nothing_else():
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert POLICY.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert "unsafe" not in POLICY
    assert "script-src" not in POLICY


def test_both_themes_set_the_same_colours():
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    names = [set(re.findall(r"(--\w+):", text)) for text in (light, dark)]
    assert names[0] == names[1]
    assert "--paper" in names[0]
