"""Two paths at one place show where something was built only if it is the place that differs."""

from __future__ import annotations

import pytest
from samebytes_tools.comparison.causes.table import codes
from samebytes_tools.comparison.observations import TextPair

CARGO = "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f"
COMMITS = "f6e511eec7342f59a25f7c0534f1dbea00d01b14", "90b35a6239c3d8bdabc530a6a0816f7ff89a0aaf"


@pytest.mark.parametrize("is_location", [False, True])
@pytest.mark.parametrize(
    ("left", "right", "code"),
    [
        # Another release of a dependency, or of Python, is no other place.
        (f"{CARGO}/openssl-sys-0.9.103/src/crypto.rs", f"{CARGO}/openssl-sys-0.9.104/src/crypto.rs", "D099"),
        ("/tmp/work/zlib-1.3/inflate.c", "/tmp/work/zlib-1.3.1/inflate.c", "D099"),
        ("/opt/python/cp311-cp311/include/x.h", "/opt/python/cp312-cp312/include/x.h", "D099"),
        ("/opt/hostedtoolcache/Python/3.11.9/x64/x.h", "/opt/hostedtoolcache/Python/3.11.10/x64/x.h", "D099"),
        ("/srv/python3.9/site-packages/x.py", "/srv/python3.10/site-packages/x.py", "D099"),
        # What Rust's compiler puts one behind the other
        (*(f"/src/list.rs/rustc/{commit}/library/vec/mod.rs/root/.cargo/x.rs" for commit in COMMITS), "D023"),
        # Places, though versions are in them
        ("/home/ci/one/zlib-1.3/inflate.c", "/srv/two/zlib-1.3/inflate.c", "D001"),
        ("/srv/one/demo-1.0/x.c", "/srv/two/demo-1.1/x.c", "D001"),
        ("/builds/4711/x.c", "/builds/4712/x.c", "D001"),
        ("/tmp/pip-req-build-_cqca21w/x.rs", "/tmp/pip-req-build-ahf9bqly/x.rs", "D002"),
    ],
)
def test_what_two_paths_show(left: str, right: str, code: str, is_location: bool) -> None:
    assert codes(TextPair(left.encode(), right.encode(), is_location)) == (code,)


@pytest.mark.parametrize(
    ("left", "right", "code"),
    [
        ("tmpa1b2c3d4", "tmpx9y8z7w6", "D002"),
        ("made in tmpqwertzui by x", "made in tmpa1b2c3d4 by x", "D002"),  # no digit in one of them
        ("tmpqwertzui", "tmpasdfghjk", "D099"),  # in neither: words
        ("tmpresult01", "tmpresult02", "D099"),
        ("tmpa1b2c3d", "tmpx9y8z7w", "D099"),  # of another length than tempfile's
    ],
)
def test_names_of_tempfile(left: str, right: str, code: str) -> None:
    assert codes(TextPair(left.encode(), right.encode())) == (code,)
