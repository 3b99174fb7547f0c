"""Names of files and folders that mean something: systems, start files, hooks, logs, caches, devices."""

from __future__ import annotations

import re

__all__ = [
    "AUDIT_LOG",
    "CACHES",
    "CHECKPOINTS",
    "CHECKPOINT_FILE",
    "CI",
    "CRITICAL_FILE",
    "DATABASE_FILE",
    "DATA_FOLDERS",
    "DATA_PREFIXES",
    "DATED",
    "DISK",
    "EMPTY",
    "HARMLESS_DEVICE",
    "HELD",
    "HOME_CACHE",
    "HOOK",
    "IMAGE",
    "JUNK",
    "PERSONAL_FILE",
    "POLICY",
    "PROGRAM_FOLDERS",
    "PROTECTION_FILE",
    "PROTECTION_SWITCH",
    "PUBLIC_FOLDER",
    "REMOTE",
    "RIGHTS_FILE",
    "START_IN_HOME",
    "START_IN_PROJECT",
    "START_ON_SYSTEM",
    "SURE_CACHES",
    "SYSTEM_CACHE",
    "SYSTEM_FOLDERS",
    "SYSTEM_TOPS",
]

SYSTEM_TOPS = (
    "/bin", "/boot", "/dev", "/efi", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/opt", "/proc", "/root",
    "/run", "/sbin", "/snap", "/sys", "/usr", "/var", "/System", "/Library", "/Applications", "/Windows", "/cores",
    "/Program Files", "/Program Files (x86)", "/ProgramData", "/windows", "/host",
)  # fmt: skip
SYSTEM_FOLDERS = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/share",
    "/usr/include",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/www",
    "/var/mail",
    "/var/db",
    "/opt/homebrew",
)
"""Folders below the top whose loss is the loss of a part of the system."""

PROGRAM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec",
                   "/boot", "/Windows", "/System")  # fmt: skip
"""What the distribution's own packages put there; a foreign file in them is run by everybody."""

DATA_FOLDERS = frozenset({"data", "datasets", "dataset"})
DATA_PREFIXES = ("/var/lib/", "/var/www", "/var/mail", "/var/spool/mail", "/var/vmail", "/var/db/", "/exports/")
CHECKPOINTS = frozenset({"checkpoints", "checkpoint", "ckpt", "ckpts"})
CHECKPOINT_FILE = re.compile(r"\.ckpt$|^checkpoint[-_.]?\d")
CACHES = frozenset(
    {
        ".cache", ".eslintcache", ".hypothesis", ".ipynb_checkpoints", ".nox", ".nuxt", ".nyc_output", ".svelte-kit",
        ".terragrunt-cache", ".webpack", ".yarn/cache", ".pytype", ".pyre", ".angular", ".vite", ".docusaurus",
        ".stack-work", "_build", "bazel-bin", "bazel-out", "cmake-build-debug", "cmake-build-release", "DerivedData",
        "venv", ".eggs", "site-packages", "pip-wheel-metadata", ".serverless", ".dart_tool", "bower_components",
        "CMakeFiles", ".sass-cache", ".rpt2_cache", ".jest-cache", "jest-cache", ".swc", ".vercel-cache",
    }
)  # fmt: skip
"""Folders that a tool makes again, beside the setting's own list."""
SURE_CACHES = frozenset({"node_modules", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "venv"})

HOME_CACHE = re.compile(
    r"(\.cache|\.npm/_cacache|\.npm/_logs|\.npm/_npx|\.cargo/registry|\.cargo/git|\.rustup/(tmp"
    r"|downloads)|\.gradle/caches"
    r"|\.gradle/daemon|\.m2/repository|\.ivy2/cache|\.nuget/packages|\.pnpm-store|\.local/share/pnpm/store"
    r"|\.yarn/cache"
    r"|\.yarn/berry/cache|go/pkg/mod|\.bun/install/cache|\.cocoapods/repos|\.conda/pkgs|(mini|ana)conda3/pkgs"
    r"|\.ccache|\.sbt/boot|\.deno/gen|\.thumbnails|Library/Caches|AppData/Local/Temp|AppData/Local/pip/[Cc]ache"
    r"|AppData/Local/npm-cache|\.vscode-server/data/logs|\.composer/cache|\.electron|\.pub-cache"
    r"|\.triton/cache|\.nv/ComputeCache"
    r"|\.local/share/virtualenvs)(/|$)"
)
SYSTEM_CACHE = re.compile(
    r"(/var/cache|/Library/Caches|/var/lib/apt/lists|/usr/share/man/cat\d|/usr/local/var/cache)(/.*|$)"
)

