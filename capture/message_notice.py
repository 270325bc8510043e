"""A message that came, as a notification of the desktop; the room that syncs asks for it (R68)."""

import asyncio

from capture.notification import Notice, Shown, notifier_of


def tell(heading: str, body: str) -> bool:
    """Show it; return False where this desktop shows none. It stays until its user has seen it."""
    return asyncio.run(_show(heading, body))


async def _show(heading: str, body: str) -> bool:
    notifier = notifier_of()
    await notifier.begin(lambda _: None)  # it has no buttons: nobody waits for an answer
    try:
        return isinstance(await notifier.show(Notice(summary=heading, body=body)), Shown)
    finally:
        await notifier.end()
