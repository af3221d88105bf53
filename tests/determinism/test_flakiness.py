#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/flakiness sees a run that differs now and then, and one that gives nothing.

    test_flakiness.py RECOUP
"""
import os
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


class Flakiness(unittest.TestCase):
    def run_rounds(self, sin):
        with tempfile.TemporaryDirectory() as folder:
            program, count = os.path.join(folder, 'recoup'), os.path.join(folder, 'count')
            with open(program, 'w', encoding='utf-8') as stream:
                stream.write(WRAPPER % (count, count, sin, RECOUP))
            os.chmod(program, 0o755)
            return subprocess.run(
                [sys.executable, os.path.join(ROOT, 'scripts', 'flakiness'), '3', '--seeds', '1',
                 '--recoup', program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, text=True, check=False)

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
        self.assertEqual(self.run_rounds('%s "$@"; exit 9' % RECOUP).returncode, 5)

    def test_a_run_without_a_result(self):
        done = subprocess.run(
            [sys.executable, os.path.join(ROOT, 'scripts', 'flakiness'), '2', '--recoup',
             '/bin/false'], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            check=False)
        self.assertEqual(done.returncode, 1, done.stdout)


if __name__ == '__main__':
    RECOUP = os.path.abspath(sys.argv.pop(1))
    unittest.main()
