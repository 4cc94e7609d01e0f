"""Write tables.h: what names are compared by, from the Unicode data of this Python, and the constants of SHA-2.

python3 tables.py > tables.h
"""

import sys
import unicodedata
from math import isqrt
from typing import Callable

WIDEST = 4
"""Characters that one character becomes at most."""
CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
PRIMES = [one for one in range(2, 410) if all(one % other for other in range(2, one))]
ROUNDS, BITS = 80, 64


def mapping(name: str, mapped: Callable[[str], str]) -> None:
    """Print a table of all characters that *mapped* changes: the character, and what it becomes."""
    print(f"static const uint32_t {name}[][{WIDEST + 1}]={{")
    for one in CHARACTERS:
        # Hangul is computed.
        if mapped(one) != one and not 0xAC00 <= ord(one) <= 0xD7A3:
            row = [ord(each) for each in one + mapped(one)]
            print(f"{{{','.join(map(hex, row + [0] * (WIDEST + 1 - len(row))))}}},")
    print("};")


def cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def constants(name: str, values: list[int]) -> None:
    """Print the fractions of roots, 64 bits of each (FIPS 180-4, sections 4.2.3 and 5.3)."""
    words = ",".join(f"{value % 2**BITS:#x}ull" for value in values)
    print(f"static const uint64_t {name}[{len(values)}]={{{words}}};")


def main() -> None:
    print("#include <stdint.h>")
    mapping("NFD", lambda one: unicodedata.normalize("NFD", one))
    mapping("FOLD", str.casefold)
    print("static const uint32_t CCC[][2]={")
    for one in CHARACTERS:
        if unicodedata.combining(one):
            print(f"{{{ord(one):#x},{unicodedata.combining(one)}}},")
    print("};")
    constants("K5", [cube_root(prime << 3 * BITS) for prime in PRIMES[:ROUNDS]])
    constants("H5", [isqrt(prime << 2 * BITS) for prime in PRIMES[:16]])


if __name__ == "__main__":
    main()
