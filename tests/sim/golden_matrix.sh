#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
#   golden_matrix.sh SOURCE_DIR WORK_DIR
#
# Compiles the laws and draws with every compiler at hand (gcc, clang) at several levels, runs each
# program as it is and with the CPU's FMA and AVX hidden from libm, and compares what they print.
# One accepted value on all: a difference fails. Fails too when fewer than four builds were made.
set -eu
source_dir=$1
work_dir=$2
mkdir -p "$work_dir"
cd "$source_dir"
sources="tests/sim/golden_main.c tests/sim/support_golden.c sim/law.c sim/exponential.c
         sim/det_math.c sim/random.c sim/arena.c sim/assert.c"
masked=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F
builds=0
status=0
reference=

compare() { # NAME FILE
    if [ -z "$reference" ]; then
        reference=$2
    elif ! cmp -s "$reference" "$2"; then
        echo "golden hashes differ: $1"
        diff "$reference" "$2" || true
        status=1
    fi
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null 2>&1 || { echo "no $compiler here, left out"; continue; }
    for level in "-O0" "-O3" "-O3 -DNDEBUG -march=native" "-O2 -fsigned-char"; do
        name=$(printf '%s%s' $compiler "$level" | tr -c 'A-Za-z0-9\n' _)
        # shellcheck disable=SC2086
        $compiler -std=c11 -ffp-contract=off $level -I. -Itests $sources -lm -o "$work_dir/$name"
        builds=$((builds + 1))
        "$work_dir/$name" >"$work_dir/$name.plain"
        GLIBC_TUNABLES=$masked "$work_dir/$name" >"$work_dir/$name.masked"
        compare "$compiler $level" "$work_dir/$name.plain"
        compare "$compiler $level, CPU features masked" "$work_dir/$name.masked"
    done
done
if [ $builds -lt 4 ]; then
    echo "only $builds builds: nothing was compared"
    exit 1
fi
[ $status -ne 0 ] || echo "$builds builds, each plain and masked, print the same hashes"
exit $status
