"""The rule as a table, with what attackers' pages and proxies really send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from reactor_core.api.guard import LOCAL, TOKEN, judge
from reactor_core.api.problems import Problem

SECRET = "the-token-of-this-workspace"
HERE = {"host": "localhost:8003"}


def verdict(client: str | None = "127.0.0.1", method: str = "GET", **headers: str) -> str:
    """The principal, or the problem's name; header names are written with underscores."""
    sent = HERE | {name.replace("_", "-"): value for name, value in headers.items()}
    found = judge(method=method, client=client, headers=Headers(sent), token=SECRET)
    return found.name if isinstance(found, Problem) else found


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost:8003", "127.0.0.1", "[::1]:8003", "localhost", "LOCALHOST:1"])
def test_this_machine_needs_no_token(client: str, host: str) -> None:
    assert verdict(client, host=host) == LOCAL


@pytest.mark.parametrize("client", ["10.0.0.7", "192.168.1.2", "2001:db8::1", "::ffff:10.0.0.7", "testclient", None])
def test_every_other_machine_does(client: str | None) -> None:
    assert verdict(client) == "token-missing"
    assert verdict(client, authorization=f"Bearer {SECRET}", host="reactor.example") == TOKEN


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer", "", "Basic dTpw", SECRET, f"Bearer {SECRET}x"])
@pytest.mark.parametrize("client", ["127.0.0.1", "10.0.0.7"])
def test_a_wrong_token_is_refused_wherever_it_comes_from(client: str, value: str) -> None:
    assert verdict(client, authorization=value) == "token-wrong"


@pytest.mark.parametrize("header", ["forwarded", "x_forwarded_for", "x_forwarded_host", "x_real_ip", "via"])
def test_a_proxy_on_this_machine_speaks_for_others(header: str) -> None:
    assert verdict(**{header: "127.0.0.1"}) == "token-missing"
    assert verdict(**{header: "127.0.0.1"}, authorization=f"Bearer {SECRET}") == TOKEN


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8003", "localhost.evil.example:8003", "", "127.0.0.1.evil.example", "10.0.0.1:8003",
     "localhost:8003:80", "::1:8003", "[::1].evil.example"],
)  # fmt: skip
def test_a_foreign_name_that_leads_here_is_refused(host: str) -> None:
    assert verdict(host=host) == "host-unknown"


def test_pages_of_other_origins_are_refused() -> None:
    for site in ("cross-site", "same-site"):
        assert verdict(sec_fetch_site=site) == "cross-site"
        assert verdict(method="POST", sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document") == (
            "cross-site"
        )
    for origin in ("https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:8003", "http://[", ""):
        assert verdict(method="POST", origin=origin) == "cross-site"


def test_pages_of_our_own_and_programs_and_links_are_let_in() -> None:
    assert verdict(sec_fetch_site="same-origin", origin="http://localhost:8003", method="POST") == LOCAL
    assert verdict(sec_fetch_site="none", sec_fetch_mode="navigate") == LOCAL
    assert verdict(sec_fetch_site="cross-site", sec_fetch_mode="navigate", sec_fetch_dest="document") == LOCAL
    assert verdict(origin="http://localhost:8003", method="POST") == LOCAL


@given(
    st.sampled_from(["10.1.2.3", "2001:db8::7", "203.0.113.9", "0.0.0.0", "", "localhost.example"]),
    st.dictionaries(st.sampled_from(["host", "origin", "x-forwarded-for", "forwarded", "sec-fetch-site", "x-real-ip"]),
                    st.sampled_from(["127.0.0.1", "localhost", "localhost:8003", "same-origin", "http://localhost"])),
)  # fmt: skip
def test_nothing_that_a_client_says_makes_it_local(client: str, said: dict[str, str]) -> None:
    found = judge(method="GET", client=client, headers=Headers(said), token=SECRET)
    assert isinstance(found, Problem)
    assert found.status_code in (401, 403)
