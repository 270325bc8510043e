"""`refund`: money goes back, through the gateway where that took it, else noted as given by hand (R63)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from diary.command.desk import say, tell, text_of
from diary.command.payment import NOT_MOVED, Number, Reference, named, typed_minor
from diary.rules.money import money

if TYPE_CHECKING:
    from diary.diary import Diary
    from diary.rules.ids import ContractId

ByHand = Annotated[
    bool, typer.Option("--by-hand", help="You gave it back yourself, though the gateway had taken it.")
]


def refund_command(open_diary: "Callable[[], Diary]") -> Callable[..., None]:
    """Return the command."""

    def refund(
        number: Number,
        amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="60 or 60.50.")],
        reference: Reference = "",
        *,
        by_hand: ByHand = False,
    ) -> None:
        """Give money back: through the payment gateway what it took; else note that you gave it back."""
        with open_diary() as diary:
            view = diary.invoice(number)
            minor = typed_minor(amount, view.currency)
            contract = None if by_hand or view.agency else diary.refund_at_gateway(number, minor)
            if contract is None:
                diary.refund(number, minor, text_of(reference, "reference") or "")
                done = True
            else:
                done = give_back(diary, number, contract, minor)
        written = f"{named(view)}: {money(minor, view.currency)} {view.currency}"
        if contract is None:
            tell(f"{written} given back.")
            say(NOT_MOVED)
        elif done:
            tell(f"{written} given back by the payment gateway.")
        else:
            tell(f"{written}: the payment gateway is giving it back; the invoice shows when it has.")

    return refund


def give_back(diary: "Diary", number: int, contract: "ContractId", minor: int) -> bool:
    """Let the gateway give back what it took, once whatever is cut short; return whether it has (R63).

    Raises:
        NotRegisteredError: The diary has no server.
        PeerError: It cannot be reached, or refuses; asked again it is the same refund.
    """
    from sync.engine import Engine, NotRegisteredError
    from sync.money_messages import GiveBack
    from sync.transport import Transport

    link = diary.server()
    if link is None:
        raise NotRegisteredError
    refund = diary.begin_refund(number, contract, minor)
    asked = GiveBack(account=diary.account, contract=contract, invoice=number, id=refund, minor=minor)
    with Transport(link.url) as line:
        Engine(diary, line).run()
        line.authorise(diary.account, diary.replica, diary.token)
        done = line.give_back(asked).done
        diary.finish_refund(number, contract, minor)
    return done
