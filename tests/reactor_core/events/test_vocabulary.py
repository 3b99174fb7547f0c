from __future__ import annotations

import pytest

from reactor_core.events.vocabulary import (
    SAFETY_TYPES,
    EventSource,
    EventType,
    as_event_type,
    as_source,
    deduplicates_by_content,
    default_priority,
)

# The public documents list these under "Supported Event Types", and the family's notes add the second group.
PROMISED = """
    TRAINING_START TRAINING_PROGRESS TRAINING_COMPLETE TRAINING_FAILED
    COST_UPDATE COST_ALERT COST_REPORT INFERENCE_METRICS
    RESOURCE_CREATED RESOURCE_DESTROYED ORPHAN_DETECTED ORPHAN_CLEANED SQL_STOPPED SQL_STARTED
    SAFETY_AUDIT SAFETY_BLOCKED SAFETY_CONFIRMED SAFETY_DENIED KILL_SWITCH_TRIGGERED
    VISUAL_CLICK_PREVIEW VISUAL_CLICK_VETOED
    INTERACTION_START INTERACTION_END CORRECTION FEEDBACK SCOUT_TOPIC_ADDED SCOUT_PAGE_FETCHED
    SCOUT_SYNTHESIS_COMPLETE SERVICE_UP SERVICE_DOWN CONFIG_CHANGED ERROR NEW_KNOWLEDGE MODEL_UPDATED ARTIFACT_CLEANED
""".split()  # noqa: SIM905  a table reads better


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_type_has_its_lower_case_name_as_value(name):
    assert EventType[name].value == name.lower()


def test_there_is_no_type_beyond_the_promised_ones():
    # What the log says about itself, and who was asked before an action.
    own = {"GAP", "KILL_SWITCH_CLEARED", "PAYLOAD_ERASED", "JOURNAL_COMPACTED", "SAFETY_ASKED", "SAFETY_FACTOR_CHANGED"}
    own |= {"SAFETY_OUTCOME", "ACTIONS_STOPPED"}
    assert {member.name for member in EventType} == set(PROMISED) | own


def test_sources_have_the_names_of_the_family():
    assert {str(source) for source in EventSource} == {
        "jarvis_agent", "jarvis_prime", "reactor_core", "scout", "user", "system",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "lane"),
    [
        ("SAFETY_BLOCKED", 1),
        ("KILL_SWITCH_TRIGGERED", 1),
        ("SAFETY_AUDIT", 2),
        ("SAFETY_CONFIRMED", 2),
        ("SAFETY_DENIED", 2),
        ("COST_ALERT", 2),
        ("TRAINING_PROGRESS", 3),
        ("VISUAL_CLICK_PREVIEW", 3),
        ("INFERENCE_METRICS", 4),
    ],
)
def test_lanes_are_those_of_the_documented_priority_system(name, lane):
    assert default_priority(EventType[name]) == lane


def test_a_foreign_type_stays_a_plain_string_on_the_normal_lane():
    assert as_event_type("moon_phase") == "moon_phase"
    assert default_priority("moon_phase") == 3


def test_constants_and_values_name_the_same_member():
    assert as_event_type("COST_UPDATE") is as_event_type("cost_update") is EventType.COST_UPDATE
    assert as_source("USER") is as_source("user") is EventSource.USER


def test_a_total_is_a_gauge_and_an_amount_is_a_charge():
    assert deduplicates_by_content(EventType.COST_UPDATE, {"total": 15.43})
    assert not deduplicates_by_content(EventType.COST_UPDATE, {"service": "claude-api", "amount": 0.47})


@pytest.mark.parametrize("event_type", sorted(SAFETY_TYPES))
def test_safety_events_are_never_deduplicated_by_content(event_type):
    assert not deduplicates_by_content(event_type, {"action": "rm -rf /"})
