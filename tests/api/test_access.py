"""Who may ask, and how often."""

from __future__ import annotations

import contextlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import RateLimit
from api.errors import Refusal
from api.settings import ApiSettings
from fer_core.errors import OptionError
from tests.api.conftest import KEY, Client, serving


@pytest.fixture(scope="module")
def private():
    with serving(key=None, requests_per_minute=0) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"Authorization": f"bearer {KEY}"}, 200),
        ({}, 401),
        ({"X-API-Key": KEY}, 401),
        ({"Authorization": f"Bearer {KEY[:-1]}"}, 401),
        ({"Authorization": f"Bearer {KEY}x"}, 401),
        ({"Authorization": f"Bearer {KEY.upper()}"}, 401),
        ({"Authorization": "Bearer schlüssel".encode()}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Cookie": f"X-API-Key={KEY}"}, 401),
    ],
)
def test_the_key_opens_and_nothing_else(client: Client, headers, status):
    for path in ("/v1/models", "/metrics", "/v1/videos/0"):
        answer = client.get(path, headers={"Authorization": None, **headers})
        assert answer.status_code == (404 if status == 200 and "videos" in path else status)
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["detail"].endswith("`Authorization: Bearer KEY`.")


@pytest.mark.parametrize("given", [KEY, KEY[:-1], KEY + "x", KEY[::-1], "x", ""])
def test_every_key_is_compared_whole_and_in_constant_time(
    client: Client, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """An ordinary comparison ends at the first difference, and its time tells where that is."""
    compare = secrets.compare_digest
    compared: list[set[bytes]] = []

    def noted(one: bytes, other: bytes) -> bool:
        compared.append({one, other})
        return compare(one, other)

    monkeypatch.setattr(secrets, "compare_digest", noted)
    client.get("/v1/models", headers={"Authorization": f"Bearer {given}"})
    assert compared == [{given.encode(), KEY.encode()}]


def test_a_wrong_key_with_a_large_picture_still_gets_its_sentence(client: Client):
    answer = client.post(
        "/v1/analyze", data=bytes(5_000_000), headers={"Authorization": "Bearer wrong"}
    )
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("The key is not the right one.")


def test_anybody_may_ask_whether_it_is_up(client: Client):
    answer = client.get("/health", headers={"Authorization": None})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8501"}, 200),
        ({"Host": "[::1]:8501"}, 200),
        ({"Host": "fer.example.org"}, 403),
        ({"Host": "localhost.example.org"}, 403),
        ({"Host": "10.0.0.7:8501"}, 403),
        ({"Host": ""}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 403),
        ({"X-Forwarded-For": "203.0.113.9"}, 403),
        ({"Forwarded": "for=127.0.0.1"}, 403),
        ({"X-Real-IP": "203.0.113.9"}, 403),
        ({"Via": "1.1 proxy"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_without_a_key_only_this_computer_is_answered(private: Client, headers, status):
    answer = private.get("/v1/models", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert "Set FER_LIVE_API_KEY" in answer.json()["detail"]


def test_without_a_key_the_servers_own_page_is_answered(private: Client):
    assert private.get("/v1/models", headers={"Origin": private.host()}).status_code == 200


def test_a_rate_limit_answers_with_the_seconds_to_wait():
    with serving(requests_per_minute=8) as client:
        answers = [client.get("/v1/models") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 9
        assert "8 a minute are allowed" in answers[-1].json()["detail"]
        assert client.get("/health").status_code == 200


def test_wrong_keys_count_too():
    with serving(requests_per_minute=8) as client:
        answers = [
            client.get("/v1/models", headers={"Authorization": "Bearer guess"}) for _ in range(3)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 429]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_callers_have_buckets_of_their_own_and_old_ones_are_forgotten():
    clock = Clock()
    limit = RateLimit(4, clock)
    limit.check("a")
    limit.check("b")
    with pytest.raises(Refusal, match="Try again in 15 s"):
        limit.check("a")
    clock.now = 15.0
    limit.check("a")
    for number in range(10_000):
        limit.check(str(number))
    assert len(limit._buckets) < 5_000


@given(
    per_minute=st.integers(1, 6000),
    waits=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60),
)
def test_no_caller_gets_more_than_its_share(per_minute, waits):
    clock = Clock()
    limit = RateLimit(per_minute, clock)
    passed = 0
    for wait in waits:
        clock.now += wait
        with contextlib.suppress(Refusal):
            limit.check("caller")
            passed += 1
    assert passed <= max(1, per_minute / 4) + clock.now * per_minute / 60 + 1e-6


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("KEY", "", "FER_LIVE_API_KEY has 0 characters; the least is 16"),
        ("KEY", "short", "FER_LIVE_API_KEY has 5 characters"),
        ("KEY", "ein Schlüssel, der lang ist", "do not fit into a header"),
        ("PICTURE_MEGABYTES", "0", "FER_LIVE_API_PICTURE_MEGABYTES must be from 1"),
        ("WORKERS", "two", "FER_LIVE_API_WORKERS must be a whole number. Received: 'two'"),
        ("BATCH", "-1", "must be a whole number"),
        ("KEEP_MINUTES", "1" * 30, "must be from 1 to"),
    ],
)
def test_wrong_settings_are_said(variable, value, words):
    with pytest.raises(OptionError, match="FER_LIVE_API") as caught:
        ApiSettings.from_environment({f"FER_LIVE_API_{variable}": value})
    assert words in str(caught.value)


def test_settings_come_from_the_environment_and_the_key_stays_out_of_sight():
    settings = ApiSettings.from_environment(
        {"FER_LIVE_API_KEY": KEY, "FER_LIVE_API_REQUESTS_PER_MINUTE": "0", "FER_LIVE_API_BATCH": ""}
    )
    assert (settings.key, settings.requests_per_minute) == (KEY, 0)
    assert settings.batch == ApiSettings().batch
    assert KEY not in repr(settings)


def test_a_wrong_setting_closes_the_api_and_nothing_else():
    with serving(key="short") as client:
        for path in ("/health", "/v1/models"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("The API is off. FER_LIVE_API_KEY has 5")
