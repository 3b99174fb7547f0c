import pytest

from reactor_core.data.experience import ExperienceRow
from reactor_core.demo.judge import judge
from reactor_core.eval import LABELS, verdict_messages
from reactor_core.serving.engine import load_engine

ROWS = [ExperienceRow(f"ls {index}", "shell", LABELS[index % 3]) for index in range(40)]


@pytest.fixture
def model(model_folder):
    return str(model_folder("llama"))


def test_verdicts_are_the_engines_likeliest_choices(model, settings):
    judged = judge(model, None, ROWS, None, settings=settings, chat_template="bare").report
    engine = load_engine(model, chat_template="bare", settings=settings)
    scores = engine.choice_logprobs([verdict_messages(row.action, row.kind) for row in ROWS], LABELS)
    assert judged.predictions == tuple(LABELS[index] for index in scores.argmax(axis=1))


def test_rows_of_another_making_are_reported_apart(model, settings):
    judged = judge(model, None, ROWS, ROWS[:6], settings=settings)
    assert (judged.report.rows, judged.also.rows) == (40, 6)
    assert judged.also.predictions == judged.report.predictions[:6]


def test_progress_counts_every_row_and_ends_at_one(model, settings):
    seen = []
    judge(model, None, ROWS, ROWS[:6], settings=settings, advance=lambda text, share: seen.append((text, share)))
    assert seen == [("32 of 46 rows", 32 / 46), ("40 of 46 rows", 40 / 46), ("46 of 46 rows", 1.0)]