AUDIT_LOG = re.compile(
    r"/var/log/(audit|journal|sudo-io|samba/audit)(/.*)?|/run/log/journal(/.*)?"
    r"|/var/log/(auth\.log|secure|syslog|messages|kern\.log|wtmp|btmp|lastlog|faillog|tallylog"
    r"|sudo\.log|audit\.log|cron\.log"
    r"|daemon\.log|utmp|authlog|system\.log|install\.log|dpkg\.log|fail2ban\.log|ufw\.log|cloudtrail"
    r"|falco\.log|osquery)([./-].*)?"
    r"|/var/log|/(run|var/run)/utmp"
    r"|.*/\.(bash|zsh|sh|ash|python|psql|mysql|node_repl|sqlite|rediscli|ksh)_?history|.*/\.histfile"
    r"|.*/fish_history"
    r"|.*/\.reactor/(reactor\.db|journal)([-./].*)?|.*/ConsoleHost_history\.txt"
    r"|/var/lib/auditd?(/.*)?|/Windows/System32/winevt(/.*)?"
)
"""Traces of what was done: logs of logins, of rights, of commands, and our own journal."""

POLICY = re.compile(
    r"/etc/reactor(/.*)?|.*/\.local/state/reactor(/.*)?|.*/factors\.db.*|.*/\.?reactor\.toml"
    r"|.*/\.reactor/(policy|keys|confirm|factors|safety|latch|kill)[^/]*(/.*)?"
    r"|.*/reactor[-_.]?polic(y|ies)\.(ya?ml|toml|json)|.*/\.config/reactor(/.*)?"
    r"|.*/(safety|guard|approval|agent)[-_]?(policy|policies|guardrails|rules|approvals)\.(ya?ml|toml|json)"
    r"|.*/\.(claude|codex|gemini|cursor|aider|continue|windsurf)/(settings|permissions|policy"
    r"|config|cli-config|hooks)"
    r"[^/]*\.(json|toml|ya?ml)|/etc/(claude-code|codex)(/.*)?"
)
"""What decides about the agent itself."""

HOOK = re.compile(r"\.(husky|githooks|git-hooks|hooks)/.+|\.git/hooks/.+")
CI = re.compile(
    r"\.github/(workflows|actions)/.+|\.gitlab-ci\.ya?ml|\.gitlab/ci/.+|\.circleci/.+|\.travis\.ya?ml"
    r"|azure-pipelines[^/]*\.ya?ml"
    r"|bitbucket-pipelines\.ya?ml|Jenkinsfile[^/]*|\.drone\.ya?ml|\.woodpecker[^/]*(/.+)?|\.buildkite/.+"
    r"|appveyor\.ya?ml"
    r"|\.forgejo/workflows/.+|\.gitea/workflows/.+|cloudbuild\.ya?ml|buildspec\.ya?ml|\.teamcity/.+"
)
START_IN_PROJECT = re.compile(
    r"(.*/)?(package\.json|\.envrc|\.vscode/tasks\.json|\.devcontainer/devcontainer\.json|\.devcontainer\.json"
    r"|composer\.json|sitecustomize\.py|usercustomize\.py|[^/]+\.pth|\.mcp\.json|\.vscode/mcp\.json"
    r"|\.cursor/mcp\.json)"
)
"""Files of a project that run something when a tool merely opens or installs it."""
START_IN_HOME = re.compile(
    r"\.(forward|qmail[\w-]*|procmailrc|mailfilter|bash_profile|bashrc|bash_login|bash_logout|bash_aliases"
    r"|profile|zshrc|zshenv|zprofile"
    r"|zlogin|zlogout|cshrc|tcshrc"
    r"|login|kshrc|mkshrc|inputrc|xinitrc|xsession|xprofile|xsessionrc|vimrc|gvimrc|emacs|tmux\.conf"
    r"|screenrc|gitconfig"
    r"|gdbinit|lldbinit|npmrc\.d|pythonrc|pythonstartup|Rprofile|irbrc|condarc|wgetrc|curlrc)"
    r"|\.ssh/(authorized_keys2?|rc|config|environment)|\.config/fish/(config\.fish|conf\.d/.+"
    r"|functions/.+)|\.config/git/(config|hooks/.+)"
    r"|\.config/autostart/.+|\.config/systemd/user/.+|\.local/share/systemd/user/.+|\.config/environment\.d/.+"
    r"|Library/Launch(Agents|Daemons)/.+|\.config/nvim/.+|\.vim/.+|\.emacs\.d/.+|\.oh-my-zsh/.+"
    r"|\.pip/pip\.conf|\.config/pip/pip\.conf"
    r"|\.ipython/profile_[^/]+/startup/.+|\.jupyter/jupyter[^/]*config\.(py|json)"
    r"|\.local/lib/python[^/]+/site-packages/[^/]+\.pth"
    r"|AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/.+|\.config/(sway|i3|hypr)/.+"
    r"|\.cargo/config(\.toml)?"
    r"|\.local/lib/python[^/]+/site-packages/(site|user)customize\.py|\.docker/cli-plugins/.+"
    r"|\.local/share/applications/.+"
)
START_ON_SYSTEM = re.compile(
    r"/etc/(profile|bash\.bashrc|bashrc|zsh/.+|zshrc|zshenv|profile\.d/.+|environment|crontab"
    r"|anacrontab|rc\.local|inittab)"
    r"|/etc/cron\.[^/]+(/.*)?|/var/spool/(cron|at|anacron)(/.*)?|/etc/(init|init\.d|rc\d\.d|rc\.d|sv|runit)/.+"
    r"|(/etc|/usr/lib|/lib|/run|/usr/local/lib)/systemd/(system|user|system-generators"
    r"|system-environment-generators)/.+"
    r"|/etc/(sudoers|sudoers\.d(/.*)?|doas\.conf|pam\.d(/.*)?|pam\.conf|ld\.so\.preload|ld\.so\.conf"
    r"|ld\.so\.conf\.d/.+)"
    r"|/etc/(polkit-1|dbus-1)/.+|/usr/share/polkit-1/.+|/etc/ssh/(sshd_config|sshd_config\.d/.+"
    r"|sshrc|authorized_keys.*)"
    r"|/etc/udev/rules\.d/.+|/etc/xdg/autostart/.+|/etc/update-motd\.d/.+|/etc/apt/apt\.conf(\.d/.+)?"
    r"|/etc/gitconfig"
    r"|/etc/NetworkManager/dispatcher\.d/.+|/etc/modprobe\.d/.+|/etc/modules-load\.d/.+|/etc/modules"
    r"|/Library/Launch(Agents|Daemons)/.+"
    r"|/etc/network/if-[^/]+/.+|/etc/dhcp/.+|/etc/logrotate\.d/.+|/etc/initramfs-tools/.+|/etc/kernel/.+"
    r"|/etc/periodic(/.*)?"
)

