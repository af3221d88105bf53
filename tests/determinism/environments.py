#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every committed scenario gives the same result wherever and however it is run.

    environments.py --recoup BINARY SCENARIOS

Compared with a first run: a second one, another folder (with copies of the program and the
scenarios), another environment, umask, allocator, address layout, stack limit and processor, the
CPU's FMA and AVX2 hidden from libm, and the options that must not matter (trace, database,
invariants). Exit 5 when two results differ.
"""
import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import fingerprints  # noqa: E402
from fingerprints import Way  # noqa: E402

SEEDS = (1, 7)
STACK_BYTES = 1 << 20


def odd_environment():
    """As unlike the usual one as it gets; PATH stays, the sanitizers' options too."""
    kept = {name: value for name, value in os.environ.items()
            if name == 'PATH' or name.endswith('SAN_OPTIONS')}
    kept.update(TZ='Pacific/Chatham', LANG='tr_TR.UTF-8', LC_ALL='de_DE.UTF-8', HOME='/nonexistent',
                USER='', COLUMNS='20', TERM='dumb', POSIXLY_CORRECT='1', HUGE='x' * 100000)
    return kept


def with_environment(**changes):
    return dict(os.environ, **changes)


def small_stack():
    resource.setrlimit(resource.RLIMIT_STACK,
                       (STACK_BYTES, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def one_processor():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def fixed_layout(recoup):
    """The prefix that switches address randomization off, or [] where the system forbids it."""
    prefix = ['setarch', '-R']
    try:
        done = subprocess.run(prefix + [recoup, '--version'], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return []
    return prefix if done.returncode == 0 else []


def ways_to_run(recoup, scenarios, temporary):
    elsewhere = os.path.join(temporary, 'a folder with spaces, and \u00fcml\u00e4uts', 'deep' * 20)
    shutil.copytree(scenarios, os.path.join(elsewhere, 'scenarios'))
    copy = shutil.copy(recoup, os.path.join(elsewhere, 'another-name'))

    def file(suffix):
        return lambda serial: ['--' + suffix, os.path.join(temporary, '%d.%s' % (serial, suffix))]

    ways = [
        Way('a second run', recoup, scenarios),
        Way('another folder', copy, 'scenarios', folder=elsewhere),
        Way('another environment', recoup, scenarios, environment=odd_environment(), folder='/'),
        Way('another umask', recoup, scenarios, prepare=lambda: os.umask(0o777)),
        Way('another filling of memory', recoup, scenarios,
            environment=with_environment(MALLOC_PERTURB_='165', MALLOC_ARENA_MAX='1',
                                         MALLOC_TOP_PAD_='1', MALLOC_MMAP_THRESHOLD_='4096')),
        Way('no FMA, no AVX2', recoup, scenarios,
            environment=with_environment(GLIBC_TUNABLES='glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,'
                                                        '-AVX512F,-AVX2_Usable,-FMA_Usable')),
        Way('a small stack', recoup, scenarios, prepare=small_stack),
        Way('one processor', recoup, scenarios, prepare=one_processor),
        Way('with a trace', recoup, scenarios, options=file('trace')),
        Way('with a database', recoup, scenarios, options=file('db')),
        Way('invariants off', recoup, scenarios, options=lambda serial: ['--invariants', 'off'],
            whole=False),
    ]
    layout = fixed_layout(recoup)
    if layout:
        ways.append(Way('a fixed address layout', recoup, scenarios, before=layout))
    else:
        print('setarch -R does not work here: the address layout is left out')
    return ways


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('-j', type=int, default=os.cpu_count() or 1, dest='jobs')
    parser.add_argument('scenarios')
    arguments = parser.parse_args()
    recoup, scenarios = os.path.abspath(arguments.recoup), os.path.abspath(arguments.scenarios)
    names = fingerprints.scenario_names(scenarios)
    if not names:
        print('no scenario below %s' % scenarios)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        ways = ways_to_run(recoup, scenarios, temporary)
        return fingerprints.report(*fingerprints.compare(
            Way('the first run', recoup, scenarios), ways, names, SEEDS, arguments.jobs))


if __name__ == '__main__':
    try:
        sys.exit(main())
    except fingerprints.NoResult as error:
        sys.exit(str(error))
