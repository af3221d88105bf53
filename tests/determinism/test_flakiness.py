#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/flakiness sees a run or a test that differs now and then, and one that gives nothing.

    test_flakiness.py RECOUP
"""
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RECOUP = None
# The real program, except for one scenario at its last run of those that `rounds` make.
WRAPPER = '''#!/bin/sh
case $2 in
ideal/trim.yaml)
    echo x >>%s
    [ "$(wc -l <%s)" -ne 3 ] || { %s; } ;;
esac
exec %s "$@"
'''


# A suite of two tests, of which one does this.
SUITE = '''add_test(steady true)
add_test(other sh -c [[%s]])
'''


def flakiness(*arguments):
    return subprocess.run([sys.executable, os.path.join(ROOT, 'scripts', 'flakiness'), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, check=False)


class Runs(unittest.TestCase):
    def run_rounds(self, sin):
        with tempfile.TemporaryDirectory() as folder:
            program, count = os.path.join(folder, 'recoup'), os.path.join(folder, 'count')
            with open(program, 'w', encoding='utf-8') as stream:
                stream.write(WRAPPER % (*[shlex.quote(count)] * 2, sin, shlex.quote(RECOUP)))
            os.chmod(program, 0o755)
            return flakiness('3', '--seeds', '1', '--recoup', program)

    def test_no_difference(self):
        done = self.run_rounds('true')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r'^3 rounds of \d+ runs: \d+ outcomes, 0 differ\n$')

    def test_one_output_of_many(self):
        done = self.run_rounds("echo '{}'; exit 0")
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn('round 3: ideal/trim.yaml, seed 1\n', done.stdout)
        self.assertIn(' 1 differ\n', done.stdout)

    def test_one_exit_code_of_many(self):
        self.assertEqual(self.run_rounds('%s "$@"; exit 9' % shlex.quote(RECOUP)).returncode, 5)

    def test_a_run_without_a_result(self):
        self.assertEqual(flakiness('2', '--recoup', '/bin/false').returncode, 1)


class Tests(unittest.TestCase):
    def run_rounds(self, what, *options):
        """(exit code, what it prints, what it kept) of three rounds of a suite."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'CTestTestfile.cmake'), 'w',
                      encoding='utf-8') as stream:
                stream.write(SUITE % what.replace('COUNT', shlex.quote(
                    os.path.join(folder, 'count'))))
            done = flakiness('3', '--ctest', folder, *options)
            kept = os.path.join(folder, 'flakiness')
            names = sorted(os.listdir(kept)) if os.path.isdir(kept) else []
            return done.returncode, done.stdout, names

    def test_no_difference(self):
        code, text, kept = self.run_rounds('true', '--load', '1')
        self.assertEqual((code, text, kept), (0, '3 rounds of 2 tests: 9 outcomes, 0 differ\n', []))

    def test_one_failure_of_many(self):
        code, text, kept = self.run_rounds('echo x >>COUNT; test "$(wc -l <COUNT)" -ne 2')
        self.assertEqual(code, 5, text)
        self.assertIn('round 2: test other\n', text)
        self.assertIn(' 1 differ\n', text)
        self.assertEqual(kept, ['round-2-test-other.txt'])

    def test_what_is_left_behind(self):
        code, text, kept = self.run_rounds('touch "$TMPDIR/file"')
        self.assertEqual(code, 1, text)
        self.assertIn('what the tests leave in TMPDIR: no result, or failed', text)

    def test_a_suite_that_always_fails(self):
        self.assertEqual(self.run_rounds('false')[0], 1)

    def test_nothing_to_run(self):
        self.assertEqual(self.run_rounds('true', '--tests', 'nothing')[0], 1)
        self.assertEqual(flakiness('--ctest', ROOT).returncode, 2)


if __name__ == '__main__':
    RECOUP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