CRITICAL_FILE = re.compile(
    r"/etc/(passwd|shadow|group|gshadow|fstab|crypttab|nsswitch\.conf|login\.defs|securetty|sudoers"
    r"|ld\.so\.[^/]+|inittab|mdadm[^/]*"
    r"|machine-id|hostname|resolv\.conf|shells)|/boot/.+|/efi/.+"
    r"|(/usr)?/s?bin/(bash|sh|dash|zsh|sudo|su|login|init|systemd|mount|umount|ls|cp|mv|rm|ssh"
    r"|sshd|env|ip|coreutils|busybox|python3|perl"
    r"|apt|dpkg|getty|agetty|systemctl|journalctl|udevadm|passwd|grub[^/]*)|/usr/lib/systemd/.+"
    r"|/lib/systemd/systemd[^/]*"
    r"|(/usr)?/lib(64|32)?/(.+/)?(libc|ld|libpthread|libdl|libm|libcrypto|libssl|libpam|libsystemd)[-.][^/]*"
    r"|(/usr)?/lib(64|32)?/(.+/)?security/pam_[^/]+"
)
"""Files without which the host does not start, nobody can log in, or no program runs."""

DISK = re.compile(
    r"/dev/(sd[a-z]+\d*|hd[a-z]\d*|vd[a-z]+\d*|xvd[a-z]+\d*|nvme\d+(n\d+)?(p\d+)?|mmcblk\d+(p\d+"
    r"|boot\d)?|md\d+(p\d+)?|md/.+|dm-\d+"
    r"|mapper/.+|disk/.+|r?disk\d+(s\d+)?|[^/]*-?vg[^/]*/.+|vg\d*/.+|zvol/.+|zd\d+|nbd\d+|root"
    r"|drbd\d+|bcache\d+|pmem\d+|dasd[a-z]+"
    r"|mem|kmem|port|mtd\d+|mtdblock\d+|nvram|ubi\d.*)"
)
"""Nodes behind which a disk, a volume or the memory of the machine lies."""
HARMLESS_DEVICE = re.compile(
    r"/dev/(null|zero|full|random|urandom|stdin|stdout|stderr|tty|fd/\d+|ptmx|pts/\d+|console|dri/.+|snd/.+)?"
)

