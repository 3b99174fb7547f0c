import json


def test_a_report_in_words(a1, demo):
    clip = demo()
    status, out, _ = a1("report", clip["clip_id"])
    assert status == 0
    assert out.splitlines()[0].startswith(("It holds together", "Something shows"))
    assert " + No frame jumps." in out.splitlines()


def test_a_page_and_its_place_in_json(a1, demo, tmp_path):
    clip = demo()
    page = tmp_path / "report.html"
    status, out, _ = a1("report", clip["clip_path"], "--html", str(page), "--json")
    told = json.loads(out)
    assert status == 0
    assert (told["clip_id"], told["html"]) == (clip["clip_id"], str(page))
    assert set(told["drift"]) == {"1", "2", "5", "10", "20"}
    assert page.read_text().startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_an_error(a1, demo, tmp_path):
    clip = demo()
    (tmp_path / "file").touch()
    status, out, _ = a1("report", clip["clip_id"], "--html", str(tmp_path / "file" / "page.html"), "--json")
    assert (status, json.loads(out)["error"]["type"]) == (1, "StorageError")


def test_a_clip_that_is_not_there(a1):
    status, out, _ = a1("report", "0" * 16, "--json")
    assert (status, json.loads(out)["error"]["type"]) == (4, "NotFound")
