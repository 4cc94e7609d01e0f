#!/usr/bin/env bash
# The same files and examples on this system and on a newer Debian, which lies in a folder: what comes out equal.
#
#     bash benchmarks/other_systems.sh [--tests] [--keep] FOLDER [PYTHON [PYTHON FOR EXTENSIONS]]
#
# FOLDER gets the Debian (forky, or what the variable SUITE names) with its python3, unless it is there already.
# Normalized are the wheels and sdists of other_systems.txt. Compared are of each example the sdist, the wheel from the
# tree and the wheel from the sdist. Those in pure Python are built by PYTHON (python3) here and by python3 there, those
# with an extension module by one version of Python on both sides (python3.13), so that what differs is due to the
# toolchains; `samebytes compare` names it. The backends are of the same releases on both sides. With --tests, the
# quick tier of the tests runs there before. With --keep, all files stay, for `samebytes compare` to show more of them.
#
# Needs root, debootstrap, a package index, git, a C compiler and cargo. What is mounted in FOLDER is mounted in a
# namespace of its own, and gone with the last process there.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH SOURCE_DATE_EPOCH

PURE=python3
COMPILED=python3.13
PACKAGES=ca-certificates,cargo,g++,gcc,git,libc6-dev,make,python3,python3-dev,python3-venv,$COMPILED,$COMPILED-dev,$COMPILED-venv
WHERE=/root/other-systems  # the directory of this run, within FOLDER

step() { printf '\n== %s: %s\n' "$(date +%T)" "$*" >&2; }

examples() {  # KIND (pure or compiled), WHAT: the names of the examples, or what is needed to build them
    "$python" - "$@" <<'PYTHON'
import sys

sys.path.insert(0, "tests")
from support.projects import UNWRAPPED, WRAPPED, requirements

kind, what = sys.argv[1:]
chosen = [example for example in WRAPPED if example.compiled == (kind == "compiled")]
print("\n".join(sorted({one for each in chosen for one in (requirements(each) if what == "needs" else [each.directory])})))
PYTHON
}

measure() {  # DIRECTORY PYTHON KIND: what is done on each side, with inputs/, wheels/ and constraints in DIRECTORY
    local directory=$1 python=$2 kind=$3 name bin
    "$python" -m venv "$directory/venv-$kind"
    bin=$directory/venv-$kind/bin
    examples "$kind" needs >"$directory/needs"
    "$bin/pip" install -q --upgrade --disable-pip-version-check -c "$directory/constraints-$kind.txt" build \
        -r "$directory/needs" "$directory"/wheels/*.whl
    if [ "$kind" = pure ]; then
        "$bin/samebytes" normalize -q --output "$directory/normalized" "$directory"/inputs/* ||
            echo "samebytes normalize: exit status $?" >&2
    fi
    mkdir -p "$directory/trees" "$directory/$kind"
    for name in $(examples "$kind" names); do
        cp -R "examples/$name" "$directory/trees/$name"
        git -C "$directory/trees/$name" init -q
        git -C "$directory/trees/$name" add .
        git -C "$directory/trees/$name" -c user.name=nobody -c user.email=nobody@example.org commit -q -m example
        for what in from-sdist from-tree; do  # without an option, an sdist and from it a wheel
            # shellcheck disable=SC2046 # an option, or none
            PATH=$bin:$PATH "$bin/python" -m build --no-isolation --skip-dependency-check \
                $([ $what = from-sdist ] || echo --wheel) --outdir "$directory/$kind/$name/$what" \
                "$directory/trees/$name" >"$directory/log" 2>&1 ||
                { echo "$name cannot be built:"; tail -n 20 "$directory/log"; } >&2
        done
    done
}

if [ "${1-}" = measure ]; then
    measure "${@:2}"
    exit
fi

tests=no keep=no
while true; do
    case ${1-} in
        --tests) tests=yes ;;
        --keep) keep=yes ;;
        -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "benchmarks/${0##*/}" && exit ;;
        *) break ;;
    esac
    shift
done
folder=$(realpath -m "${1:?"the folder for the other system"}")
python=${2-$PURE}
compiled=${3-$COMPILED}

there() {  # COMMAND ...: run it in the folder, as root of a system of its own
    # shellcheck disable=SC2016 # it is expanded there
    unshare --mount --propagation private bash -euc '
        mount --bind "$0" "$0"
        cd "$0"
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --rbind /dev dev
        mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
        cp /etc/resolv.conf /etc/hosts etc
        mkdir -p .before
        pivot_root . .before  # not chroot, in which no namespaces can be made, as samebytes build does
        cd /
        umount --lazy /.before
        exec env -i HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' "$folder" "$@"
}

if [ ! -e "$folder/usr/bin/python3" ]; then
    step "a newer Debian in $folder"
    suite=${SUITE-forky}
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid  # of a release that is newer than debootstrap
    debootstrap --variant=minbase --include="$PACKAGES" "$suite" "$folder" "${MIRROR-}" "$script" >&2
