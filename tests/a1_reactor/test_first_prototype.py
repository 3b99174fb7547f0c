"""The faults of the first prototype of this product, one test each: none of them may come back."""

import base64
import json
import math
from fractions import Fraction

import pytest
from starlette.testclient import TestClient

from a1_reactor.config import ReactorConfig
from a1_reactor.engine.engine import ReactorEngine
from a1_reactor.media.png import encode_png
from a1_reactor.prompts import spec_of
from a1_reactor.providers.http_provider import HTTPProvider
from a1_reactor.providers.http_reply import reply_frames
from a1_reactor.providers.mock import MockProvider
from a1_reactor.server.api import create_app
from a1_reactor.types import JobSpec, Window, window_between
from reactor_core.errors import ProviderError, SpecError
from reactor_core.utils.settings import Settings


class Counting(MockProvider):
    """Counts the frames that it is asked for."""

    def __init__(self):
        self.made = 0

    def regen_frames(self, job, base, windows):
        for item in super().regen_frames(job, base, windows):
            self.made += 1
            yield item


@pytest.fixture(scope="module")
def made(make_engine, tmp_path_factory):
    """An engine, a clip, a child of it with frames 8 to 11 anew, and how many frames that took."""
    engine, spec = make_engine(tmp_path_factory.mktemp("prototype"))
    provider = Counting()
    engine = ReactorEngine(engine.config, provider, encoder=engine.encoder)
    parent = engine.generate(spec(negative_prompt="rain")).clip
    child = engine.regen(spec(prompt="sharper", windows=(Window(8, 12),)), parent=parent).clip
    return engine, parent, child, provider.made


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    settings = Settings(
        workspace=folder / "reactor",
        a1_workspace=folder / "a1r",
        state_dir=folder / "state",
        cache_dir=folder / "cache",
    )
    with TestClient(create_app(settings), base_url="http://localhost:8080", client=("127.0.0.1", 5)) as client:
        yield client


def test_1_a_regeneration_makes_the_frames_of_its_window_and_no_other(made):
    _, parent, child, count = made
    assert count == 4
    taken = child.report()["regen"]["frames"]["untouched"]["taken_over_by"]
    assert sum(taken.values()) == 20
    assert not taken.get("copy")
    if taken.get("hardlink"):
        assert parent.frame_path(0).samefile(child.frame_path(0))


def test_2_blending_the_key_value_language_templates_and_differences_are_in_use(made):
    (seam,) = made[2].report()["regen"]["seams"]
    assert seam["after_blending"]["left"] < seam["before_blending"]["left"]
    assert spec_of({"prompt_dsl": "light:dusk subject:fox"}).prompt == "fox, dusk"
    assert spec_of({"template": {"name": "product_studio", "subject": "a lamp"}}).prompt.startswith("a lamp, product")
    assert made[2].report()["regen"]["frames"]["changed"]["count"] == 4


def test_3_a_negative_prompt_is_what_the_user_wrote(made, client):
    assert made[1].job.resolved.negative_prompt == "rain"
    schema = client.get("/openapi.json").json()["components"]["schemas"]
    assert any("negative_prompt" in one.get("properties", {}) for one in schema.values())


def test_4_running_a_spec_changes_neither_the_spec_nor_its_key(made, spec):
    engine = made[0]
    asked = spec(seconds="1/24", style_preset="noir")
    before = asked.to_json()
    keys = [engine.generate(asked).clip.key for _ in range(2)]
    assert (keys[0], asked.to_json()) == (keys[1], before)


def test_5_seed_nought_is_a_seed(made, spec):
    engine = made[0]
    nought, one = (engine.generate(spec(seconds="1/24", seed=seed)).clip for seed in (0, 1))
    assert nought.job.resolved.seed == 0
    assert nought.manifest.frames != one.manifest.frames


