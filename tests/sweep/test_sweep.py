#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`recoup sweep` and `recoup merge` as a user calls them: what they make, how they end, and how
they go on after every kind of end."""
import argparse
import ctypes
import os
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

SCENARIO = """version: 1
name: tiny
about: Eight subtasks on two slots, with a master that dies in the middle.
profile: flink-1.20
config:
  execution.batch.job-recovery.enabled: true
job:
  stages:
    - {name: work, parallelism: 8, duration: {uniform: {from: 1 s, to: 2 s}}}
cluster: {workers: 1, slots: 2, deploy: 0 s}
master: {start: 1 s, standby: true}
ha: {detect: 1 s}
storage: ideal
network: {latency: 0 s}
faults:
  - {name: crash, at: 80%, kill: master}
"""
# A run takes a while, so that there is something to interrupt.
SLOW = """version: 1
name: slow
about: Runs that take a while.
profile: flink-1.20
config:
  execution.batch.job-recovery.enabled: true
job:
  stages:
    - {name: work, parallelism: %d, duration: 1 s}
cluster: {workers: 1, slots: 1, deploy: 0 s}
ha: none
storage: ideal
network: {latency: 0 s}
"""
SWEEP = """version: 1
name: %(name)s
about: A question.
scenario: %(scenario)s
axes:
  - {path: config.job-event.store.write-buffer.flush-interval, values: [%(values)s]}
replications: %(replications)s
%(more)s
"""
BOTH = """version: 1
name: both
about: One point ends soon, one does not.
axes:
  - {path: scenario, values: [tiny.yaml, long.yaml]}
