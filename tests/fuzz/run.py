"""Fuzz the readers: give them inputs that nobody thought of, for as long as is wanted.

    python tests/fuzz/run.py [--seconds 20] [--runs N] [--jobs N] [--corpus DIRECTORY] [TARGET ...]
    python tests/fuzz/run.py --repeatable [--jobs N] [TARGET ...]
    python tests/fuzz/run.py --replay FILE ... TARGET

Each target runs in a process of its own under atheris, which follows what of the code an input reaches. Whatever is
neither accepted nor refused as it should be, takes too long or too much memory is a finding: the input is kept in
tests/fuzz/findings/, and the command that replays it is printed. Replaying needs no atheris.

Each run tries other inputs. With --repeatable, the runs over one state of the code begin alike and try as many inputs as
each target says, however fast the machine is: nearly the same ones, where addresses can be kept from differing.

Where atheris is not installed, it is installed with pip, in a virtual environment only.

Exit status: 0, nothing found; 1, a finding; 2, wrong usage; 3, atheris is not available for this interpreter.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)

from fuzz.harness import Target, accepts  # noqa: E402 - found only now

FINDINGS = HERE / "findings"
ATHERIS = "atheris>=3,<4"
NOT_AVAILABLE = 3
SECONDS = 20

TIMEOUT = 60
"""Seconds for one input. Generous, for a busy machine and instrumented code: this finds what never ends."""

MEMORY = 1024
"""MiB for one target, of which the fuzzer itself takes some 100."""

LINES = 60
"""Of what the fuzzer says of a finding."""

INSTRUMENTED = ["samebytes", "samebytes_tools", "elftools", "tomllib", "tomli"]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit status."""
    if arguments[:1] == ["--inside"]:
        return _inside(*arguments[1:])
    options = _parser().parse_args(arguments)
    from fuzz.targets import TARGETS

    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        print(f"there is no target {unknown[0]!r}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    wanted = [target for name, target in TARGETS.items() if not options.targets or name in options.targets]
    if options.replay:
        return _replay(wanted, options.replay)
    problem = _missing_atheris()
    if problem:
        print(f"not fuzzed: {problem}", file=sys.stderr)
        return NOT_AVAILABLE
    with ThreadPoolExecutor(options.jobs) as pool:
        fine = list(pool.map(lambda target: _fuzz(target, options), wanted))
    return 0 if all(fine) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="what to fuzz (default: all)")
    parser.add_argument(
        "--seconds", type=int, default=SECONDS, help=f"for each target (default: {SECONDS}); 0: no limit"
    )
    parser.add_argument("--runs", type=int, default=-1, help="inputs for each target (default: no limit)")
    parser.add_argument(
        "--repeatable", action="store_true", help="nearly the same inputs in every run, as many as each target says"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (default: all CPUs)")
    parser.add_argument("--corpus", type=Path, metavar="DIRECTORY", help="keep what was found to reach new code there")
    parser.add_argument("--findings", type=Path, metavar="DIRECTORY", default=FINDINGS, help="where findings are kept")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE", help="inputs to try, without a fuzzer")
    return parser


def _missing_atheris() -> str:
    """Return why atheris cannot be used, or nothing once it can."""
    if importlib.util.find_spec("atheris"):
        return ""
    if sys.prefix == sys.base_prefix:
        return (
            f"atheris is not installed, and this is no virtual environment: {sys.executable} -m pip install '{ATHERIS}'"
        )
    # No source distribution: to build it takes an LLVM and half an hour.
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        ATHERIS,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    version = ".".join(map(str, sys.version_info[:2]))
    return f"atheris cannot be installed for Python {version} on {sys.platform} {platform.machine()}: {reason}"


def _replay(targets: Sequence[Target], files: Sequence[Path]) -> int:
    """Try the inputs in *files*, and say what became of each; what is a fault is raised."""
    for target in targets:
        for path in files:
            print(f"{target.name}: {path} is {'accepted' if accepts(target, path.read_bytes()) else 'refused'}")
    return 0


def _fuzz(target: Target, options: argparse.Namespace) -> bool:
    """Fuzz *target* in a process of its own, print what came of it, and return whether nothing was found."""
    findings: Path = options.findings.resolve()
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        grown = options.corpus / target.name if options.corpus else Path(scratch, "grown")
        grown.mkdir(parents=True, exist_ok=True)
        seeds = [Path(scratch, hashlib.sha256(seed).hexdigest()[:16]) for seed in target.seeds()]
        for path, seed in zip(seeds, target.seeds()):
            path.write_bytes(seed)
        # As a list of files, for the order of a directory is the file system's.
        arguments = [*_limits(target, options), f"-seed_inputs={','.join(map(str, seeds))}"]
        arguments += [f"-artifact_prefix={findings / target.name}-", "-print_final_stats=1", str(grown)]
        command = [sys.executable, str(HERE / "run.py"), "--inside", target.name, *arguments]
        environment = dict(os.environ)
        if options.repeatable:
            command = [*_fixed_addresses(), *command]
            environment["PYTHONHASHSEED"] = "0"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        print(f"{target.name}: {_summary(done.stderr)}, nothing found", flush=True)
        return True
    found = sorted(path for path in set(findings.iterdir()) - before if path.name.startswith(f"{target.name}-"))
    # Not the progress of the fuzzer, which has a number in front.
    log = [line for line in (done.stdout + done.stderr).splitlines() if not re.match(r"#\d+\t|INFO:", line)]
    shown = "\n  ".join(log[-LINES:])
    replays = "".join(
        f"\n  replay: {sys.executable} tests/fuzz/run.py --replay {path} -- {target.name}" for path in found
    )
    print(f"{target.name}: FOUND something (status {done.returncode})\n  {shown}{replays}", flush=True)
    return False


def _fixed_addresses() -> list[str]:
    """Return what has a command run at the same addresses each time, by which libFuzzer orders what it compared."""
    command = ["setarch", "--addr-no-randomize"]
    if (
        shutil.which(command[0]) is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        return []  # It is not there, or a container does not permit it.
    return command


def _limits(target: Target, options: argparse.Namespace) -> list[str]:
    """Return the arguments that bound a run of libFuzzer."""
    if options.repeatable:
        limits = ["-max_total_time=0", f"-runs={target.runs}", "-seed=1"]
    else:
        limits = [f"-max_total_time={options.seconds}", f"-runs={options.runs}"]
    limits += [f"-timeout={TIMEOUT}", f"-report_slow_units={TIMEOUT}", f"-rss_limit_mb={MEMORY}"]
    return [*limits, f"-max_len={target.longest}"]


def _summary(log: str) -> str:
    """Return how many inputs there were, and how much code they reached, by libFuzzer's *log*."""
    runs = re.findall(r"number_of_executed_units: *(\d+)", log)
    reached = re.findall(r"\bcov: (\d+)", log)
    return f"{runs[-1] if runs else '?'} inputs, {reached[-1] if reached else '?'} branches reached"


def _inside(name: str, *arguments: str) -> int:
    """Fuzz one target in this process; does not return if something is found."""
    atheris = importlib.import_module("atheris")  # has no types, and is only there where it can be installed
    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz.targets import TARGETS

        target = TARGETS[name]

        def one(data: bytes) -> None:
            accepts(target, data)

        # Within, for some modules are imported only where they are needed.
        atheris.Setup([name, *arguments], one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
