"""What the doors say of themselves in the OpenAPI document, beside their types."""

from typing import Annotated, TypeAlias

from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from sync.protocol import Fault

Authorization: TypeAlias = Annotated[
    str | None,
    Parameter(header="Authorization", required=False, description="Bearer <account>.<replica>.<token>"),
]


def faults(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the faults that a door answers with, by their statuses."""
    return {
        status: ResponseSpec(Fault, description="Why not", generate_examples=False) for status in statuses
    }
