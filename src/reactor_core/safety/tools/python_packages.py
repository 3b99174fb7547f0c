"""pip and its like: what they install, from where, and what they run."""

from __future__ import annotations

import re
from dataclasses import replace

from reactor_core.safety import paths
from reactor_core.safety.tools.javascript import foreign_source, runs_package
from reactor_core.safety.tools.line import Known, Line, Textual, read_line, shown, spelled, wordset
from reactor_core.safety.tools.registry import Call, handles
from reactor_core.safety.tools.targets import merged, overwritten
from reactor_core.safety.verdict import Finding, Judged

__all__: list[str] = []

_VALUES = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-i", "--index-url", "--extra-index-url",
           "--index", "--default-index", "-f", "--find-links", "--trusted-host", "-t", "--target", "--prefix", "--root",
           "--python", "-p", "--platform", "--abi", "--cache-dir", "--timeout", "--log", "-w", "--wheel-dir", "-d",
           "--dest", "--report", "--src", "--group", "--extra", "--with", "--from", "--project", "--directory",
           "--only-binary", "--no-binary", "--upgrade-package", "--env-file", "-o", "--output-file",
           "--proxy")  # fmt: skip
_READS = wordset("""
    list show freeze check search index inspect config debug hash help download wheel cache completion lock
    export tree version python-list self-version
""")  # fmt: skip


@handles("pip", "pip3", "pip2", *(f"pip3.{minor}" for minor in range(6, 16)))
def judge_pip(call: Call) -> Judged | None:
    """From the project's own files into its environment is ordinary, by name as well; from an address it is not."""
    line = read_line(call.program, call.words[1:], values=_VALUES)
    if line.has("--dry-run"):
        return Judged()
    sub = line.sub()
    if sub == "config" and line.sub(1) in {"set", "unset", "edit"}:
        return merged(call.found("C5", f"keeps {line.sub(2)} in the settings of pip"))
    if sub in {"install", "download", "wheel"}:
        return _install(call, line, line.operands[1:])
    if sub == "uninstall":
        return merged(_system_wide(call, line, "removes"))
    return Judged()


def _install(call: Call, line: Line, words: tuple[Textual, ...]) -> Judged:
    parts: list[Judged | Finding | None] = []
    for word in line.values(
        "-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f", "--find-links"
    ):
        text = word.text or ""
        if re.match(r"^(?:http://|https?://\d+\.\d+)", text) and not re.match(r"^https?://(?:localhost|127\.)", text):
            parts.append(call.found("B5", f"installs from {text}, which nobody vouches for", text, outward=True))
    parts += [
        call.found("C6", f"installs the packages that {word.text} names", word.text or "", outward=True)
        for word in line.values("-r", "--requirement", "-c", "--constraint")
        if (word.text or "").startswith(("http://", "https://"))
    ]
    parts += [_package(call, word) for word in (*words, *line.values("-e", "--editable"))]
    parts.append(_system_wide(call, line, "installs"))
    return merged(*parts)


def _package(call: Call, word: Textual) -> Finding | None:
    text = word.text if word.text is not None else word.known_prefix
    if word.text is None:
        return call.found("C6", f"installs {shown(word)}, which cannot be known beforehand")
    if word.text in call.scope.fetched:
        return call.found("B5", f"installs {text}, which the same action has fetched", text, outward=True)
    address = re.sub(r"^[\w.\[\]-]+\s*@\s*", "", text)
    if foreign_source(address):
        plain = re.match(r"^(?:git\+)?(?:http://|https?://\d+\.\d+)", address)
        return call.found("B5" if plain else "C6", f"installs {address} and runs its set-up", address, outward=True)
    return None


def _system_wide(call: Call, line: Line, does: str) -> Finding | None:
    if call.scope.privileged or line.has("--break-system-packages", "--system"):
        return call.found("C5", f"{does} packages of the system's Python: {' '.join(line.words[1:])}")
    target = line.value("-t", "--target", "--prefix", "--root")
    if target and paths.place(target, call.scope) in {paths.Place.SYSTEM, paths.Place.ROOT}:
        return call.found("C5", f"{does} packages in {target}", target)
    return None


@handles("uv")
def judge_uv(call: Call) -> Judged | None:
    """``uv run`` and ``uvx`` run; ``uv pip`` is pip; the rest is the project's own environment."""
    line = read_line("uv", call.words[1:], values=_VALUES, stops=True)
    sub, rest = line.sub(), line.operands[1:]
    if sub == "pip":
        return judge_pip(replace(call, words=(call.words[0], *rest)))
    if sub == "run":
        inner = read_line("uv", rest, values=(*_VALUES, "-m", "--module"), stops=True)
        words = list(inner.operands)
        if inner.has("-m", "--module"):
            module = inner.values("-m", "--module")[0]
            return call.nested("shell", spelled((Known("python"), Known("-m"), module, *words)))
        return _run(call, tuple(words))
    if sub == "tool":
        action = line.sub(1)
        if action == "run":
            return _tool(call, rest[1:])
        return (
            merged(call.found("C5", f"changes programs of the user: uv tool {action}"))
            if action in {"install", "uninstall", "upgrade"}
            else Judged()
        )
    if sub == "publish":
        return (
            merged(call.found("C7", "publishes a package", outward=True))
            if not call.line.has("--dry-run")
            else Judged()
        )
    if sub == "add":
        return _install(call, read_line("uv", rest, values=_VALUES), read_line("uv", rest, values=_VALUES).operands)
    if sub == "self":
        return merged(call.found("C5", "changes uv itself"))
    if sub == "python" and line.sub(1) in {"install", "uninstall"}:
        return merged(call.found("C5", f"changes programs of the user: uv python {line.sub(1)}"))
    return Judged()