fi
other=$folder$WHERE
rm -rf "$other"
mkdir -p "$other"
git clone -q . "$other/samebytes"  # what is committed

if [ $tests = yes ]; then
    step "the tests there"
    there bash -c "cd $WHERE/samebytes && python3 tests/run.py" >&2
fi

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
step "the wheels of samebytes, and the files to normalize"
"$python" -m venv "$here/venv"
pip=("$here/venv/bin/pip" --disable-pip-version-check -q)
"${pip[@]}" wheel --no-deps --wheel-dir "$here/wheels" . ./tools
sed -n 's/^wheel //p' benchmarks/other_systems.txt >"$here/wheels.txt"
sed -n 's/^sdist //p' benchmarks/other_systems.txt >"$here/sdists.txt"
"${pip[@]}" download --no-deps --only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux_2_12_x86_64 --dest "$here/inputs/wheel" -r "$here/wheels.txt"
# pip asks an sdist's backend for its name even to download it: with all of them here, it makes no environment for each.
"${pip[@]}" install --upgrade calver cython flit-core hatchling hatch-fancy-pypi-readme hatch-vcs pdm-backend poetry-core setuptools wheel
"${pip[@]}" download --no-deps --no-build-isolation --no-binary "$(sed 's/==.*//' "$here/sdists.txt" | paste -sd,)" \
    --dest "$here/inputs/sdist" -r "$here/sdists.txt"
for kind in pure compiled; do  # the releases that are newest today, on both sides
    interpreter=$([ $kind = pure ] && echo "$python" || echo "$compiled")
    "$interpreter" -m venv "$here/venv-resolved-$kind"
    examples $kind needs >"$here/needs"
    "$here/venv-resolved-$kind/bin/pip" install --disable-pip-version-check -q --upgrade \
        build packaging pyproject-hooks -r "$here/needs"
    "$here/venv-resolved-$kind/bin/pip" freeze --all >"$here/constraints-$kind.txt"
done
cp -R "$here/wheels" "$here/inputs" "$here"/constraints-*.txt "$other"

for kind in pure compiled; do
    step "here, $kind"
    bash benchmarks/other_systems.sh measure "$here" "$([ $kind = pure ] && echo "$python" || echo "$compiled")" $kind
    step "there, $kind"
    there bash "$WHERE/samebytes/benchmarks/other_systems.sh" measure "$WHERE" "$([ $kind = pure ] && echo $PURE || echo $COMPILED)" $kind
done

described() {
    echo "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release); $("$1" --version), for extensions $("$2" --version);" \
        "zlib $("$1" -c 'import zlib; print(zlib.ZLIB_RUNTIME_VERSION)'), $(gcc --version | head -n 1), $(rustc --version)"
}
echo "Here: $(described "$python" "$compiled")"
echo "There: $(there bash -c "$(declare -f described); described $PURE $COMPILED")"
echo
echo "| what | files | equal |"
echo "|---|---|---|"

row() {  # WHAT, then the files, by their paths below the directory of each side
    local what=$1 equal=0 file
    shift
    for file in "$@"; do
        if cmp -s "$here/$file" "$other/$file"; then equal=$((equal + 1)); else different+=("$file"); fi
    done
    echo "| $what | $# | $equal |"
}
different=()
cd "$here"
shopt -s nullglob extglob
row "wheels in pure Python, normalized" normalized/*-none-any.whl
row "wheels with extension modules, normalized" normalized/!(*-none-any).whl
row "sdists, normalized" normalized/*.tar.gz
for kind in pure compiled; do
    what=$([ $kind = pure ] && echo "examples in pure Python" || echo "examples with an extension module")
    row "$what: sdist" $kind/*/from-sdist/*.tar.gz
    row "$what: wheel from the tree" $kind/*/from-tree/*.whl
    row "$what: wheel from the sdist" $kind/*/from-sdist/*.whl
done
ways=0 equal=0
for file in "$here"/*/*/from-tree/*.whl "$other"/*/*/from-tree/*.whl; do
    ways=$((ways + 1))
    if cmp -s "$file" "${file/from-tree/from-sdist}"; then equal=$((equal + 1)); fi
done
echo "| both wheels of an example, on either side | $ways | $equal |"
echo
for file in "${different[@]}"; do  # the causes; the whole report is that of the directories that --keep leaves
    if [ -e "$other/$file" ]; then
        report=$("$here/venv-pure/bin/samebytes" compare "$here/$file" "$other/$file" || true)
        causes=$(sed -n 's/^\(D[0-9]* [^:]*\): .*/\1/p' <<<"$report")
        echo "- $file: ${causes//$'\n'/, }"
    else
        echo "- $file is not there; there is: $(cd "$other" && echo "${file%/*}"/*)"
    fi
done
if [ $keep = yes ]; then
    trap - EXIT
    echo "Kept: $here and $other" >&2
fi
