"""The words of the trade as a report explains them to who never saw the program (R58, R59)."""

from typing import Final

WORDS: Final = {
    "Segment": (
        "Ten minutes of one contract, from :00, :10, :20 and so on in UTC. Whole segments are billed: "
        "their number times the rate of an hour, divided by six, rounded once."
    ),
    "Week": (
        "Monday 00:00 UTC to the next Monday 00:00 UTC. The freelancer could change it, and delete in "
        "it, until that Monday, 12:00 UTC: its lock. From then on nobody can."
    ),
    "Automatic": (
        "Recorded by a program on the freelancer's computer, with a picture of the screen taken at a "
        "random moment of the ten minutes."
    ),
    "Manual": "Entered by the freelancer, or recorded without a picture.",
    "Bills": (
        "Counts for the invoice. Where it does not, the reason stands beside it: late; over limit "
        "(beyond the hours agreed for the week); overlapping (that time belongs to another contract); "
        "manual not allowed (the contract has no manual time); fixed price (the contract is not paid "
        "by the hour)."
    ),
    "Late": "Received after the week's lock. It bills only where the client has accepted it.",
    "Activity": (
        "In how many of the ten minutes there was input, or the system saw the user as active. Which "
        "keys were pressed is never recorded."
    ),
    "Application, title": "Of the window that was in front when the picture was taken.",
    "Received": (
        "When the server had it, by the server's clock, and how long after the ten minutes that was: "
        "within 15 minutes, the same day (in UTC), or later."
    ),
    "Masked": "A window that the freelancer keeps private was blacked out in the picture.",
    "Missing": "A picture that was recorded and did not reach the server in time.",
    "Disputed": "The client objected; whether and how it was answered stands with what the parties said.",
    "Redacted": (
        "Both parties had picture and words removed after the lock, say for a third person on the "
        "screen. Time and bill stay."
    ),
    "Log, root, seal": (
        "The server keeps all it receives of a contract in one list that can only grow, its log. The "
        "root is a number that stands for every row of it. At the lock the server signs what the week "
        "comes to: its seal."
    ),
    "Server's key": (
        "What the server's signatures are checked by. It shows that this is your server only if it is "
        "the key that you know: an invitation link holds it, and the server says it at /v1/server."
    ),
}
"""Each word with what it means, in the order in which a reader meets them."""
