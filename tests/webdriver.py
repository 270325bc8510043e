"""Browsers other than Chromium, driven by WebDriver's own words: Firefox and WebKit, Safari's engine.

Firefox speaks them over its own socket (Marionette, as geckodriver does), WebKitGTK by its driver over HTTP.
One small face for both: go to an address, wait for an element, click it, type into it, run a script.
"""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.desktop import Desktop, end

START_SECONDS_MAX = 120  # real seconds; a loaded machine of two cores needs some
WAIT_SECONDS_MAX = 60
SCRIPT_MILLIS_MAX = 120_000
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name of an element in JSON
_MINI_BROWSER = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
_PREFERENCES = {
    "marionette.port": 0,  # a free one; the profile then says which
    "intl.accept_languages": "en",
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class WebDriverError(RuntimeError):
    """The browser refused a command, or its element did not come."""


class StaleElementError(WebDriverError):
    """The page was drawn anew meanwhile: the element that was meant stands in it no more."""


def _refusal(command: str, error: str, message: str) -> WebDriverError:
    kind = StaleElementError if error == "stale element reference" else WebDriverError
    return kind(f"{command}: {error}: {message}")


class Line(Protocol):
    """How commands reach a browser."""

    def ask(self, command: str, words: Mapping[str, Any], element: str = "") -> Any:
        """Return the answer to one command of WebDriver, by its name there.

        Raises:
            WebDriverError: The browser says no.
        """
        ...


class Marionette:
    """Firefox's own line: JSON behind its length, over a socket of the loopback."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), START_SECONDS_MAX)
        self._read()  # it greets
        self._id = 0

    def ask(self, command: str, words: Mapping[str, Any], element: str = "") -> Any:
        """See `Line`."""
        self._id += 1
        given = {**words, "id": element} if element else dict(words)
        text = json.dumps([0, self._id, f"WebDriver:{command}", given]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        if error:
            raise _refusal(command, error["error"], error["message"])
        return result.get("value", result) if isinstance(result, dict) else result

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._some(1)
        return json.loads(self._some(int(size[:-1])))

    def _some(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            more = self._socket.recv(count - len(read))
            if not more:
                raise WebDriverError("the browser hung up")
            read += more
        return read


class Http:
    """WebKitWebDriver's line: WebDriver over HTTP."""

    _ways: Mapping[str, str] = {
        "Navigate": "url",
        "Refresh": "refresh",
        "FindElements": "elements",
        "ElementClick": "element/{}/click",
        "ElementClear": "element/{}/clear",
        "ElementSendKeys": "element/{}/value",
        "ExecuteAsyncScript": "execute/async",
        "SetTimeouts": "timeouts",
    }

    def __init__(self, port: int, capabilities: Mapping[str, Any]) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SCRIPT_MILLIS_MAX / 1000)
        begun = self._post("/session", {"capabilities": {"alwaysMatch": dict(capabilities)}})
        self._session = f"/session/{begun['sessionId']}"

    def ask(self, command: str, words: Mapping[str, Any], element: str = "") -> Any:
        """See `Line`."""
        return self._post(f"{self._session}/{self._ways[command].format(element)}", words)

    def close(self) -> None:
        """End the session, and the browser with it."""
        self._client.delete(self._session)
        self._client.close()

    def _post(self, path: str, words: Mapping[str, Any]) -> Any:
        answer = self._client.post(path, json=dict(words)).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise _refusal(path, answer["error"], str(answer.get("message")))
        return answer


class Driven:
    """One window of a browser that is driven by WebDriver."""

    def __init__(self, line: Line) -> None:
        self._line = line
        line.ask("SetTimeouts", {"script": SCRIPT_MILLIS_MAX})

    def go(self, address: str) -> None:
        """Open an address."""
        self._line.ask("Navigate", {"url": address})

    def reload(self) -> None:
        """Open the page again."""
        self._line.ask("Refresh", {})

    def see(self, path: str) -> str:
        """Wait for the one or first element that an XPath names and that is shown; return its name."""
        return self._do(path)

    def click(self, path: str) -> None:
        """Click an element as a person would."""
        self._do(path, ("ElementClick", {}))

    def write(self, path: str, text: str) -> None:
        """Type a text into a field, in the place of what stands there."""
        self._do(path, ("ElementClear", {}), ("ElementSendKeys", {"text": text}))

    def run(self, script: str, *words: Any) -> Any:
        """Return what a script returns or promises; `words` are its arguments.

        Raises:
            WebDriverError: It throws.
        """
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve().then(() => ({script})(...Array.from(arguments).slice(0, -1)))"
            ".then((value) => done({ value }), (fault) => done({ fault: String(fault) }));"
        )
        answer = self._line.ask("ExecuteAsyncScript", {"script": wrapped, "args": list(words)})
        if "fault" in answer:
            raise WebDriverError(answer["fault"])
        return answer.get("value")

    def _do(self, path: str, *acts: tuple[str, Mapping[str, Any]]) -> str:
        """Do something to an element once it is there; begin again where the page is drawn anew meanwhile.

        WebKit may find an element that is gone when it names it: even looking may meet a stale one.
        """
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                found = self._line.ask("FindElements", {"using": "xpath", "value": path})
                if found:
                    element = str(found[0][ELEMENT])
                    for command, words in acts:
                        self._line.ask(command, words, element)
                    return element
            except StaleElementError:
                pass  # the page that replaces it is looked at next
            time.sleep(0.1)
        raise WebDriverError(f"not within {WAIT_SECONDS_MAX} s: {path}")


def _wait_for(ask: Callable[[], int | None], process: "subprocess.Popen[bytes]", what: str) -> int:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise WebDriverError(f"{what} did not start; it ended with {process.poll()}")


def _quiet(command: list[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as sink:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )


@contextmanager
def firefox(folder: Path) -> Iterator[Driven]:
    """Run a Firefox without a screen and with a profile of its own."""
    profile = folder / "firefox"
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    process = _quiet(
        ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(profile)],
        {**os.environ, "HOME": str(folder), "TZ": "UTC", "MOZ_CRASHREPORTER_DISABLE": "1"},
        folder / "firefox.log",
    )
    with ExitStack() as stack:
        stack.callback(end, process)
        named = profile / "MarionetteActivePort"
        port = _wait_for(lambda: int(named.read_text()) if _is_written(named) else None, process, "Firefox")
        line = Marionette(port)
        stack.callback(line.close)
        line.ask("NewSession", {"capabilities": {"alwaysMatch": {}}})
        yield Driven(line)


def _is_written(path: Path) -> bool:
    return path.exists() and path.read_text(encoding="ascii").strip().isdigit()


@contextmanager
def webkit(folder: Path) -> Iterator[Driven]:
    """Run WebKitGTK's own small browser on a virtual screen."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    with ExitStack() as stack:
        desktop = stack.enter_context(Desktop.start())
        environment = {
            **os.environ,
            **desktop.environment(),
            "HOME": str(folder),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
        }
        driver = _quiet(["WebKitWebDriver", f"--port={port}"], environment, folder / "webkit.log")
        stack.callback(end, driver)
        _wait_for(lambda: 1 if _listens(port) else None, driver, "WebKitWebDriver")
        options = {"binary": str(_MINI_BROWSER[0]), "args": ["--automation"]}
        line = Http(port, {"webkitgtk:browserOptions": options})
        stack.callback(line.close)
        yield Driven(line)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


ENGINES = {"firefox": firefox, "webkit": webkit}
