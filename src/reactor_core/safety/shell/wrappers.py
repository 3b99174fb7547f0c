"""Programs that run another command, and where in their words that command begins."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTAINERS", "INTERPRETERS", "SHELLS", "WRAPPERS", "Wrapper"]


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a wrapper is called.

    Attributes:
        values: Options that a value follows.
        operands: Words between the options and the command.
        subcommands: The wrapper wraps only behind one of these words, which may be several.
        assigns: ``NAME=value`` may stand before the command.
        joined: The words are joined to one line that a shell reads.
        privileged: The command has more rights.
        remote: It runs elsewhere: the first operand says where.
        inside: It sees other files: a container or another root.
        scripts: Options whose value is a line of shell.
        chdir: Options whose value is the folder.
        queries: Options that make it run nothing.
        spaced: What comes before the command is separated by ``--``, without which the words are no command.
        login: Options, or no command at all, that start a shell.
    """

    values: frozenset[str] = frozenset()
    operands: int = 0
    subcommands: tuple[str, ...] = ()
    assigns: bool = False
    joined: bool = False
    privileged: bool = False
    remote: bool = False
    inside: bool = False
    scripts: frozenset[str] = frozenset()
    chdir: frozenset[str] = frozenset()
    queries: frozenset[str] = frozenset()
    spaced: bool = False
    login: frozenset[str] = frozenset()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHELLS = _set("sh bash dash zsh ksh ksh93 mksh ash fish rbash yash posh oksh tcsh csh bash5 sh.exe bash.exe")

INTERPRETERS = SHELLS | _set(
    "python python2 python3 pypy pypy3 perl ruby node nodejs deno bun php lua luajit tclsh osascript Rscript java "
    "groovy scala julia pwsh powershell ipython guile racket elixir iex erl swift ts-node tsx crontab at batch "
    "psql mysql mariadb sqlite3 mongosh redis-cli"
)
"""Programs that execute what they read."""

_ENV = _set("-u --unset -C --chdir -S --split-string -a --argv0")
_SSH = _set("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -P -Q -R -S -W -w -B")
_DOCKER = _set(
    "-a --attach --add-host --annotation --blkio-weight --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile -c "
    "--cpu-period --cpu-quota --cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --dns --dns-search --domainname "
    "--entrypoint -e --env --env-file --expose --gpus --group-add --health-cmd -h --hostname --ip --ipc --isolation "
    "-l --label --label-file --link --log-driver --log-opt --mac-address -m --memory --memory-swap --mount --name "
    "--net --network --network-alias --oom-score-adj --pid --pids-limit --platform -p --publish --pull --restart "
    "--runtime --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u "
    "--user --userns --uts -v --volume --volume-driver --volumes-from -w --workdir --detach-keys --index"
)
_COMPOSE = _DOCKER | _set("-f --file --profile --project-name --project-directory --ansi")
_KUBECTL = _set(
    "-n --namespace -c --container --context --kubeconfig --cluster --user -f --filename --pod-running-timeout "
    "--request-timeout --as --as-group --token -s --server --image --profile --target --overrides --restart --env -l "
    "--labels --serviceaccount --port --copy-to"
)

WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        _set("-u -g -h -p -C -T -r -t -U -D -R --user --group --host --prompt --close-from --chdir --chroot --role "
             "--type --other-user --command-timeout"),
        assigns=True, privileged=True, chdir=_set("-D --chdir"), login=_set("-i -s --login --shell"),
        queries=_set("-l --list -v --validate -k -K -V -e --edit"),
    ),
    "doas": Wrapper(_set("-u -C"), privileged=True, login=_set("-s"), queries=_set("-L")),
    "pkexec": Wrapper(_set("--user"), privileged=True),
    "run0": Wrapper(_set("-u --user -g --group -D --chdir --unit --property --setenv"), privileged=True),
    "please": Wrapper(_set("-u -t -a"), privileged=True),
    "gosu": Wrapper(operands=1, privileged=True),
    "su-exec": Wrapper(operands=1, privileged=True),
    "gksudo": Wrapper(_set("-u"), privileged=True),
    "kdesu": Wrapper(_set("-u -c"), privileged=True, scripts=_set("-c")),
    "su": Wrapper(
        _set("-s --shell -g -G -w"), privileged=True, scripts=_set("-c --command --session-command"), operands=99
    ),
    "runuser": Wrapper(
        _set("-u --user -g -G -s --shell -w"), privileged=True, scripts=_set("-c --command --session-command")
    ),
    "sg": Wrapper(operands=1, joined=True, scripts=_set("-c")),
    "setpriv": Wrapper(_set("--pdeathsig --ambient-caps --inh-caps --bounding-set --securebits")),
    "capsh": Wrapper(operands=99, scripts=_set("-c"), privileged=True),
    "env": Wrapper(_ENV, assigns=True, scripts=_set("-S --split-string"), chdir=_set("-C --chdir")),
    "genv": Wrapper(_ENV, assigns=True, scripts=_set("-S --split-string"), chdir=_set("-C --chdir")),
    "command": Wrapper(queries=_set("-v -V")),
    "builtin": Wrapper(),
    "exec": Wrapper(_set("-a")),
    "noglob": Wrapper(),
    "nocorrect": Wrapper(),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "disown": Wrapper(operands=99),
    "timeout": Wrapper(_set("-k --kill-after -s --signal"), operands=1),
    "gtimeout": Wrapper(_set("-k --kill-after -s --signal"), operands=1),
    "nice": Wrapper(_set("-n --adjustment")),
    "ionice": Wrapper(_set("-c --class -n --classdata -p --pid -P -u"), queries=_set("-p -P -u")),
    "chrt": Wrapper(_set("-T -P -D -p --pid"), operands=1, queries=_set("-p --pid -m")),
    "taskset": Wrapper(_set("-p --pid"), operands=1, queries=_set("-p --pid")),
    "time": Wrapper(_set("-f -o --format --output")),
    "gtime": Wrapper(_set("-f -o --format --output")),
    "hyperfine": Wrapper(_set("-w -r -m -M -p -c -n -i --warmup --runs --prepare --cleanup --export-json"),
             joined=True),
    "stdbuf": Wrapper(_set("-i -o -e --input --output --error")),
    "unbuffer": Wrapper(),
    "flock": Wrapper(_set("-w --wait --timeout -E --conflict-exit-code"), operands=1, scripts=_set("-c --command")),
    "watch": Wrapper(_set("-n --interval -q --equexit"), joined=True),
    "entr": Wrapper(),
    "script": Wrapper(_set("-E -I -O -B -T -o -m -t"), scripts=_set("-c --command"), operands=99),
    "scriptreplay": Wrapper(operands=99),
    "unshare": Wrapper(_set("-S -G -R -w --root --wd --setuid --setgid --propagation --map-user --map-group"),
             privileged=False),
    "nsenter": Wrapper(_set("-t --target -S -G --setuid --setgid"), privileged=True),
    "chroot": Wrapper(_set("--userspec --groups"), operands=1, inside=True, privileged=True),
    "schroot": Wrapper(_set("-c --chroot -u --user -d --directory -n"), inside=True),
    "arch-chroot": Wrapper(_set("-u"), operands=1, inside=True, privileged=True),
    "systemd-nspawn": Wrapper(_set("-D -M -u --directory --machine --user --bind -b"), inside=True),
    "strace": Wrapper(_set("-a -b -e -E -I -o -O -p -P -s -S -u -U -X"), queries=_set("-p")),
    "ltrace": Wrapper(_set("-a -e -l -n -o -p -s -u -x -F"), queries=_set("-p")),
    "perf": Wrapper(_set("-e -o -F -c -g -r"), subcommands=("stat", "record", "trace")),
    "rr": Wrapper(subcommands=("record",)),
    "ip": Wrapper(_set("-n -netns"), subcommands=("netns exec",), operands=1, privileged=True),
    "cross-env": Wrapper(assigns=True),
    "cross-env-shell": Wrapper(assigns=True, joined=True),
    "valgrind": Wrapper(),
    "catchsegv": Wrapper(),
    "gdb": Wrapper(_set("-ex -x -p -cd"), subcommands=("--args",)),
    "systemd-run": Wrapper(
        _set("-p --property -u --unit --description --slice --uid --gid --nice --working-directory -E --setenv -M "
             "--machine -H --host --on-active --on-boot --on-calendar --timer-property -d"),
        privileged=True, chdir=_set("--working-directory"),
    ),
    "systemd-inhibit": Wrapper(_set("--what --who --why --mode")),
    "systemd-cat": Wrapper(_set("-t -p --identifier --priority")),
    "caffeinate": Wrapper(_set("-t -w")),
    "eatmydata": Wrapper(),
    "proxychains": Wrapper(_set("-f")),
    "proxychains4": Wrapper(_set("-f")),
    "torsocks": Wrapper(),
    "torify": Wrapper(),
    "dbus-run-session": Wrapper(_set("--config-file --dbus-daemon")),
    "dbus-launch": Wrapper(),
    "xvfb-run": Wrapper(_set("-n -s -e -f -w -p --server-num --server-args --error-file --auth-file")),
    "firejail": Wrapper(),
    "bwrap": Wrapper(_set("--chdir --setenv --unsetenv --uid --gid --hostname --proc --dev --tmpfs --dir")),
    "fakeroot": Wrapper(_set("-l -s -i -b")),
    "faketime": Wrapper(_set("-m"), operands=1),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "numactl": Wrapper(_set("-C -N -m -i -p -l --cpunodebind --membind --interleave --physcpubind"),
             queries=_set("-H -s")),
    "cpulimit": Wrapper(_set("-l -p -e --limit --pid --exe"), queries=_set("-p --pid -e --exe")),
    "prlimit": Wrapper(_set("-p --pid"), queries=_set("-p --pid")),
    "choom": Wrapper(_set("-n -p"), queries=_set("-p")),
    "setarch": Wrapper(operands=1),
    "linux32": Wrapper(),
    "linux64": Wrapper(),
    "cgexec": Wrapper(_set("-g")),
    "trickle": Wrapper(_set("-d -u")),
    "rlwrap": Wrapper(_set("-a -b -C -D -f -H -p -s -t")),
    "tini": Wrapper(_set("-p -e")),
    "dumb-init": Wrapper(),
    "chpst": Wrapper(_set("-u -U -b -/ -n -l -L -m -d -o -p -f -c")),
    "setuidgid": Wrapper(operands=1),
    "softlimit": Wrapper(_set("-a -c -d -f -l -m -o -p -r -s -t")),
    "envdir": Wrapper(operands=1),
    "dotenv": Wrapper(_set("-e -f -c -v"), subcommands=("run", "--", "")),
    "direnv": Wrapper(subcommands=("exec",), operands=1),
    "chronic": Wrapper(),
    "ts-wrap": Wrapper(),
    "ifne": Wrapper(),
    "pee": Wrapper(joined=True),
    "sem": Wrapper(_set("-j --id"), joined=True),
    "retry": Wrapper(_set("-t -d --times --delay")),
    "run-one": Wrapper(),
    "cronic": Wrapper(),
    "ccache": Wrapper(),
    "distcc": Wrapper(),
    "op": Wrapper(_set("--env-file --account"), subcommands=("run",), spaced=True),
    "doppler": Wrapper(_set("-p -c --project --config"), subcommands=("run",), spaced=True),
    "aws-vault": Wrapper(_set("-d --duration --backend"), subcommands=("exec",), operands=1),
    "chamber": Wrapper(subcommands=("exec",), spaced=True),
    "ld.so": Wrapper(_set("--library-path --preload")),
    "bundle": Wrapper(subcommands=("exec",)),
    "poetry": Wrapper(_set("-C --directory -P --project"), subcommands=("run",)),
    "pipenv": Wrapper(subcommands=("run",)),
    "uv": Wrapper(_set("--with -p --python --extra --group --project --directory --env-file --package"),
             subcommands=("run",)),
    "uvx": Wrapper(_set("--from --with -p --python")),
    "pipx": Wrapper(_set("--spec --python"), subcommands=("run",)),
    "conda": Wrapper(_set("-n --name -p --prefix --cwd"), subcommands=("run",)),
    "mamba": Wrapper(_set("-n --name -p --prefix"), subcommands=("run",)),
    "micromamba": Wrapper(_set("-n --name -p --prefix"), subcommands=("run",)),
    "hatch": Wrapper(_set("-e"), subcommands=("run",)),
    "rye": Wrapper(subcommands=("run",)),
    "pdm": Wrapper(_set("-p --project"), subcommands=("run",)),
    "mise": Wrapper(subcommands=("exec", "x"), spaced=True),
    "asdf": Wrapper(subcommands=("exec",)),
    "pyenv": Wrapper(subcommands=("exec",)),
    "rbenv": Wrapper(subcommands=("exec",)),
    "npx": Wrapper(_set("-p --package -w --workspace"), scripts=_set("-c --call")),
    "bunx": Wrapper(),
    "pnpx": Wrapper(),
    "npm": Wrapper(_set("-p --package"), subcommands=("exec", "x"), scripts=_set("-c --call")),
    "pnpm": Wrapper(_set("-C --dir --filter -F"), subcommands=("exec", "dlx")),
    "yarn": Wrapper(subcommands=("exec", "dlx")),
    "nix-shell": Wrapper(_set("-p -I -A"), scripts=_set("--run --command"), operands=99),
    "nix": Wrapper(subcommands=("develop -c", "shell -c"), spaced=False),
    "tsocks": Wrapper(),
    "sshpass": Wrapper(_set("-p -f -d -P")),
    "ssh": Wrapper(_SSH, operands=1, joined=True, remote=True, queries=_set("-Q -O -N -G -V")),
    "autossh": Wrapper(_SSH | {"-M"}, operands=1, joined=True, remote=True),
    "mosh": Wrapper(_set("-p --port --ssh --predict"), operands=1, remote=True),
    "rsh": Wrapper(_set("-l"), operands=1, joined=True, remote=True),
    "pdsh": Wrapper(_set("-w -g -x -f -R -l -u -t"), joined=True, remote=True),
    "dsh": Wrapper(_set("-m -g -r"), joined=True, remote=True),
    "pssh": Wrapper(_set("-h -H -l -p -t -o -e -O"), joined=True, remote=True),
    "parallel-ssh": Wrapper(_set("-h -H -l -p -t -o -e -O"), joined=True, remote=True),
    "clush": Wrapper(_set("-w -g -x -l -f -o"), joined=True, remote=True),
    "vagrant": Wrapper(subcommands=("ssh",), scripts=_set("-c --command"), operands=99, inside=True),
    "multipass": Wrapper(subcommands=("exec",), operands=1, inside=True),
    "wsl": Wrapper(_set("-d -u --cd --distribution --user -e --exec")),
    "distrobox": Wrapper(_set("-n --name"), subcommands=("enter",), spaced=True),
    "toolbox": Wrapper(_set("-c --container"), subcommands=("run",)),
    "lxc": Wrapper(_set("--env --user --cwd"), subcommands=("exec",), operands=1, inside=True),
    "incus": Wrapper(_set("--env --user --cwd"), subcommands=("exec",), operands=1, inside=True),
    "lxc-attach": Wrapper(_set("-n --name"), inside=True),
    "pct": Wrapper(subcommands=("exec",), operands=1, inside=True),
    "machinectl": Wrapper(_set("--uid --setenv"), subcommands=("shell",), operands=1, privileged=True),
    "kubectl": Wrapper(_KUBECTL, subcommands=("exec", "debug", "run"), operands=1, inside=True, spaced=True),
    "oc": Wrapper(_KUBECTL, subcommands=("exec",  "debug"), operands=1, inside=True, spaced=True),
    "k3s": Wrapper(subcommands=("kubectl", "crictl", "ctr"), operands=-1),
    "microk8s": Wrapper(subcommands=("kubectl", "helm"), operands=-1),
    "minikube": Wrapper(subcommands=("ssh",), inside=True),
    "crictl": Wrapper(_set("-r"), subcommands=("exec",), operands=1, inside=True),
    "heroku": Wrapper(_set("-a --app -r --remote -s --size -e --env"), subcommands=("run",),
             remote=False, inside=True, joined=True),
    "fly": Wrapper(_set("-a --app -C --command -s"), subcommands=("ssh console",),
             scripts=_set("-C --command"), inside=True, operands=99),
    "tmux": Wrapper(
        _set("-c -e -F -n -s -t -x -y -L -S -f -l"),
        subcommands=("new-session", "new", "new-window", "neww", "split-window", "splitw", "respawn-pane", "run-shell",
                     "run", "display-popup", "popup"), joined=True,
    ),
    "screen": Wrapper(_set("-c -e -h -p -s -S -t -T -L -Logfile -r -x")),
    "abduco": Wrapper(_set("-c -n -A -e"), operands=0),
    "dtach": Wrapper(_set("-c -n -A -a -e -r"), operands=0),
    "batch": Wrapper(operands=99),
    "xterm": Wrapper(_set("-T -title -geometry -fn -fa -fs -bg -fg"), subcommands=("-e",)),
    "gnome-terminal": Wrapper(_set("--title --geometry --working-directory"), spaced=True),
    "dbus-send": Wrapper(operands=99),
    "pwsh": Wrapper(operands=99),
    "git-exec": Wrapper(),
}  # fmt: skip
for _name in ("docker", "podman", "nerdctl"):
    WRAPPERS[_name] = Wrapper(
        _DOCKER, subcommands=("exec", "container exec", "run", "container run"), operands=1, inside=True
    )
for _name in ("docker-compose", "podman-compose"):
    WRAPPERS[_name] = Wrapper(_COMPOSE, subcommands=("exec", "run"), operands=1, inside=True)
WRAPPERS["flyctl"] = WRAPPERS["fly"]
WRAPPERS["dumb-terminal"] = Wrapper()
for _name in ("dumb-terminal", "ts-wrap", "git-exec", "pwsh", "dbus-send", "scriptreplay", "disown"):
    del WRAPPERS[_name]

CONTAINERS = frozenset({"docker", "podman", "nerdctl"})
"""Programs whose ``compose`` has subcommands of its own."""
