#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that share a process do not see each other, and need nothing of the system but memory.

    one_process.py --program RECOUP_FINGERPRINTS --recoup RECOUP SCENARIOS

All scenarios in one process, from the first to the last, in reverse, and under traps (any system
call but for memory and output, and any look at a clock, kills) print what `recoup run` prints for
each alone. The traps are shown to hold by doing what they forbid.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
import fingerprints  # noqa: E402

SEEDS = '1,7'
ABSENT = 77
SINS = {'syscall': signal.SIGSYS, 'file': signal.SIGSYS, 'clock': signal.SIGSEGV,
        'coarse-clock': signal.SIGSEGV, 'cycles': signal.SIGSEGV}
ARGUMENTS = None


def run(*options):
    names = fingerprints.scenario_names(ARGUMENTS.scenarios)
    return subprocess.run([ARGUMENTS.program, '--folder', ARGUMENTS.scenarios, '--seeds', SEEDS,
                           *options, *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True, check=False)


class OneProcess(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        done = run()
        if done.returncode != 0 or not done.stdout:
            raise RuntimeError('exit %d: %s' % (done.returncode, done.stderr))
        cls.lines = done.stdout

    def test_each_alone_gives_the_same(self):
        for line in self.lines.splitlines():
            name, seed, fingerprint, *layers = line.split()[:9]
            with self.subTest(name, seed=seed):
                result = json.loads(subprocess.run(
                    [ARGUMENTS.recoup, 'run', os.path.join(ARGUMENTS.scenarios, name), '--seed',
                     seed, '--format', 'json'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    stdin=subprocess.DEVNULL, check=False).stdout)
                self.assertEqual(result['fingerprint'], fingerprint)
                self.assertEqual(list(result['fingerprint_layers'].values()), layers)

    def test_in_reverse(self):
        done = run('--reverse')
        self.assertEqual((done.returncode, done.stdout), (0, self.lines), done.stderr)

    def test_under_traps(self):
        done = run('--trap')
        if done.returncode == ABSENT:
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stdout), (0, self.lines), done.stderr)

    def test_the_traps_hold(self):
        for sin, sent in SINS.items():
            with self.subTest(sin):
                done = run('--trap', '--sin', sin)
                if done.returncode == ABSENT:
                    self.skipTest(done.stderr.strip())
                self.assertEqual((done.returncode, done.stdout), (-sent, ''), done.stderr)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--program', required=True)
    parser.add_argument('--recoup', required=True)
    parser.add_argument('scenarios')
    ARGUMENTS = parser.parse_args()
    unittest.main(argv=sys.argv[:1])
