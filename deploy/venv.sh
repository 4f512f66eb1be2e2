#!/bin/sh
# Makes .venv and installs the locked requirements named by the arguments: runtime, dev.
# A mark is written when a step is complete: what was interrupted is made anew (pip takes a half-copied package
# for an installed one), and a changed lock is installed again.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    say "Python 3.11 or newer is needed; found none. Install python3, or name one: make PYTHON=/path/to/python …"
    exit 1
}

# Debian puts ensurepip, without which no environment can be made, into a package of its own.
need_ensurepip() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null && return
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null && return
    fi
    say "This Python can't make virtual environments. Install its package: sudo apt-get install $package"
    exit 1
}

make_venv() {
    [ -f .venv/.made ] && [ ! -f .venv/.installing ] && new_enough .venv/bin/python && return
    python=$(find_python)
    need_ensurepip "$python"
    say "creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
    touch .venv/.made
}

lock_of() { sha256sum <"requirements/$1.txt"; }

install() {
    [ "$(cat ".venv/.$1" 2>/dev/null)" = "$(lock_of "$1")" ] && return
    say "installing requirements/$1.txt"
    touch .venv/.installing
    .venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement "requirements/$1.txt"
    lock_of "$1" >".venv/.$1.part"
    mv ".venv/.$1.part" ".venv/.$1"
    rm .venv/.installing
}

make_venv
for lock in "$@"; do install "$lock"; done
# Without bytecode each start compiles every module again: a quarter of the start where Python is told to write none.
.venv/bin/python -m compileall -q wsgi.py idp clients deploy
