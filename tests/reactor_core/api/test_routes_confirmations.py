"""Questions are asked by one program and answered here, as in life; the page is looked at in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
from starlette.testclient import TestClient
from tests.reactor_core.api.serving import until
from tests.servers.display import needs

from reactor_core.integration import EventBridge
from reactor_core.safety.confirm import Approvals, FactorStore, Ticket
from reactor_core.safety.confirm.notes import make_key, sign_answer
from reactor_core.safety.engine import Decision
from reactor_core.safety.verdict import Effect, Finding, Verdict
from reactor_core.utils.settings import Settings


class Authenticator:
    """A device whose owner waits for a code that was not shown yet."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._step = int(time.time()) // 30 - 1  # the one that it was set up with

    def code(self) -> str:
        self._step += 1
        assert self._step <= int(time.time()) // 30 + 1, "no more than two codes at once are accepted"
        return self._totp.generate_otp(self._step)


def decision(action: str = "rm notes.txt", verdict: Verdict = Verdict.CONFIRM) -> Decision:
    found = Finding(verdict, "B1", "a file is lost", Effect(target="notes.txt", reversible=False), action)
    return Decision(
        action=action, kind="shell", verdict=verdict, findings=(found,), resolved=(action,), action_hash=f"# {action}"
    )


@pytest.fixture
def asking(api_settings: Settings) -> Iterator[Approvals]:
    """The program of an agent that asks."""
    with EventBridge("jarvis_agent", settings=api_settings) as bridge, Approvals(bridge) as approvals:
        yield approvals


@pytest.fixture
def device(api_settings: Settings) -> Authenticator:
    store = FactorStore(api_settings.state_dir)
    new = store.new_authenticator("alice")
    device = Authenticator(new.secret)
    store.add_authenticator(new, pyotp.TOTP(new.secret).at(time.time() - 30))
    store.close()
    return device


def test_open_questions_are_listed_with_what_they_are_about(api: TestClient, asking: Approvals) -> None:
    ticket = asking.request(decision(), session="agent", cwd="/work")
    (found,) = api.get("/v1/confirmations").json()["confirmations"]
    assert found["id"] == ticket.ticket_id
    assert found["asked"]["action"] == "rm notes.txt"
    assert found["subject"].endswith(f"{ticket.ticket_id} # rm notes.txt")
    assert api.get(f"/v1/confirmations/{ticket.ticket_id}").json() == found


def test_a_code_lets_the_action_run(api: TestClient, asking: Approvals, device: Authenticator) -> None:
    ticket = asking.request(decision())
    answer = api.post(f"/v1/confirmations/{ticket.ticket_id}/confirm", json={"code": device.code()})
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
    outcome = ticket.wait(30)
    assert (outcome.confirmed, outcome.method, outcome.principal) == (True, "totp", "alice")
    assert api.get("/v1/confirmations").json() == {"confirmations": []}
    assert len(api.get("/v1/confirmations", params={"state": "all"}).json()["confirmations"]) == 1


def test_without_a_second_factor_nothing_is_let_run(api: TestClient, asking: Approvals, device: Authenticator) -> None:
    ticket = asking.request(decision())
    where = f"/v1/confirmations/{ticket.ticket_id}/confirm"
    for body, status in (({}, 422), ({"code": "abcdef"}, 403), ({"note": "yes"}, 403), ({"confirmed": True}, 422)):
        assert api.post(where, json=body).status_code == status, body
    assert asking.question(ticket.ticket_id).answers == ()


def test_where_nobody_is_enrolled_nobody_can_agree(api: TestClient, asking: Approvals) -> None:
    ticket = asking.request(decision())
    answer = api.post(f"/v1/confirmations/{ticket.ticket_id}/confirm", json={"code": "123456"})
    assert answer.json()["type"] == "urn:reactor:problem:answer-refused"
    assert "enrol" in answer.json()["detail"]


def test_a_code_is_not_taken_twice(api: TestClient, asking: Approvals, device: Authenticator) -> None:
    code = device.code()
    tickets = [asking.request(decision(f"rm {name}")) for name in "ab"]
    codes = [api.post(f"/v1/confirmations/{t.ticket_id}/confirm", json={"code": code}).status_code for t in tickets]
    assert codes == [200, 403]


def test_anybody_may_refuse(api: TestClient, asking: Approvals) -> None:
    ticket = asking.request(decision())
    answer = api.post(f"/v1/confirmations/{ticket.ticket_id}/deny", json={"reason": "my only copy"})
    assert answer.json()["state"] == "denied"
    outcome = ticket.wait(30)
    assert (outcome.confirmed, outcome.principal) == (False, "api (local)")
    again = api.post(f"/v1/confirmations/{ticket.ticket_id}/deny", json={})
    assert (again.status_code, again.json()["title"]) == (403, "The answer does not count")


