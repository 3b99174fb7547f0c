"""Calls of objects whose type is not known are judged by the words of their names."""

from __future__ import annotations

import pytest

from reactor_core.safety.engine import judge_action


def verdict(text: str) -> str:
    return str(judge_action(text, "python").verdict)


@pytest.mark.parametrize(
    "text",
    [
        "import dropbox\nd = dropbox.Dropbox(t)\nd.files_delete_v2('/a')",
        "service.users().messages().batchDelete(userId='me', body={'ids': ids}).execute()",
        "drive.files().emptyTrash().execute()",
        "import etcd3\netcd3.client().delete_prefix('')",
        "import nomad\nnomad.Nomad().job.deregister_job('api', purge=True)",
        "import chromadb\nchromadb.HttpClient().reset()",
        "import imaplib\nm = imaplib.IMAP4_SSL('h')\nm.expunge()",
        "import fleetlib\nfleetlib.connect().decommission('n1')",
    ],
)
def test_a_verb_that_ends_something_elsewhere_is_asked(text: str) -> None:
    assert verdict(text) != "allow"


@pytest.mark.parametrize(
    "text",
    [
        "from sendgrid import SendGridAPIClient\nSendGridAPIClient(k).send(mail)",
        "import telebot\ntelebot.Bot(k).reply_to(m, 'x')\ntelebot.Bot(k).forward_message(1, 2)",
        "client.AppsV1Api().patch_namespaced_deployment_scale('web', 'prod', {'spec': {'replicas': 6}})",
    ],
)
def test_what_speaks_or_changes_elsewhere_is_asked(text: str) -> None:
    assert verdict(text) == "confirm"


@pytest.mark.parametrize(
    "text",
    [
        "import pandas as pd\ndf = pd.read_csv('a.csv').drop(columns=['x']).reset_index(drop=True)",
        "import networkx as nx\nG = nx.Graph()\nG.remove_node(1)\nG.clear()",
        "import tkinter as tk\nr = tk.Tk()\nr.destroy()",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as ex:\n    ex.shutdown()",
        "gen = f()\nnext(gen)\ngen.send(3)",
        "from sqlalchemy.orm import Session\ns = Session(e)\ns.rollback()\ns.close()",
        "from fastapi.testclient import TestClient\nc = TestClient(app)\nc.delete('/items/1')",
        "items = [1, 2]\nitems.remove(1)\nitems.clear()",
    ],
)
def test_what_lives_in_memory_is_let_through(text: str) -> None:
    assert verdict(text) == "allow"


def test_a_trial_run_of_a_service_changes_nothing() -> None:
    call = "client.AppsV1Api().delete_namespaced_deployment('web', 'prod'{})"
    assert verdict(call.format(", dry_run='All'")) == "allow"
    assert verdict(call.format("")) != "allow"


def test_a_method_that_nobody_calls_by_name_still_runs() -> None:
    assert verdict("class A:\n    def __del__(self):\n        __import__('os').system('rm -rf /data')\nA()") == "block"