def _run(call: Call, words: tuple[Textual, ...]) -> Judged:
    while words and words[0].text == "--":
        words = words[1:]
    if not words:
        return Judged()
    text = words[0].text or ""
    if text.endswith(".py") or text == "-":
        return call.nested("shell", spelled((Known("python"), *words)))
    return call.nested("shell", spelled(words))


@handles("uvx", "pipx")
def judge_pipx(call: Call) -> Judged | None:
    """Runs or installs a program of the registry."""
    if call.program == "uvx":
        return _tool(call, call.words[1:])
    line = read_line(
        "pipx", call.words[1:], values=("--python", "--spec", "--pip-args", "--index-url", "--suffix"), stops=True
    )
    if line.sub() == "run":
        return _tool(call, line.operands[1:])
    if line.sub() in {"list", "environment", "completions", "ensurepath", "interpreter"}:
        return Judged()
    return merged(call.found("C5", f"changes programs of the user: {' '.join(line.words)}"))


def _tool(call: Call, words: tuple[Textual, ...]) -> Judged:
    line = read_line(call.program, words, values=_VALUES, stops=True)
    source = line.value("--from", "--spec")
    if source and foreign_source(re.sub(r"^[\w.\[\]-]+\s*@\s*", "", source)):
        return merged(call.found("C6", f"fetches and runs {source}", source, outward=True))
    return runs_package(replace(call, line=line), line.operands)


_RUNNERS = {"poetry": "run", "pdm": "run", "pipenv": "run", "rye": "run", "hatch": "run", "pixi": "run",
            "bundle": "exec",
            "conda": "run", "mamba": "run", "micromamba": "run", "dotenv": "run", "direnv": "exec", "rbenv": "exec",
            "pyenv": "exec", "mise": "exec", "asdf": "exec", "rtx": "exec", "nvm": "exec", "volta": "run",
            "fnm": "exec",
            "opam": "exec", "stack": "exec", "cabal": "exec", "vendor": "exec", "doppler": "run", "infisical": "run",
            "op": "run", "aws-vault": "exec", "chamber": "exec", "lerna": "exec", "heroku-local": "run",
            "nix": "run"}  # fmt: skip
_RUNNER_VALUES = ("-n", "--name", "-p", "--prefix", "-C", "--directory", "-e", "--env", "-f", "--file", "--cwd", "-c",
                  "--config", "--project", "--with-user", "--using")  # fmt: skip


@handles(*_RUNNERS)
def judge_runner(call: Call) -> Judged | None:
    """Programs that run another one in an environment of their own; everything else of them is in their tables."""
    line = read_line(call.program, call.words[1:], values=_RUNNER_VALUES, stops=True)
    if line.sub() != _RUNNERS[call.program] or len(line.operands) < 2:
        return None
    if call.program == "nix":
        return merged(call.found("C6", f"fetches and runs {line.sub(1)}")) if foreign_source(line.sub(1)) else Judged()
    inner = read_line(call.program, line.operands[1:], values=_RUNNER_VALUES, stops=True)
    words = tuple(word for word in inner.operands if word.text != "--")
    if (
        call.program in {"aws-vault", "chamber", "mise", "asdf", "rtx"}
        and len(words) > 1
        and "--" in {w.text for w in line.operands}
    ):
        position = [word.text for word in line.operands].index("--")
        words = line.operands[position + 1 :]
    if call.program == "hatch" and words and ":" in (words[0].text or ""):
        return Judged()
    return _run(call, words)


@handles("jupyter", "jupyter-lab", "jupyter-notebook", "tensorboard", "streamlit", "gradio", "mlflow", "uvicorn",
         "gunicorn",
         "flask", "fastapi", "hypercorn", "daphne", "waitress-serve", "http-server", "serve", "live-server",
         "php-server",
         "vllm", "ray", "bokeh", "panel", "voila", "marimo", "dask", "prefect", "dagster", "airflow-webserver",
         "litellm",
         "text-generation-launcher", "llama-server", "ollama-serve", "rails-server", "label-studio", "aim",
         "docs-server")  # fmt: skip
def judge_server(call: Call) -> Judged | None:
    """Servers for development: on the loopback they are ordinary work, on every address they are not."""
    line = read_line(
        call.program,
        call.words[1:],
        values=("--ip", "--host", "-h-", "-b", "--bind", "-a", "-p", "--port", "--server.address", "--logdir", "-w",
                "--workers", "--to", "--output", "--bind_all-", "--app", "-H", "--address", "--hostname",
                "--ServerApp.token",
                "--NotebookApp.token", "-l", "--listen"),
    )  # fmt: skip
    sub = line.sub()
    if sub == "db":
        return None
    bound = [word.text or "" for word in line.values("--ip", "--host", "-b", "--bind", "-a", "--server.address", "-H",
                                                     "--address", "--hostname", "-l", "--listen")]  # fmt: skip
    wide = line.has("--bind_all", "--share") or any(
        re.match(r"^(?:tcp://)?(?:0\.0\.0\.0|\[?::\]?|\*)(?::|$)", one) for one in bound
    )
    if wide:
        tokens = line.values(
            "--ServerApp.token", "--NotebookApp.token", "--NotebookApp.password", "--ServerApp.password"
        )
        open_door = call.program.startswith("jupyter") and any(one.text in {"", "''"} for one in tokens)
        rule = "B5" if open_door else "C7"
        return merged(
            call.found(rule, "serves to the network" + (" without a password" if open_door else ""), outward=True)
        )
    if call.program == "jupyter" and sub == "nbconvert":
        return merged(overwritten(call, line.values("--output")))
    if call.program in {"mlflow", "prefect", "dagster", "ray", "flask"}:
        return None
    return Judged()