def test_6_the_key_knows_the_endpoint_and_not_the_metadata(made, spec):
    engine = made[0]
    identities = [dict(HTTPProvider(f"http://127.0.0.1:{port}/").identity()) for port in (1, 2)]
    assert identities[0] != identities[1]
    first = engine.generate(spec(seconds="1/24", metadata={"run": 1}))
    assert engine.generate(spec(seconds="1/24", metadata={"run": 2})).clip.key == first.clip.key


def test_6_a_crash_leaves_no_clip_that_would_be_found(tmp_path, spec):
    class Dies(MockProvider):
        def generate_frames(self, job):
            yield from list(super().generate_frames(job))[:2]
            raise ProviderError("the machine is gone")

    config = ReactorConfig(workspace=tmp_path)
    with pytest.raises(ProviderError):
        ReactorEngine(config, Dies()).generate(spec(seconds="1/8"))
    result = ReactorEngine(config, MockProvider()).generate(spec(seconds="1/8"))
    assert (result.reused, result.clip.frame_count) == (False, 3)


def test_7_a_second_at_24_frames_has_24_frames():
    assert len(window_between("1.0", "2.0", 24)) == 24
    assert window_between(0, 1, 24).stop == window_between(1, 2, 24).start


def test_8_the_length_in_frames_is_exact_where_floats_are_one_off():
    wrong_in_floats = 0
    for tenths in range(5, 301):
        for fps in range(12, 61):
            exact = math.ceil(Fraction(tenths, 10) * fps)
            wrong_in_floats += math.ceil(tenths / 10 * fps) != exact
            if math.ceil(tenths / 10 * fps) != exact or tenths % 37 == 0:
                assert JobSpec(prompt="x", seconds=tenths / 10, fps=fps).frames == exact
    assert wrong_in_floats == 51
    assert JobSpec(prompt="x", seconds=2.2, fps=25).frames == 55


def test_9_numbers_and_sizes_of_an_endpoints_frames_are_checked(spec):
    job = spec(seconds="1/12")  # two frames
    (frame,) = (base64.b64encode(encode_png(one)).decode() for one in list(MockProvider().generate_frames(job))[:1])
    small = base64.b64encode(encode_png(next(MockProvider().generate_frames(spec(width=32, height=32))))).decode()
    for numbers, png, says in (((0, 0), frame, "twice"), ((0, 7), frame, "outside"), ((0, 1), small, "32x32")):
        body = json.dumps({"frames": [{"index": number, "png_base64": png} for number in numbers]}).encode()
        with pytest.raises(ProviderError, match=says):
            list(reply_frames(body, job, "http://127.0.0.1:9/"))


def test_10_no_request_names_an_endpoint(client):
    with pytest.raises(SpecError, match="'http_endpoint' is unknown"):
        spec_of({"prompt": "x", "http_endpoint": "http://169.254.169.254/"})
    refused = client.post("/v1/jobs", json={"prompt": "x", "http_endpoint": "http://169.254.169.254/"})
    assert refused.status_code == 422


def test_11_jobs_are_listed_cancelled_and_deleted_and_no_answer_tells_a_path_of_the_server(client, tmp_path_factory):
    paths = client.get("/openapi.json").json()["paths"]
    assert "get" in paths["/v1/jobs"]
    assert "delete" in paths["/v1/jobs/{job_id}"]
    assert "post" in paths["/v1/jobs/{job_id}/cancel"]
    for answer in (client.get("/v1/jobs"), client.get("/v1/clips"), client.get("/v1/jobs/none"), client.get("/health")):
        assert str(tmp_path_factory.getbasetemp()) not in answer.text


def test_12_the_page_is_served_by_the_same_program(client):
    answer = client.get("/ui/")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/html")


def test_13_an_odd_size_is_refused_with_the_sizes_beside_it():
    with pytest.raises(SpecError) as caught:
        JobSpec(prompt="x", width=97)
    assert caught.value.remedy == "use 98 or 96"
