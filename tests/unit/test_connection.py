from __future__ import annotations

import pytest

from fer_core.errors import OptionError
from ui.connection import rtc_configuration
from ui.connection_state import connection_state, lost_words

TURN = {
    "FER_LIVE_TURN_URL": "turn:turn.example.org:3478",
    "FER_LIVE_TURN_USER": "ann",
    "FER_LIVE_TURN_PASSWORD": "secret",
}


@pytest.mark.parametrize(
    ("environment", "servers"),
    [
        ({}, []),
        ({"HF_TOKEN": "x", "TWILIO_AUTH_TOKEN": "y", "TWILIO_ACCOUNT_SID": "z"}, []),
        ({"FER_LIVE_STUN": "  "}, []),
        ({"FER_LIVE_STUN": "stun:a.org:3478"}, [{"urls": ["stun:a.org:3478"]}]),
        (
            {"FER_LIVE_STUN": "stun:a.org, stuns:b.org:443,"},
            [{"urls": ["stun:a.org", "stuns:b.org:443"]}],
        ),
        (
            TURN,
            [{"urls": ["turn:turn.example.org:3478"], "username": "ann", "credential": "secret"}],
        ),
    ],
)
def test_only_what_is_named_is_asked(environment, servers):
    assert rtc_configuration(environment) == {"iceServers": servers}


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FER_LIVE_STUN": "https://a.org"}, r"'https://a\.org'.*stun:"),
        ({**TURN, "FER_LIVE_TURN_URL": "turn.example.org"}, r"'turn\.example\.org'.*turn:"),
        ({**TURN, "FER_LIVE_TURN_USER": ""}, "FER_LIVE_TURN_USER is not"),
        ({**TURN, "FER_LIVE_TURN_PASSWORD": ""}, "FER_LIVE_TURN_PASSWORD is not"),
    ],
)
def test_what_cannot_work_is_said(environment, words):
    with pytest.raises(OptionError, match=words):
        rtc_configuration(environment)


def test_the_process_environment_is_the_default(monkeypatch):
    monkeypatch.setenv("FER_LIVE_STUN", "stun:a.org")
    assert rtc_configuration() == {"iceServers": [{"urls": ["stun:a.org"]}]}


@pytest.mark.parametrize(
    ("playing", "waiting", "waited", "idle", "paused", "name"),
    [
        (False, False, 0.0, None, False, "off"),
        (False, False, 0.0, 500.0, False, "off"),
        (False, True, 2.0, None, False, "connecting"),
        (True, False, 2.0, None, False, "waiting"),
        (True, False, 2.0, 60.0, False, "waiting"),  # a frame of the stream before
        (False, True, 10.5, None, False, "slow"),
        (True, False, 11.0, 60.0, False, "slow"),
        (True, False, 11.0, 0.1, False, "live"),
        (True, False, 11.0, 0.1, True, "paused"),
        (True, False, 60.0, 5.0, False, "stalled"),
    ],
)
def test_the_state_is_said_in_words(playing, waiting, waited, idle, paused, name):
    state = connection_state(playing, waiting, waited, idle, paused)
    assert state.name == name
    assert state.words[0].isupper()
    assert state.needs_help == (name in {"slow", "stalled"})


@pytest.mark.parametrize(("idle", "said"), [(None, False), (0.2, False), (3.0, False), (28, True)])
def test_an_end_that_nobody_asked_for_is_explained(idle, said):
    words = lost_words(idle)
    assert (words is not None) is said
    if words:
        assert "28 seconds" in words
        assert "press START again" in words
