"""What docs/api.md shows is what happens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from api.settings import ApiSettings
from tests.api.conftest import KEY, serving

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_run(portrait: bytes, clip: bytes, tmp_path: Path):
    (tmp_path / "portrait.jpg").write_bytes(portrait)
    (tmp_path / "clip.mp4").write_bytes(clip)
    said = []
    with serving(key=None) as private, serving(key=KEY) as keyed:
        for block in BLOCKS:
            server = keyed if "FER_LIVE_API_KEY" in block else private
            script = block.replace("http://localhost:8501", server.host())
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=tmp_path,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "FER_LIVE_API_KEY": KEY},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            said.append(done.stdout)
    assert len(said) == 5
    for number in (0, 1, 4):
        assert [face["label"] for face in json.loads(said[number])["faces"]] == ["happy"]
    assert json.loads(said[1])["detector"] == "haar"
    assert json.loads(said[2])["models"]
    assert {file.name for file in tmp_path.iterdir()} == {
        "annotated.mp4", "clip.mp4", "faces.csv", "faces.jsonl", "portrait.jpg"
    }  # fmt: skip
    assert (tmp_path / "annotated.mp4").stat().st_size > 5000


def test_the_table_of_limits_is_complete_and_true():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", PAGE, re.MULTILINE))
    settings = ApiSettings()
    assert set(rows) == {item.name.upper() for item in fields(settings)}
    for name, default in rows.items():
        if default.isdigit():
            assert int(default) == getattr(settings, name.lower())
