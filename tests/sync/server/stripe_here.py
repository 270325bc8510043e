"""A fake of Stripe running beside a test, and what a client and their bank do at it (see `stripe_fake`)."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import stripe

from sync.server.payment_stripe import StripeKeys
from tests.sync.server.process import START_SECONDS, free_port

KEY = "sk_test_secret_of_the_tests"
SECRET = "whsec_secret_of_the_tests"


@dataclass
class StripeHere:
    """The fake; `keys` are those by which it is asked."""

    http: httpx.Client
    url: str

    @property
    def keys(self) -> StripeKeys:
        return StripeKeys(KEY, SECRET, self.url)

    def page(self, session: str, card: str = "4242424242424242", *, later: bool = False) -> httpx.Response:
        """Do what a client does on the page of a session: pay, or leave a billing method."""
        return self.http.post(f"/_config/page/{session}", json={"card": card, "later": later})

    def bank(self, what: str, about: str) -> None:
        """Let a bank do something: pays, fails, refund_fails, takes_back, returns."""
        assert self.http.post(f"/_config/bank/{what}/{about}").status_code == 200

    def forget(self) -> None:
        """Let it forget all that it was asked."""
        assert self.http.delete("/_config/data").status_code == 200

    def asked(self) -> list[str]:
        """Return the bodies of what it was asked to make, by key, as they came."""
        return list(self.http.get("/_config/asked").json()["asked"])

    def sessions(self) -> list[str]:
        """Return the states of all pages that it made."""
        return list(self.http.get("/_config/sessions").json()["sessions"])

    def found(self, path: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def messages(self, *kinds: str) -> list[bytes]:
        """Return the bodies of what it has told so far, of those kinds or all, the earliest first."""
        events = self.found("events?limit=1000")["data"]
        return [msgspec.json.encode(event) for event in events if not kinds or event["type"] in kinds]


def signed(body: bytes, at_ms: int, secret: str = SECRET) -> str:
    """Return the header by which Stripe signs a message at an instant."""
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at_ms // 1000)
    return header


@contextmanager
def stripe_here() -> Iterator[StripeHere]:
    """Run the fake until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "tests.sync.server.stripe_fake", str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[3])
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30) as http:
            _wait_until_it_answers(http, process)
            yield StripeHere(http, url)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS * 20):
        try:
            http.get("/v1/balance")
        except httpx.TransportError:
            assert process.poll() is None, "the fake of Stripe did not start"
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the fake of Stripe did not answer")
