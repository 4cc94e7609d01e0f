"""The project's own backend: setuptools', after a module was written from units.txt."""

from pathlib import Path

from setuptools import build_meta


def _write_table():
    units = set(Path("units.txt").read_text().split())
    lines = [f"    {unit!r}," for unit in units]  # in the hash seed's order
    text = "\n".join(["UNITS = (", *lines, ")", ""])
    Path("example_in_tree", "_table.py").write_bytes(text.encode())  # LF on every platform


class Hooks:
    """What PEP 517 calls a backend object."""

    get_requires_for_build_sdist = staticmethod(build_meta.get_requires_for_build_sdist)
    get_requires_for_build_wheel = staticmethod(build_meta.get_requires_for_build_wheel)

    @staticmethod
    def build_sdist(sdist_directory, config_settings=None):
        _write_table()
        return build_meta.build_sdist(sdist_directory, config_settings)

    @staticmethod
    def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
        _write_table()
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


hooks = Hooks()
