"""Starting with the desktop, only when asked: what is written for each system, and where (R23).

Each is a small text that starts `diary … tracker run` when its user logs in: a systemd user unit or an XDG
autostart entry on Linux, a launch agent on macOS, a task on Windows. The texts are functions of the command;
writing them is at the end of this file. A file that this program did not write is never touched.

Sources: systemd.unit(5) and systemd.service(5); the Desktop Entry and Autostart specifications of
freedesktop.org, 1.5 and 0.5; launchd.plist(5); the Task Scheduler's schema 1.2.
"""

import plistlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from diary.errors import NothingError, RefusedError

Kind = Literal["systemd", "xdg", "launchd", "windows"]
KINDS: tuple[Kind, ...] = ("systemd", "xdg", "launchd", "windows")
MARK = "Written by `diary tracker install`"
NAME = "workdiary-tracker"
LABEL = "workdiary.tracker"
_SAYS = "Work Diary's tracker"


class ForeignFileError(RefusedError):
    """A file of that name is there and is not ours."""

    says = "foreign_file: {path} is there and was not written by this program; it was left as it is."
    mend = "Move it away, then ask again."


class NotInstalledError(NothingError):
    """There is nothing to take away."""

    says = "The tracker does not start by itself here."
    mend = "diary tracker install makes it."


@dataclass(frozen=True, slots=True)
class Entry:
    """One way of starting: where its file lies under the user's home, its text, and what makes it count."""

    path: Path
    text: str
    enable: tuple[tuple[str, ...], ...] = ()
    disable: tuple[tuple[str, ...], ...] = ()


def kind_of(platform: str, *, has_systemd: bool) -> Kind:
    """Return the way of starting of a system: `platform` as `sys.platform` names it."""
    if platform == "darwin":
        return "launchd"
    if platform == "win32":
        return "windows"
    return "systemd" if has_systemd else "xdg"


def entry_of(kind: Kind, command: Sequence[str], home: Path, environment: Mapping[str, str]) -> Entry:
    """Return what is written; `home` is the user's, `environment` may name other folders."""
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    match kind:
        case "systemd":
            unit = f"{NAME}.service"
            systemctl = ("systemctl", "--user")
            return Entry(
                config / "systemd/user" / unit,
                systemd_unit(command),
                ((*systemctl, "daemon-reload"), (*systemctl, "enable", unit)),
                ((*systemctl, "disable", unit),),
            )
        case "xdg":
            return Entry(config / "autostart" / f"{NAME}.desktop", xdg_entry(command))
        case "launchd":
            path = home / "Library/LaunchAgents" / f"{LABEL}.plist"
            return Entry(
                path,
                launch_agent(command),
                (("launchctl", "load", "-w", str(path)),),
                (("launchctl", "unload", "-w", str(path)),),
            )
        case "windows":
            path = home / "AppData/Local/workdiary" / f"{NAME}.xml"
            return Entry(
                path,
                scheduled_task(command),
                (("schtasks", "/Create", "/TN", NAME, "/XML", str(path), "/F"),),
                (("schtasks", "/Delete", "/TN", NAME, "/F"),),
            )


def systemd_unit(command: Sequence[str]) -> str:
    """Return a unit that belongs to the graphical session: it starts and ends with the desktop."""
    line = " ".join(_systemd_word(word) for word in command)
    return f"""# {MARK}; `diary tracker uninstall` takes it away.
[Unit]
Description={_SAYS}
PartOf=graphical-session.target
After=graphical-session.target

[Service]
ExecStart={line}
Restart=on-failure
RestartSec=30

[Install]
WantedBy=graphical-session.target
"""


def xdg_entry(command: Sequence[str]) -> str:
    """Return a desktop entry for the autostart folder."""
    line = " ".join(_desktop_word(word) for word in command)
    return f"""# {MARK}; `diary tracker uninstall` takes it away.
[Desktop Entry]
Type=Application
Name={_SAYS}
Exec={line}
Terminal=false
NoDisplay=true
"""


def launch_agent(command: Sequence[str]) -> str:
    """Return a property list that launchd loads at login."""
    described = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Interactive",
    }
    text = plistlib.dumps(described).decode()
    return text.replace("<plist", f"<!-- {MARK}; `diary tracker uninstall` takes it away. -->\n<plist", 1)


def scheduled_task(command: Sequence[str]) -> str:
    """Return a task for the logon of this user, without a limit of its running time."""
    program, *arguments = command
    line = " ".join(_windows_word(word) for word in arguments)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- {MARK}; `diary tracker uninstall` takes it away. -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{_SAYS}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions>
    <Exec><Command>{escape(program)}</Command><Arguments>{escape(line)}</Arguments></Exec>
  </Actions>
</Task>
"""


def write(entry: Entry) -> None:
    """Write the file, in place of an older one of ours.

    Raises:
        ForeignFileError: A file that is not ours is there.
    """
    _check_ours(entry)
    entry.path.parent.mkdir(parents=True, exist_ok=True)
    entry.path.write_text(entry.text, encoding="utf-8")


def take_away(entry: Entry) -> None:
    """Remove the file.

    Raises:
        NotInstalledError: There is none.
        ForeignFileError: It is not ours.
    """
    if not entry.path.exists():
        raise NotInstalledError
    _check_ours(entry)
    entry.path.unlink()


def _check_ours(entry: Entry) -> None:
    if entry.path.exists() and MARK not in entry.path.read_text(encoding="utf-8", errors="replace"):
        raise ForeignFileError(path=entry.path)


def _systemd_word(word: str) -> str:
    """Return a word as ExecStart reads it: quoted, specifiers and variables taken literally."""
    literal = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{literal}"'


def _desktop_word(word: str) -> str:
    r"""Return a word as Exec reads it: quoted, then once more escaped as any string of the file."""
    literal = re.sub(r'(["`$\\])', r"\\\1", word).replace("%", "%%")
    return '"' + literal.replace("\\", "\\\\") + '"'


def _windows_word(word: str) -> str:
    r"""Return an argument as Windows programs split them: quoted, `\` doubled before a quote."""
    if word and not re.search(r'[\s"]', word):
        return word
    doubled = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)$", r"\1\1", doubled) + '"'
