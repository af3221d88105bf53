#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison finds planted nondeterminism: programs whose result depends on where they run."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
# A program with the outward shape of `recoup run`, into which a sin is planted.
PROGRAM = '''#!%s -IS
import json, os, resource, sys
arguments = sys.argv[1:]
layers = {layer: layer * 16 for layer in ('F1', 'F2', 'F3', 'F4', 'F5', 'F6')}
result = {'scenario': 'planted', 'fingerprint': '0', 'findings': [], 'fingerprint_layers': layers}
if '--invariants' in arguments:
    result['findings'] = ['none were looked for']
%s
if '--version' not in arguments:
    print(json.dumps(result))
'''
SINS = {
    'another folder': "layers['F1'] = os.path.abspath('.') if 'deep' in os.getcwd() else 'F1'",
    'another environment': "layers['F6'] = os.environ.get('TZ', '')",
    'another umask': "layers['F3'] = str(os.umask(0))",
    'no FMA, no AVX2': "layers['F1'] = os.environ.get('GLIBC_TUNABLES', '')",
    'a small stack': "layers['F4'] = str(resource.getrlimit(resource.RLIMIT_STACK))",
    'with a trace': "layers['F2'] = str('--trace' in arguments)",
    'with a database': "result['fingerprint'] = str('--db' in arguments)",
    'invariants off': "layers['F6'] = str('--invariants' in arguments)",
    'another filling of memory': "result['more'] = os.environ.get('MALLOC_PERTURB_')",
    'a second run': "layers['F5'] = str(os.getpid())",
}


class Planted(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.program = os.path.join(temporary.name, 'recoup')
        self.scenarios = os.path.join(temporary.name, 'scenarios')
        os.mkdir(self.scenarios)
        with open(os.path.join(self.scenarios, 'one.yaml'), 'w', encoding='utf-8') as stream:
            stream.write('about: nothing\n')

    def run_with(self, sin):
        with open(self.program, 'w', encoding='utf-8') as stream:
            stream.write(PROGRAM % (sys.executable, sin))
        os.chmod(self.program, 0o755)
        return subprocess.run(
            [sys.executable, os.path.join(HERE, 'environments.py'), '--recoup', self.program, '-j',
             '2', self.scenarios], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            check=False)

    def test_a_program_without_sin_passes(self):
        done = self.run_with('')
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_sin_is_found_where_it_is(self):
        for where, sin in SINS.items():
            with self.subTest(where):
                done = self.run_with(sin)
                self.assertEqual(done.returncode, 5, done.stdout)
                self.assertIn(where, done.stdout)

    def test_a_program_without_a_result_fails(self):
        self.assertEqual(self.run_with('sys.exit(2)').returncode, 1)


if __name__ == '__main__':
    unittest.main()
