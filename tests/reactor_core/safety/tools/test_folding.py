"""Constants of short programs."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_core.safety.tools.folding import Folded, fold
from reactor_core.safety.tools.tokens import tokens


def given_to(source: str, language: str, name: str) -> Folded:
    sinks = {sink.name: sink for sink in fold(tokens(source, language), "/home/dev", language)}
    return sinks[name].arguments[0]


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ('system("rm -rf /")', "perl"),
        ('system "rm" . " -rf /"', "perl"),
        ('my $c = "rm -rf /"; system($c)', "perl"),
        ('system(pack("H*", "726d202d7266202f"))', "perl"),
        ('system decode_base64("cm0gLXJmIC8=")', "perl"),
        ('system("rm -rf /")', "ruby"),
        ('c = "rm"; system("#{c} -rf /")', "ruby"),
        ('system("/ fr- mr".reverse)', "ruby"),
        ('system(["726d202d7266202f"].pack("H*"))', "ruby"),
        ('system("rm" + " -rf /")', "node"),
        ('system(["rm", "-rf", "/"].join(" "))', "node"),
        ('system(Buffer.from("cm0gLXJmIC8=", "base64").toString())', "node"),
        ("system(String.fromCharCode(114,109,32,45,114,102,32,47))", "node"),
        ('system(atob("cm0gLXJmIC8="))', "node"),
        ('system(base64_decode("cm0gLXJmIC8="))', "php"),
        ('system(strrev("/ fr- mr"))', "php"),
        ('system("rm" .. " -rf /")', "lua"),
        ('BEGIN { c = "rm -rf"; system(c " /") }', "awk"),
    ],
)
def test_what_a_call_is_given_is_known(source: str, language: str) -> None:
    assert given_to(source, language, "system").text == "rm -rf /"


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ("system($ARGV[0])", "perl"),
        ("system(ARGV.join)", "ruby"),
        ("system(process.argv[2])", "node"),
        ("system($0)", "awk"),
    ],
)
def test_what_comes_from_outside_is_not_known(source: str, language: str) -> None:
    assert given_to(source, language, "system").text is None


def test_the_home_is_known() -> None:
    assert given_to("rmSync(os.homedir())", "node", "rmSync").text == "/home/dev"
    assert given_to("rmtree($ENV{HOME})", "perl", "rmtree").text == "/home/dev"


def test_what_was_decoded_says_so() -> None:
    assert given_to('system(atob("bHM="))', "node", "system").decoded


def test_a_setting_is_no_target() -> None:
    sink = next(iter(fold(tokens('rmSync("a", {recursive: true})', "node"), "/h", "node")))
    assert [one.option for one in sink.arguments] == [False, True]


@settings(deadline=None)  # machines are shared
@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40))
def test_base64_of_any_text_is_that_text(text: str) -> None:
    coded = base64.b64encode(text.encode()).decode()
    assert given_to(f'system(atob("{coded}"))', "node", "system").text == text


@settings(deadline=None)  # machines are shared
@given(st.text(max_size=60), st.sampled_from(["perl", "ruby", "node", "php", "lua", "awk"]))
def test_any_text_comes_to_an_end(source: str, language: str) -> None:
    assert len(list(fold(tokens(source, language), "/h", language))) <= len(source) + 1
