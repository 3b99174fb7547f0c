"""Calls to services by their clients."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action

ROWS = (
    ("block", "from django.core.management import call_command\ncall_command('flush')"),
    ("confirm", "from slack_sdk import WebClient\nWebClient().chat_postMessage(channel='a', text='b')"),
    ("block", "from kubernetes import client\nclient.CoreV1Api().delete_namespace('payments')"),
    ("confirm", "import boto3\nboto3.client('ec2').stop_instances(InstanceIds=['i-1'])"),
    ("allow", "import boto3\nboto3.client('ec2').describe_instances()"),
    ("block", "import git\ngit.Repo('.').git.push('--force', 'origin', 'main')"),
)


@pytest.mark.parametrize(("verdict", "action"), ROWS)
def test_the_effect_decides(verdict: str, action: str) -> None:
    assert judge_action(action, "python").verdict == verdict
