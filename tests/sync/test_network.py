"""Whether there is a way to the server, asked without sending anything."""

from sync.network import has_route


def test_this_machine_has_a_way_to_itself() -> None:
    assert has_route("http://127.0.0.1:8440")


def test_there_is_no_way_to_a_name_that_nobody_has() -> None:
    # RFC 6761: names under "invalid" never resolve.
    assert not has_route("https://diary.invalid")
