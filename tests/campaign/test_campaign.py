#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/campaign fails when a run fails, prints no result, or when there is nothing to run."""
import os
import subprocess
import sys
import tempfile
import unittest

CAMPAIGN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'scripts',
                        'campaign')
GOOD = '{"job": {"state": "FINISHED"}, "expectations": [], "findings": []}'
# A stand-in for recoup: run FILE --seed N --format json. Seed 2 of a file named bad fails.
STAND_IN = """#!/bin/sh
case $2:$4 in
*silent.yaml:*) exit 0 ;;
*idle.yaml:*) echo '{"job": {"state": "FINISHED"}, "faults": [{"name": "f", "fired": false}]}'
    exit 0 ;;
*bad.yaml:2) echo '{"job": {"state": "FAILED"}, "expectations": [
    {"metric": "makespan", "ok": false, "bound": 5}]}'; exit 1 ;;
esac
echo '%s'
""" % GOOD


class Campaign(unittest.TestCase):
    def run_with(self, *names):
        with tempfile.TemporaryDirectory() as folder:
            recoup = os.path.join(folder, 'recoup')
            with open(recoup, 'w', encoding='utf-8') as stream:
                stream.write(STAND_IN)
            os.chmod(recoup, 0o755)
            for name in names:
                with open(os.path.join(folder, name + '.yaml'), 'w', encoding='utf-8') as stream:
                    stream.write('name: x\n' if name == 'base' else 'name: x\nabout: y\n')
            run = subprocess.run([sys.executable, CAMPAIGN, '--recoup', recoup, '--seeds', '1-3',
                                  folder], stdout=subprocess.PIPE, text=True)
            return run.returncode, run.stdout

    def test_good_runs_pass_and_a_base_is_no_scenario(self):
        code, output = self.run_with('good', 'base')
        self.assertEqual(code, 0, output)
        self.assertIn('3 runs, 0 not as expected', output)

    def test_one_bad_seed_fails_and_is_named(self):
        code, output = self.run_with('good', 'bad')
        self.assertEqual(code, 1)
        self.assertIn('bad.yaml: 2 of 3 good', output)
        self.assertIn('seed 2: exit 1: state FAILED; makespan {"bound": 5}', output)

    def test_no_result_fails_although_the_exit_code_is_0(self):
        self.assertEqual(self.run_with('silent')[0], 1)

    def test_a_fault_that_never_fired_fails(self):
        code, output = self.run_with('idle')
        self.assertEqual(code, 1)
        self.assertIn('fault f never fired', output)

    def test_nothing_to_run_fails(self):
        self.assertEqual(self.run_with('base')[0], 1)


if __name__ == '__main__':
    unittest.main()
