from decimal import Decimal

import pytest

from a1_reactor.providers.operator import build_entry, load_entries
from a1_reactor.providers.price import Price
from reactor_core.errors import ConfigError

FAL = """
[retake]
kind = "fal"
endpoint = "https://queue.fal.run/fal-ai/ltx-2/retake-video"
token_file = "fal.key"
input = {video_url = "{video}", prompt = "{prompt}"}
[retake.capabilities]
modes = ["mask"]
quantum = {step = 8, offset = 1, minimum = 49}
context_frames = 12
"""


def load(folder, text):
    (folder / "providers.toml").write_text(text)
    return load_entries(folder, taken=("mock", "http"))


def build(folder, text):
    [(name, entry)] = load(folder, text).items()
    return build_entry(name, entry, folder=folder, allow=(), pulse=lambda: None)


def test_without_a_file_there_are_none(tmp_path):
    assert load_entries(tmp_path) == {}


def test_a_model_of_fal_is_set_up(tmp_path):
    (tmp_path / "fal.key").write_text("abc:def\n")
    made = build(tmp_path, FAL)
    assert (made.name, made.service.kind, made.capabilities.modes) == ("retake", "fal", {"mask"})
    assert str(made.capabilities.quantum) == "8n+1 from 49"
    # fal's own file host may stand in replies, others not.
    assert made.service._wire.follow("https://v3.fal.media/files/a.mp4")
    assert made.service._wire._secret == "Key abc:def"


def test_what_a_call_costs_is_stated_in_a_table_of_its_own(tmp_path):
    (tmp_path / "fal.key").write_text("abc:def\n")
    assert build(tmp_path, FAL).capabilities.price is None
    priced = build(tmp_path, FAL + "[retake.price]\nusd_per_second = 0.1\n")
    # 0.1 as it is written, not as a float is.
    assert priced.capabilities.price == Price(per_second=Decimal("0.1"))
    http = '[mine]\nkind = "http"\nendpoint = "https://a.example/f"\nprice = {usd_per_call = 0.05}\n'
    assert build(tmp_path, http).capabilities.price == Price(per_call=Decimal("0.05"))
    with pytest.raises(ConfigError, match=r"retake.*price.*usd_per_call"):
        load(tmp_path, FAL + "[retake.price]\nusd_per_call = -1\n")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('kind = "http"\nendpoint = "https://a.example/f"', "HTTPProvider"),
        ('kind = "http2"\nendpoint = "https://a.example/f"', "HTTPProviderV2"),
        ('kind = "replicate"\nendpoint = "https://api.replicate.com/v1/predictions"\ninput = {}', "HostedProvider"),
        ('kind = "comfyui"\nendpoint = "http://127.0.0.1:8188"\nworkflow = "w.json"', "HostedProvider"),
        ('kind = "diffusers"\nfolder = "models/wan"\ndtype = "bfloat16"', "DiffusersProvider"),
    ],
)
def test_every_kind_can_be_set_up(tmp_path, text, kind):
    (tmp_path / "w.json").write_text('{"1": {"class_type": "KSampler", "inputs": {"seed": "{seed}"}}}')
    made = build(tmp_path, f"[mine]\n{text}\n")
    assert (made.name, type(made).__name__) == ("mine", kind)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a", "cannot be read"),
        ("[mock]\nkind = 'http'", "'mock' cannot be a provider's name"),
        ("[My]\nkind = 'http'", "'My' cannot be"),
        ("a = 1", r"\[a\]"),
        ("[a]\nkind = 'magic'", r"\[a\].*magic"),
        ("[a]\nkind = 'http'", r"\[a\] http\.endpoint"),
        ("[a]\nkind = 'http'\nendpoint = 'https://a'\nspeed = 1", r"http\.speed"),
        ("[a]\nkind = 'http'\nendpoint = 'https://a'\ntimeout_s = 0", r"http\.timeout_s"),
        ("[a]\nkind = 'http'\nendpoint = 'https://a'\njob_timeout_s = 9", r"http\.job_timeout_s"),
        ("[a]\nkind = 'fal'\nendpoint = 'https://a'\ninput = {}\ncapabilities = {modes = ['x']}", "modes"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, text, problem):
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "http"\nendpoint = "ftp://a"', "no http"),
        ('kind = "http"\nendpoint = "https://a"\ntoken_file = "none"', "token_file"),
        ('kind = "http"\nendpoint = "https://a"\ntoken_file = "two.key"', "does not hold one key"),
        ('kind = "fal"\nendpoint = "https://a"\ninput = {a = "{promt}"}', r"nothing fills \{promt\}"),
        ('kind = "comfyui"\nendpoint = "http://a"\nworkflow = "none"', "workflow"),
        ('kind = "comfyui"\nendpoint = "http://a"\nworkflow = "ui.json"', "API form"),
    ],
)
def test_what_cannot_be_set_up_is_named(tmp_path, text, problem):
    (tmp_path / "two.key").write_text("a b")
    (tmp_path / "ui.json").write_text('{"nodes": [], "links": []}')
    with pytest.raises(ConfigError, match=problem):
        build(tmp_path, f"[mine]\n{text}\n")
