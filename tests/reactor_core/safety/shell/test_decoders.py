"""Decoders and translators against the programs themselves."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_core.safety.shell.decoders import DECODERS, decoded, escaped, formatted, translated


@given(st.text(max_size=40))
def test_what_was_encoded_is_decoded(text: str) -> None:
    raw = text.encode()
    assert decoded(DECODERS["base64"](base64.b64encode(raw).decode())) == decoded(raw)
    assert decoded(DECODERS["base32"](base64.b32encode(raw).decode())) == decoded(raw)
    assert decoded(DECODERS["hex"](raw.hex())) == decoded(raw)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [("gzip", gzip.compress(b"rm -rf /")), ("bzip2", bz2.compress(b"rm -rf /")), ("xz", lzma.compress(b"rm -rf /"))],
    ids=["gzip", "bzip2", "xz"],
)
def test_what_was_compressed_is_inflated(kind: str, raw: bytes) -> None:
    assert DECODERS[kind](raw.decode("latin-1")) == b"rm -rf /"


def test_a_bomb_is_cut_short() -> None:
    assert len(DECODERS["gzip"](gzip.compress(b"0" * 50_000_000).decode("latin-1"))) <= 200_000


@pytest.mark.parametrize(
    ("form", "args"),
    [
        ("%s\\n", ["a", "b"]),
        ("%d-%x", ["10", "255"]),
        ("%b", ["a\\tb"]),
        ("%03d", ["7"]),
        ("%c%c", ["xy", "zw"]),
        ("%%", []),
        ("\\x72\\155", []),
        ("%5s|%-5s|", ["a", "b"]),
        ("%d", ["'A"]),
        ("x", ["a"]),
    ],
)
def test_printf_prints_what_it_prints(form: str, args: list[str]) -> None:
    said = subprocess.run(["bash", "-c", 'printf "$@"', "x", form, *args], capture_output=True, check=True).stdout
    assert formatted(form, args) == said.decode()


@pytest.mark.parametrize(
    ("flags", "sets"),
    [("", ["a-z", "n-za-m"]), ("d", ["aeiou"]), ("s", ["l"]), ("", ["[:lower:]", "[:upper:]"]), ("cd", ["a-m\\n"])],
)
def test_tr_translates_as_tr(flags: str, sets: list[str]) -> None:
    text = "hello world\n"
    words = ["tr", *([f"-{flags}"] if flags else []), *sets]
    said = subprocess.run(words, input=text, capture_output=True, text=True, check=True).stdout
    assert translated(text, sets, flags) == said


def test_escapes_of_echo() -> None:
    assert escaped("a\\x41\\0101\\cgone") == "aAA"
