from __future__ import annotations

from a1_reactor.cli import main
from reactor_core.utils.ports import listen


def test_the_server_gets_address_and_workspace(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr("uvicorn.run", lambda app, **options: seen.update(app=app, **options))
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "reactor"))
    assert main(["serve", "--port", "0", "--workspace", str(tmp_path / "clips")]) == 0
    assert (seen["host"], seen["port"], seen["proxy_headers"]) == ("127.0.0.1", 0, False)
    assert seen["app"].title == "A1 Reactor"


def test_other_machines_are_let_in_only_with_a_token(monkeypatch, capsys):
    monkeypatch.delenv("REACTOR_API_TOKEN", raising=False)
    assert main(["serve", "--host", "0.0.0.0"]) == 3
    assert "REACTOR_API_TOKEN" in capsys.readouterr().err


def test_a_port_that_is_taken_or_none_is_told_before_anything_is_opened(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REACTOR_WORKSPACE", str(tmp_path / "reactor"))
    with listen("127.0.0.1", 0) as taken:
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 5
    assert "choose another --port" in capsys.readouterr().err
    assert main(["serve", "--port", "99999"]) == 3
    assert not (tmp_path / "reactor").exists()
