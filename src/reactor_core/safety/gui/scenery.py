"""What the words on a screen speak of: kinds of programs, things, amounts, and how much of them."""

from __future__ import annotations

import re

__all__ = [
    "AGENT_APP",
    "CONSOLE",
    "DATABASE_APP",
    "EDITOR_APP",
    "EVERYTHING",
    "GUARD_PRODUCT",
    "MAIL_APP",
    "PROTECTION",
    "PYTHON_APP",
    "RUN_BOX",
    "SHARED_BRANCH",
    "STATE_OFF",
    "TERMINAL",
    "count_in",
    "paths_in",
    "precious",
    "scratch",
]

TERMINAL = re.compile(
    r"\bterminal|konsole|iterm|alacritty|kitty|xterm|wezterm|ghostty|hyper\b|warp\b|\bfoot\b"
    r"|powershell|cmd\.exe|command prompt|putty|tilix"
    r"|terminator|guake|yakuake|rxvt|urxvt|\bst\b|console window|\bssh\b|\btmux\b|\bshell\b(?! settings)"
    r"|cloud shell|git bash|termux"
    r"|run dialog|run box|\bcmd\b"
)
RUN_BOX = re.compile(r"run (dialog|box)|windows run|^run$|krunner|\brofi\b|dmenu|command launcher|spotlight|alfred")
"""Boxes that start programs by what is typed into them."""

DATABASE_APP = re.compile(
    r"dbeaver|pgadmin|datagrip|tableplus|adminer|phpmyadmin|mysql workbench|workbench|sql server management"
    r"|ssms|beekeeper|heidisql"
    r"|sequel|navicat|azure data studio|postico|dbvisualizer|squirrel|sql ?developer|toad|sqlite ?browser"
    r"|db browser|redash|metabase sql"
    r"|sql (console|editor|client|shell)|query editor|bigquery|snowflake|athena|clickhouse|supabase.*sql"
    r"|psql|superset|hue\b|databricks sql"
)
PYTHON_APP = re.compile(
    r"jupyter|ipython|python (console|shell|repl)|\bidle\b|spyder|colab|notebook cell|pycharm.*console"
    r"|databricks notebook"
)
MAIL_APP = re.compile(
    r"mail|outlook|thunderbird|geary|evolution|k-9|kmail|mutt|slack|teams|mattermost|zulip|discord"
    r"|telegram|whatsapp|signal|messages|messenger"
    r"|chat|irc|element|google chat|rocket|viber|wechat|linkedin message|zendesk|intercom|compose"
    r"|hangouts|skype|webex"
)
AGENT_APP = re.compile(
    r"reactor|agent (console|settings|panel|control)|assistant|approval|guardrail|copilot|claude"
    r"|codex|automation (guard|policy)"
    r"|safety (gate|console|settings)|permission (prompt|gate)|oversight|policy editor"
)
CONSOLE = re.compile(
    r"aws|azure|gcp|google cloud|cloud ?console|cloud console|hosting|digital ?ocean|heroku|render\b"
    r"|vercel|netlify|fly\.io|lens\b|k9s|rancher"
    r"|portainer|kubernetes|openshift|argo|jenkins|buildkite|gitlab ci|github actions|circleci"
    r"|teamcity|terraform|pulumi|virt-manager|proxmox"
    r"|vsphere|vmware|grafana|kibana|datadog|metabase|docker|nomad|consul|dns|route 53|cloudflare"
    r"|openstack|horizon\b|vcenter|nutanix|hetzner|linode|vultr|\bovh|scaleway|\bokta|entra\b|intune|\bjamf"
    r"|admin cent(er|re)"
    r"|google admin|webmin|plesk|cpanel|truenas|synology|pfsense|opnsense|mikrotik|meraki|forti\w+"
    r"|unifi|remote console|device management"
)

PROTECTION = re.compile(
    r"firewall|fraud|warnings?\b|two[- ]?(factor|step)|\b2fa\b|\bmfa\b|multi-?factor|2-step|anti-?virus"
    r"|antimalware|virus|malware|real-?time protection|tamper|filevault"
    r"|bitlocker|encrypt|secure boot|screen lock|passcode|pass ?key|password (protection|lock"
    r"|prompt|policy)|require (a )?(password|pin|sign|review|approv)"
    r"|audit|logging|\blog(in)? alerts?|\balerts?\b|monitoring|back-?ups?\b|deletion protection"
    r"|branch protection|protection\b|protected|required? (reviews?|approvals?)"
    r"|secret (masking|scanning)|masking|sandbox|safe browsing|isolation|emergency stop|kill ?switch"
    r"|gatekeeper|integrity protection|smart ?screen|defender"
    r"|\buac\b|user account control|scan(ning|ner)|\bdlp\b|\bids\b|\bips\b|spam filter|phishing"
    r"|confirm(ation)? (dialog|prompt|before|for)|approval|ask (before|every|me)"
    r"|security (updates|check|scan|policy|agent|monitor)|versioning|object lock|retention|guard"
    r"|safety|find my|lockdown|verification|verify|certificate check"
    r"|ssl|tls|csrf|captcha|rate limit|access control|ip allow|allow-?list|intrusion|endpoint"
    r"|threat|host key|signature|single sign|conditional access|session timeout"
    r"|watchdog|heartbeat|review(s)? (on|before|for)"
)
"""Names of what protects people, accounts, machines and records."""

