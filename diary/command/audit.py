"""`audit`: what is stored, what was sent, when and to whom, and what gave alarm (R55)."""

from typing import TYPE_CHECKING

import msgspec
import typer

from diary.command.desk import AsJson, Utc, desk_of, print_json, tell
from diary.rules.alarm_words import WHAT_TO_DO, meaning_of
from diary.rules.json_form import iso

if TYPE_CHECKING:
    from diary.auditing import Audit

app = typer.Typer(rich_markup_mode=None)


@app.command()
def audit(ctx: typer.Context, *, as_json: AsJson = False, utc: Utc = False) -> None:
    """Show from the diary's own records what is stored and what was sent, and every alarm."""
    with desk_of(ctx).open_diary() as diary:
        found = diary.audit()
        if as_json:
            print_json(_json(found))
            return
        from diary.command.look import sheet_of
        from diary.command.tables import plain, plain_table

        sheet = sheet_of(diary, utc=utc)
    for alarm in found.alarms:
        tell(f"ALARM {alarm.kind}, {sheet.moment(alarm.raised_at_ms)}: {plain(alarm.says).plain}")
        if meaning := meaning_of(alarm.kind):
            tell(f"  {meaning}")
    tell(WHAT_TO_DO if found.alarms else "No alarms.")
    for restoring in found.restorings:
        tell(f"The server was restored, it said {sheet.moment(restoring.taken_at_ms)}.")
        for head in restoring.lost:
            tell(f"  log {head.contract[:8]}: from {head.had_size} rows back to {head.kept_size}")
    if found.lost_by_server:
        tell(f"Not at the server again yet: {found.lost_by_server} versions that it had received.")
    stored = plain_table("Stored", "Count", "Bytes")
    for kept in found.stored:
        stored.add_row(kept.what, str(kept.count), str(kept.size))
    sheet.console.print(stored)
    sent = plain_table("Sent", "To", "What", "Bytes", "Name")
    for note in found.sent:
        sent.add_row(
            sheet.moment(note.sent_at_ms), plain(note.server), note.what, str(note.size), note.name[:16]
        )
    if found.sent:
        sheet.console.print(sent)
    else:
        tell("Nothing was ever sent.")


def _json(found: "Audit") -> dict[str, object]:
    return {
        "alarms": [
            {
                "raised_at": iso(alarm.raised_at_ms),
                "contract": alarm.contract,
                "kind": alarm.kind,
                "says": alarm.says,
                "evidence": [msgspec.to_builtins(one) for one in alarm.evidence],
            }
            for alarm in found.alarms
        ],
        "restorings": [
            {
                "log_epoch": restoring.log_epoch,
                "taken_at": iso(restoring.taken_at_ms),
                "lost": [
                    {
                        "contract": head.contract,
                        "from": [head.had_epoch, head.had_size],
                        "to": head.kept_size,
                    }
                    for head in restoring.lost
                ],
            }
            for restoring in found.restorings
        ],
        "lost_by_server": found.lost_by_server,
        "stored": [{"what": kept.what, "count": kept.count, "bytes": kept.size} for kept in found.stored],
        "sent": [
            {
                "sent_at": iso(note.sent_at_ms),
                "server": note.server,
                "what": note.what,
                "name": note.name,
                "bytes": note.size,
            }
            for note in found.sent
        ],
    }
