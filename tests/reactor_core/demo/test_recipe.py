from reactor_core.demo.recipe import MODEL, demo_config, full_config
from reactor_core.models.names import parse_model_name


def test_the_model_is_one_that_a_machine_without_a_hub_can_fetch():
    assert parse_model_name(MODEL).kind == "alias"


def test_the_timed_recipe_ends_within_150_seconds():
    assert demo_config().max_seconds == 150
    assert full_config().max_seconds is None


def test_both_keep_the_order_of_the_file_and_ask_in_the_same_words():
    for config in (demo_config(seed=3), full_config(seed=3)):
        assert config.seed == 3
        assert not config.shuffle
        assert config.chat_template == "bare"
