#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps whose every point has a closed form: runs them and compares.

    closed_forms.py --recoup BINARY SWEEPS [--replications N] [--seed N] [--only NAME]... [-j N]

SWEEPS is scenarios/sweeps/validation. Each mean must lie within its 99.9 % interval (Student's t)
of the exact value; Daly's optimum must be the point with the least makespan, by `recoup
recommend`, too. --replications runs the same sweeps with more runs, so that the intervals narrow.
Seeds are fixed, so a row passes or fails for ever; of rows with other numbers of runs one in a
thousand misses by chance, which another --seed tells from an error. Exit 0 when all rows hold,
else 1.

Formulas: FL, FB flush timer and buffer under Poisson events; SN, SNF renewal-reward of an
event-driven action; IO non-empty flushes; RC order statistics of exponential times; LE phases of a
lease; DALY the complete model of Daly, FGCS 22(3) 2006, K segments of t + d:
K M exp(R / M) (exp((t + d) / M) - 1).
"""
import argparse
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

Z = 3.2905267314919255  # two-sided 99.9 % of the normal law
LOST = ("(SELECT coalesce(sum(attempts), 0) FROM lost_work WHERE run_id = run.id AND cause ="
        " '%s')")
FAILOVER = '(SELECT sum(%s) FROM failover WHERE run_id = run.id)'


def fb(rate, interval, n):
    """(1 / D) int_0^D E[Poisson(l u) mod n] du, by the midpoint rule."""
    total, steps = 0.0, 400
    for i in range(steps):
        mean = rate * (i + 0.5) * interval / steps
        p = math.exp(-mean)
        for k in range(int(mean + 12 * math.sqrt(mean) + 30)):
            total += p * (k % n)
            p *= mean / (k + 1)
    return total / steps


def rc_wait(n, mean, timeout):
    """int_0^T 1 - (1 - exp(-t / m))^N dt, by Simpson's rule."""
    steps = 4000
    value = [1.0 - (1.0 - math.exp(-timeout * i / steps / mean)) ** n for i in range(steps + 1)]
    return timeout / steps / 3 * (value[0] + value[-1] + 4 * sum(value[1:-1:2])
                                  + 2 * sum(value[2:-1:2]))


def sn(rate, pause):
    x = rate * pause
    return x * (x / 2 + 1) / (x + 1)


def daly(mtbf_s, duration_s, segments):
    return segments * mtbf_s * math.exp(600 / mtbf_s) * (math.exp(duration_s / mtbf_s) - 1)


# Per sweep: (quantity, SQL of one run, exact value of a point's axes in seconds and bytes).
FORMS = {
    'fl': [('lost events', LOST % 'not-recorded', lambda a: 10 * a['flush-interval'] / 2)],
    'fb': [('lost events', LOST % 'not-recorded', lambda a: fb(100, 1, a['buffer'] // 49))],
    'sn': [('events since', 'job_finished_forgotten', lambda a: sn(0.1, a['min-pause']))],
    'snf': [('forgotten', 'job_finished_forgotten',
             lambda a: sn(0.1, a['min-pause']) + 0.1 * a['flush-interval'] / 2)],
    'io': [('flushes', 'io_requests_flush',
            lambda a: 3600 * (1 - math.exp(-0.5 * a['flush-interval'])) / a['flush-interval']),
           ('nano-USD', 'io_cost_nanousd',
            lambda a: 5000 * 3600 * (1 - math.exp(-0.5 * a['flush-interval']))
            / a['flush-interval'])],
    'rc': [('wait, s', FAILOVER % 'wait_workers_ns' + ' / 1e9',
            lambda a: rc_wait(100, 5, a['timeout'])),
           ('workers missing', LOST % 'worker-late',
            lambda a: 100 * math.exp(-a['timeout'] / 5))],
    'le': [('leaderless, s', FAILOVER % 'detect_ns + elect_ns' + ' / 1e9', lambda a: a['lease'])],
}
# MTBF in s; the optimum in min; numbers of segments per duration of one.
OPTIMA = {'daly-24h': (86400.0, 117.0, 117 * 60), 'daly-6h': (21600.0, 57.0, 57 * 60),
          'daly-15min': (900.0, 9.1, 9.1 * 60)}


class Checker:
    def __init__(self, recoup, folder, options):
        self.recoup, self.folder, self.options = recoup, folder, options
        self.rows, self.bad = 0, 0

    def sweep(self, name):
        """Runs a sweep; returns the path of its database."""
        path = os.path.join(self.folder, name + '.yaml')
        with open(path, encoding='utf-8') as stream:
            text = stream.read()
        if self.options.replications:
            text = re.sub(r'^replications: \d+$', 'replications: %d' % self.options.replications,
                          text, flags=re.MULTILINE)
        if self.options.seed is not None:
            text += 'seed: %d\n' % self.options.seed
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        database = os.path.join(self.folder, name + '.db')
        done = subprocess.run([self.recoup, 'sweep', path, '--db', database, '-j',
                               str(self.options.j)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        # 1: runs of Flink's profile break invariants that it permits, which is no matter here.
        if done.returncode not in (0, 1):
            sys.exit('%s: exit code %d\n%s' % (name, done.returncode, done.stderr))
        return database

    def row(self, name, point, what, values, exact):
        n = len(values)
        mean = math.fsum(values) / n
        sd = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
        t = Z + (Z ** 3 + Z) / (4 * (n - 1))
        half = t * sd / math.sqrt(n)
        ok = sd > 0 and abs(mean - exact) <= half
        self.rows += 1
        self.bad += not ok
        print('%-11s %-42s %-16s exact %12.6g  mean %12.6g +- %-9.3g n %5d  %s'
              % (name.upper(), point, what, exact, mean, half, n, 'ok' if ok else 'MISSED'))

    def runs(self, database, sql):
        """{point: (label, axes, values)}"""
        connection = sqlite3.connect(database)
        points = {}
        for point, label, value in connection.execute(
                'SELECT point.n, point.label, %s FROM run JOIN point ON point.id = point_id '
                'ORDER BY point.n, replication' % sql):
            points.setdefault(point, (label, {}, []))[2].append(value)
        for point, axis, kind, value in connection.execute(
                'SELECT point.n, axis.name, axis.kind, value FROM axis_value JOIN axis ON '
                'axis.id = axis_id JOIN point ON point.id = point_id'):
            points[point][1][axis] = value / 1e9 if kind == 'ns' else value
        connection.close()
        return points.values()

    def curve(self, name):
        database = self.sweep(name)
        for what, sql, exact in FORMS[name]:
            for label, axes, values in self.runs(database, sql):
                self.row(name, label, what, values, exact(axes))

    def optimum(self, name):
        mtbf, best, work = OPTIMA[name]
        database = self.sweep(name)
        least, at = math.inf, None
        for label, axes, values in self.runs(database, 'job_makespan_ns / 3.6e12'):
            minutes = axes['segment'] / 60 - 5
            segments = round(work / minutes)
            self.row(name, '%s: %g min of work' % (label, minutes), 'hours', values,
                     daly(mtbf, axes['segment'], segments) / 3600)
            if math.fsum(values) / len(values) < least:
                least, at = math.fsum(values) / len(values), minutes
        answer = subprocess.run([self.recoup, 'recommend', database, '--minimize', 'makespan',
                                 '--format', 'json'], stdout=subprocess.PIPE, check=True)
        said = json.loads(answer.stdout)
        label = said['best']['point']
        sure = said['best']['resamples_best'] / said['resamples']
        ok = abs(at - best) < 1e-6 and label.startswith('segment=%s'
                                                        % segment_text(best + 5))
        self.rows += 1
        self.bad += not ok
        print('%-11s optimum: printed %g min, found %g min; recommended %s (best in %.0f %% of '
              'resamples)  %s' % (name.upper(), best, at, label, 100 * sure,
                                  'ok' if ok else 'MISSED'))


def segment_text(minutes):
    """As a point's label writes a duration."""
    return '%gmin' % minutes if minutes == int(minutes) else '%gs' % round(minutes * 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('sweeps')
    parser.add_argument('--replications', type=int)
    parser.add_argument('--seed', type=int)
    parser.add_argument('--only', action='append', choices=sorted(FORMS) + sorted(OPTIMA))
    parser.add_argument('-j', type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        folder = os.path.join(parent, 'validation')
        shutil.copytree(options.sweeps, folder)
        checker = Checker(os.path.abspath(options.recoup), folder, options)
        for name in options.only or sorted(FORMS):
            if name in FORMS:
                checker.curve(name)
        for name in options.only or sorted(OPTIMA):
            if name in OPTIMA:
                checker.optimum(name)
    print('%d rows, %d missed' % (checker.rows, checker.bad))
    return 1 if checker.bad or not checker.rows else 0


if __name__ == '__main__':
    sys.exit(main())
