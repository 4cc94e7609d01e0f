"""Compilers' flags, for platforms that the tests cannot run on as well."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.platforms import needs_links

from samebytes.backend import flags
from samebytes.backend.config import Backend, Config
from samebytes.backend.environment import add_flags
from samebytes.backend.flags import Paths, additions, are_inherited, environment_roots, prefix_maps

ROOT = Path(Path.cwd().anchor)
PATHS = Paths(ROOT / "home/ada/src", (ROOT / "tmp/build-env-x1",), ROOT / "tmp/samebytes-y2")
SETUPTOOLS = Config(Backend("setuptools.build_meta"), requires=("setuptools",))
CMAKE = Config(Backend("scikit_build_core.build"), requires=("scikit-build-core>=0.10",))
MESON = Config(Backend("mesonpy"), requires=("meson-python",))
MATURIN = Config(Backend("maturin"), requires=("maturin>=1,<2",))

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
"""For flags that no build on Windows gets, where paths would be written otherwise in them."""


def test_the_most_specific_map_comes_last() -> None:
    nested = Paths(ROOT / "tmp/t/src", (ROOT / "tmp/t/src/.venv",), ROOT / "tmp/t")
    assert [name for _, name in prefix_maps(nested)] == [flags.TEMP_NAME, flags.SOURCE_NAME, flags.ENVIRONMENT_NAME]


def test_a_path_with_an_equals_sign_cannot_be_mapped() -> None:
    assert prefix_maps(Paths(ROOT / "a=b", (), ROOT / "t")) == [(str(ROOT / "t"), flags.TEMP_NAME)]


@needs_links
def test_a_path_behind_a_link_is_mapped_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    maps = dict(prefix_maps(Paths(tmp_path / "link", (), ROOT / "t")))
    assert maps[str(tmp_path / "link")] == maps[str((tmp_path / "real").resolve())] == flags.SOURCE_NAME


@posix
def test_setuptools_gets_cppflags_behind_the_users() -> None:
    variables, files = additions({"CPPFLAGS": "-DMINE"}, SETUPTOOLS, PATHS, "linux")
    assert variables == {
        "CPPFLAGS": "-DMINE -ffile-prefix-map=/home/ada/src=. -ffile-prefix-map=/tmp/samebytes-y2=/samebytes-tmp "
        "-ffile-prefix-map=/tmp/build-env-x1=/samebytes-env"
    }
    assert files == {}


def test_cmake_gets_each_languages_flags_and_never_cppflags() -> None:
    variables, _ = additions({"CMAKE_ARGS": "-DMINE=1"}, CMAKE, PATHS, "linux")
    assert set(variables) == {"CFLAGS", "CXXFLAGS", "FFLAGS", "CMAKE_ARGS"}
    assert variables["CMAKE_ARGS"] == "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON -DMINE=1"


@posix
def test_meson_gets_no_flags_but_wrappers_on_path(tmp_path: Path) -> None:
    compiler = tmp_path / "gcc"
    compiler.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    compiler.chmod(0o755)
    variables, files = additions({"PATH": str(tmp_path)}, MESON, PATHS, "linux")
    assert variables == {"PATH": f"/tmp/samebytes-y2/bin:{tmp_path}"}
    assert set(files) == {"bin/gcc"}
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(files["bin/gcc"])
    wrapper.chmod(0o755)
    said = subprocess.run([wrapper, "-c", "a b.c"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:2] == ["-c", "a b.c"]
    assert "-ffile-prefix-map=/home/ada/src=." in said[2:]


@posix
def test_wrappers_of_a_tree_whose_path_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "cc").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "cc").chmod(0o755)
    paths = Paths(Path("/home/ad\udcff/src"), (), tmp_path / "temp")
    paths.temp.mkdir()
    environ = {"PATH": str(tmp_path)}
    add_flags(environ, MESON, paths, tmp_path, paths.temp, "linux")
    said = subprocess.run([str(paths.temp / "bin/cc"), "-c", "a.c"], env=environ, stdout=subprocess.PIPE, check=True)
    assert b"-ffile-prefix-map=/home/ad\xff/src=." in said.stdout.splitlines()


@posix
def test_an_in_tree_backend_gets_wrappers_too_for_it_may_add_maps_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "gcc").write_text("#!/bin/sh\n")
    (tmp_path / "gcc").chmod(0o755)
    in_tree = Config(Backend("hooks", ("packaging/pep517_backend",)), requires=("setuptools",))
    variables, files = additions({"PATH": str(tmp_path)}, in_tree, PATHS, "linux")
    assert set(variables) == {"CPPFLAGS", "PATH"}
    assert set(files) == {"bin/gcc"}


@pytest.mark.parametrize("variable", ["CC", "CXX", "LDSHARED"])
def test_mingw_writes_no_time_of_linking(variable: str) -> None:
    compiler = {variable: "x86_64-w64-mingw32-gcc -shared"}
    variables, _ = additions(compiler, SETUPTOOLS, PATHS, "linux")
    assert variables["LDFLAGS"] == "-Wl,--no-insert-timestamp"
    for other in ("gcc", "/home/mingwei/bin/gcc -shared"):  # whose linker refuses it
        assert "LDFLAGS" not in additions({variable: other}, SETUPTOOLS, PATHS, "linux").variables


@posix
def test_beside_mingw_this_systems_own_compiler_gets_no_flag_that_its_linker_refuses(tmp_path: Path) -> None:
    """Meson takes it for what runs while it builds."""
    (tmp_path / "gcc").write_text("#!/bin/sh\n")
    (tmp_path / "gcc").chmod(0o755)
    _, files = additions({"PATH": str(tmp_path), "CC": "x86_64-w64-mingw32-gcc"}, MESON, PATHS, "linux")
    assert "--no-insert-timestamp" not in files["bin/gcc"]


@posix
def test_meson_never_sees_link_flags_either(tmp_path: Path) -> None:
    (tmp_path / "cc").write_text("#!/bin/sh\n")
    (tmp_path / "cc").chmod(0o755)
    stripping = MESON._replace(debug_info="strip")
    variables, files = additions({"PATH": str(tmp_path)}, stripping, PATHS, "linux")
    assert set(variables) == {"PATH"}
    assert files["bin/cc"].rstrip().endswith("-Wl,--strip-debug")


@posix
def test_rustc_is_wrapped_unless_the_user_gave_flags(tmp_path: Path) -> None:
    variables, files = additions({"CARGO_HOME": "/c", "RUSTC_WRAPPER": "/bin/sccache"}, MATURIN, PATHS, "linux")
    assert variables["RUSTC_WRAPPER"] == "/tmp/samebytes-y2/rustc-wrapper"
    assert files["rustc-wrapper"].startswith(
        '#!/bin/sh\nexec /bin/sccache "$@" --remap-path-prefix=/c=/samebytes-cargo'
    )
    variables, files = additions({"RUSTFLAGS": "-C opt-level=1", "HOME": "/h"}, MATURIN, PATHS, "linux")
    assert variables["RUSTFLAGS"].startswith("-C opt-level=1 --remap-path-prefix=/h/.cargo=/samebytes-cargo ")
    assert files == {}
    variables, _ = additions({"CARGO_ENCODED_RUSTFLAGS": "-g"}, MATURIN, PATHS, "linux")
    assert variables["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")[0] == "-g"


def test_rustc_on_windows_is_wrapped_by_a_batch_file() -> None:
    home = ROOT / "Users" / "ada"
    variables, files = additions({"USERPROFILE": str(home), "HOME": "/not/here"}, MATURIN, PATHS, "win32")
    assert Path(variables["RUSTC_WRAPPER"]) == PATHS.temp / "rustc-wrapper.cmd"
    assert set(files) == {"rustc-wrapper.cmd"}
    assert f'"--remap-path-prefix={home / ".cargo"}=/samebytes-cargo"' in variables["SAMEBYTES_MAPS"]


def test_rustcs_wrapper_runs_what_it_is_given_with_the_maps_behind(tmp_path: Path) -> None:
    """As cargo calls it; paths are in any script, and may have what a shell, or a batch file, gives a meaning."""
    paths = Paths(tmp_path / "ad\u00e9 \u4e2d & more", (), tmp_path / "temporary")
    paths.temp.mkdir()
    script = tmp_path / "compiler.py"
    script.write_text("import sys\nprint(ascii(sys.argv[1:]))\n")
    chained = {"RUSTC_WRAPPER": sys.executable, "CARGO_HOME": str(tmp_path / "c")}
    environ = {**{name: value for name, value in os.environ.items() if not name.endswith("FLAGS")}, **chained}
    add_flags(environ, MATURIN, paths, tmp_path, paths.temp, sys.platform)
    done = subprocess.run(
        [environ["RUSTC_WRAPPER"], str(script), "a b", "-c"], env=environ, stdout=subprocess.PIPE, check=True
    )
    given, *maps = ast.literal_eval(done.stdout.decode("ascii")), *prefix_maps(paths, chained["CARGO_HOME"])
    assert given == ["a b", "-c", *(f"--remap-path-prefix={path}={name}" for path, name in maps)]


def test_msvc_gets_its_maps_by_the_appended_variables() -> None:
    variables, _ = additions({"_CL_": "/W4"}, SETUPTOOLS, PATHS, "win32")
    assert variables["_CL_"].startswith("/W4 /experimental:deterministic ")
    assert '"/pathmap:' in variables["_CL_"]
    assert "/Brepro" in variables["_LINK_"]


@posix
def test_macos_gets_the_linkers_prefix_too() -> None:
    variables, _ = additions({}, SETUPTOOLS, PATHS, "darwin")
    assert variables["LDFLAGS"] == "-Wl,-oso_prefix,/home/ada/src/"


@posix
def test_the_linkers_prefix_has_no_links_in_it(tmp_path: Path) -> None:
    """On macOS /tmp and /var are links; the linker compares with real paths, letter by letter."""
    (tmp_path / "private").mkdir()
    (tmp_path / "tmp").symlink_to("private")
    variables, _ = additions({}, SETUPTOOLS, PATHS._replace(source=tmp_path / "tmp" / "src"), "darwin")
    assert variables["LDFLAGS"] == f"-Wl,-oso_prefix,{tmp_path.resolve()}/private/src/"


@pytest.mark.parametrize(("platform", "flag"), [("linux", "-Wl,--strip-debug"), ("darwin", "-Wl,-S")])
def test_stripping_is_done_by_the_linker(platform: str, flag: str) -> None:
    variables, _ = additions({"LDFLAGS": "-lm"}, SETUPTOOLS._replace(debug_info="strip"), PATHS, platform)
    assert variables["LDFLAGS"].split()[:2] == ["-lm", flag]
    _, files = additions({}, MATURIN._replace(debug_info="strip"), PATHS, "linux")
    assert "strip=debuginfo" in files["rustc-wrapper"]


def test_go_is_told_to_trim(tmp_path: Path) -> None:
    (tmp_path / "go.mod").touch()
    variables, _ = additions({"GOFLAGS": "-v"}, SETUPTOOLS, PATHS._replace(source=tmp_path), "linux")
    assert variables["GOFLAGS"] == "-v -trimpath"


@pytest.mark.parametrize(
    "environ",
    [
        {"RPM_BUILD_ROOT": "/b"},
        {"DEB_BUILD_OPTIONS": ""},
        {"DEB_BUILD_ARCH": "amd64"},
        {"NIX_BUILD_TOP": "/build"},
        {"CFLAGS": "-O2 -ffile-prefix-map=/a=."},
        {"CXXFLAGS": "-fdebug-prefix-map=/a=."},
        {"RUSTFLAGS": "--remap-path-prefix /a=."},
    ],
)
def test_flags_of_a_distribution_are_inherited(environ: dict[str, str]) -> None:
    assert are_inherited(environ, SETUPTOOLS)


def test_flags_are_ours_to_add_otherwise_unless_the_project_says_no() -> None:
    assert not are_inherited({"CFLAGS": "-O2"}, SETUPTOOLS)
    assert are_inherited({}, SETUPTOOLS._replace(flags="inherit"))


@pytest.mark.parametrize(
    ("prefix", "path", "roots"),
    [
        ("/tmp/build-env-1", ["/tmp/build-env-1/lib/python3.11/site-packages"], ["/tmp/build-env-1"]),
        ("/usr", ["/usr/lib/python3.11/site-packages", "/usr/lib/python3/dist-packages"], []),
        (
            "/usr",
            ["/tmp/pip-build-env-z/overlay/lib/python3.13t/site-packages", "/tmp/pip-build-env-z/site"],
            ["/tmp/pip-build-env-z/overlay"],
        ),
        ("C:\\env", ["C:\\env\\Lib\\site-packages"], ["C:\\env"]),
    ],
)
def test_environments_are_recognized(prefix: str, path: list[str], roots: list[str]) -> None:
    assert environment_roots(prefix, "/usr", path) == tuple(map(Path, roots))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@posix
def test_gcc_really_maps(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "a.c").write_text("const char *where = __FILE__;\n")
    variables, _ = additions({}, SETUPTOOLS, Paths(source, (), tmp_path / "tmp"), "linux")
    command = ["gcc", "-g", *variables["CPPFLAGS"].split(), "-c", str(source / "a.c"), "-o", str(tmp_path / "a.o")]
    subprocess.run(command, check=True, cwd=source)
    assert os.fsencode(tmp_path) not in (tmp_path / "a.o").read_bytes()
