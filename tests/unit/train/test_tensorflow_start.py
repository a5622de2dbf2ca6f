"""What TensorFlow is told before its import, and that it is told in time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from train.tensorflow_start import BEFORE_IMPORT, prepare_tensorflow

_ASK = """
import sys
from train.cli import main
assert "tensorflow" not in sys.modules, "imported before it could be told anything"
try:
    main(["--help"])
except SystemExit:
    pass
from tensorflow.python.util import _pywrap_util_port
print("oneDNN", _pywrap_util_port.IsMklEnabled())
"""


@pytest.mark.parametrize(("given", "used"), [({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)])
def test_a_run_computes_with_onednn_unless_the_user_declines(
    given: dict[str, str], used: bool
) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in BEFORE_IMPORT}
    plain["KERAS_BACKEND"] = "tensorflow"
    done = subprocess.run(
        [sys.executable, "-c", _ASK], env=plain | given, capture_output=True, text=True, check=True
    )
    assert f"oneDNN {used}" in done.stdout


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = BEFORE_IMPORT
    monkeypatch.setattr(os, "environ", {first: "mine"})
    prepare_tensorflow()
    assert os.environ == {first: "mine"} | {name: BEFORE_IMPORT[name] for name in others}
