#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of targets.csv against the simulator: runs, compares, and writes docs/validation.md.

    targets.py --programs BUILD/tests [--times K | --share K] [--seed FROM]
               [--data FOLDER] [--check PAGE | --update PAGE]

targets.csv holds the exact values with their sources, and for each the sample that is compared
with it, and by which statistic. A row that names no sample, and a sample that no row names, is a
mistake. --data is a folder with validation_targets.csv, the list of what is to be validated, where
there is one: each of its rows must be in targets.csv, with the same value.

Seeds are 1 to n, fixed before anything was seen. --times K makes K times as many runs, --seed
others; of rows with other runs one in a thousand misses by chance. Exit 0 when all rows hold.
"""
import argparse
import collections
import csv
import math
import os
import subprocess
import sys

import closed_forms
import statistic

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
Row = collections.namedtuple('Row', 'target exact found runs ok')

WORLDS = {
    'CK1': 'One subtask of 3660 s on one slot; the master fails every Exp(14400 s). D is '
           '`ha.detect`, R is `master.start`, W + C a `duration`. Failures strike R, not D.',
    'CK2': 'The same with ten subtasks, one after the other: a finished one survives.',
    'CK3': 'One subtask of 36000 s with recovery off.',
    'DALY': '40 segments of work and dump, a master that fails, and its makespan scaled to 500 h '
            'of work. The printed optimum is the best of seven in a sweep, and what `recoup '
            'recommend` answers ([statistics.md](statistics.md)); the formulas are computed.',
    'PLAT': 'The least of p draws of the kernel; one subtask of W + C under the MTBF of the '
            'platform; the same with half and twice W.',
    'CH': 'Segments of tasks and their checkpoint; the first one in a world with R = 0. Never: '
          'recovery off. The optimal places by dynamic programming.',
    'MF': 'K all-to-all stages of two subtasks; off: the same with recovery off.',
    'WB': 'One subtask of 3600 s; `every` draws the next failure anew when a master leads again, '
          'so that it may strike R. With `recoup.recovery.liveness-checks`: such failures may '
          'strike before the first flush, after which Flink hangs (H24).',
    'FL': 'Subtasks of Exp(1 / lambda) on one slot finish as a Poisson process; the master dies at '
          'a random time; finishes forgotten are counted, and requests of flushes in runs without '
          'a crash. The latency is that of `storage.flush`.',
    'FB': 'The same with a write buffer of n events; size-only: with a flush interval of 1 h.',
    'SN': 'The same with a minimal pause between snapshots, and a flush interval of 1 ms. '
          'Snapshots are counted between two times of which the first runs over one cycle.',
    'SNF': 'Both together.',
    'RC': 'N workers come back after `cluster.reconnect`; the wait is the phase wait_workers, the '
          'missing ones are lost attempts with the cause worker-late.',
    'LE': '`ha: kubernetes` with a standby; the master dies at a random time; detect + elect.',
    'ST': 'n subtasks on m slots, without failures.',
    'Q': 'Queues on the kernel alone: 60 replications of 25,000 customers after 5,000. The law of '
         'M/G/1 is hyperexponential. Of p99 the share of customers beyond the exact value is '
         'compared with 1 %.',
    'IO': 'As FL, without a crash; a flush costs 5000 nano-usd.',
}


# --- what is computed -----------------------------------------------------------------------------

def lambert(x):
    """The principal branch of Lambert's W at -exp(-1) < x < 0, by Newton's steps."""
    w = -0.5
    for _ in range(60):
        w -= (w * math.exp(w) - x) / (math.exp(w) * (w + 1))
    return w


def daly_formula(which, mtbf):
    delta, start = 5.0, 10.0
    if which == 'young':
        return math.sqrt(2 * delta * mtbf)
    if which == 'first-order':
        return math.sqrt(2 * delta * (mtbf + start)) - delta
    if which == 'higher-order':
        x = delta / (2 * mtbf)
        return math.sqrt(2 * delta * mtbf) * (1 + math.sqrt(x) / 3 + x / 9) - delta
    return mtbf * (1 + lambert(-math.exp(-delta / mtbf - 1)))


def waste(processors):
    mtbf = 125 * 365 * 86400 / processors
    return math.sqrt(2 * 600 / mtbf) + 660 / mtbf


def chain():
    """Toueg and Babaoglu 1984: best[i] is the least expected time to the end after a checkpoint
    behind task i."""
    tasks = [600, 1200, 300, 900, 1800, 600, 2400, 300, 1200, 900, 600, 1500]
    n, mtbf = len(tasks), 14400.0
    best, then = [0.0] * (n + 1), [0] * (n + 1)
    for i in range(n - 1, -1, -1):
        start = math.exp((120 if i > 0 else 0) / mtbf) * (mtbf + 60)
        costs = [(start * math.expm1((sum(tasks[i:j]) + (60 if j < n else 0)) / mtbf) + best[j], j)
                 for j in range(i + 1, n + 1)]
        best[i], then[i] = min(costs)
    places, i = [], then[0]
    while i < n:
        places.append(str(i))
        i = then[i]
    return ' '.join(places)


def compute(target):
    if target['sample'] == 'chain':
        return chain()
    if target['sample'] == 'waste':
        return waste(2 ** 20 if '2^20' in target['parameters'] else 45208)
    return daly_formula(target['sample'], 1440.0 if 'M=1440' in target['parameters'] else 15.0)


# --- what is simulated ----------------------------------------------------------------------------

def simulate(options):
    """{sample: [values]}"""
    words = ['%s=%d' % (word, number) for word, number in (
        ('times', options.times), ('share', options.share), ('from', options.seed)) if number > 1]
    samples = collections.defaultdict(list)
    for program in ('validation_simulate', 'validation_queues'):
        path = os.path.join(options.programs, program)
        done = subprocess.run([path, *words], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit('%s: exit code %d' % (path, done.returncode))
        for line in done.stdout.splitlines():
            sample, value = line.split()
            samples[sample].append(float(value))
    return samples


def near(a, b):
    return abs(a - b) <= 1e-6 * abs(b)


def interval(exact, estimate, low, high):
    """(text, ok)"""
    if low == high:  # all runs alike
        return 'always %s' % digits(estimate), near(estimate, exact)
    return ('%s (%s to %s)' % (digits(estimate), digits(low), digits(high)), low <= exact <= high)


def digits(value):
    return '%.4g' % value if abs(value) < 1000 else '%.0f' % value


def compare_range(exact, values):
    low, high = (float(part) for part in exact.split('..'))
    # Sums of two uniform times reach the last tenth of the range at either end with 1 run in 50.
    reach = (high - low) / 10
    ok = low <= min(values) < low + reach and high - reach < max(values) <= high
    return '%s to %s' % (digits(min(values)), digits(max(values))), ok


def slowdown(work, mtbf):
    """E[T] / W of a segment with C = R = 600 s, D = 60 s."""
    return ((mtbf + 60) * math.exp(600 / mtbf) * math.expm1((work + 600) / mtbf)) / work


def compare_least(target, samples):
    """Half and twice the best W cost more, by as much as they should, over common seeds."""
    exact = float(target['value'])
    mtbf = 125 * 365 * 86400 / (2 ** 20 if '2^20' in target['parameters'] else 45208)
    half, best, twice = (samples[name]
                         for name in target['sample'].replace('<', '>').split(' > '))
    texts, ok = [], near(mtbf * (1 + lambert(-math.exp(-600 / mtbf - 1))), exact)
    for word, others, factor in (('half', half, 0.5), ('twice', twice, 2)):
        more = slowdown(exact * factor, mtbf) - slowdown(exact, mtbf)
        text, held = interval(more, *statistic.mean([a - b for a, b in
                                                     zip(others, best, strict=True)]))
        texts.append('at %s of it E[T]/W is %s more, found %s' % (word, digits(more), text))
        ok = ok and held and more > 0
    return '; '.join(texts), ok, len(best)


def compare_one(kind, exact, values):
    if kind == 'mean':
        return interval(exact, *statistic.mean(values))
    if kind == 'sd':
        return interval(exact, *statistic.sd(values))
    if kind == 'variance':
        return interval(exact, *statistic.variance(values))
    if kind == 'none':
        return interval(exact, *statistic.share(values.count(0.0), len(values)))
    if kind == 'quantile 0.99':
        text, ok = interval(0.01, *statistic.mean(values))
        return 'beyond it a share of ' + text, ok
    each = int(kind.rpartition(' ')[2])  # "share of 100": the values are hits of so many
    return interval(exact, *statistic.share(int(sum(values)), each * len(values)))


def judge(target, samples):
    kind, exact = target['statistic'], target['value']
    if kind == 'formula':
        found = compute(target)
        ok = found == exact if isinstance(found, str) else near(found, float(exact))
        return Row(target, exact, '%s, computed' % (found if isinstance(found, str)
                                                    else '%.10g' % found), '', ok)
    if kind == 'sweep':
        _, best, _ = closed_forms.OPTIMA[target['sample']]
        return Row(target, exact, 'the best of seven: `closed_forms.py --only %s`'
                   % target['sample'], '', near(best, float(exact)))
    if kind == 'least':
        found, ok, n = compare_least(target, samples)
        return Row(target, exact, found, n, ok)
    if kind == 'range':
        found, ok = compare_range(exact, samples[target['sample']])
        return Row(target, exact, found, len(samples[target['sample']]), ok)
    parts = list(zip(target['sample'].split(' / '), exact.split(' / '), strict=True))
    compared = [compare_one(kind, float(value), samples[name]) for name, value in parts]
    return Row(target, exact, ' / '.join(text for text, _ in compared),
               len(samples[parts[0][0]]), all(ok for _, ok in compared))


# --- completeness ---------------------------------------------------------------------------------

def read_csv(path):
    with open(path, encoding='utf-8', newline='') as stream:
        return list(csv.DictReader(stream))


def identity(row):
    return row['id'], row['description'], row['parameters'], row['quantity']


def missing_from(targets, folder):
    """What the list in `folder` asks for and targets.csv does not hold; None without a list."""
    path = os.path.join(folder, 'validation_targets.csv')
    if not os.path.exists(path):
        return None
    held = {identity(row): row['value'] for row in targets}
    return ['%s: not in targets.csv%s' % (' | '.join(identity(row)), ' with the value %s'
                                          % row['value'])
            for row in read_csv(path) if held.get(identity(row)) != row['value']]


def loose_ends(targets, samples):
    named = set()
    ends = []
    for row in targets:
        kind = row['statistic']
        names = row['sample'].replace('<', '/').replace('>', '/').split(' / ')
        if row['id'] not in WORLDS:
            ends.append('%s: no world is described' % row['id'])
        if not row['sample'] or not kind:
            ends.append('%s: nothing checks it' % ' | '.join(identity(row)))
        elif kind not in ('formula', 'sweep'):
            named.update(names)
            ends += ['%s: no such sample' % name for name in names if name not in samples]
    return ends + ['%s: a sample that no row names' % name for name in samples
                   if name not in named]


# --- the page -------------------------------------------------------------------------------------

HEAD = """# Validation

