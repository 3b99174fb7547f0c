from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reactor_core.jobs.job import ErrorType, Failure, Job, JobState, Owner, Wish
from reactor_core.jobs.rows import COLUMNS, SELECT, fields_of, read_row, row_of

words = st.text(max_size=8)
times = st.integers(0, 2**53)
jobs = st.builds(
    Job,
    job_id=words,
    kind=words,
    spec=st.dictionaries(words, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words, max_size=3),
    spec_hash=words,
    idempotency_key=st.none() | words,
    state=st.sampled_from(JobState),
    progress=st.floats(0, 1),
    created_us=times,
    changed_us=times,
    started_us=st.none() | times,
    wish=st.sampled_from(Wish),
    owner=st.none() | st.builds(Owner, words, st.integers(1, 99), st.floats(0, 1e9)),
    failure=st.none() | st.builds(Failure, words, words, st.sampled_from(ErrorType)),
    result=st.none() | st.dictionaries(words, words, max_size=2),
)


@given(jobs)
def test_what_a_row_holds_is_the_job(job):
    assert read_row(row_of(job)) == job


@given(jobs)
def test_columns_and_the_rest_share_nothing(job):
    assert not {f'"{name}":' for name in COLUMNS} & set(fields_of(job).split())
    assert SELECT.startswith("SELECT fields, job_id, ")
