#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many processes share the work changes nothing of its result.

    jobs.py --recoup RECOUP SCENARIOS

A sweep over all committed scenarios by one process, by four, by four in an odd environment, in two
parts merged in reverse, and stopped half-way and resumed has one content hash; `recoup check` says
the same of them by one process and by four. Exit 0; 5: something differs; 1: no result.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import fingerprints  # noqa: E402
from environs import MASK  # noqa: E402

REPLICATIONS = 2
# Expectations and invariants are judged by other tests; here the runs only have to be the same.
JUDGED = (0, 1, 3)
SWEEP = '''version: 1
name: all
about: Every committed scenario.
axes:
  - path: scenario
    values:
%s
replications: %d
'''
ODD = {'TZ': 'Pacific/Chatham', 'LC_ALL': 'tr_TR.UTF-8', 'MALLOC_PERTURB_': '165',
       'GLIBC_TUNABLES': MASK}


class NoResult(Exception):
    """A command ended badly."""


class Jobs:
    def __init__(self, recoup, scenarios, folder):
        self.recoup, self.scenarios, self.folder = recoup, os.path.abspath(scenarios), folder
        self.names = fingerprints.scenario_names(self.scenarios)
        values = ('      - {label: s%d, value: %s}' % (number, os.path.relpath(
            os.path.join(self.scenarios, name), folder)) for number, name in enumerate(self.names))
        self.runs = len(self.names) * REPLICATIONS
        with open(os.path.join(folder, 'all.yaml'), 'w', encoding='utf-8') as stream:
            stream.write(SWEEP % ('\n'.join(values), REPLICATIONS))

    def run(self, *arguments, environment=None, codes=(0,)):
        done = subprocess.run([self.recoup, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=self.folder,
                              env=dict(os.environ, **(environment or {})), check=False)
        if done.returncode not in codes:
            raise NoResult('%s: exit %d: %s' % (' '.join(arguments), done.returncode,
                                                done.stderr.decode('utf-8', 'replace')[-500:]))
        return done.stdout.decode()

    def sweep(self, name, *options, environment=None):
        self.run('sweep', 'all.yaml', '--db', name, *options, environment=environment, codes=JUDGED)
        return name

    def hash(self, name):
        return self.run('sweep', '--hash', name).strip()

    def interrupted(self, name):
        """A sweep that is stopped at some point, even before it looks for signals, and resumed."""
        process = subprocess.Popen([self.recoup, 'sweep', 'all.yaml', '--db', name, '-j', '2'],
                                   cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        process.communicate()
        if process.returncode not in (*JUDGED, 4, 130, -signal.SIGINT):
            raise NoResult('an interrupted sweep: exit %d' % process.returncode)
        return self.sweep(name, '-j', '3')

    def merged(self, name):
        parts = [self.sweep('%d-%s' % (part, name), '-j', '2', '--shard', '%d/2' % part)
                 for part in (1, 2)]
        self.run('merge', name, *reversed(parts))
        return name

    def hashes(self):
        """{way: content hash} of the sweep."""
        return {'by one process': self.hash(self.sweep('one.db', '-j', '1')),
                'by four': self.hash(self.sweep('four.db', '-j', '4')),
                'in an odd environment': self.hash(self.sweep('odd.db', '-j', '4',
                                                              environment=ODD)),
                'in two parts': self.hash(self.merged('merged.db')),
                'stopped and resumed': self.hash(self.interrupted('resumed.db'))}

    def checks(self):
        """{way: what `recoup check` says}."""
        return {'check -j %s' % jobs: self.run('check', self.scenarios, '-j', jobs, '--tap',
                                               codes=JUDGED) for jobs in ('1', '4')}


def differences(found):
    """The ways whose value is not that of the first."""
    first = next(iter(found.values()))
    return [way for way, value in found.items() if value != first or not value]


def compare(recoup, scenarios):
    """(runs in each sweep, ways that differ)."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(os.path.abspath(recoup), scenarios, folder)
        return jobs.runs, differences(jobs.hashes()) + differences(jobs.checks())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('scenarios')
    arguments = parser.parse_args()
    try:
        runs, differ = compare(arguments.recoup, arguments.scenarios)
    except NoResult as error:
        print(error)
        return 1
    print('%d runs in each sweep; %s' % (runs, 'differ: ' + ', '.join(differ) if differ
                                         else 'no difference'))
    return 5 if differ else 0


if __name__ == '__main__':
    sys.exit(main())
