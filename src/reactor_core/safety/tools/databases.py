"""Clients and servants of databases: what they are told is judged as what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reactor_core.safety import paths
from reactor_core.safety.naming import wordset
from reactor_core.safety.sensitive import personal_in
from reactor_core.safety.stores import judge_mongo, judge_redis
from reactor_core.safety.stores.redis import judge_redis_words
from reactor_core.safety.things import name_kind
from reactor_core.safety.tools.deeds import read_spoken
from reactor_core.safety.tools.line import Textual, shown
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged
from reactor_core.safety.verdict import Finding, Judged, Touch

__all__ = ["judge_client", "judge_drops", "judge_kv", "judge_queues"]

_CLIENTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # program: dialect, options that hold statements, options that hold files of statements
    "psql": ("postgres", ("-c", "--command"), ("-f", "--file")),
    "pgcli": ("postgres", ("-c", "--command"), ()),
    "cockroach": ("postgres", ("-e", "--execute"), ("-f", "--file")),
    "usql": ("", ("-c", "--command"), ("-f", "--file")),
    "mysql": ("mysql", ("-e", "--execute", "--init-command"), ()),
    "mariadb": ("mysql", ("-e", "--execute", "--init-command"), ()),
    "mycli": ("mysql", ("-e", "--execute"), ()),
    "sqlite3": ("sqlite", ("-cmd",), ("-init",)),
    "litecli": ("sqlite", ("-e", "--execute"), ()),
    "duckdb": ("duckdb", ("-c", "-s", "-cmd"), ("-f", "-init")),
    "sqlcmd": ("tsql", ("-Q", "-q"), ("-i",)),
    "mssql-cli": ("tsql", ("-Q", "--query"), ("-i",)),
    "bcp": ("tsql", (), ()),
    "sqlplus": ("oracle", (), ()),
    "clickhouse-client": ("clickhouse", ("-q", "--query"), ("--queries-file",)),
    "clickhouse": ("clickhouse", ("-q", "--query"), ("--queries-file",)),
    "snowsql": ("snowflake", ("-q", "--query"), ("-f", "--filename")),
    "snow": ("snowflake", ("-q", "--query"), ("-f", "--filename")),
    "cqlsh": ("", ("-e", "--execute"), ("-f", "--file")),
    "trino": ("trino", ("--execute",), ("-f", "--file")),
    "presto": ("presto", ("--execute",), ("-f", "--file")),
    "beeline": ("hive", ("-e",), ("-f",)),
    "hive": ("hive", ("-e",), ("-f",)),
    "spark-sql": ("spark", ("-e",), ("-f",)),
    "isql": ("", ("-q",), ("-i",)),
    "influx": ("", ("-execute",), ()),
    "tb": ("clickhouse", (), ()),
}
_FLAGS = wordset(
    """
    -A -At -t -q -x -X -a -b -e-none -w -W -1 --single-transaction --csv --no-psqlrc --quiet --tuples-only --batch
    -N -B -s -r --skip-column-names --table --raw --silent -bail -readonly -csv -json -header -line -list -batch
    --multiquery -mn --multiline --safe-updates -S -E -C
    """
)
_OWN_TESTS = re.compile(r"test|local", re.IGNORECASE)


@handles(*_CLIENTS)
def judge_client(call: Call) -> Judged | None:
    """A client of SQL: its statements, from options, files and standard input."""
    dialect, options, files = _CLIENTS[call.program]
    flags = _FLAGS - (
        {"-q", "-s"} if call.program in {"clickhouse-client", "sqlcmd", "snowsql", "duckdb", "isql"} else set()
    )
    if call.program == "mysql" or call.program == "mariadb":
        flags = flags | {"-f", "--force", "-p"}
    spoken = read_spoken(call.words[1:], flags=flags)
    if spoken.has("--help", "--version", "-V", "-?") or (spoken.has("-l", "--list") and call.program == "psql"):
        return Judged()
    parts: list[Judged | Finding | None] = [
        Judged((), (), tuple(_hosts(spoken.said("-h", "--host", "-H", "--hostname"), spoken.texts)))
    ]
    statements: list[Textual] = list(spoken.values(*options))
    for name, values in spoken.options.items():  # -c"..." in one word, and clusters such as -Atc
        if name not in options and re.fullmatch(r"-[A-Za-z]{2,}", name) and f"-{name[-1]}" in options:
            statements += values
        elif (
            not values
            and any(name.startswith(option) and len(name) > 2 for option in options if len(option) == 2)
            and not name.startswith("--")
        ):
            parts.append(_sql(call, name[2:], dialect))
    if call.program in {"sqlite3", "duckdb"} and len(spoken.words) > 1:
        statements += spoken.words[1:]
    readonly = spoken.has("-readonly", "--readonly", "--read-only") or "default_transaction_read_only=on" in (
        call.env.get("PGOPTIONS") or ""
    )
    for word in statements:
        if word.text is None:
            parts.append(
                call.found("C6", f"{call.program}: runs a statement that cannot be known beforehand", reversible=False)
            )
        else:
            parts.append(_sql(call, word.text, dialect))
    parts += [_file(call, word, dialect) for word in spoken.values(*files)]
    if not statements and not spoken.values(*files):
        if call.stdin is not None:
            parts.append(_sql(call, call.stdin, dialect))
        elif call.has_stdin:
            parts.append(call.found("C6", f"{call.program}: runs statements that are not known", reversible=False))
    judged = merged(*parts)
    if readonly and all(finding.rule in {"B3", "C3"} for finding in judged.findings):
        return Judged((), judged.resolved, judged.touches)
    return judged


def _hosts(said: str, operands: Iterable[str]) -> Iterable[Touch]:
    for host in said.split():
        yield Touch("host", host, "write")
    for text in operands:
        if match := re.match(r"\w+://(?:[^@/]*@)?([^:/?]+)", text):
            yield Touch("host", match.group(1), "write")


def _sql(call: Call, text: str, dialect: str) -> Judged | Finding | None:
    if not text.strip():
        return None
    if call.program in {"sqlite3", "duckdb"} and re.match(r"\s*\.\w+", text):
        return _dot(call, text)
    return call.nested("sql", text, dialect=dialect)


def _dot(call: Call, text: str) -> Judged | Finding | None:
    """Commands of the client itself, such as ``.tables`` and ``.shell``."""
    parts: list[Judged | Finding | None] = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        name = words[0].lstrip(".").lower()
        if name in {"shell", "system"}:
            parts.append(call.nested("shell", line.split(None, 1)[1] if len(words) > 1 else "true"))
        elif name in {"read", "import", "restore", "load", "recover"}:
            parts.append(call.found("C6" if name in {"read", "load"} else "C3", f"{call.program}: {line.strip()}"))
        elif name in {"output", "once", "backup", "save", "log", "clone"} and len(words) > 1:
            parts.append(paths.overwriting(words[-1], call.scope))
        elif not line.lstrip().startswith("."):
            parts.append(call.nested("sql", line, dialect="sqlite"))
    return merged(*parts)


def _file(call: Call, word: Textual, dialect: str) -> Judged | Finding | None:
    if word.text is None:
        return call.found("C6", f"{call.program}: runs a file that cannot be known beforehand")
    if word.text in {"-", "/dev/stdin"}:
        return (
            _sql(call, call.stdin, dialect)
            if call.stdin is not None
            else call.found("C6", f"{call.program}: runs statements that are not known")
        )
    path = paths.normal(word.text, call.scope)
    raw = call.scope.disk.read(path, 262_144) if call.scope.disk is not None else None
    if raw is not None:
        return _sql(call, raw.decode("utf-8", "replace"), dialect)
    return call.found("C6", f"{call.program}: runs the statements of {word.text}", word.text)


@handles("dropdb", "dropuser", "createdb", "createuser", "mysqladmin", "mariadb-admin", "pg_dump", "pg_dumpall",
    "pg_restore", "mysqldump", "mariadb-dump", "mongodump", "mongorestore",
         "pg_ctl", "pg_ctlcluster", "vacuumdb", "reindexdb", "initdb", "pg_resetwal", "pg_archivecleanup",
         "pg_basebackup", "pgbench", "mysqlimport", "mongoimport", "mongoexport", "pg_dropcluster",
         "clickhouse-backup", "pgbackrest", "wal-g", "barman", "mongodump-none")  # fmt: skip
def judge_drops(call: Call) -> Judged | None:
    """Programs that make, drop, dump and restore databases."""
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            -i --if-exists -f --force -e --echo --clean -c --create -C --drop --all-databases -A --data-only
            --schema-only -s -a --no-owner -w -v --gzip --single-transaction -l --list --stop -O -x
            """
        ),
    )
    named = " ".join(spoken.texts)
    scratch = name_kind(named, call.scope.setting) == "scratch"
    if spoken.has("--help", "--version", "-V"):
        return Judged()
    match call.program:
        case "dropdb" | "pg_dropcluster":
            unknown = any(word.text is None for word in spoken.words)
            return merged(
                call.found(
                    "C3" if scratch and not unknown else "B3",
                    f"{call.program}: drops the database {named}",
                    named,
                    reversible=False,
                )
            )
        case "dropuser" | "createuser":
            wide = spoken.has("-s", "--superuser")
            return merged(call.found("B5" if wide else "C4", f"{call.program}: {named}", named, privilege=True))
        case "createdb" | "vacuumdb" | "reindexdb":
            if call.program == "createdb":
                return Judged()
            return merged(call.found("C4", f"{call.program}: {named}", named))
        case "mysqladmin" | "mariadb-admin":
            words = set(spoken.texts)
            if "drop" in words:
                return merged(
                    call.found("C3" if scratch else "B3", f"mysqladmin: drops {named}", named, reversible=False)
                )
            if "shutdown" in words:
                return merged(call.found("B4", "mysqladmin: stops the database", named))
            reads = {"status", "ping", "version", "processlist", "extended-status", "variables"}
            return Judged() if words & reads else merged(call.found("C4", f"mysqladmin: {named}", named))
        case "pg_restore" | "mongorestore" | "mysqlimport" | "mongoimport":
            if spoken.has("-l", "--list"):
                return Judged()
            wipes = spoken.has("--clean", "-c", "--drop")
            return merged(
                call.found(
                    "C3" if scratch or not wipes else "B3",
                    f"{call.program}: {'replaces' if wipes else 'adds to'} a database",
                    named,
                    reversible=not wipes,
                )
            )
        case "pg_ctl" | "pg_ctlcluster":
            return (
                Judged()
                if "status" in spoken.texts
                else merged(
                    call.found(
                        "B4"
                        if "stop" in spoken.texts and name_kind(call.part, call.scope.setting) == "precious"
                        else "C5",
                        f"{call.program}: {named}",
                        named,
                    )
                )
            )
        case "pg_resetwal" | "pg_archivecleanup":
            return merged(
                call.found(
                    "B3", f"{call.program}: throws away what the database needs to recover", named, reversible=False
                )
            )
        case "initdb" | "pgbench":
            return (
                merged(call.found("C3", f"{call.program}: writes to a database", named))
                if call.program == "pgbench" and spoken.has("-i")
                else Judged()
            )
        case "pgbackrest" | "wal-g" | "barman" | "clickhouse-backup":
            if re.search(r"delete|expire|stanza-delete|purge", named):
                whole = re.search(r"everything|stanza-delete|\ball\b|delete everything", named)
                return merged(
                    call.found("B1" if whole else "C1", f"{call.program}: deletes backups", named, reversible=False)
                )
            return (
                merged(call.found("B3", f"{call.program}: puts an old state over a database", named))
                if "restore" in named or "backup-fetch" in named
                else Judged()
            )
    out = spoken.values("-f", "--file", "--result-file", "-r", "--out", "-o", "--archive")
    return merged(*(paths.overwriting(word.text, call.scope) for word in out if word.text))


