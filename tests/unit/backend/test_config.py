"""What pyproject.toml may say, and what becomes of it when it says something else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from samebytes.backend.config import LEGACY_BACKEND, LEGACY_REQUIRES, Backend, load
from samebytes.errors import ConfigError


def configured(tmp_path: Path, text: str) -> Path:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_wrapped_backend_is_that_of_our_table(tmp_path: Path) -> None:
    config = load(
        configured(
            tmp_path,
            '[build-system]\nrequires = ["samebytes", "hatchling"]\nbuild-backend = "samebytes.backend"\n'
            '[tool.samebytes]\nbuild-backend = "hatchling.build"\nbackend-path = ["backends"]\n',
        )
    )
    assert config.backend == Backend("hatchling.build", ("backends",))
    assert config.wrapped
    assert config.requires == ("samebytes", "hatchling")


def test_an_unedited_tree_gives_its_own_backend_and_path(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = []\nbuild-backend = "mine:object"\nbackend-path = ["."]\n'
    config = load(configured(tmp_path, text))
    assert config.backend == Backend("mine:object", (".",))
    assert config.backend.package == "mine"
    assert not config.wrapped


@pytest.mark.parametrize(
    "text", ["", "[project]\nname = 'x'\n", '[build-system]\nbuild-backend = "samebytes.backend"\n']
)
def test_no_backend_means_what_pep_517_says(tmp_path: Path, text: str) -> None:
    config = load(configured(tmp_path, text))
    assert config.backend == Backend(LEGACY_BACKEND)
    assert config.requires == LEGACY_REQUIRES


def test_a_path_without_a_backend_is_that_of_the_default(tmp_path: Path) -> None:
    config = load(configured(tmp_path, '[build-system]\nrequires = []\nbackend-path = ["."]\n'))
    assert config.backend == Backend(LEGACY_BACKEND, (".",))


def test_the_path_of_a_samebytes_in_the_tree_is_not_the_inner_backends(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = []\nbuild-backend = "samebytes.backend"\nbackend-path = ["src"]\n'
    assert load(configured(tmp_path, text)).backend == Backend(LEGACY_BACKEND)


def test_no_pyproject_at_all_means_the_same(tmp_path: Path) -> None:
    assert load(tmp_path).backend == Backend(LEGACY_BACKEND)


def test_every_setting_is_read(tmp_path: Path) -> None:
    config = load(
        configured(
            tmp_path,
            '[tool.samebytes]\nbuild-backend = "b"\ncanonical-form = 1\nsource-date-epoch = 1700000000\n'
            'disable = { Z003 = "modes are part of it" }\nenable = ["W100"]\ndebug-info = "strip"\nflags = "inherit"\n'
            'fixed-paths = true\ninherit = ["TZ", "umask"]\n',
        )
    )
    assert config.source_date_epoch == 1700000000
    assert config.disable == ("Z003",)
    assert config.enable == ("W100",)
    assert (config.debug_info, config.flags, config.fixed_paths) == ("strip", "inherit", True)
    assert config.inherit == ("TZ", "umask")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("bulid-backend = 'x'", "Did you mean 'build-backend'?"),
        ("source_date_epoch = 1", "Did you mean 'source-date-epoch'?"),
        ("zzz = 1", "Known are:"),
        ("build-backend = 'samebytes.backend'", "samebytes cannot wrap itself"),
        ("build-backend = 3", "must be 'module' or 'module:object', not 3"),
        ("build-backend = ''", "must be 'module' or 'module:object'"),
        ("build-backend = 'b'\nbackend-path = 'src'", "must be a list of strings"),
        ("backend-path = ['src']", "a backend-path but no build-backend"),
        ("canonical-form = 2", "writes version 1"),
        ("canonical-form = true", "writes version 1"),
        ("source-date-epoch = '1700000000'", "source-date-epoch"),
        ("source-date-epoch = -1", "-1"),
        ("source-date-epoch = true", "source-date-epoch"),
        ("disable = ['Z003']", "table of codes with reasons"),
        ("disable = { Z003 = ' ' }", "has no reason"),
        ("debug-info = 'drop'", "must be 'map' or 'strip'"),
        ("flags = 1", "must be 'auto' or 'inherit'"),
        ("fixed-paths = 'yes'", "must be true or false"),
        ("inherit = ['UMASK']", "Did you mean 'umask'?"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(configured(tmp_path, f"[tool.samebytes]\n{table}\n"))
    assert said in str(caught.value)
    assert "pyproject.toml" in caught.value.message


@pytest.mark.parametrize("table", ["build-system]\nrequires = []", "tool.samebytes]"])
@pytest.mark.parametrize(
    "name", [".a", "a.", "a..b", ".", ":", ":a", "a:.b", "a:b.", "a:b..c", "a:b:c", " ", "a ", " a.b", "a. b", "a:b\\n"]
)
def test_a_backend_that_cannot_be_imported_is_named(tmp_path: Path, table: str, name: str) -> None:
    with pytest.raises(ConfigError, match="must be 'module' or 'module:object'"):
        load(configured(tmp_path, f'[{table}\nbuild-backend = "{name}"\n'))


@pytest.mark.parametrize("name", ["a", "a.b", "a:b", "a.b:c.d", "a:", "my-backend", "bäck.end"])
def test_every_name_that_pyproject_hooks_imports_is_taken(tmp_path: Path, name: str) -> None:
    assert load(configured(tmp_path, f'[build-system]\nrequires = []\nbuild-backend = "{name}"\n')).backend.name == name


@pytest.mark.parametrize("text", ["[build-system\n", "x = 1\nx = 2\n"])
def test_broken_toml_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml is not valid TOML: .*line \d"):
        load(configured(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 20_000,
        "x = " + "{a=" * 20_000,
        "[tool.samebytes]\nflags." + "a." * 5000 + "a = 1\n",
        "[tool.samebytes]\nsource-date-epoch = 0x" + "f" * 20_000,
        "[tool.samebytes]\nsource-date-epoch = " + "9" * 20_000,
    ],
    ids=["arrays", "tables", "dotted key", "number", "decimal number"],
)
def test_what_is_too_deep_or_too_large_to_be_shown_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(configured(tmp_path, text))
    assert "pyproject.toml" in caught.value.message


UNREADABLE = r"""
import os, resource, socket, sys
os.chdir(sys.argv[1])
kind, code, name = sys.argv[2:]
if kind == "pipe":
    os.mkfifo(name)
