from reactor_core.demo.recipe import demo_config, full_config


def test_the_demo_trains_for_at_most_150_seconds():
    assert demo_config().max_seconds == 150


def test_full_trains_on_every_row():
    config = full_config()
    assert config.max_steps is None
    assert config.max_seconds is None


def test_both_train_on_the_file_as_it_is_ordered_and_ask_without_a_system_prompt():
    for config in (demo_config(), full_config()):
        assert not config.shuffle
        assert config.chat_template == "bare"


def test_a_seed_changes_the_run_and_nothing_else():
    first, second = demo_config(seed=1), demo_config(seed=2)
    assert first.hash != second.hash
    assert first.model_copy(update={"seed": 2}) == second
