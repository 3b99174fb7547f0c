"""Functions that are handed over, wrapped, hung up somewhere, or called by no name."""

from __future__ import annotations

import ast

import pytest

from reactor_core.safety.engine import judge_action
from reactor_core.safety.python.indirect import is_function, run_later, run_perhaps, wrapped
from reactor_core.safety.python.values import Call, Value, named, unknown

GRAVE = [
    "import weakref, shutil\nclass A: pass\nweakref.finalize(A(), shutil.rmtree, '/srv')",
    "from concurrent.futures import ThreadPoolExecutor as T\nimport subprocess\n"
    "with T() as t: t.submit(subprocess.run, ['rm', '-rf', '/srv'])",
    "import numpy as np, shutil\nnp.vectorize(shutil.rmtree)('/srv')",
    "import joblib, shutil\njoblib.Parallel(2)(joblib.delayed(shutil.rmtree)(p) for p in ['/srv'])",
    "import unittest.mock as m, shutil\nm.Mock(side_effect=shutil.rmtree)('/srv')",
    "import typing, os\ntyping.cast(object, os.system)('rm -rf /srv')",
    "import operator, os\noperator.attrgetter('system')(os)('rm -rf /srv')",
    "import os\nsorted([1, 2], key=lambda x: os.system('rm -rf /srv'))",
    "import os\ndef f(x=os.system('rm -rf /srv')): pass",
    "import os\nclass A:\n    @property\n    def p(self): return os.system('rm -rf /srv')\nA().p",
    "import os\nclass A:\n    def __str__(self): os.system('rm -rf /srv'); return ''\nprint(A())",
    "import os\nclass R:\n    def __call__(self, c): os.system(c)\nR()('rm -rf /srv')",
    "import os\nclass M(type):\n    def __new__(c, *a): os.system('rm -rf /srv')\nclass A(metaclass=M): pass",
    "import logging, os\nclass H(logging.Handler):\n    def emit(self, r): os.system('rm -rf /srv')\n"
    "logging.getLogger().addHandler(H())\nlogging.error('x')",
    "import os, sys\nsys.excepthook = lambda *a: os.system('rm -rf /srv')\nraise ValueError",
    "from celery import shared_task\nimport shutil\n@shared_task\ndef f(): shutil.rmtree('/srv')\nf.delay()",
    "import pickle, os\nclass P:\n    def __reduce__(self): return os.system, ('rm -rf /srv',)\n"
    "pickle.loads(pickle.dumps(P()))",
]
HARMLESS = [
    "import shutil\ndef f(p): shutil.rmtree(p)\nprint(f.__name__)",
    "import logging\nclass H(logging.Handler):\n    def emit(self, r): print(r)\nlogging.getLogger().addHandler(H())",
    "import os\nclass A:\n    def close(self): os.remove(self.path)\nprint(A)",
    "import sys\nsys.excepthook = lambda *a: print(a)",
    "print(sorted(['b', 'a'], key=lambda x: x.lower()))",
    "import numpy as np\nprint(np.vectorize(lambda x: x + 1)([1, 2]))",
    "from torch.utils.data import Dataset\nclass D(Dataset):\n    def __len__(self): return 3\n"
    "    def __getitem__(self, i): return open(self.files[i]).read()\nprint(len(D()))",
]


@pytest.mark.parametrize("action", GRAVE)
def test_what_others_call_is_followed(action: str) -> None:
    assert judge_action(action, "python").verdict == "block"


@pytest.mark.parametrize("action", HARMLESS)
def test_what_others_call_and_does_no_harm_runs(action: str) -> None:
    assert judge_action(action, "python").verdict == "allow"


def _class(text: str) -> ast.ClassDef:
    code = ast.parse(text).body[0]
    assert isinstance(code, ast.ClassDef)
    return code


def test_methods_that_run_by_themselves_and_those_that_a_parent_may_call() -> None:
    methods = ("def __init__(self): ...", "def __len__(self): ...", "@property", "def p(self): ...", "def m(self): ...")
    text = "\n ".join(("class A{}:", *methods))
    assert run_later(_class(text.format(""))) == ["__len__", "p"]
    assert run_perhaps(_class(text.format(""))) == []
    assert run_perhaps(_class(text.format("(B)"))) == ["m"]


def test_a_call_of_an_unknown_result_calls_what_that_was_given() -> None:
    tree = named("shutil.rmtree")
    made = Value(name="numpy.vectorize()", calls=(Call("vectorize", (tree, unknown())),))
    assert wrapped(made) == [tree]
    assert wrapped(named("numpy.vectorize")) == []
    assert is_function(tree)
    assert not is_function(named("print"))


def test_a_class_that_makes_itself_is_followed_once() -> None:
    action = "class A(B):\n    def __len__(self): A(); A(); A()\n    def m(self): A(); A(); A()\nA()"
    assert judge_action(action, "python").verdict == "allow"
