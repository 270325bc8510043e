"""`billing`: how each client pays, by the payment gateway's answer or your own word (R11, R30, R63)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import AsJson, print_json, tell

if TYPE_CHECKING:
    from diary.contracts import Contract
    from diary.diary import Diary

Named = Annotated[
    str | None, typer.Argument(metavar="CONTRACT", help="Its title or id, or the start; without it all.")
]
ByHand = Annotated[
    bool | None,
    typer.Option(
        "--by-hand/--not-by-hand", help="State that its client pays by hand, as you agreed; or take it back."
    ),
]


def billing_command(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    """Return the command."""

    def billing(name: Named = None, *, by_hand: ByHand = None, as_json: AsJson = False) -> None:
        """Show how your clients pay: verified by the payment gateway, or not; or state it of one."""
        with open_diary() as diary:
            if name is None and by_hand is not None:
                raise typer.BadParameter("Name the contract whose client you mean.")
            found = [diary.contract(name)] if name is not None else list(diary.contracts())
            if by_hand is not None:
                _state(diary, found[0], by_hand=by_hand)
            told = [_json(diary, one) for one in found]
        if as_json:
            print_json(told)
            return
        from diary.command.tables import plain

        for one in told:
            since = f", {one['at']}" if one["at"] else ""
            tell(f"{plain(str(one['title']))}: {one['says']}{since}")

    return billing


def _state(diary: "Diary", contract: "Contract", *, by_hand: bool) -> None:
    """Tell the server what the freelancer states; it tells all devices and the client."""
    from sync.engine import Engine, NotRegisteredError, told_billing
    from sync.money_messages import StateBilling
    from sync.transport import Transport

    diary.require_freelancer()
    link = diary.server()
    if link is None:
        raise NotRegisteredError
    with Transport(link.url) as line:
        Engine(diary, line).run()  # the server may not know the contract yet
        stated = StateBilling(account=diary.account, contract=contract.id, by_hand=by_hand)
        line.authorise(diary.account, diary.replica, diary.token)
        diary.note_billing(told_billing(line.state_billing(stated), diary.account))


def _json(diary: "Diary", contract: "Contract") -> dict[str, object]:
    from diary.billing_methods import billing_says
    from diary.rules.json_form import iso

    view = diary.billing(contract)
    return {
        "contract": contract.id,
        "title": contract.title,
        "gateway": None if view is None else view.gateway,
        "state": None if view is None else view.state,
        "at": None if view is None or view.at_ms is None else iso(view.at_ms),
        "says": "no server has told" if view is None else billing_says(view),
    }
