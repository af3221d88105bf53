#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps end to end, beside the same runs by a shell loop.

    bench_sweep.py --recoup build/bench/recoup [--runs 10000] [--loop 300] [--rounds 9] [--quick]

Prints JSON: runs and rows a second, also per second of processor time (which a busy machine does
not change), the share that the one writer takes, two workers against one in interleaved pairs,
runs in which memory was asked from the system, and what one small run takes from start to exit.
The shell loop makes --loop runs; its time for --runs is extrapolated, and the output says so.
"""
import argparse
import json
import os
import shlex
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

SCENARIO = """version: 1
name: bench-%(tasks)d
about: A job of two stages with a master crash in it.
profile: flink-1.20
config: {execution.batch.job-recovery.enabled: true}
job:
  stages:
    - name: scan
      parallelism: %(half)d
      duration: {lognormal: {median: 10 s, sigma: 0.4}}
      source: {splits: %(half)d, split-state: 100 b, batch-snapshot: true}
    - name: join
      parallelism: %(half)d
      inputs: [{from: scan, exchange: all-to-all}]
      duration: 10 s
cluster: {workers: %(workers)d, slots: 8}
faults:
  - {at: 60%%, kill: master}
"""
ONE = """version: 1
name: one
profile: hardened
job: {stages: [{name: work, parallelism: 1, duration: 1 s}]}
cluster: {workers: 1, slots: 1}
"""
SWEEP = """version: 1
name: bench
about: How fast are sweeps?
scenario: %(scenario)s
axes:
  - {path: storage, values: [hdfs, gcs]}
replications: %(replications)d
"""
TABLES = ('run', 'lost_work', 'failover', 'finding', 'execution')


class Bench:
    def __init__(self, recoup, folder):
        self.recoup, self.folder = os.path.abspath(recoup), folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def prepare(self, tasks, runs):
        self.write('job.yaml', SCENARIO % {'tasks': tasks, 'half': tasks // 2,
                                           'workers': max(2, tasks // 50)})
        self.write('sweep.yaml', SWEEP % {'scenario': 'job.yaml', 'replications': runs // 2})

    def parent_seconds(self, process):
        """Processor time of the sweep itself, without its workers, as last seen."""
        seconds, ticks = 0.0, os.sysconf('SC_CLK_TCK')
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid != 0:
                return seconds, os.waitstatus_to_exitcode(status), usage
            with open('/proc/%d/stat' % process.pid, encoding='ascii') as stream:
                fields = stream.read().rsplit(')', 1)[1].split()
            seconds = max(seconds, (int(fields[11]) + int(fields[12])) / ticks)
            time.sleep(0.01)

    def sweep(self, workers):
        database = self.path('bench.db')
        if os.path.exists(database):
            os.remove(database)
        started = time.monotonic()
        process = subprocess.Popen([self.recoup, 'sweep', 'sweep.yaml', '--db', database, '-j',
                                    str(workers)], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        parent, code, usage = self.parent_seconds(process)
        wall = time.monotonic() - started
        if code not in (0, 1):
            raise SystemExit('recoup sweep: exit code %d' % code)
        return {'wall_s': wall, 'cpu_s': usage.ru_utime + usage.ru_stime, 'writer_s': parent}

    def ask(self, sql):
        connection = sqlite3.connect(self.path('bench.db'))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def figures(self, tasks, runs, rounds):
        self.prepare(tasks, runs)
        made = {1: [], 2: []}
        for _ in range(rounds):
            for workers in (1, 2):
                made[workers].append(self.sweep(workers))
        rows = sum(self.ask('SELECT count(*) FROM ' + table)[0][0] for table in TABLES)
        median = statistics.median
        return {
            'subtasks': tasks, 'runs': runs, 'rounds': rounds, 'rows': rows,
            'runs_per_s_j1': round(median(runs / m['wall_s'] for m in made[1])),
            'runs_per_s_j2': round(median(runs / m['wall_s'] for m in made[2])),
            'runs_per_cpu_s': round(median(runs / m['cpu_s'] for m in made[1])),
            'rows_per_s_j2': round(median(rows / m['wall_s'] for m in made[2])),
            'j2_over_j1': round(median(a['wall_s'] / b['wall_s']
                                       for a, b in zip(made[1], made[2])), 2),
            'writer_share_of_cpu': round(median(m['writer_s'] / m['cpu_s'] for m in made[1]), 4),
            'runs_that_allocated': self.ask('SELECT count(*) FROM execution'
                                            ' WHERE system_allocations > 0')[0][0],
            'workers_of_last': self.ask('SELECT count(DISTINCT process) FROM execution')[0][0],
        }

    def start_to_exit(self, count):
        """Milliseconds of processor time of one small run, from start to exit of the program."""
        self.write('one.yaml', ONE)
        with open(os.devnull, 'w', encoding='ascii') as nothing:
            times = []
            for _ in range(count):
                pid = os.posix_spawn(self.recoup, [self.recoup, 'run', self.path('one.yaml')],
                                     os.environ, file_actions=[
                                         (os.POSIX_SPAWN_DUP2, nothing.fileno(), 1),
                                         (os.POSIX_SPAWN_DUP2, nothing.fileno(), 2)])
                _, status, usage = os.wait4(pid, 0)
                if os.waitstatus_to_exitcode(status) != 0:
                    raise SystemExit('recoup run one.yaml: exit code %d'
                                     % os.waitstatus_to_exitcode(status))
                times.append((usage.ru_utime + usage.ru_stime) * 1e3)
        return {'runs': count, 'median_cpu_ms': round(statistics.median(times), 2),
                'least_cpu_ms': round(min(times), 2)}

    def loop(self, runs, count):
        """The runs of the sweep one by one, with what stores them."""
        times = {}
        for name, more in (('json', '--format json'), ('db', '--db loop.db')):
            script = 'i=0; while [ $i -lt %d ]; do i=$((i + 1)); ' \
                     '%s run job.yaml --seed $i %s || test $? -eq 1 || exit; done' \
                     % (count, shlex.quote(self.recoup), more)
            started = time.monotonic()
            subprocess.run(['sh', '-c', script], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name] = (time.monotonic() - started) * runs / count
        return {'made': count, 'extrapolated_to': runs,
                'run_format_json_s': round(times['json'], 1), 'run_db_s': round(times['db'], 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--runs', type=int, default=10000)
    parser.add_argument('--loop', type=int, default=300)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--quick', action='store_true')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs, arguments.loop, arguments.rounds = 40, 3, 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.recoup, folder)
        found = {'small': bench.figures(100, min(arguments.runs, 4000), arguments.rounds),
                 'thousand': bench.figures(1000, min(arguments.runs, 1000), arguments.rounds)}
        found['start_to_exit'] = bench.start_to_exit(10 if arguments.quick else 200)
        bench.prepare(1000, arguments.runs)
        whole = bench.sweep(2)
        found['end_to_end'] = {'subtasks': 1000, 'runs': arguments.runs,
                               'sweep_j2_s': round(whole['wall_s'], 1),
                               'sweep_cpu_s': round(whole['cpu_s'], 1),
                               'shell_loop': bench.loop(arguments.runs, arguments.loop)}
        found['load_average'] = os.getloadavg()[0]
        print(json.dumps(found, indent=1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
