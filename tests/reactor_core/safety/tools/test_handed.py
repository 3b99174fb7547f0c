"""Commands that programs are handed by their options, variables and operands."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

LINES = [
    "man -P 'sh -c \"{}\"' ls",
    "man --pager='sh -c \"{}\"' ls",
    "less '+!{}' a.txt",
    "git grep -O'{}' x",
    "git clone -u 'sh -c \"{}\"' host:x",
    "git fetch --upload-pack='{}' origin",
    "strace -o '|{}' ls",
    "tcpdump -z '{}' -w x -W1",
    "zip x.zip a -T -TT 'sh -c \"{}\"'",
    "gcc -wrapper sh,-c,'{}' a.c",
    "nodemon --exec '{}'",
    "concurrently 'npm run dev' '{}'",
    "just --command sh -c '{}'",
    "cmake -E env CC=clang sh -c '{}'",
    "start-stop-daemon --start --exec /bin/sh -- -c '{}'",
    "tmux send-keys -t dev '{}' Enter",
    "m4 <<< 'syscmd(`{}'\"'\"')'",
    "make SHELL='{}' x",
    "make CC='sh -c \"{}\"' x",
    "make 'X=$(shell {})' x",
    "ghc -e 'System.Process.system \"{}\"'",
    "crystal eval 'system(\"{}\")'",
]


@pytest.mark.parametrize("line", LINES)
def test_what_a_program_is_handed_is_judged_as_shell(line: str) -> None:
    assert judge_action(line.replace("{}", "rm -rf /srv"), "shell").verdict == "block"


@pytest.mark.parametrize(
    "action",
    [
        "man -P cat ls",
        "man -P 'less -R' git",
        "less +G log.txt",
        "git grep -O less x",
        "git clone -u /usr/bin/git-upload-pack host:x",
        "strace -o out.txt ls",
        "strace -f -o '/tmp/reactor-x y.txt' ls",
        "tcpdump -r a.pcap",
        "gcc -Wall -o out/a a.c",
        "just --command pytest -q",
        "cmake -E env CC=clang ninja -C build",
        "cmake -E make_directory build",
        "concurrently 'npm run dev' 'npm run css'",
        "make CFLAGS='-O2 -g' all",
        "make CC='ccache gcc' all",
        "make MESSAGE='stop calling rm -rf /' notes",
        "tmux send-keys -t dev 'npm test' Enter",
        "tmux send-keys -t 0 C-c",
    ],
)
def test_ordinary_options_stay_what_they_are(action: str) -> None:
    assert judge_action(action, "shell").verdict == "allow"