JUNK = re.compile(
    r".+\.(o|obj|class|swp|swo|pyo|d\.tmp|gcno|gcda|tsbuildinfo)|\.DS_Store|Thumbs\.db|\.#.*"
    r"|nohup\.out"
)
"""Files that tools leave behind and make again."""
EMPTY = re.compile(
    r"__init__\.pyi?|py\.typed|\.(git|np)?keep|\.gitkeep|\.nojekyll|\.gitignore|.+\.(log|out"
    r"|tmp|lock|pid|stamp|done|touch)|conftest\.py|\.[a-z]+rc"
)
"""Files that are rightly empty, or lose nothing by it."""
IMAGE = re.compile(r"\.(img|iso|qcow2?|vmdk|vdi|vhdx?|dmg|db|sqlite3?|mdb|rdb|ckpt|kdbx)$")
"""Files that hold a whole disk, database or state, which is never edited by writing it anew."""
DATED = re.compile(r"\d{4}|\$\(date|[_-](daily|weekly|monthly|latest)")
PROTECTION_SWITCH = re.compile(
    r"/proc/sys/kernel/(randomize_va_space|core_pattern|modprobe|kptr_restrict|yama/.*|dmesg_restrict"
    r"|modules_disabled|unprivileged_.*)"
    r"|/proc/sys/fs/(protected_.*|suid_dumpable)|/sys/fs/selinux/(enforce|disable)|/sys/kernel/security/.*"
    r"|/selinux/enforce"
    r"|/sys/module/apparmor/.*|.*/release_agent|/proc/\d+/mem|/sys/kernel/debug/.*|/sys/kernel/uevent_helper"
    r"|/proc/sys/fs/binfmt_misc/.*"
)
PUBLIC_FOLDER = re.compile(
    r"^/var/www(/|$)|^/srv/(www|http|ftp)(/|$)|^/usr/share/(nginx|apache2)(/|$)|^/usr/local/www/"
    r"|/public_html(/|$)|/htdocs(/|$)|^/var/ftp/|/wwwroot/|^/home/[^/]+/public/"
    r"|^/home/[^/]+/project/(public|static|www)/|/Dropbox/Public/"
    r"|^/(mnt|media|srv|net|nfs)/[^/]*(public|share)[^/]*(/|$)"
)
"""Folders that a web or file server gives to everybody."""
RIGHTS_FILE = re.compile(
    r"/etc/(passwd|shadow|group|gshadow|sudoers|doas\.conf)-?|/etc/(sudoers\.d|pam\.d|ssh|cron\.[a-z]+"
    r"|polkit-1)(/.*)?|/etc/crontab|/root(/.*)?"
    r"|(/var)?/run/(docker|containerd/containerd|podman/podman|crio/crio)\.sock|/etc/ld\.so\.[^/]+"
    r"|/dev/(k?mem|sd[a-z].*|nvme.*|vd[a-z].*)"
)
"""What decides who has which rights; whoever may write it has all of them."""

HELD = re.compile(
    r"(?:^|[^a-z])(legal[ _-]?hold|litigation|on[ _-]hold|under[ _-]hold|retention|e?discovery"
    r"|audit[ _-]evidence|compliance)(?![a-z])"
)
"""Names of records that somebody is bound to keep."""
PROTECTION_FILE = re.compile(
    r"/etc/(audit|selinux|apparmor(\.d)?|fail2ban|ufw|iptables|nftables|rsyslog|falco|ossec|clamav"
    r"|aide|tripwire|crowdsec|osquery|wazuh|suricata"
    r"|firewalld|auditbeat|filebeat|sysmon|security)([./].*)?|/var/ossec(/.*)?|/opt/(CrowdStrike"
    r"|sentinelone|wazuh|osquery)(/.*)?"
)
"""Settings and programs of what watches over the host."""
DATABASE_FILE = re.compile(
    r"/var/lib/(mysql|mariadb|postgresql|pgsql|mongodb|mongo|redis|elasticsearch|clickhouse|influxdb"
    r"|neo4j|cassandra)/.*"
)
PERSONAL_FILE = re.compile(
    r"(?i)(?:^|[^a-z])(customers?|clients?|patients?|employees?|staff|members?|applicants?|students?"
    r"|payroll|payslips?|salar\w+|passports?|medical|health|tax"
    r"|ssns?|ibans?|crm|personal|hr|pii|gdpr|invoices?|contracts?|confidential|secret|nda|birth\w*"
    r"|diagnos\w+|addresses|contacts|user[_-]?(data|list|export|dump)s?"
    r"|users\.\w+|exam[ _-]?results?)(?![a-z])"
)
"""Names of files with other people's data, or of what is not for others."""
REMOTE = re.compile(
    r"(?i)(sftp|ftps?|s3|gs|gcs|az|abfss?|wasbs?|https?|scp|ssh|smb|dav|davs|webdav|rsync|gdrive"
    r"|dropbox|onedrive)://.*|[\w.-]+@[\w.-]+:.*|\\\\\\\\.*"
)
"""Targets that are not on this machine."""