replications: 1
%s
"""

# So many slow runs take a minute at least: whatever delays this test, no signal comes too late.
SLOW_RUNS = 4000
SET_CHILD_SUBREAPER = 36  # of prctl()


def arguments_of(**changes):
    values = {'name': 'small', 'scenario': 'tiny.yaml', 'values': '100 ms, 1 s, 2 s',
              'replications': '8', 'more': ''}
    values.update(changes)
    return values


class SweepCase(unittest.TestCase):
    recoup = source = None
    tasks = 20000

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.write('tiny.yaml', SCENARIO)
        self.write('slow.yaml', SLOW % self.tasks)
        self.write('small.yaml', SWEEP % arguments_of())
        self.slow_sweep(SLOW_RUNS)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def sweep_file(self, file='small.yaml', **changes):
        self.write(file, SWEEP % arguments_of(**changes))

    def slow_sweep(self, runs):
        self.sweep_file('slow-sweep.yaml', name='slow', scenario='slow.yaml', values='1 s',
                        replications=str(runs))

    def call(self, *arguments, **options):
        return subprocess.run([self.recoup] + list(arguments), cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def expect(self, code, *arguments, words=(), **options):
        done = self.call(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stdout + done.stderr)
        return done

    def sweep(self, *more, code=0, name='small.yaml', db='a.db', words=()):
        return self.expect(code, 'sweep', name, '--db', db, *more, words=words)

    def hash(self, db='a.db'):
        return self.expect(0, 'sweep', '--hash', db).stdout.strip()

    def ask(self, sql, db='a.db', *values):
        connection = sqlite3.connect(self.path(db))
        try:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()

    def states(self, db='a.db'):
        return dict(self.ask('SELECT state, count(*) FROM plan GROUP BY 1', db))

    def start(self, *arguments, **options):
        return subprocess.Popen([self.recoup] + list(arguments), cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True, **options)

    def done(self, db='a.db'):
        try:
            return self.states(db).get('done', 0)
        except sqlite3.Error:
            return 0

    def start_slow(self, db='a.db'):
        """The slow sweep, once one more of its runs stands in the database."""
        before = self.done(db) if os.path.exists(self.path(db)) else 0
        process = self.start('sweep', 'slow-sweep.yaml', '--db', db, '-j', '1')
        while process.poll() is None:
            if self.done(db) > before:
                return process
            time.sleep(0.002)
        self.fail('the sweep ended too early: ' + process.communicate()[1])

    def goes_on(self):
        """The same command again goes on, and what had ended stands as it was."""
        before = self.ask('SELECT id, run_key, fingerprint FROM run')
        process = self.start_slow()
        process.send_signal(signal.SIGINT)
        err = process.communicate()[1]
        self.assertEqual(process.returncode, 4, err)
        self.assertLess(set(before), set(self.ask('SELECT id, run_key, fingerprint FROM run')))

    def no_process_is_left(self, group):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                os.waitpid(-group, os.WNOHANG)  # workers without a parent become children of ours
            except ChildProcessError:
                pass
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)
        self.fail('a worker has outlived the sweep')


def child_of(process):
    """A child of the process, or None."""
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % name, encoding='utf-8', errors='replace') as stream:
                state, parent = stream.read().rsplit(')', 1)[1].split()[:2]
        except OSError:
            continue  # it has ended
        if int(parent) == process.pid and state != 'Z':
            return int(name)
    return None


class Runs(SweepCase):
    def test_all_runs_stand_in_the_database(self):
        done = self.sweep(words=['flush-interval=100ms', '24 as expected', 'recoup report a.db'])
        self.assertEqual(done.stderr, '')
        self.assertEqual(self.states(), {'done': 24})
        self.assertEqual(self.ask('SELECT count(*), count(DISTINCT point_id), count(DISTINCT seed),'
                                  ' count(job_delay_ns) FROM run'), [(24, 3, 8, 24)])
        self.assertEqual(self.ask('SELECT DISTINCT "flush-interval" FROM v_run ORDER BY 1'),
                         [(100000000,), (1000000000,), (2000000000,)])
        self.assertEqual(self.ask("SELECT n FROM v_summary WHERE metric = 'lost-work' AND"
                                  " given = 'all'"), [(8,)] * 3)
        self.assertGreaterEqual(self.ask('SELECT sum(repeated) FROM plan')[0][0], 1)
        self.assertEqual(self.ask('PRAGMA integrity_check'), [('ok',)])
        self.assertEqual(self.ask('PRAGMA foreign_key_check'), [])
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ['a.db', 'slow-sweep.yaml', 'slow.yaml', 'small.yaml', 'tiny.yaml'])

    def test_the_same_again_runs_nothing(self):
        self.sweep()
        before = self.hash()
        self.sweep(words=['Now: 0 run, 0 repeated'])
        self.assertEqual(self.hash(), before)

    def test_each_run_can_be_repeated_alone(self):
        self.sweep()
        command, seed, fingerprint = self.ask(
            'SELECT command, seed, fingerprint FROM run JOIN point ON point.id = point_id'
            ' ORDER BY run_key LIMIT 1')[0]
        done = self.call(*(['run'] + ['tiny.yaml', '--set'] + [command.split("'")[1]] +
                           ['--seed', str(seed), '--format', 'json']))
        self.assertIn(fingerprint, done.stdout)
        self.assertTrue(command.startswith('run tiny.yaml --set '), command)

    def test_a_twin_that_is_cut_short_leaves_the_delay_unknown(self):
        self.write('tiny.yaml', SCENARIO + 'stop-at: 3 s\nexpect: {state: TIMEOUT}\n')
        self.sweep()
        self.assertEqual(self.ask('SELECT count(*), count(job_delay_ns),'
                                  ' count(job_faultless_makespan_ns) FROM run'), [(24, 0, 0)])
        command, seed, fingerprint = self.ask(
            'SELECT command, seed, fingerprint FROM run JOIN point ON point.id = point_id'
            ' ORDER BY run_key LIMIT 1')[0]
        done = self.call('run', 'tiny.yaml', '--set', command.split("'")[1], '--seed', str(seed),
                         '--format', 'json')
        self.assertIn(fingerprint, done.stdout)
        self.assertIn('"delay_ns":null', done.stdout)

    def test_single_runs_may_stand_beside_it(self):
        self.sweep()
        self.expect(0, 'run', 'tiny.yaml', '--db', 'a.db', words=['was added'])
        self.sweep(words=['Now: 0 run'])
        self.assertEqual(self.ask('SELECT kind FROM sweep ORDER BY 1'), [('run',), ('sweep',)])

    def test_two_sweeps_share_a_file(self):
        self.sweep()
        self.sweep_file('other.yaml', name='other', values='3 s', replications='3')
        self.sweep(name='other.yaml')
        self.assertEqual(self.ask('SELECT sweep, count(*) FROM v_run GROUP BY 1'),
                         [('other', 3), ('small', 24)])

    def test_the_queries_of_the_documentation_work(self):
        self.sweep()
        with open(os.path.join(self.source, 'docs/results.md'), encoding='utf-8') as stream:
            blocks = re.findall(r'^```sql\n(.*?)^```$', stream.read(), re.M | re.S)
        queries = [query for block in blocks for query in block.split(';') if query.strip()]
        self.assertGreaterEqual(len(queries), 10)
        for query in queries:
            rows = self.ask(query)
            self.assertEqual(bool(rows), 'did not finish' not in query, query)

    def test_unmet_expectations_are_findings(self):
        self.write('tiny.yaml', SCENARIO + 'expect:\n  lost-work: {at-most: 0 s}\n')
        self.sweep(code=1, words=['24 with findings'])
        self.assertEqual(self.states(), {'finding': 24})
        self.sweep(code=1)

    def test_a_bug_is_exit_code_3(self):
        self.sweep()
        self.ask("INSERT INTO finding SELECT min(id), 0, 'T1', NULL, 0, 0, 'x' FROM run")
        self.sweep(code=3, words=['no active policy explains'])

    def test_until_an_interval_is_narrow(self):
        until = '{until: {metric: makespan, half-width: 4%}, at-least: 4, at-most: 200}'
        self.sweep_file(replications=until)
        self.sweep('-j', '1')
        self.sweep('-j', '2', db='b.db')
        self.assertEqual(self.hash('a.db'), self.hash('b.db'))
        counts = [n for (n,) in self.ask('SELECT count(*) FROM run GROUP BY point_id')]
        self.assertTrue(all(4 < n < 200 for n in counts), counts)
        # A part of the last batch is taken away: the same runs are made again.
        before = self.hash()
        for table in ('lost_work', 'failover', 'finding', 'execution'):
            self.ask('DELETE FROM %s WHERE run_id IN (SELECT id FROM run WHERE replication > 3)'
                     % table)
        self.ask('DELETE FROM run WHERE replication > 3')
        self.ask('DELETE FROM plan WHERE replication > 3')
        self.sweep()
        self.assertEqual(self.hash(), before)

    def test_shards_by_point_where_replications_depend_on_results(self):
        until = '{until: {metric: makespan, half-width: 4%}, at-least: 4, at-most: 200}'
        self.sweep_file(replications=until)
        self.sweep()
        for shard in '12':
            self.sweep('--shard', shard + '/2', db=shard + '.db')
        self.expect(0, 'merge', 'm.db', '2.db', '1.db')
        self.assertEqual(self.hash('m.db'), self.hash('a.db'))


class Growing(SweepCase):
    def test_more_values_and_replications_add_what_is_missing(self):
        self.sweep()
        self.sweep_file(values='100 ms, 500 ms, 1 s, 2 s', replications='10')
        self.sweep(words=['Now: 16 run'])
        self.sweep(db='b.db')
        self.assertEqual(self.hash('a.db'), self.hash('b.db'))

    def test_fewer_replications_keep_what_is_done(self):
        self.sweep('--where', 'flush-interval < 1 s')
        self.sweep_file(replications='5')
        self.sweep()
        self.assertEqual(self.states(), {'done': 18, 'skipped': 6})
        self.sweep_file()
        self.sweep()
        self.assertEqual(self.states(), {'done': 24})

    def test_other_points_are_another_sweep(self):
        self.sweep()
        before = self.hash()
        self.sweep_file(values='100 ms, 1 s')
        self.sweep(code=2, words=['1 points that this file no longer has', 'another name'])
        self.write('tiny.yaml', SCENARIO.replace('to: 2 s', 'to: 3 s'))
        self.sweep_file()
        self.sweep(code=2, words=['3 points'])
        self.assertEqual(self.hash(), before)


class Asking(SweepCase):
    def test_a_dry_run_changes_nothing(self):
        self.expect(0, 'sweep', 'small.yaml', '--dry-run',
                    words=['3 points', 'flush-interval=2s', '24 runs to do, 0 are done',
                           'trial runs', 'of disk'])
        self.expect(0, 'sweep', 'small.yaml', '--dry-run', '--db', 'new.db')
        self.assertFalse(os.path.exists(self.path('new.db')))
        self.sweep('--where', 'flush-interval == 1 s')
        before = self.hash()
        self.expect(0, 'sweep', 'small.yaml', '--dry-run', '--db', 'a.db',
                    words=['16 runs to do, 8 are done'])
        self.assertEqual(self.hash(), before)
        self.assertEqual(self.states(), {'done': 8, 'planned': 16})

    def test_excluded_combinations_have_a_reason(self):
        self.sweep_file(more='where: flush-interval > 500 ms')
        self.expect(0, 'sweep', 'small.yaml', '--dry-run', words=[
            '1 combinations excluded', 'flush-interval=100ms: '])

    def test_a_condition_selects_points(self):
        self.sweep('--where', 'flush-interval <= 1 s', words=['16 as expected'])
        self.assertEqual(self.states(), {'done': 16, 'planned': 8})
        self.sweep(words=['Now: 8 run'])
        self.sweep('--where', 'flush-intervall == 1 s', code=2, words=["did you mean"])

    def test_wrong_usage(self):
        for arguments, words in (
                (['sweep'], 'no sweep given'), (['sweep', 'small.yaml'], '--db FILE is missing'),
                (['sweep', 'small.yaml', '--db', ''], 'name of the file is empty'),
                (['sweep', 'small.yaml', '--db', 'x.db', '-j', '0'], '-j: expected 1 to'),
                (['sweep', 'small.yaml', '--db', 'x.db', '-j', 'two'], '-j: expected 1 to'),
                (['sweep', 'small.yaml', '--db', 'x.db', '--shard', '3/2'], 'expected I/N'),
                (['sweep', 'small.yaml', '--db', 'x.db', '--shard', '1'], 'expected I/N'),
                (['sweep', 'small.yaml', '--db', 'x.db', '--retry', 'done'], '--retry: expected'),
                (['sweep', 'small.yaml', '--hash', 'x.db'], 'stands alone'),
                (['sweep', 'missing.yaml', '--db', 'x.db'], 'missing.yaml'),
                (['merge', 'x.db'], 'at least one input'),
                (['merge', 'x.db', 'x.db'], 'x.db')):
            self.expect(2 if arguments != ['merge', 'x.db', 'x.db'] else 7, *arguments,
                        words=[words])
            if arguments[0] == 'sweep':
                self.assertFalse(os.path.exists(self.path('x.db')), arguments)

    def test_a_broken_file_is_told_with_its_place(self):
        self.sweep_file(values='100 ms, 5 parsec')
        self.sweep(code=2, words=['small.yaml:6:'])
        self.assertFalse(os.path.exists(self.path('a.db')))

    def test_more_runs_than_there_may_be(self):
        self.sweep_file(replications='1000000', values=', '.join('%d ms' % i
                                                                 for i in range(1, 31)))
        for more in ('--db', 'a.db'), ('--dry-run',):
            self.expect(2, 'sweep', 'small.yaml', *more,
                        words=['30000000 runs', 'at most 10000000'])
        self.assertFalse(os.path.exists(self.path('a.db')))

    def test_help(self):
        self.expect(0, 'sweep', '--help', words=['--shard I/N', '-j N', '--dry-run'])
        self.expect(0, 'merge', '--help', words=['OUT.db IN.db...'])


class Ends(SweepCase):
    def test_sigint_waits_for_what_runs(self):
        process = self.start_slow()
        process.send_signal(signal.SIGINT)
        err = process.communicate()[1]
        self.assertEqual(process.returncode, 4, err)
        self.assertIn('run the same command again to go on', err)
        self.assertEqual(set(self.states()), {'done', 'planned'})
        self.no_process_is_left(process.pid)
        self.goes_on()

    def test_sigint_to_the_whole_group_is_no_crash(self):
        process = self.start_slow()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 4)
        self.assertEqual(set(self.states()), {'done', 'planned'})

    def test_sigterm(self):
        process = self.start_slow()
        process.send_signal(signal.SIGTERM)
        process.communicate()
        self.assertEqual(process.returncode, 143)
        self.assertEqual(set(self.states()), {'done', 'planned'})

    def test_a_second_sigint_stops_at_once(self):
        process = self.start_slow()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertIn(process.returncode, (-signal.SIGINT, 4))
        self.no_process_is_left(process.pid)
        self.assertEqual(self.ask('PRAGMA integrity_check'), [('ok',)])
        self.goes_on()

    def test_kill_loses_nothing_and_leaves_nobody(self):
        process = self.start_slow()
        process.kill()
        process.communicate()
        self.no_process_is_left(process.pid)
        self.assertGreaterEqual(self.done(), 1)
        self.goes_on()

    def test_what_a_dead_program_left_running_is_planned_again(self):
        self.sweep('--where', 'flush-interval == 1 s')
        self.ask("UPDATE plan SET state = 'running' WHERE state = 'planned'")
        self.sweep(words=['24 as expected', 'Now: 16 run'])

    def test_a_crashed_run_is_recorded_and_the_rest_goes_on(self):
        self.slow_sweep(40)
        for _ in range(50):
            process = self.start('sweep', 'slow-sweep.yaml', '--db', 'a.db', '-j', '1')
            while process.poll() is None and self.done() == 0:
                time.sleep(0.002)
            worker = child_of(process)
            if worker is not None:
                os.kill(worker, signal.SIGKILL)
            err = process.communicate()[1]
            states = self.states()
            if process.returncode != 0:
                break
            self.assertEqual(states, {'done': 40})  # the worker was between two runs, or had ended
            os.remove(self.path('a.db'))
        self.assertEqual(process.returncode, 7, err)
        self.assertIn('crashed: by signal 9', err)
        self.assertIn('recoup run slow.yaml', err)
        self.assertEqual(states, {'done': 39, 'crashed': 1})
        self.assertEqual(self.ask("SELECT signal FROM plan WHERE state = 'crashed'"), [(9,)])
        self.sweep(name='slow-sweep.yaml', code=7, words=['1 crashed', 'Now: 0 run'])
        self.expect(0, 'sweep', 'slow-sweep.yaml', '--dry-run', '--db', 'a.db',
                    words=['--retry crashed'])
        self.ask('UPDATE plan SET attempts = 5', 'a.db')
        self.sweep('--retry', 'crashed', name='slow-sweep.yaml', code=7,
                   words=['1 runs have been tried 5 times'])
        self.ask('UPDATE plan SET attempts = 1', 'a.db')
        self.sweep('--retry', 'crashed', name='slow-sweep.yaml', words=['40 as expected'])

    def test_a_run_that_takes_too_long_is_ended(self):
        # The short run is made without a limit: a busy machine may let it wait for a second, too.
        self.write('long.yaml', SLOW % 3000000)
        self.write('both.yaml', BOTH % '')
        self.sweep('--where', 'scenario == tiny', name='both.yaml', words=['1 as expected'])
        self.write('both.yaml', BOTH % 'limits: {wall-time: 1 s}')
        self.sweep(name='both.yaml', code=4, words=['too long', '1 took too long'])
        self.assertEqual(self.states(), {'done': 1, 'timeout': 1})

    def test_a_run_that_takes_too_much_memory_is_given_up(self):
        self.write('long.yaml', SLOW % 200000)
        self.write('both.yaml', BOTH % 'limits: {memory: 4 mb}')
        for workers, database in (('1', 'a.db'), ('2', 'b.db')):
            self.sweep('-j', workers, name='both.yaml', db=database, code=7,
                       words=["it needs more than the sweep's limit, 4 mb",
                              'recoup run long.yaml', '1 crashed'])
            self.assertEqual(self.states(database), {'done': 1, 'crashed': 1})
        self.assertEqual(self.hash('a.db'), self.hash('b.db'))
        self.write('both.yaml', BOTH % 'limits: {memory: 1 gb}')
        self.sweep('--retry', 'crashed', name='both.yaml', words=['2 as expected'])

    def test_a_run_that_differs_is_exit_code_5(self):
        self.sweep()
        before = self.ask('SELECT run_key, fingerprint FROM run')
        self.ask("UPDATE plan SET repeated = 0")
        self.ask("UPDATE run SET fingerprint = 'ffffffffffffffffffffffffffffffff'")
        self.sweep(code=5, words=['not deterministic', 'recoup run tiny.yaml', 'NOT DETERMINISTIC'])
        self.assertGreaterEqual(self.states()['differs'], 1)
        for key, fingerprint in before:
            self.ask('UPDATE run SET fingerprint = ? WHERE run_key = ?', 'a.db', fingerprint, key)
        self.sweep(code=5)
        self.sweep('--retry', 'differs')
        self.assertEqual(self.states(), {'done': 24})


class Places(SweepCase):
    def test_other_files_are_left_alone(self):
        self.write('text.db', 'no database\n' * 200)
        self.sweep(db='text.db', code=7, words=['no SQLite database'])
        self.ask('CREATE TABLE t(x)', 'other.db')
        self.sweep(db='other.db', code=7, words=['belongs to another program'])
        self.sweep()
        self.ask('PRAGMA user_version = 99')
        self.sweep(code=7, words=['version 99'])
        self.assertEqual(self.ask('SELECT count(*) FROM run'), [(24,)])
        self.sweep(db='no/such/folder.db', code=7, words=['No such file'])
        self.expect(7, 'sweep', '--hash', 'nothing.db', words=['nothing.db'])
        self.expect(7, 'sweep', '--hash', 'text.db', words=['no SQLite database'])

    def test_version_1_is_brought_up_to_date(self):
        with open(os.path.join(self.source, 'tests/results/golden/version-1.sql'),
                  encoding='utf-8') as stream:
            script = stream.read()
        connection = sqlite3.connect(self.path('a.db'))
        connection.executescript(script)
        connection.close()
        self.sweep()
        self.assertEqual(self.ask('SELECT count(*) FROM run'), [(26,)])

    def test_a_locked_database(self):
        self.sweep()
        holder = sqlite3.connect(self.path('a.db'), isolation_level=None)
        holder.execute('BEGIN EXCLUSIVE')
        self.sweep(code=7, words=['locked by another program'])
        holder.execute('ROLLBACK')
        holder.close()
        self.sweep()

    def test_one_sweep_at_a_time(self):
        process = self.start_slow()
        self.sweep(code=7, words=['another sweep is writing'])
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.sweep()

    def test_a_full_disk(self):
        for size in (1, 64, 100, 130):
            limit = (size * 1024, size * 1024)
            done = self.call('sweep', 'small.yaml', '--db', 'a.db', preexec_fn=lambda limit=limit:
                             resource.setrlimit(resource.RLIMIT_FSIZE, limit))
            self.assertEqual(done.returncode, 7, '%d kb: %s%s' % (size, done.stdout, done.stderr))
            self.assertIn('a.db: ', done.stderr)
        self.sweep(words=['24 as expected'])
        self.assertEqual(self.ask('PRAGMA integrity_check'), [('ok',)])

    @unittest.skipIf(os.geteuid() == 0, 'the superuser may write everywhere')
    def test_a_read_only_folder(self):
        os.chmod(self.folder, 0o555)
        self.addCleanup(os.chmod, self.folder, 0o755)
        self.sweep(code=7, words=['Permission denied'])

    def test_progress_is_a_line_on_a_terminal(self):
        self.slow_sweep(40)
        master, slave = pty.openpty()
        process = subprocess.Popen([self.recoup, 'sweep', 'slow-sweep.yaml', '--db', 'a.db'],
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        text = b''
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(master)
        self.assertEqual(process.wait(), 0)
        self.assertIn(b'\r[40/40] ', text)
        self.assertIn(b'runs/s', text)
        self.assertTrue(text.endswith(b'\r\x1b[K'), text[-80:])


class Merging(SweepCase):
    def shards(self, n=3):
        for i in range(1, n + 1):
            self.sweep('--shard', '%d/%d' % (i, n), db='%d.db' % i)
        return ['%d.db' % i for i in range(1, n + 1)]

    def test_in_any_order_any_number_of_times(self):
        self.sweep()
        shards = self.shards()
        self.assertEqual(sum(self.states(db).get('done', 0) for db in shards), 24)
        self.expect(0, 'merge', 'm.db', *shards)
        self.assertEqual(self.hash('m.db'), self.hash('a.db'))
        self.assertEqual(self.states('m.db'), {'done': 24})
        self.expect(0, 'merge', 'm.db', shards[1], 'a.db', words=[' 0 runs added'])
        self.expect(0, 'merge', 'n.db', *reversed(shards))
        self.assertEqual(self.hash('n.db'), self.hash('m.db'))
        for name in ('m.db', 'n.db'):
            self.assertEqual(self.ask('PRAGMA foreign_key_check', name), [])
        self.assertEqual(
            self.ask('SELECT point, metric, n, mean FROM v_summary ORDER BY 1, 2, given', 'm.db'),
            self.ask('SELECT point, metric, n, mean FROM v_summary ORDER BY 1, 2, given', 'a.db'))
        self.assertEqual(self.ask('SELECT sum("flush-interval") FROM v_run', 'm.db'),
                         self.ask('SELECT sum("flush-interval") FROM v_run', 'a.db'))
        # What is merged may go on.
        self.sweep(db='m.db', words=['Now: 0 run'])

    def test_single_runs_merge_in_any_order(self):
        self.sweep()
        self.expect(0, 'run', 'tiny.yaml', '--db', '1.db')
        self.expect(0, 'run', 'tiny.yaml', '--seed', '2', '--db', '2.db')
        self.expect(0, 'run', 'tiny.yaml', '--set', 'cluster.slots=3', '--db', '2.db')
        self.expect(0, 'merge', 'm.db', '1.db', '2.db', 'a.db')
        self.expect(0, 'merge', 'n.db', '2.db', 'a.db', '1.db')
        self.assertEqual(self.hash('m.db'), self.hash('n.db'))
        self.assertEqual(self.ask('SELECT count(*), count(DISTINCT point_id) FROM run', 'm.db'),
                         [(27, 5)])
        self.assertEqual(self.ask("SELECT count(*) FROM point WHERE scenario LIKE '%seed = %'",
                                  'm.db'), [(0,)])

    def test_a_missing_shard_can_be_made_good(self):
        shards = self.shards()
        self.expect(0, 'merge', 'm.db', shards[0], shards[2])
        self.sweep(db='m.db', words=['24 as expected'])
        self.sweep()
        self.assertEqual(self.hash('m.db'), self.hash('a.db'))

    def test_a_difference_is_exit_code_5(self):
        self.sweep()
        shutil.copy(self.path('a.db'), self.path('b.db'))
        self.ask("UPDATE run SET fingerprint = 'x' WHERE id = 1", 'b.db')
        before = self.hash()
        self.expect(5, 'merge', 'a.db', 'b.db', words=['different fingerprints'])
        self.assertEqual(self.hash(), before)

    def test_what_is_no_part_is_refused(self):
        self.sweep()
        self.sweep_file(replications='9')
        self.sweep(db='b.db')
        self.expect(2, 'merge', 'a.db', 'b.db', words=['different definitions'])
        self.expect(2, 'merge', 'a.db', 'a.db', words=['both the result and an input'])
        self.expect(7, 'merge', 'a.db', 'nothing.db', words=['nothing.db'])
        self.assertFalse(os.path.exists(self.path('nothing.db')))
        self.write('text.db', 'no database\n' * 200)
        self.expect(7, 'merge', 'a.db', 'text.db', words=['no SQLite database'])


if __name__ == '__main__':
    PARSER = argparse.ArgumentParser()
    PARSER.add_argument('--recoup', required=True)
    PARSER.add_argument('--source', required=True)
    PARSER.add_argument('--tasks', type=int, default=20000)
    OPTIONS, REST = PARSER.parse_known_args()
    # Whoever started this in the background may have it ignored, and so would the sweep.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Where the first process of the machine reaps nobody, this one does.
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    SweepCase.recoup = os.path.abspath(OPTIONS.recoup)
    SweepCase.source, SweepCase.tasks = OPTIONS.source, OPTIONS.tasks
    unittest.main(argv=[sys.argv[0]] + REST)
