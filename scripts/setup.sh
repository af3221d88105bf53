# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sourced by scripts/run and scripts/test: finds the project, installs what is missing, builds.
# POSIX sh. The caller has set -eu.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
trap 'echo "interrupted; run the same command again to go on" >&2; exit 130' INT
trap 'exit 143' TERM

say() {
    printf '%s\n' "$*" >&2
}

# missing_packages KIND...: names of the packages for these kinds that are not installed.
missing_packages() {
    for kind in "$@"; do
        sed -n "s/^\([a-z0-9][a-z0-9.+-]*\) $kind\$/\1/p" "$root/scripts/packages.txt"
    done | while read -r package; do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
        case $status in
        *' installed') ;;
        *) echo "$package" ;;
        esac
    done
}

# as_root COMMAND...: runs it as root, where that needs no password; else fails.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# install_packages KIND...: installs what is missing, or says how and ends with exit code 2.
install_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "not a Debian system: install what corresponds to scripts/packages.txt yourself"
        return 0
    fi
    missing=$(missing_packages "$@" | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true >/dev/null 2>&1; then
        say "packages are missing, and installing them needs root; run this, then try again:"
        say ""
        say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
        exit 2
    fi
    say "installing: $missing"
    log=$(mktemp)
    # shellcheck disable=SC2086  # the names are words of their own
    if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "installing failed; see above"
        exit 2
    fi
    rm -f "$log"
}

# build NAME TARGET OPTION...: configures and builds build/NAME, quietly unless it fails. TARGET is
# a target, or "all". A build folder of another place or generator is made anew.
build() {
    name=$1
    target=$2
    shift 2
    directory=$root/build/$name
    log=$root/build/$name.log
    mkdir -p "$root/build"
    if [ -f "$directory/CMakeCache.txt" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$directory/CMakeCache.txt"; then
        rm -rf "$directory"
    fi
    if [ ! -f "$directory/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then
        set -- -G Ninja "$@"
    fi
    say "building build/$name"
    if ! { cmake -S "$root" -B "$directory" "$@" &&
        cmake --build "$directory" --target "$target" -j "$jobs"; } </dev/null >"$log" 2>&1; then
        grep -Ev '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 60 >&2
        say "building build/$name failed; the whole log is build/$name.log"
        return 1
    fi
}
