#!/bin/sh
# Build the package: build.sh DIRECTORY [options of rpmbuild]. What comes out lies below DIRECTORY/RPMS.
set -eu

if ! command -v rpmbuild >/dev/null; then
    echo "build.sh: there is no rpmbuild; it comes with the package rpm (Debian) or rpm-build (Fedora)" >&2
    exit 69
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/SOURCES"
top=$(cd "$1" && pwd)
shift

cp "$here/samebytes-wrap.patch" "$top/SOURCES"
tar -C "$here/upstream" --transform 's,^\.,halve-1.0,' -czf "$top/SOURCES/halve-1.0.tar.gz" .
rpmbuild -bb --define "_topdir $top" "$@" "$here/python3-halve.spec"
