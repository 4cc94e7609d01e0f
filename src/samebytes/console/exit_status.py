"""What the exit statuses mean that are not an error class's own (those are in errors.py)."""

from __future__ import annotations

FINE, FINDINGS, RECORD_REBUILT = 0, 1, 10
UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED, BROKEN_PIPE, TERMINATED = 130, 141, 143  # 128 and the signal, as in shells; SIGHUP counts as SIGTERM

MEANINGS = {
    0: "fine",
    1: "a check has findings",
    2: "a wrong command line, a missing file, or a source that cannot be built",
    3: "the configuration or SOURCE_DATE_EPOCH is malformed",
    4: "an input is not a supported archive, is damaged or hostile",
    5: "RECORD is missing or contradicts its wheel",
    6: "a signature or attestation is invalid, or would become so",
    7: "the build backend failed",
    8: "a result could not be written",
    9: "the command needs an extra or a program that is not installed",
    RECORD_REBUILT: "done, but a wrong RECORD was rebuilt",
    11: "two encoders of the compressed stream disagree",
    12: "the package index cannot be reached or understood",
    13: "the store of a survey is damaged, newer, or cannot be written",
    14: "the cluster cannot be reached, or was lost",
    UNEXPECTED: "a bug in samebytes",
    INTERRUPTED: "interrupted (SIGINT)",
    BROKEN_PIPE: "broken pipe: the reader of the output closed it",
    TERMINATED: "terminated (SIGTERM)",
}


def table(*statuses: int) -> str:
    """Return the lines of a help text that explain *statuses*, 0 among them always."""
    rows = [f"  {status:<4} {MEANINGS[status]}" for status in sorted({FINE, *statuses})]
    return "\n".join(["exit status:", *rows])
