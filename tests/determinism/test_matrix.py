#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix says equal, differs, failed and absent when they are true.

    test_matrix.py RECOUP_FINGERPRINTS RECOUP
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, 'scripts', 'determinism-matrix')
PROGRAM, RECOUP = None, None
# A program that runs the real one, and does something else where the sin says so.
WRAPPER = '''#!%s
import os, subprocess, sys
%s
sys.exit(subprocess.run([%r] + sys.argv[1:]).returncode)
'''


class Matrix(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def wrapper(self, name, sin, real):
        program = os.path.join(self.folder, name)
        with open(program, 'w', encoding='utf-8') as stream:
            stream.write(WRAPPER % (sys.executable, sin, real))
        os.chmod(program, 0o755)
        return program

    def run_rows(self, sin, rows, *options, path=None):
        program = self.wrapper('program', sin, PROGRAM)
        report = os.path.join(self.folder, 'report.json')
        environment = dict(os.environ)
        if path is not None:
            environment['PATH'] = path
        done = subprocess.run(
            [sys.executable, SCRIPT, '--fast', '--program', program, '--seeds', '1', '--rows', rows,
             '--folder', self.folder, '--json', report, *options], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=environment,
            check=False)
        found = {}
        if os.path.exists(report):
            with open(report, encoding='utf-8') as stream:
                found = {row['name']: row for row in json.load(stream)['rows']}
        return done, found

    def test_equal(self):
        done, rows = self.run_rows('', 'again,memory')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual([row['status'] for row in rows.values()], ['equal', 'equal'])
        self.assertGreater(rows['again']['compared'], 0)

    def test_a_difference_has_exit_code_5_and_names_run_and_layers(self):
        sin = '''if 'MALLOC_PERTURB_' in os.environ:
    text = subprocess.run([%r] + sys.argv[1:], stdout=subprocess.PIPE, text=True).stdout
    first, rest = text.split('\\n', 1)
    words = first.split()
    words[4] = words[3]
    print(' '.join(words)); sys.stdout.write(rest)
    sys.exit(0)''' % PROGRAM
        done, rows = self.run_rows(sin, 'again,memory')
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertEqual(rows['again']['status'], 'equal')
        self.assertEqual(rows['memory']['status'], 'differs')
        self.assertRegex(rows['memory']['differ'][0], r'\.yaml, seed 1: F2$')

    def test_a_crash_and_a_missing_result_have_exit_code_7(self):
        for sin in ("if 'MALLOC_PERTURB_' in os.environ: os.abort()",
                    "if 'MALLOC_PERTURB_' in os.environ: sys.argv.pop()"):
            with self.subTest(sin):
                done, rows = self.run_rows(sin, 'memory')
                self.assertEqual(done.returncode, 7, done.stdout)
                self.assertEqual(rows['memory']['status'], 'failed')

    def test_a_missing_tool_is_absent_and_never_passed(self):
        done, rows = self.run_rows('', 'again,valgrind,date', path=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual({name: row['status'] for name, row in rows.items()},
                         {'again': 'equal', 'valgrind': 'absent', 'date': 'absent'})
        self.assertIn('no valgrind here', rows['valgrind']['detail'])
        self.assertEqual(self.run_rows('', 'again,date', '--complete', path=self.folder)[0]
                         .returncode, 1)
        self.assertEqual(self.run_rows('', 'date', path=self.folder)[0].returncode, 1)

    def test_a_program_that_does_not_run_is_no_reference(self):
        self.assertEqual(self.run_rows('sys.exit(3)', 'again')[0].returncode, 7)

    def test_a_sweep_that_depends_on_its_processes(self):
        lost = "if 'sweep' in sys.argv and '4' in sys.argv: sys.argv += ['--where', '%s']"
        done, rows = self.run_rows('', 'jobs', '--recoup', self.wrapper(
            'recoup', lost % 'scenario != s3', RECOUP))
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertEqual(rows['jobs']['differ'], ['by four', 'in an odd environment'])
        done = self.run_rows('', 'jobs', '--recoup', self.wrapper('recoup', 'sys.exit(7)', RECOUP))
        self.assertEqual(done[0].returncode, 7)
        done = self.run_rows('', 'jobs', '--recoup', os.path.join(self.folder, 'none'))
        self.assertEqual((done[0].returncode, done[1]['jobs']['status']), (1, 'absent'))

    def test_an_unknown_row_is_refused(self):
        done = self.run_rows('', 'agian')[0]
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown row 'agian'", done.stdout)


if __name__ == '__main__':
    PROGRAM, RECOUP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    unittest.main()
