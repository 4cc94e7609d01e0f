"""Code lengths as zlib assigns them (RFC 1951 section 3.2.1 demands a Huffman code and leaves ties open).

Lengths are what a dynamic block transmits, so every tie shows. zlib makes the tree with a binary heap, ordered by
frequency and then by the depth of the subtree; nodes that agree in both leave the heap in the order in which its moves
happen to place them. So the moves belong to the specification, and are made here one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

DEPTH_BITS = 9
"""Room for the depth below the frequency in a node's key; the largest alphabet has 286 symbols."""

DEPTH = (1 << DEPTH_BITS) - 1


def code_lengths(frequencies: Sequence[int], longest: int) -> list[int]:
    """Return the code length of each symbol up to the last one that has a code; 0 for those without.

    At least two symbols get a code, though section 3.2.7 would allow a single one: where fewer are used, the symbol
    after the last used one stands in if that is 0, 1 or 2, else symbol 0.
    """
    symbols = [symbol for symbol, frequency in enumerate(frequencies) if frequency]
    keys = [frequency << DEPTH_BITS for frequency in frequencies]
    last = symbols[-1] if symbols else -1
    while len(symbols) < 2:
        last, added = (last + 1, last + 1) if last < 2 else (last, 0)
        symbols.append(added)
        keys[added] = 1 << DEPTH_BITS
    nodes, parents = _tree(symbols, keys)
    depths, excess = _depths(nodes, parents, longest)
    symbols = [node for node in nodes if node < len(frequencies)]
    if excess:
        depths = dict(zip(symbols, _fitted([depths[symbol] for symbol in symbols], excess, longest)))
    lengths = [0] * (last + 1)
    for symbol in symbols:
        lengths[symbol] = depths[symbol]
    return lengths


def _tree(symbols: list[int], keys: list[int]) -> tuple[list[int], dict[int, int]]:
    """Join the two least nodes until one is left. Return all nodes as they left the heap, and each one's parent.

    Nodes are numbers: the symbols, and above these the inner nodes in the order of their making. *keys* (frequency and
    depth, by node) gets those of the inner nodes appended.
    """
    # Counted from 1, so that the children of n are 2n and 2n + 1. Sinking all that have children makes it a heap.
    heap = [-1, *symbols]
    for at in range(len(symbols) // 2, 0, -1):
        _sink(heap, keys, at)
    left: list[int] = []
    parents: dict[int, int] = {}
    while len(heap) > 2:
        # The least node is taken off by putting the last one in its place; the next least is replaced by their parent.
        one = heap[1]
        heap[1] = heap.pop()
        _sink(heap, keys, 1)
        two = heap[1]
        left += one, two
        parents[one] = parents[two] = heap[1] = len(keys)
        depth = max(keys[one] & DEPTH, keys[two] & DEPTH) + 1
        keys.append((keys[one] & ~DEPTH) + (keys[two] & ~DEPTH) + depth)
        _sink(heap, keys, 1)
    return [*left, heap[1]], parents


def _sink(heap: list[int], keys: list[int], at: int) -> None:
    """Move the node at *at* down until no child has a lesser key; of two equal children the second moves up."""
    node = heap[at]
    key = keys[node]
    size = len(heap)
    child = 2 * at
    while child < size:
        least = heap[child]
        if child + 1 < size and keys[heap[child + 1]] <= keys[least]:
            child += 1
            least = heap[child]
        if key <= keys[least]:
            break
        heap[at] = least
        at = child
        child *= 2
    heap[at] = node


def _depths(nodes: list[int], parents: dict[int, int], longest: int) -> tuple[dict[int, int], int]:
    """Return each node's depth, at most *longest*, and how many nodes, inner ones too, lie deeper than that."""
    depths = {nodes[-1]: 0}
    excess = 0
    # A parent leaves the heap after its children, so it comes before them here.
    for node in reversed(nodes[:-1]):
        depth = depths[parents[node]] + 1
        if depth > longest:
            depth = longest
            excess += 1
        depths[node] = depth
    return depths, excess


def _fitted(lengths: list[int], excess: int, longest: int) -> list[int]:
    """Make cut-off *lengths* a prefix code again; they come, and return, in the order in which symbols left the heap.

    Each move makes room for two nodes in excess: of the codes shorter than *longest* a greatest one gets one bit more,
    and one of the cut-off codes becomes its sibling. Then the lengths are dealt out anew, the longest ones to the
    symbols that left the heap first: the rarest.
    """
    counts = [lengths.count(length) for length in range(longest + 1)]
    while excess > 0:
        length = longest - 1
        while not counts[length]:
            length -= 1
        counts[length] -= 1
        counts[length + 1] += 2
        counts[longest] -= 1
        excess -= 2
    return [length for length in range(longest, 0, -1) for _ in range(counts[length])]