Every value with a closed form that this project set out to meet, and what the simulator gives. This
page is generated by

```sh
tests/validation/targets.py --programs build/release/tests --update docs/validation.md
```

and a test (`validation.targets`) makes all runs again in every build and keeps the page as it is;
it fails when a value is checked by nothing. The values and their sources are in
`tests/validation/targets.csv`; the worlds in `tests/validation/simulate.c` and `queues.c`: profile
`flink-1.20`, storage that costs no time, no latencies, unless said otherwise. Curves over an axis
are in [statistics.md](statistics.md).

Intervals hold the truth in 99.9 %: Student's t for means, the large-sample interval with the fourth
moment for variances and deviations, Clopper and Pearson's for shares. Seeds are 1 to n, fixed
before anything was seen. With `--times 10` the intervals are a third as wide, in some three
minutes; then and with `--seed FROM` one row in a thousand misses by chance.
"""


def page(rows):
    text = HEAD
    last = None
    for row in rows:
        if row.target['id'] != last:
            last = row.target['id']
            text += '\n## %s\n\n%s\n\n' % (last, WORLDS[last])
            text += ('| parameters | quantity | exact | found (99.9 %) | n |\n'
                     '|---|---|---|---|---|\n')
        extra = row.target['description'] if last in ('FL', 'MF', 'Q') else ''
        text += '| %s%s | %s | %s | %s%s | %s |\n' % (
            extra + ': ' if extra else '', row.target['parameters'].replace('|', ' '),
            row.target['quantity'], row.exact, row.found, '' if row.ok else ' **missed**', row.runs)
    text += '\n%d rows, %d missed.\n' % (len(rows), sum(not row.ok for row in rows))
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--programs', required=True)
    parser.add_argument('--times', type=int, default=1)
    parser.add_argument('--share', type=int, default=1)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--data', default=os.path.join(os.path.dirname(ROOT), 'shared', 'data'))
    parser.add_argument('--targets', default=os.path.join(HERE, 'targets.csv'))
    parser.add_argument('--check')
    parser.add_argument('--update')
    options = parser.parse_args()
    targets = read_csv(options.targets)
    samples = simulate(options)
    rows = [judge(target, samples) for target in targets if target['sample']]
    for row in rows:
        print('%-4s %-42.42s %-28.28s exact %-14s %s%s' % (
            row.target['id'], row.target['parameters'], row.target['quantity'], row.exact,
            row.found, '' if row.ok else '  MISSED'))
    mistakes = loose_ends(targets, samples)
    absent = missing_from(targets, options.data)
    if absent is None:
        print('not compared with the list of what is to be validated: no validation_targets.csv '
              'in %s' % options.data)
    mistakes += absent or []
    if options.update:
        with open(options.update, 'w', encoding='utf-8') as stream:
            stream.write(page(rows))
    if options.check:
        with open(options.check, encoding='utf-8') as stream:
            if stream.read() != page(rows):
                mistakes.append('%s is not what this program writes: run it with --update'
                                % options.check)
    print('\n'.join(mistakes + ['%d rows, %d missed, %d mistakes' % (
        len(rows), sum(not row.ok for row in rows), len(mistakes))]))
    return 1 if mistakes or not rows or any(not row.ok for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
