#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal in the middle of many runs: what was made until then is printed.

    test_interrupt.py build/release/recoup

Nothing here waits for a time. The runs are so many and so long that they cannot all end before the
signal comes, and the signal is sent once the program has said on its terminal that a run has ended.
"""
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

RUNS = 100000
SCENARIO = """version: 1
name: heavy
profile: flink-1.20
config: {execution.batch.job-recovery.enabled: true}
job:
  stages:
    - {name: work, parallelism: 2000, duration: {uniform: {from: 1 s, to: 2 s}}}
cluster: {workers: 4, slots: 2}
faults:
  - {at: 50%, kill: master}
"""


class Interrupted(unittest.TestCase):
    recoup = None

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.folder, 'heavy.yaml'), 'w', encoding='utf-8') as stream:
            stream.write(SCENARIO)
        self.said = b''

    def start(self, *arguments):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        with open(os.path.join(self.folder, 'out'), 'wb') as out:
            process = subprocess.Popen([self.recoup] + list(arguments), cwd=self.folder, stdout=out,
                                       stderr=slave, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(slave)
        return process, master

    def hear(self, master, words):
        """Reads what the program says on its terminal until `words` (None: to its end)."""
        while words is None or not re.search(words, self.said):
            try:
                piece = os.read(master, 4096)
            except OSError:  # Linux's end of a terminal
                piece = b''
            if not piece:
                self.assertIsNone(words, self.said)
                return
            self.said += piece

    def interrupt(self, *arguments, number=signal.SIGINT):
        """Returns the exit code and what went to standard output."""
        process, master = self.start(*arguments)
        self.hear(master, rb'\r[1-9][0-9]* of [0-9]+ runs')
        process.send_signal(number)
        self.hear(master, None)
        code = process.wait()
        self.assertIn(b'interrupted after ', self.said)
        return code, self.printed()

    def printed(self):
        with open(os.path.join(self.folder, 'out'), encoding='utf-8') as stream:
            return stream.read()

    def call(self, *arguments):
        done = subprocess.run([self.recoup] + list(arguments), cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @staticmethod
    def state_and_parent(number):
        try:
            with open('/proc/%d/stat' % number, encoding='utf-8', errors='replace') as stream:
                state, parent = stream.read().rsplit(')', 1)[1].split()[:2]
            return state, int(parent)
        except OSError:  # it has ended
            return 'X', 0

    def stop_worker(self, process):
        """Stops the only child of the process and waits until it has stopped."""
        worker = next(number for number in map(int, filter(str.isdigit, os.listdir('/proc')))
                      if self.state_and_parent(number)[1] == process.pid)
        os.kill(worker, signal.SIGSTOP)
        while self.state_and_parent(worker)[0] != 'T':
            pass

    def test_the_runs_that_were_made_are_the_result(self):
        code, out = self.interrupt('run', 'heavy.yaml', '--runs', str(RUNS), '-j', '1', '--format',
                                   'json', '--db', 'a.db')
        self.assertEqual(code, 130)
        result = json.loads(out)
        made = result['made']
        self.assertEqual(result['asked'], RUNS)
        self.assertTrue(0 < made < RUNS)
        self.assertEqual(len(result['runs']), made)
        self.assertEqual(result['summary']['runs'], made)
        # One process makes them in the order of the seeds, so this is the result of fewer runs.
        fewer = json.loads(self.call('run', 'heavy.yaml', '--runs', str(made), '--format', 'json'))
        self.assertEqual(fewer.pop('asked'), made)
        del result['asked']
        self.assertEqual(fewer, result)
        connection = sqlite3.connect(os.path.join(self.folder, 'a.db'))
        self.assertEqual(connection.execute('SELECT count(*) FROM run').fetchone(), (made,))
        connection.close()

    def test_the_page_says_so(self):
        code, out = self.interrupt('run', 'heavy.yaml', '--runs', str(RUNS), '-j', '2',
                                   number=signal.SIGTERM)
        self.assertEqual(code, 143)
        found = re.match('Interrupted after ([0-9]+) of %d runs; what follows' % RUNS, out)
        self.assertIsNotNone(found, out)
        self.assertIn('%s runs of heavy (flink-1.20): the median run' % found[1],
                      ' '.join(out.split()))

    def test_changes_that_were_not_run_are_told_apart(self):
        code, out = self.interrupt('run', 'heavy.yaml', '--what-if', '--runs', '1000', '-j', '1',
                                   '--format', 'json')
        self.assertEqual(code, 130)
        result = json.loads(out)
        changes = result['changes']
        self.assertTrue(0 < result['made'] < result['asked'])
        # Seed by seed, the scenario itself first: every change has as many pairs, or one fewer.
        cases = result['asked'] // 1000
        rounds = result['made'] // cases
        for change in changes:
            if change['effect'] == 'not-run':
                self.assertEqual(rounds, 0)
            elif change['effect'] != 'refused':
                self.assertIn(change['pairs'], (rounds, rounds + 1))
        self.assertEqual(sum(change.get('pairs', 0) for change in changes) + rounds +
                         (1 if result['made'] % cases > 0 else 0), result['made'])

    def test_a_curve_of_some_crashes(self):
        code, out = self.interrupt('curve', 'heavy.yaml', '--points', '1000', '-j', '1',
                                   '--format', 'json', '--set',
                                   'job.stages.work.parallelism=20000')
        self.assertEqual(code, 4)
        result = json.loads(out)
        self.assertEqual(result['asked'], 1000)
        self.assertTrue(result['made'] < 1000)
        self.assertEqual(len(result['points']), result['made'])

    def test_a_second_signal_does_not_wait(self):
        process, master = self.start('run', 'heavy.yaml', '--runs', str(RUNS), '-j', '1')
        self.hear(master, rb'\r[1-9][0-9]* of [0-9]+ runs')
        self.stop_worker(process)
        # Several lines later its hands are full again, and what is in them never ends.
        self.said = b''
        self.hear(master, rb'(?s)( runs.*){5}')
        process.send_signal(signal.SIGINT)
        self.hear(master, rb'what runs is waited for')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), -signal.SIGINT)
        self.assertEqual(self.printed(), '')


def main():
    Interrupted.recoup = os.path.abspath(sys.argv[1])
    # Whoever started this in the background may have it ignored, and so would the program.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    result = unittest.TextTestRunner(verbosity=2).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(Interrupted))
    return 0 if result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main())
