"""SipHash-1-3 and SipHash-2-4 in pure Python, for hashes that must not depend on the running interpreter."""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF


def siphash(key: tuple[int, int], data: bytes, *, compression: int, finalization: int) -> int:
    """Return the 64-bit SipHash of *data* under *key* (two 64-bit words), with the given numbers of rounds.

    Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2.
    """
    state = (
        key[0] ^ 0x736F6D6570736575,
        key[1] ^ 0x646F72616E646F6D,
        key[0] ^ 0x6C7967656E657261,
        key[1] ^ 0x7465646279746573,
    )
    whole = len(data) & ~7
    for offset in range(0, whole, 8):
        state = _absorb(state, int.from_bytes(data[offset : offset + 8], "little"), compression)
    last = (len(data) & 0xFF) << 56 | int.from_bytes(data[whole:], "little")
    v0, v1, v2, v3 = _absorb(state, last, compression)
    v0, v1, v2, v3 = _rounds((v0, v1, v2 ^ 0xFF, v3), finalization)
    return v0 ^ v1 ^ v2 ^ v3


def _absorb(state: tuple[int, int, int, int], word: int, rounds: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _rounds((v0, v1, v2, v3 ^ word), rounds)
    return v0 ^ word, v1, v2, v3


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = (v1 << 13 | v1 >> 51) & _MASK ^ v0
        v0 = (v0 << 32 | v0 >> 32) & _MASK
        v2 = (v2 + v3) & _MASK
        v3 = (v3 << 16 | v3 >> 48) & _MASK ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = (v3 << 21 | v3 >> 43) & _MASK ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = (v1 << 17 | v1 >> 47) & _MASK ^ v2
        v2 = (v2 << 32 | v2 >> 32) & _MASK
    return v0, v1, v2, v3