@handles("redis-cli", "valkey-cli", "keydb-cli", "mongosh", "mongo")
def judge_kv(call: Call) -> Judged | None:
    """Clients of Redis and MongoDB."""
    if call.program in {"mongosh", "mongo"}:
        spoken = read_spoken(call.words[1:], flags={"--quiet", "--nodb", "--norc", "--tls", "--ssl", "--shell"})
        code = spoken.values("--eval")
        files = [word for word in spoken.words if (word.text or "").endswith((".js", ".mongodb"))]
        parts: list[Judged | Finding | None] = [
            judge_mongo(word.text, call.scope)
            if word.text is not None
            else call.found("C6", "mongosh: runs what cannot be known beforehand")
            for word in code
        ]
        parts += [call.found("C6", f"mongosh: runs {shown(word)}") for word in [*files, *spoken.values("-f", "--file")]]
        if call.stdin is not None:
            parts.append(judge_mongo(call.stdin, call.scope))
        return merged(*parts)
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            --raw --no-raw --tls -c --cluster-none --scan --bigkeys --latency --stat --csv --json --no-auth-warning
            -x --pipe --hotkeys --memkeys -3 --insecure -e
            """
        ),
    )
    words = list(spoken.words)
    if spoken.options.get("--eval") is not None:
        return merged(call.found("C6", "redis-cli: runs a script"))
    if not words:
        if call.stdin is not None:
            return judge_redis(call.stdin, call.scope)
        return (
            merged(call.found("C6", "redis-cli: runs what is not known"))
            if call.has_stdin and not spoken.has("--scan", "--bigkeys", "--stat")
            else Judged()
        )
    if words[0].text is None:
        return merged(call.found("C6", "redis-cli: runs a command that cannot be known beforehand"))
    unknown = any(word.text is None for word in words[1:])
    findings = judge_redis_words([shown(word) for word in words], call.scope)
    if unknown and findings and findings[0].rule == "C3" and words[0].text.upper() in {"DEL", "UNLINK"}:
        return merged(call.found("B3", "redis-cli: deletes an open number of keys", reversible=False))
    return Judged(tuple(findings))


@handles("rabbitmqctl", "rabbitmqadmin", "rabbitmq-diagnostics", "kafka-topics", "kafka-topics.sh",
    "kafka-delete-records", "kafka-delete-records.sh", "kafka-consumer-groups", "kafka-consumer-groups.sh",
    "kafka-configs", "kafka-configs.sh",
         "kafka-acls", "kafka-acls.sh", "celery", "nats", "pulsar-admin", "rpk", "kcat", "zkCli.sh", "nodetool",
         "couchbase-cli", "cbq", "neo4j-admin", "cypher-shell", "curator", "curator_cli", "elasticdump",
         "solr")  # fmt: skip
def judge_queues(call: Call) -> Judged | None:
    """Queues, topics, search servers and clusters of stores."""
    spoken = read_spoken(
        call.words[1:],
        flags=wordset(
            """
            --delete --list --describe --force -f --create --alter --reset-offsets --execute --dry-run --all-topics
            --all-groups --help
            """
        ),
    )
    line = f"{' '.join(spoken.texts)} {' '.join(name for name in spoken.options)}"
    named = f"{spoken.said('--topic', '--queue', '-Q', '--group')} {' '.join(spoken.texts[1:])}"
    scratch = name_kind(named, call.scope.setting) == "scratch"
    if re.search(
        r"--(?:list|describe|help|dry-run)\b|\b(?:list\w*|status|inspect|report|info|ping|describe|stats|events"
        r"|info|show|get|diagnostics|ring|tpstats|compactionstats|cfstats|tablestats)\b",
        line,
    ) and not re.search(r"--delete\b|--execute\b", line):
        return Judged()
    if call.program == "celery":
        if "purge" in line or ("amqp" in line and "delete" in line):
            return merged(
                call.found(
                    "C3" if spoken.options.get("-Q") else "B3",
                    "celery: throws away waiting tasks",
                    named,
                    reversible=False,
                )
            )
        return (
            merged(call.found("C4", "celery: ends tasks"))
            if re.search(r"control|shutdown|multi stop", line)
            else Judged()
        )
    if call.program == "cypher-shell":
        text = " ".join(spoken.texts) or call.stdin or ""
        wide = re.search(r"match\s*\(\s*\w*\s*\)\s*(?:detach\s+)?delete", text, re.IGNORECASE)
        writes = re.search(r"\b(?:delete|set|create|merge|remove|drop)\b", text, re.IGNORECASE)
        return (
            merged(call.found("B3", "cypher-shell: deletes every node"))
            if wide
            else merged(call.found("C3", "cypher-shell: changes the graph"))
            if writes
            else Judged()
        )
    if re.search(
        r"\b(?:reset|force_reset|drop|erase|scratch|decommission|clearsnapshot|removenode|delete_vhost"
        r"|purge_queue|delete_queue|delete)\b|--delete\b|delete-records",
        line,
    ):
        whole = re.search(r"\b(?:reset|force_reset|delete_vhost|drop|erase)\b|[*]|\.\*|--all", line + named)
        one_queue = re.search(r"purge_queue|delete_queue|delete queue|--delete.*--group|--group", f"{line} {call.part}")
        rule = (
            "C3"
            if scratch
            else "B4"
            if re.search(r"\b(?:reset|force_reset|delete_vhost)\b", line)
            else "C3"
            if one_queue and not whole
            else "B3"
        )
        return merged(call.found(rule, f"{call.program}: {call.part[:80]}", named.strip(), reversible=False))
    if re.search(r"\b(?:stop_app|stop|shutdown|drain|disablegossip|stopdaemon)\b", line):
        return merged(
            call.found(
                "B4" if name_kind(call.part, call.scope.setting) == "precious" else "C4",
                f"{call.program}: stops a node",
            )
        )
    if "set_permissions" in line or "set_user_tags" in line or "add_user" in line:
        return merged(
            call.found(
                "B5" if "administrator" in call.part else "C4", f"{call.program}: changes rights", privilege=True
            )
        )
    if personal_in(named):
        return merged(call.found("C7", f"{call.program}: handles personal data"))
    return merged(call.found("C4", f"{call.program}: {line[:80]}", named.strip()))
