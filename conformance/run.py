#!/usr/bin/env python3
"""Run the vectors of the canonical form with any program.

    python3 run.py [--only WORD]... [--skip WORD]... PROGRAM [ARGUMENT]...

In the arguments, {input} stands for the input's path, {output} for the path at which the canonical archive has to lie
afterwards, with the same file name, and {directory} for the directory of {output}. {date} stands for the date; where a
vector gives none, that argument is left out, and an option before it:

    python3 run.py your-tool {input} {output} --date {date}
    python3 run.py samebytes normalize {input} --output {directory} --date {date}

An input is refused if the program's exit status is not 0; then {output} must not be there. A program that is ended by a
signal has not refused. The exit status of this program is 0 if all vectors passed, else 1. --only and --skip choose by
section ("2", "2.2") or by a part of the input's name.

Standard library only, Python 3.9 or later.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENDED = "ended by signal"
PLACEHOLDER = re.compile(r"\{(input|output|directory|date)\}")
Vector = dict[str, Any]
Convert = Callable[[Vector, Path, Path], str]
"""Makes the canonical form of one path at the other; returns why it was refused, or nothing."""


def read() -> list[Vector]:
    """Return the vectors in their order, each with the section and the words that it shows."""
    rules = json.loads((HERE / "vectors.json").read_text("utf-8"))["rules"]
    return [{**one, "section": rule["section"], "rule": rule["rule"]} for rule in rules for one in rule["vectors"]]


def failure(vector: Vector, convert: Convert) -> str:
    """Return in a line what is wrong with what *convert* makes of a vector's input; nothing if it passes."""
    data = (HERE / vector["input"]).read_bytes()
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "in", vector["file"]), Path(directory, "out", vector["file"])
        source.parent.mkdir()
        target.parent.mkdir()
        source.write_bytes(data)
        refusal = convert(vector, source, target)
        if source.read_bytes() != data:
            return "the input was changed"
        if refusal:
            ended = refusal.startswith(ENDED)
            right = vector.get("refused") and not target.exists() and not ended
            return "" if right else refusal if ended else f"refused: {refusal}"
        if not target.is_file():
            return "there is no output"
        output = target.read_bytes()
    if vector.get("refused"):
        return "must be refused, and is not"
    if len(output) != vector["size"]:
        return f"has {len(output)} bytes and must have {vector['size']}"
    return "" if hashlib.sha256(output).hexdigest() == vector["sha256"] else "has the right size, and other bytes"


def by_program(command: Sequence[str]) -> Convert:
    """Return what runs *command*, with its placeholders replaced."""

    def convert(vector: Vector, source: Path, target: Path) -> str:
        values = {"input": source, "output": target, "directory": target.parent, "date": vector["date"]}
        arguments: list[str] = []
        for argument in command:
            if "{date}" in argument and vector["date"] is None:
                if arguments[-1].startswith("-"):
                    arguments.pop()
                continue
            arguments.append(
                re.sub(r"\{(input|output|directory|date)\}", lambda found: str(values[found[1]]), argument)
            )
        environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        environment.update({name: vector[name] for name in ("SOURCE_DATE_EPOCH",) if name in vector})
        done = subprocess.run(arguments, env=environment, capture_output=True, check=False)
        if done.returncode < 0:
            return f"{ENDED} {-done.returncode}"
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        return f"exit status {done.returncode}: {said[0] if said else 'no message'}" if done.returncode else ""

    return convert


def chosen(vector: Vector, words: Sequence[str]) -> bool:
    """Return whether one of *words* is the vector's section, one above it, or a part of its name."""
    return any(f"{vector['section']}.".startswith(f"{word}.") or word in vector["input"] for word in words)


def failures(vectors: Sequence[Vector], convert: Convert) -> Iterator[str]:
    """Yield a text for each vector that fails."""
    for vector in vectors:
        found = failure(vector, convert)
        if found:
            yield f"{vector['input']}: {found}\n    section {vector['section']}: {vector['rule']}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="a section, or a part of names")
    parser.add_argument("--skip", action="append", default=[], help="the same")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="with {input}, {output} or {directory}, and {date}")
    given = parser.parse_args(arguments)
    if not given.command:
        parser.error("no program is given")
    every = [one for one in read() if not given.only or chosen(one, given.only)]
    vectors = [one for one in every if not chosen(one, given.skip)]
    failed = 0
    try:
        for text in failures(vectors, by_program(given.command)):
            failed += 1
            print(text)
    except OSError as error:
        print(f"{given.command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{len(vectors)} vectors, {len(vectors) - failed} passed, {failed} failed")
    return int(failed > 0 or not vectors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