SHARED_BRANCH = re.compile(
    r"\b(main|master|develop|trunk|production|release(/[\w.-]+|s)?|hotfix(/[\w.-]+)?|protected)\b"
)
EVERYTHING = re.compile(
    r"\b(all|every|everything|everyone|entire|whole|complete|completely|full|([2-9]|\d\d+) of \2)\b"
)

EDITOR_APP = re.compile(
    r"word\b|writer\b|excel\b|calc\b|powerpoint|impress|keynote|pages\b|numbers\b|libre ?office|onlyoffice|wps|figma"
    r"|photoshop|gimp|inkscape|krita|illustrator|blender|audacity|kdenlive|premiere|da ?vinci|draw\.?io|visio|canva"
    r"|sketch\b|vs ?code|visual studio|intellij|pycharm|webstorm|goland|clion|rider\b|android studio|eclipse|xcode"
    r"|sublime|atom\b|zed\b|\bvim\b|emacs|notepad|kate\b|gedit|text ?edit|obsidian|logseq|calculator|vlc|spotify|mpv"
    r"|(music|video|media) player|paint|preview\b|acrobat|evince|okular|reader|meld|beyond compare|texstudio|overleaf"
)
"""Programs in which what one does to a document can be undone, and stays on this machine."""
GUARD_PRODUCT = re.compile(
    r"crowdstrike|falcon sensor|sentinel ?one|defender|sophos|carbon black|trend ?micro|mcafee|trellix|symantec"
    r"|norton"
    r"|kaspersky|\beset\b|bitdefender|malwarebytes|\bavast|\bavg\b|avira|clamav|cortex xdr|tanium|wazuh|osquery|ossec"
    r"|splunk|auditd|fail2ban|crowdsec|little snitch|\blulu\b|\bufw\b|cylance|webroot|f-secure|zscaler|umbrella|snort"
    r"|suricata|falco\b|rapid7|qualys|nessus|duo\b|\bedr\b|antivirus|selinux|apparmor"
)
"""Products that protect a machine or a network, by their names."""
STATE_OFF = re.compile(
    r"(off|disabled?|never|none|no\b|nobody|no[- ]one|unset|unchecked|false|0\b|optional|not required"
    r"|deactivated|lowest"
    r"|minimum|low$|permissive|any ?one|everyone|unlimited|allow all|ignore|skip|without|open)\b"
)
"""How the state of a setting begins that protects no more."""

_NUMBER = re.compile(
    r"(?<![\w.$€£/-])(\d{1,3}(?:[,. ]\d{3})+|\d+)(?![\w%])(?!\s*(?:gb|tb|mb|eur|usd|gbp|chf|h\b"
    r"|hours?|min|days?|of\b|weeks?|months?|years?))"
)
_COUNTED_BEFORE = re.compile(
    r"(\ball|[a-z]s:|\(|\bto:?|audience:?|\blist:?|selection:|these|those|\bevery one of) ?\(?$"
)
_COUNTED_AFTER = re.compile(r"\)? [a-z]{3}|\)")
_PRECIOUS = re.compile(
    r"\b(prod|production|live|core platform|primary|main site|customer-facing)\b|-prod\b|\bprod-|-live\b"
)
_SCRATCH = re.compile(r"(^|[^a-z])(tmp|temp|staging|spot|scratch|sandbox|test|lab|demo|dev)([^a-z]|$)")
_PATH = re.compile(r"(?:(?<=[\s\"'“(:])|^)((?:~|/|[A-Za-z]:\\)[\w./\\~*-]*)")


def count_in(text: str) -> int:
    """The greatest number of things that a text speaks of; 0 if of none. Money, sizes, versions and names of single
    things, such as ``order: 1088``, do not count."""
    numbers = []
    for match in _NUMBER.finditer(text):
        before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 12]
        if len(match[1]) < 12 and (_COUNTED_BEFORE.search(before) or _COUNTED_AFTER.match(after)):
            numbers.append(int(re.sub(r"[,. ]", "", match[1])))
    return max(numbers, default=0)


def paths_in(text: str) -> list[str]:
    """Absolute paths that a text names."""
    return [match[1] for match in _PATH.finditer(text) if len(match[1]) > 1 or match[1] == "~"]


def precious(text: str) -> bool:
    """Whether it speaks of production."""
    return _PRECIOUS.search(text) is not None


def scratch(text: str) -> bool:
    """Whether a name in it says that the thing is scratch."""
    return _SCRATCH.search(text) is not None and not precious(text)
