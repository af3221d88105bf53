# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the matrix: builds and environments, each compared with one reference."""
import concurrent.futures
import os
import subprocess

import builds
import fingerprints
import jobs
from builds import Absent, Failed
from environs import ENVIRONS, Environ

REFERENCE = 'gcc-O2'
FIELDS = ('fingerprint', 'F1', 'F2', 'F3', 'F4', 'F5', 'F6', 'events', 'makespan_ns')
ARCHITECTURES = ('i386', 'aarch64', 's390x')
RUN_SECONDS_MAX = 1200
SHOWN_MAX = 5
ABSENT = 77
HERE = Environ('here', 'D4', '')


class Row:
    """What one row of the matrix found: equal, differs, absent or failed."""

    def __init__(self, name, level, what):
        self.name, self.level, self.what = name, level, what
        self.status, self.detail = 'absent', ''
        self.compared, self.differ, self.probe = 0, [], None

    def as_dict(self):
        return {'name': self.name, 'level': self.level, 'what': self.what, 'status': self.status,
                'detail': self.detail, 'compared': self.compared, 'differ': self.differ,
                'probe_differs_in': self.probe}


class Matrix:
    """All rows of a source tree. `seeds` is a text, '1,2'. `shown` is called with each row."""

    def __init__(self, workshop, seeds, shown, probing=True):
        self.workshop, self.seeds, self.shown = workshop, seeds, shown
        self.probing = probing
        self.scenarios = os.path.join(workshop.source, 'scenarios')
        self.names = fingerprints.scenario_names(self.scenarios)
        self.reference, self.reference_probe = None, None

    def output(self, command, environ):
        """What a program prints in an environment."""
        try:
            done = subprocess.run(
                environ.before + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL, env=environ.environment(), cwd=environ.folder,
                preexec_fn=environ.prepare, timeout=RUN_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failed('took longer than %d s' % RUN_SECONDS_MAX) from error
        if done.returncode == ABSENT:
            raise Absent(done.stderr.decode('utf-8', 'replace').strip())
        if done.returncode != 0:
            raise Failed('exit %d: %s' % (done.returncode,
                                          done.stderr.decode('utf-8', 'replace')[-1000:]))
        return done.stdout.decode()

    def lines(self, program, runner=(), environ=HERE):
        """{(scenario, seed): fields} of all runs."""
        command = list(runner) + [program, '--folder', self.scenarios] + environ.options
        if environ.separate == 0:
            text = self.output(command + ['--seeds', self.seeds] + self.names, environ)
        else:
            jobs = [(seed, name) for name in self.names for seed in self.seeds.split(',')]
            with concurrent.futures.ThreadPoolExecutor(environ.separate) as pool:
                text = ''.join(pool.map(lambda job: self.output(
                    command + ['--seeds', job[0], job[1]], environ), jobs))
        found = {}
        for line in text.splitlines():
            name, seed, *fields = line.split()
            found[name, seed] = dict(zip(FIELDS, fields))
        runs = len(found)
        if runs != len(self.names) * len(self.seeds.split(',')):
            raise Failed('%d results, expected %d scenarios with %s' % (
                runs, len(self.names), self.seeds))
        found.update(self.laws(program, runner, environ))
        return found

    def laws(self, program, runner, environ):
        """{('law', name): fields} from the program beside, where there is one."""
        beside = os.path.join(os.path.dirname(program), builds.LAWS)
        if not os.path.exists(beside):
            return {}
        lines = self.output(list(runner) + [beside], environ).splitlines()
        return {('law', name): {'samples': value} for name, value in map(str.split, lines)}

    def compare(self, row, found):
        """Fills a row from what its runs printed."""
        row.compared = len(found)
        for key, expected in sorted(self.reference.items()):
            fields = [field for field in expected
                      if found.get(key, {}).get(field) != expected[field]]
            if fields:
                what = 'law %s' if key[0] == 'law' else '%s, seed %s'
                row.differ.append('%s: %s' % (what % (key[1:] if key[0] == 'law' else key),
                                              ', '.join(fields)))
        row.status = 'differs' if row.differ else 'equal'

    def probe(self, build, environ=HERE):
        """What C leaves open and what really differs here, or None where it cannot be asked."""
        if not self.probing:
            return None
        try:
            text = self.output(list(build.runner) + [self.workshop.probe(build)], environ)
        except (Absent, Failed):
            return None
        found = dict(line.split() for line in text.splitlines())
        if self.reference_probe is None:
            self.reference_probe = found
        return [name for name in found if found[name] != self.reference_probe.get(name)]

    def fill(self, row, work):
        try:
            work()
        except Absent as error:
            row.status, row.detail = 'absent', str(error)
        except Failed as error:
            row.status, row.detail = 'failed', str(error)
        self.shown(row)
        return row

    def build_row(self, build):
        level = 'D5' if build.name in ARCHITECTURES else 'D4'
        row = Row(build.name, level, build.what)

        def work():
            program = self.workshop.build(build)
            self.compare(row, self.lines(program, build.runner))
            row.probe = self.probe(build)
        return self.fill(row, work)

    def environ_row(self, environ, program, build):
        row = Row(environ.name, environ.level, environ.what)

        def work():
            environ.check()
            self.compare(row, self.lines(program, environ=environ))
            if build is not None and environ.probed:
                row.probe = self.probe(build, environ)
        return self.fill(row, work)

    def refer(self, program=None):
        """Makes the reference, by building it unless it is given; returns (program, build)."""
        build = None
        if program is None:
            build = builds.by_name(REFERENCE)
            program = self.workshop.build(build)
            self.probe(build)
        program = os.path.abspath(program)
        self.reference = self.lines(program)
        return program, build

    def jobs_row(self, recoup):
        """`recoup sweep` and `recoup check` by other numbers of processes."""
        row = Row('jobs', 'D3', 'recoup sweep and check by 1 and 4 processes, in parts, resumed')

        def work():
            if not recoup or not os.path.exists(recoup):
                raise Absent('no recoup is built; name one with --recoup')
            try:
                row.compared, row.differ = jobs.compare(recoup, self.scenarios)
            except jobs.NoResult as error:
                raise Failed(str(error)) from error
            row.status = 'differs' if row.differ else 'equal'
        return self.fill(row, work)

    def environ_rows(self, program, build, wanted):
        return [self.environ_row(environ, program, build) for environ in ENVIRONS
                if wanted(environ.name)]

    def build_rows(self, wanted):
        return [self.build_row(build) for build in builds.BUILDS
                if wanted(build.name) and build.name != REFERENCE]


def show(row):
    text = '%-18s %-8s %s' % (row.name, row.status, row.what)
    if row.probe:
        text += ' (differs here: %s)' % ', '.join(row.probe)
    print(text, flush=True)
    for line in ([row.detail] if row.detail else []) + row.differ[:SHOWN_MAX]:
        print('    ' + line.replace('\n', '\n    '), flush=True)
    if len(row.differ) > SHOWN_MAX:
        print('    and %d more' % (len(row.differ) - SHOWN_MAX))
