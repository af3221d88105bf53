#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every committed scenario gives the same result whatever compiled the program.

    compilers.py --recoup BINARY --source DIR --build DIR [-j N]

Builds `recoup` below the build folder by gcc and clang at several levels, and with automatic
variables filled with a pattern and with zeros (one that is read before it is set would show), and
compares each with BINARY. Exit 5 when two results differ, 7 when a build fails, 77 (skipped) when
neither compiler is there.
"""
import argparse
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import fingerprints  # noqa: E402
from fingerprints import Way  # noqa: E402

SEEDS = (1,)
# Name, compiler, flags. Checks inside the program stay on in the first of them (no NDEBUG).
BUILDS = (
    ('gcc-O0', 'gcc', '-O0'),
    ('clang-O0', 'clang', '-O0 -DNDEBUG'),
    ('clang-O3', 'clang', '-O3 -DNDEBUG'),
    ('gcc-O1-pattern', 'gcc', '-O1 -DNDEBUG -ftrivial-auto-var-init=pattern'),
    ('gcc-O1-zero', 'gcc', '-O1 -DNDEBUG -ftrivial-auto-var-init=zero'),
)


def run(command):
    """Runs a command; on failure prints its output and returns False."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        print('failed: %s' % ' '.join(command))
        print(done.stdout.decode('utf-8', 'replace')[-4000:])
    return done.returncode == 0


def build(source, folder, compiler, flags, jobs):
    """The program built there, or None."""
    configure = ['cmake', '-S', source, '-B', folder, '-DCMAKE_BUILD_TYPE=Release',
                 '-DCMAKE_C_COMPILER=' + compiler, '-DCMAKE_C_FLAGS_RELEASE=' + flags,
                 '-DRECOUP_TESTS=OFF', '-DRECOUP_BENCH=OFF']
    if shutil.which('ninja'):
        configure += ['-G', 'Ninja']
    if shutil.which('ccache'):
        configure += ['-DCMAKE_C_COMPILER_LAUNCHER=ccache']
    if run(configure) and run(['cmake', '--build', folder, '--target', 'recoup', '-j', str(jobs)]):
        return os.path.join(folder, 'recoup')
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('--build', required=True)
    parser.add_argument('-j', type=int, default=os.cpu_count() or 1, dest='jobs')
    arguments = parser.parse_args()
    scenarios = os.path.join(os.path.abspath(arguments.source), 'scenarios')
    ways = []
    for name, compiler, flags in BUILDS:
        if not shutil.which(compiler):
            print('%s is left out: no %s here' % (name, compiler))
            continue
        recoup = build(arguments.source, os.path.join(os.path.abspath(arguments.build), name),
                       compiler, flags, arguments.jobs)
        if recoup is None:
            return 7
        ways.append(Way(name, recoup, scenarios))
    if not ways:
        return 77
    names = fingerprints.scenario_names(scenarios)
    if not names:
        print('no scenario below %s' % scenarios)
        return 1
    return fingerprints.report(*fingerprints.compare(
        Way('the build under test', os.path.abspath(arguments.recoup), scenarios), ways, names,
        SEEDS, arguments.jobs))


if __name__ == '__main__':
    try:
        sys.exit(main())
    except fingerprints.NoResult as error:
        sys.exit(str(error))
