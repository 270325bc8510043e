"""Who may ask what: each door, each role, its own objects and another's (R46, R48, R50, R51, R63).

The table is the policy (`policy.py`): an answer that is not in it is a defect, and so is a door without a
line.
"""

from tests.rule import rule
from tests.sync.server.conftest import Here
from tests.sync.server.knocking import KNOCKS
from tests.sync.server.policy import POLICY, ROLES
from tests.sync.server.roles import scene_at


@rule("R51")
@rule("R63")
@rule("R66")
def test_each_role_is_answered_at_each_door_as_the_policy_says(here: Here) -> None:
    scene = scene_at(here)
    told = {door: {role: knock(scene, role) for role in ROLES} for door, knock in KNOCKS.items()}
    differing = {
        (door, role): (told[door][role], should)
        for door, roles in POLICY.items()
        for role, should in roles.items()
        if told[door][role] != should
    }
    assert differing == {}, differing


@rule("R46")
def test_no_door_is_without_a_policy(here: Here) -> None:
    paths = here.client.http.get("/schema/openapi.json").json()["paths"]
    doors = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert {" ".join(door.split()[:2]) for door in POLICY} == doors
    assert POLICY.keys() == KNOCKS.keys()
    assert all(set(roles) == set(ROLES) for roles in POLICY.values())
