"""The `diary devices` commands: which devices write in this account, and the end of one (R50)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, Utc, Yes, agree, desk_of, print_json, say, tell, zone_of
from diary.command.keys import PhraseFile, asked_phrase

if TYPE_CHECKING:
    from datetime import tzinfo

    from diary.devices import Device
    from diary.diary import Diary
    from diary.rules.ids import Millis

_Command = Callable[..., None]


def commands(open_diary: "Callable[[], Diary]") -> typer.Typer:
    """Return the `devices` commands."""
    app = typer.Typer(help="The devices of this account.", invoke_without_command=True)
    app.callback()(_devices(open_diary))
    app.command("list")(_list(open_diary))
    app.command("revoke")(_revoke(open_diary))
    return app


def _devices(open_diary: "Callable[[], Diary]") -> _Command:
    def devices(ctx: typer.Context, *, as_json: AsJson = False, utc: Utc = False) -> None:
        """List the devices of this account."""
        if ctx.invoked_subcommand is None:
            _show_devices(open_diary, as_json=as_json, utc=utc)

    return devices


def _list(open_diary: "Callable[[], Diary]") -> _Command:
    def list_(*, as_json: AsJson = False, utc: Utc = False) -> None:
        """List the devices of this account: name, since when, when they last wrote, and whether revoked."""
        _show_devices(open_diary, as_json=as_json, utc=utc)

    return list_


def _revoke(open_diary: "Callable[[], Diary]") -> _Command:
    def revoke(
        ctx: typer.Context,
        device: Annotated[
            str, typer.Argument(metavar="DEVICE", help="Its number in the list, its name or its id's start.")
        ],
        *,
        phrase_file: PhraseFile = None,
        yes: Yes = False,
    ) -> None:
        """End a device, by the recovery phrase: it writes no more, and reads nothing written after."""
        from diary.devices import named
        from sync.engine import Engine, NotRegisteredError
        from sync.revocation import revoke as end_it
        from sync.telling import SyncTeller
        from sync.transport import Transport

        with open_diary() as diary:
            link = diary.server()
            if link is None:
                raise NotRegisteredError
            clock = desk_of(ctx).clock
            with Transport(link.url) as line:
                with SyncTeller(clock) as teller:
                    Engine(diary, line, progress=teller).run()  # it may not be known here yet
                one = named(diary.devices_seen(), device)
                says = "It writes and reads no more; what it has not sent stays there alone."
                agree(f"Revoke {_called(one)}? {says}", yes=yes)
                phrase = asked_phrase(phrase_file)
                with SyncTeller(clock) as teller:
                    end_it(diary, line, phrase, one.replica, progress=teller)
        say(f"Revoked: {_called(one)}. Your other devices get new keys when they sync next.")
        say("What it had read before, whoever has it may still read.")

    return revoke


def _show_devices(open_diary: "Callable[[], Diary]", *, as_json: bool, utc: bool) -> None:
    from diary.attention import lost_says

    with open_diary() as diary:
        found = diary.devices_seen()
        status = diary.status()
        zone = zone_of(diary, utc=utc)
    for said in (
        "" if status.unanswered is None else status.unanswered.says,
        lost_says(status.lost_by_server),
    ):
        if said:
            say(said)
    if as_json:
        print_json([_json(one) for one in found])
        return
    for one in found:
        tell("  ".join(_words(one, zone)))


def _json(one: "Device") -> dict[str, object]:
    from diary.rules.json_form import iso

    def when(at_ms: "Millis | None") -> str | None:
        return None if at_ms is None else iso(at_ms)

    return {
        "number": one.number,
        "replica": one.replica,
        "name": one.name or None,
        "this": one.is_this,
        "added_at": when(one.added_at_ms),
        "wrote_at": when(one.wrote_at_ms),
        "revoked": one.is_revoked,
        "revoked_at": when(one.revoked_at_ms),
        "successor_of": one.successor_of,
    }


def _words(one: "Device", zone: "tzinfo") -> list[str]:
    words = [f"{one.number}.", one.replica[:8], f"“{one.name}”" if one.name else "no name known yet"]
    words += ["this device"] if one.is_this else []
    words += [f"since {_day(one.added_at_ms, zone)}"] if one.added_at_ms is not None else []
    words += [f"last wrote {_minute(one.wrote_at_ms, zone)}"] if one.wrote_at_ms is not None else []
    words += [f"in place of {one.successor_of[:8]}"] if one.successor_of else []
    if one.is_revoked:
        at = f" {_minute(one.revoked_at_ms, zone)}" if one.revoked_at_ms is not None else ""
        words.append(f"revoked{at}")
    return words


def _called(one: "Device") -> str:
    return f"“{one.name}” ({one.replica[:8]})" if one.name else f"device {one.replica[:8]}"


def _day(at_ms: "Millis", zone: "tzinfo") -> str:
    return _minute(at_ms, zone)[:10]


def _minute(at_ms: "Millis", zone: "tzinfo") -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M")
