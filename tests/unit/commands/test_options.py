"""Each flag of an analysis reaches the analyzer that is made, whichever command it is given to."""

from __future__ import annotations

import os
import re

import pytest

from fer_core import cli
from fer_core.analyzer import AnalyzerOptions
from fer_core.detectors import DetectorOptions
from fer_core.errors import OptionError
from fer_core.runtimes.litert import LitertInt8Runtime, LitertRuntime

COMMANDS = {
    "analyze": ["analyze", "x.png"],
    "analyze --ray": ["analyze", "x.png", "--out", "nowhere", "--ray"],
    "camera": ["camera"],
}
NOTICE = "what a library underneath has to say"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[AnalyzerOptions]:
    """The options of each analyzer that a command makes; the command ends there."""
    options: list[AnalyzerOptions] = []

    def analyzer(given: AnalyzerOptions) -> None:
        options.append(given)
        os.write(2, NOTICE.encode())
        raise OptionError("This is far enough.")

    monkeypatch.setattr("fer_core.analyzer.Analyzer", analyzer)
    monkeypatch.setattr("fer_core.cluster.run.Analyzer", analyzer)
    monkeypatch.setattr("fer_core.cluster.run.import_ray", lambda: None)
    return options


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], {}),
        (["--detector", "haar"], {"detector": "haar"}),
        (["--small-faces"], {"detector_options": DetectorOptions(fine=True)}),
        (["--model", "plain48"], {"model": "plain48"}),
        (["--runtime", "keras"], {"runtime": "keras"}),
        (["--threads", "3"], {"threads": 3}),
        (["--min-confidence", "0.25"], {"min_confidence": 0.25}),
    ],
)
def test_a_flag_reaches_the_analyzer(
    command: str, flags: list[str], expected: dict[str, object], made: list[AnalyzerOptions]
) -> None:
    assert cli.main([*COMMANDS[command], *flags]) == 2
    defaults: dict[str, object] = {"detector_options": DetectorOptions()}
    assert made == [AnalyzerOptions(**{**defaults, **expected})]  # type: ignore[arg-type]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    ("command", "flags", "heard"),
    [
        ("analyze", [], False),
        ("analyze", ["--verbose"], True),
        ("analyze --ray", [], False),
        ("analyze --ray", ["--verbose"], True),
        ("camera", [], False),
    ],
)
def test_libraries_are_heard_only_with_verbose(
    command: str, flags: list[str], heard: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*COMMANDS[command], *flags]) == 2
    said = capfd.readouterr().err
    assert said.endswith("This is far enough.\n")
    assert (NOTICE in said) == heard


@pytest.mark.parametrize("command", ["analyze", "camera"])
def test_help_says_the_threads_that_the_runtimes_take(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    (said,) = re.findall(r"--threads N (processor threads .*?) --min-confidence", text)
    assert f"litert all cores, at most {LitertRuntime.most_threads}," in said
    assert f"litert_int8 {LitertInt8Runtime.most_threads}," in said