elif kind == "socket":
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(name)
elif kind == "device":
    os.symlink("/dev/zero", name)
else:
    with open(name, "w") as file:
        file.write(eval(kind))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from pathlib import Path
from samebytes.errors import ConfigError
try:
    exec(code)
except ConfigError as error:
    print(error.message)
"""

HOSTILE = {
    "pipe": "is not a regular file",
    "socket": "is not a regular file",
    "device": "is not a regular file",
    "'#' * (5 << 20)": "has more than 4194304 bytes",
    "'x = ' + '[' * 20_000 + ']' * 20_000": "nested",
    "'x = ' + '{a=' * 20_000 + '1' + '}' * 20_000": "nested",
    "'x = ' + '9' * 2_000_000": "limit",
    "'x = 0x' + 'f' * 2_000_000": "limit",
    "'a.' * 2_000_000 + 'a = 1'": "a key has more than 200 parts",
    "'x = {' + '\"a\" . ' * 600_000 + 'a = 1}'": "a key has more than 200 parts",
    "'x = ' + 'a' * 4_000_000": "Invalid value",
    "'a' * 4_000_000": "Expected '='",
}

READERS = {
    "backend": ("pyproject.toml", "from samebytes.backend.config import load; load(Path())"),
    "wrap": ("pyproject.toml", "from samebytes_tools.commands.wrap.wrap import wrap; wrap(Path())"),
    "unwrap": ("pyproject.toml", "from samebytes_tools.commands.wrap.wrap import unwrap; unwrap(Path())"),
    "lock file": ("pylock.toml", "from samebytes_tools.building.pylock import read; read(Path('pylock.toml'))"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on processes")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("reader", READERS)
def test_files_that_do_not_end_and_values_beyond_measure_are_refused_at_once(
    reader: str, kind: str, tmp_path: Path
) -> None:
    name, code = READERS[reader]
    command = [sys.executable, "-c", UNREADABLE, str(tmp_path), kind, code, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout
    assert HOSTILE[kind] in done.stdout


def test_long_values_with_dots_are_no_long_keys(tmp_path: Path) -> None:
    dotted = ".".join("a" * 199)
    text = f"{dotted}.z = 1\n[tool]\nx = '''\n{'It is. ' * 5000}\n{'1, 2. ' * 5000}\n{'v1.2.3, ' * 5000}\n'''\n"
    assert load(configured(tmp_path, text)).backend.name == LEGACY_BACKEND


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'[project]\nname = "\xe9"\n')
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["tool = 1\n", "build-system = []\n", "[tool]\nsamebytes = 'x'\n"])
def test_a_table_must_be_a_table(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="must be a table"):
        load(configured(tmp_path, text))
