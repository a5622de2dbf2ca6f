# shellcheck shell=bash
# Sourced by scripts/run and scripts/test: the virtual environment `.venv` and what it stands on.
#
# `.venv` holds three small files of ours:
#   .fer-live             made by these scripts, so they may make it anew
#   .fer-live-unfinished  an installation began and has not ended
#   .fer-live-installed   a line for each requirements file that is installed, so that a second
#                         start skips it

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P) || exit 1
venv=$root/.venv
python=$venv/bin/python

# Quiet libraries; a value that is already set wins.
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-3}
export GLOG_minloglevel=${GLOG_minloglevel:-2}
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONHOME PYTHONPATH

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# as_root COMMAND...: run it as root if that needs no password, else return 1.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# apt_install PACKAGE...: from Debian's or Ubuntu's archive; its output is shown only on failure.
apt_install() {
    command -v apt-get >/dev/null || return 1
    as_root true || return 1
    say "Installing $* with apt-get ..."
    local log status=0
    log=$(mktemp)
    {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
            { as_root apt-get update &&
                as_root env DEBIAN_FRONTEND=noninteractive \
                    apt-get install -y --no-install-recommends "$@"; }
    } </dev/null >"$log" 2>&1 || status=1
    [ "$status" -eq 0 ] || tail -n 15 "$log" >&2
    rm -f "$log"
    return "$status"
}

# fits PYTHON: whether it runs and is of a version that requirements.txt covers.
fits() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# makes_venvs PYTHON: Debian and Ubuntu keep `ensurepip`, which venv needs, in another package.
makes_venvs() { "$1" -c 'import venv; from ensurepip import bootstrap' 2>/dev/null; }

# pick_python: print an interpreter that fits; one that can make environments before one that cannot.
pick_python() {
    local name second=
    if [ -n "${FER_LIVE_PYTHON:-}" ]; then
        fits "$FER_LIVE_PYTHON" ||
            fail "FER_LIVE_PYTHON names $FER_LIVE_PYTHON, which is no Python 3.10 to 3.13." \
                "Name another one or unset it."
        printf '%s\n' "$FER_LIVE_PYTHON"
        return
    fi
    for name in python3.13 python3.12 python3.11 python3.10 python3 python; do
        if command -v "$name" >/dev/null && fits "$name"; then
            if makes_venvs "$name"; then
                printf '%s\n' "$name"
                return
            fi
            second=${second:-$name}
        fi
    done
    printf '%s\n' "$second"
}

make_venv() {
    local base version
    base=$(pick_python) || exit 1
    [ -n "$base" ] || fail "No Python 3.10 to 3.13 was found. Install one (sudo apt install" \
        "python3 python3-venv), or name one: FER_LIVE_PYTHON=/path/to/python3.11 $0"
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    makes_venvs "$base" || apt_install "python$version-venv" || true
    say "Making .venv with Python $version ..."
    if makes_venvs "$base"; then
        "$base" -m venv "$venv"
    elif command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$base" "$venv"
    elif "$base" -c 'import virtualenv' 2>/dev/null; then
        "$base" -m virtualenv --quiet "$venv"
    else
        fail "Python $version cannot make a virtual environment here." \
            "Run: sudo apt install python$version-venv, and start this again."
    fi || fail "The environment $venv could not be made; the lines above say why."
    touch "$venv/.fer-live"
}

usable() { fits "$python" && "$python" -c 'import pip' 2>/dev/null; }

# Pip takes a package that was copied by half for an installed one: compare with the wheels' lists.
whole() {
    "$python" -I - <<'EOF'
import sys
from importlib.metadata import distributions

for package in distributions():
    if package.files is None:
        sys.exit(1)
    for file in package.files:
        path = file.locate()
        if file.size is not None and not (path.is_file() and path.stat().st_size == file.size):
            sys.exit(1)
EOF
}

remove_broken_venv() {
    [ -e "$venv" ] || [ -L "$venv" ] || return 0
    if ! usable; then
        say "The environment in .venv does not work; making it again."
    elif [ -e "$venv/.fer-live-unfinished" ] && ! whole; then
        say "The last installation was broken off; making .venv again."
    else
        return 0
    fi
    [ -e "$venv/.fer-live" ] || fail "$venv was not made by this script, so it is left as it is." \
        "Move it away and start this again."
    rm -rf "$venv"
}

# Shared libraries that the wheels of OpenCV and MediaPipe expect from the system.
install_system_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    local missing packages=()
    missing=$("$python" - <<'EOF'
import ctypes

needs = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
}
for library, package in needs.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
EOF
    )
    [ -n "$missing" ] || return 0
    mapfile -t packages <<<"$missing"
    apt_install "${packages[@]}" || fail "OpenCV and MediaPipe need system libraries that are not" \
        "here. Run: sudo apt install ${packages[*]}, and start this again."
}

# stamps FILE...: a line for each requirements file, by which an installation is known again.
stamps() {
    "$python" - "$@" <<'EOF'
import hashlib
import sys

for name in sys.argv[1:]:
    with open(name, "rb") as file:
        print(name, hashlib.sha256(file.read() + sys.version.encode()).hexdigest())
EOF
}

# is_installed FILE...: whether `.venv` holds what these files ask for.
is_installed() {
    local line installed
    [ ! -e "$venv/.fer-live-unfinished" ] && fits "$python" || return 1
    installed=$(cat "$venv/.fer-live-installed" 2>/dev/null) || return 1
    while read -r line; do
        [[ $'\n'$installed$'\n' == *$'\n'"$line"$'\n'* ]] || return 1
    done < <(stamps "$@")
}

# ensure_environment FILE...: `.venv` with these requirements installed; ends the script if it fails.
ensure_environment() {
    local file arguments=()
    cd "$root" || exit 1
    # Two starts at once wait for each other.
    exec 9<"$root/scripts/environment.sh"
    if command -v flock >/dev/null; then flock 9; fi
    if ! is_installed "$@"; then
        remove_broken_venv
        [ -e "$python" ] || make_venv
        install_system_libraries
        say "Installing $* into .venv; the first time this takes some minutes ..."
        touch "$venv/.fer-live-unfinished"
        for file in "$@"; do arguments+=(-r "$file"); done
        "$python" -m pip install --quiet --no-input "${arguments[@]}" ||
            fail "The installation failed; the lines above say why." \
                "When that is mended, start this again."
        stamps "$@" >"$venv/.fer-live-installed"
        rm -f "$venv/.fer-live-unfinished"
    fi
    exec 9<&-
}