def test_two_people_on_two_machines_release_what_the_rules_block(
    api: TestClient, remote: TestClient, asking: Approvals, device: Authenticator, api_settings: Settings, tmp_path: Any
) -> None:
    store = FactorStore(api_settings.state_dir)
    signer = make_key(tmp_path / "bob.pem", "bob")
    store.add_key(str(signer.verifier), by=store.use_code(device.code(), purpose="enrol"))
    store.close()
    ticket = asking.request(decision(verdict=Verdict.BLOCK))
    where = f"/v1/confirmations/{ticket.ticket_id}"
    first = api.post(f"{where}/confirm", json={"code": device.code(), "person": "alice"})
    assert (first.json()["state"], first.json()["missing"]) == ("open", 1)
    assert remote.get(where).status_code == 401
    token = {"Authorization": f"Bearer {(api_settings.workspace / 'token').read_text().strip()}"}
    subject = remote.get(where, headers=token).json()["subject"]
    now = int(time.time() * 1e6)
    refusal = sign_answer(signer, subject, confirmed=False, signed_us=now)
    answer = remote.post(f"{where}/confirm", json={"note": refusal}, headers=token)
    assert "says no" in answer.json()["detail"]
    note = sign_answer(signer, subject, confirmed=True, signed_us=now)
    assert remote.post(f"{where}/confirm", json={"note": note}, headers=token).json()["state"] == "confirmed"
    assert ticket.wait(30).principal == "alice, bob"


def test_a_page_of_another_site_gets_nowhere(api: TestClient, asking: Approvals) -> None:
    ticket = asking.request(decision())
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = api.post(f"/v1/confirmations/{ticket.ticket_id}/deny", json={}, headers=headers)
    assert answer.status_code == 403
    assert asking.question(ticket.ticket_id).state == "open"


def test_what_is_not_there_is_not_found(api: TestClient) -> None:
    assert api.get("/v1/confirmations/nothing").status_code == 404
    assert api.post("/v1/confirmations/nothing/deny", json={}).status_code == 404
    assert api.get("/confirmations/server.py").status_code == 404
    assert api.get("/confirmations/..%2fserver.py").status_code == 404


def test_the_page_loads_nothing_but_its_own_files(api: TestClient) -> None:
    page = api.get("/confirmations")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    for name in ("confirmations.css", "confirmations.js"):
        assert f"/confirmations/{name}" in page.text
        assert api.get(f"/confirmations/{name}").status_code == 200
    for word in ("<script>", "onclick", "style=", "http://", "https://"):
        assert word not in page.text


@pytest.fixture
def browser_page() -> Iterator[Any]:
    needs("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.said = said
        yield page
        browser.close()


def ask_on(page: Any, serve_here: Callable[..., str], ticket: Ticket) -> Any:
    page.goto(f"{serve_here()}/confirmations")
    article = page.locator(f'article[data-id="{ticket.ticket_id}"]')
    article.wait_for(timeout=30_000)
    return article


@pytest.mark.system
def test_a_person_agrees_on_the_page(
    browser_page: Any, serve_here: Callable[..., str], asking: Approvals, device: Authenticator
) -> None:
    ticket = asking.request(decision("rm notes.txt"), session="agent", cwd="/work")
    article = ask_on(browser_page, serve_here, ticket)
    text = article.inner_text()
    assert "rm notes.txt" in text
    assert "cannot be undone" in text
    article.get_by_role("button", name="Let it run once").click()
    assert "type the code" in article.get_by_role("alert").inner_text()
    assert asking.question(ticket.ticket_id).state == "open"
    article.get_by_label("Code of your authenticator").fill(device.code())
    article.get_by_role("button", name="Let it run once").click()
    assert ticket.wait(30).principal == "alice"
    browser_page.get_by_text("No open question.").wait_for(timeout=30_000)
    assert browser_page.said == []


@pytest.mark.system
def test_a_person_refuses_on_the_page_and_the_action_cannot_dress_up(
    browser_page: Any, serve_here: Callable[..., str], asking: Approvals, tmp_path: Any
) -> None:
    action = "rm a\u202etxt.<img src=x onerror=alert(1)>\x1b[2K\u2066"
    ticket = asking.request(decision(action))
    article = ask_on(browser_page, serve_here, ticket)
    shown = article.locator(".action").inner_text()
    assert "\\u{202e}txt.<img src=x onerror=alert(1)>\\u{1b}[2K\\u{2066}" in shown
    assert article.locator("img").count() == 0
    browser_page.screenshot(path=str(tmp_path / "page.png"), full_page=True)
    article.get_by_role("button", name="Refuse").click()
    until(lambda: asking.question(ticket.ticket_id).state == "denied")
    assert browser_page.said == []
