"""What is said in place of the browser's own words when it gives no camera.

The component is run as it is, by the JavaScript engine that comes with Playwright: no browser.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import playwright
import pytest

from ui import camera_hint

ENGINE = Path(playwright.__file__).parent / "driver" / "node"

REFUSED = (
    "The browser refused the camera. Allow it with the camera sign in the address bar, "
    "then press START again."
)
REFUSED_BY_COMPUTER = (
    "The computer does not let the browser use the camera. Allow it in the privacy settings of "
    "the computer, then press START again."
)
NONE_FOUND = (
    "No camera was found. Plug one in or switch it on, then press START again. "
    "The Video tab works without a camera."
)
IN_USE = "The camera is in use by another program. Close that program, then press START again."
NOT_THERE = "The chosen camera is not there any more. Press SELECT DEVICE and choose another one."
INSECURE = (
    "Browsers give the camera only to pages on localhost or with HTTPS. "
    "Open this page with one of them."
)
OTHER = (
    "The camera could not be started. Press START again; if that does not help, reload the page."
)

# A page with the streaming component's frame in it, as far as the hint looks at it.
PAGE = """
const given = JSON.parse(process.argv[2]);
const alert = given.said === null ? null : {textContent: given.said, style: {display: ''}};
const inside = {querySelector: what => what === '[role="alert"]' ? alert : null};
const frame = {contentDocument: inside};
globalThis.window = {isSecureContext: given.secure};
globalThis.document = {
  querySelector: what => given.framed && what.startsWith('iframe[title=') ? frame : null,
};
const box = {textContent: '', hidden: true};
const {default: mount} = await import(process.argv[3]);
const leave = mount({parentElement: {querySelector: what => what === '.hint' ? box : null}});
leave();
console.log(JSON.stringify({
  sentence: box.textContent, hidden: box.hidden, own: alert ? alert.style.display : null,
}));
"""


@pytest.fixture(scope="module")
def hint(tmp_path_factory: pytest.TempPathFactory):
    """What the component shows beside an alert of the streaming component that says so."""
    folder = tmp_path_factory.mktemp("hint")
    (folder / "page.mjs").write_text(PAGE)
    (folder / "hint.mjs").write_text(camera_hint._JS)

    def run(said: str | None, secure: bool = True, framed: bool = True) -> dict[str, object]:
        given = json.dumps({"said": said, "secure": secure, "framed": framed})
        command = [ENGINE, folder / "page.mjs", given, (folder / "hint.mjs").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        # Chrome and Edge
        ("NotAllowedError: Permission denied", REFUSED),
        ("NotAllowedError: Permission dismissed", REFUSED),
        ("NotAllowedError: Permission denied by system", REFUSED_BY_COMPUTER),
        ("NotFoundError: Requested device not found", NONE_FOUND),
        ("NotReadableError: Could not start video source", IN_USE),
        ("NotReadableError: Device in use", IN_USE),
        ("AbortError: Timeout starting video source", IN_USE),
        ("OverconstrainedError: ", NOT_THERE),
        # Firefox
        (
            "NotAllowedError: The request is not allowed by the user agent or the platform in the "
            "current context.",
            REFUSED,
        ),
        ("NotFoundError: The object can not be found here.", NONE_FOUND),
        ("NotReadableError: Failed to allocate videosource", IN_USE),
        ("AbortError: Starting videoinput failed", IN_USE),
        ("OverconstrainedError: Constraints could be not satisfied.", NOT_THERE),
        # Safari
        ("OverconstrainedError: Invalid constraint", NOT_THERE),
        # the streaming component itself
        ("Media API not available", INSECURE),
        ("TypeError: Something new", OTHER),
    ],
)
def test_a_camera_fault_is_said_in_plain_words_and_the_browsers_own_go(said, sentence, hint):
    assert hint(said) == {"sentence": sentence, "hidden": False, "own": "none"}


def test_a_page_without_https_says_so_before_start_is_pressed(hint):
    assert hint(None, secure=False)["sentence"] == INSECURE
    assert hint(None, secure=False, framed=False)["hidden"] is False
    fault = "TypeError: Cannot read properties of undefined (reading 'getUserMedia')"
    assert hint(fault, secure=False)["sentence"] == INSECURE


@pytest.mark.parametrize(
    "said",
    [
        None,
        "Connection is taking longer than expected. Check your network or ask the developer for "
        "STUN/TURN settings if the problem persists.",
    ],
    ids=["all is well", "a slow connection"],
)
@pytest.mark.parametrize("framed", [True, False])
def test_where_the_camera_is_not_at_fault_nothing_is_said_of_it(said, framed, hint):
    shown = hint(said, framed=framed)
    assert (shown["sentence"], shown["hidden"]) == ("", True)
    assert shown["own"] in ("", None), "the component's own warning stays"
