"""Proofs that a leaf is in a log, and that a log only grew (R56; RFC 9162, sections 2.1.3 and 2.1.4).

Making one asks for complete subtrees by their place, about twice the logarithm of the size; checking one
needs the proof and two roots. Pure: where the subtrees lie is the caller's to know.
"""

from collections.abc import Callable, Iterator, Sequence

from diary.evidence.merkle import folded, node_hash

Nodes = Callable[[int, int], bytes]
"""Return the root of the complete subtree of 2**level leaves that begins at leaf place * 2**level."""


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the audit path of a leaf in a log of `size` leaves, from the leaf up (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of a log of {size}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _below(end - first)
        if index < middle:
            path.append(tree_hash(middle, end, nodes))
            end = middle
        else:
            path.append(tree_hash(first, middle, nodes))
            first = middle
    return path[::-1]


def consistency_proof(old: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that a log of `size` leaves begins with its first `old` ones (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: There was no such log: 0 < old <= size does not hold.
    """
    if not 0 < old <= size:
        raise ValueError(f"a log of {old} leaves before one of {size}")
    path: list[bytes] = []
    first, end = 0, size
    is_old_root = True
    while old != end:
        middle = first + _below(end - first)
        if old <= middle:
            path.append(tree_hash(middle, end, nodes))
            end = middle
        else:
            path.append(tree_hash(first, middle, nodes))
            first, is_old_root = middle, False
    if not is_old_root:
        path.append(tree_hash(first, end, nodes))
    return path[::-1]


def tree_hash(first: int, end: int, nodes: Nodes) -> bytes:
    """Return the Merkle tree hash of the leaves from `first` to before `end`.

    `first` is where a subtree of so many leaves may begin: a multiple of the power of two that holds them.
    """
    return folded([nodes(level, place) for level, place in subtrees(first, end)])


def subtrees(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield level and place of the complete subtrees that make up these leaves, the greatest first."""
    while first < end:
        level = (end - first).bit_length() - 1
        yield level, first >> level
        first += 1 << level


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Return the root that the proof makes of a leaf; None where it has not the right length (RFC 9162)."""
    if not 0 <= index < size:
        return None
    at, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


def proves_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether the leaf stands at that index of the log of that size and root (RFC 9162, 2.1.3.2)."""
    return root_by_inclusion(index, size, leaf, path) == root


def proves_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Return whether a log of that size and root begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == root
    rest = list(path) if old & (old - 1) else [old_root, *path]
    if not rest:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    node = old_node = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            node, old_node = node_hash(sibling, node), node_hash(sibling, old_node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old_node == old_root and node == root


def _below(count: int) -> int:
    """Return the greatest power of two below `count`, where the RFC splits."""
    return 1 << ((count - 1).bit_length() - 1)
