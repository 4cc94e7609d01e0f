"""Write unicode.txt: the tables by which names are compared, from the Unicode data of the Python that runs this.

    python3 unicode.py > unicode.txt

Three lines: canonical decompositions in full (NFD, without Hangul's, which are computed), combining classes that are
not 0, and full case foldings. Each is ``CODE=VALUE`` in hexadecimal, separated by semicolons.
"""

import sys
import unicodedata

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xAC00 <= code <= 0xD7A3]


def codes(text: str) -> str:
    return " ".join(f"{ord(character):X}" for character in text)


def main() -> None:
    decomposed = {one: codes(unicodedata.normalize("NFD", one)) for one in CHARACTERS}
    classes = {one: f"{unicodedata.combining(one):X}" for one in CHARACTERS}
    folded = {one: codes(one.casefold()) for one in CHARACTERS}
    for table in (decomposed, classes, folded):
        left_out = "0" if table is classes else None
        print(";".join(f"{ord(one):X}={value}" for one, value in table.items() if value not in (codes(one), left_out)))


if __name__ == "__main__":
    main()
