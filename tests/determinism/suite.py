# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of a whole suite of tests: each in an order of its own, with another number of tests at
once, in a temporary folder of its own, and on request with a machine that has more to do."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

JOBS = (2, 1, 4, 8)  # tests at once, round by round
TEST_SECONDS_MAX = 900
# A name that needs quoting, and one that does not.
FOLDERS = ('recoup-round-', 'recoup round, \u00e4 \' ')
# Keeps a processor busy, and the disk: what is written is made durable each time.
BUSY = 'while True: pass'
WRITING = '''import os, sys
with open(sys.argv[1], 'wb') as stream:
    while True:
        stream.seek(0)
        stream.write(bytes(1 << 20))
        stream.flush()
        os.fsync(stream.fileno())
'''


@contextlib.contextmanager
def load(processes, folder):
    """So many processes that compute, and one that writes; none for 0."""
    programs = [[BUSY]] * processes + ([[WRITING, os.path.join(folder, 'load')]]
                                       if processes else [])
    started = [subprocess.Popen([sys.executable, '-c', *program], stdin=subprocess.DEVNULL)
               for program in programs]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def read_report(report):
    """{test: (status, what it printed)}."""
    if not os.path.exists(report):
        return {}
    found = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter('testcase'):
        found['test ' + case.get('name')] = (case.get('status'), case.findtext('system-out') or '')
    return found


def run_round(build, number, expression=None, busy=0):
    """{test: (status, what it printed)} of one round. What tests leave behind is one, too."""
    with tempfile.TemporaryDirectory() as own:
        report = os.path.join(own, 'report.xml')
        temporary = tempfile.mkdtemp(prefix=FOLDERS[number % len(FOLDERS)], dir=own)
        command = ['ctest', '--test-dir', build, '--schedule-random', '--timeout',
                   str(TEST_SECONDS_MAX), '-j', str(JOBS[number % len(JOBS)]), '--output-junit',
                   report, '--test-output-size-failed', '1000000']
        with load(busy, own):
            subprocess.run(command + (['-R', expression] if expression else []),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL, env=dict(os.environ, TMPDIR=temporary),
                           check=False)
        found = read_report(report)
        left = sorted(os.listdir(temporary))
        found['what the tests leave in TMPDIR'] = ('fail' if left else 'run', '\n'.join(left))
        return found


def keep(folder, number, found):
    """Writes what failing tests printed to files of the folder; returns their names."""
    names = []
    for key, (status, text) in sorted(found.items()):
        if status == 'fail':
            os.makedirs(folder, exist_ok=True)
            name = os.path.join(folder, 'round-%d-%s.txt' % (number + 1, key.replace(' ', '-')))
            with open(name, 'w', encoding='utf-8') as stream:
                stream.write(text)
            names.append(name)
    return names


def forget(folder):
    shutil.rmtree(folder, ignore_errors=True)
