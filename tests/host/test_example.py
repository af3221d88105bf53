#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the example master (SIGKILL) again and again until its job has ended.

    test_example.py MASTER

Each life is killed when it has said so many lines. What a life was told to be durable, and what it
had itself recovered, the next one must keep; it may keep nothing that never finished, and it must
take nothing back. A disk so slow that nothing was durable before the kills shows nothing: then
another job follows, whose subtasks take longer.
"""
import os
import re
import shutil
import sys
import tempfile

from lives import live

LINES = [3, 10, 2, 14, 25, 7, 12, 31, 18]  # said before the kill, life by life
TASK_MS = (3, 12, 48, 192, 768)
FINISHED = re.compile(r'finished (\d+\.\d+) event (\d+)$')


class Failure(Exception):
    pass


def check_life(lines, must, may):
    """What a life kept; must: what it has to, may: all that ever finished."""
    if not any(re.match(r'recovered|nothing to recover', line) for line in lines):
        return None  # killed before that
    kept = {line.split()[1] for line in lines if line.startswith('kept ')}
    if must - kept:
        raise Failure('acknowledged, and forgotten: %s\n%s' % (sorted(must - kept), lines))
    if kept - may:
        raise Failure('kept, and never finished: %s\n%s' % (sorted(kept - may), lines))
    bad = [line for line in lines if line.startswith(('reset', 'unprotected', 'the log'))]
    if bad:
        raise Failure('not expected: %s' % bad)
    return kept


def acknowledged(lines):
    durable = max([int(line.split()[1]) for line in lines if re.match(r'durable \d+$', line)] + [0])
    finished = [FINISHED.match(line) for line in lines]
    names = {m.group(1) for m in finished if m}
    return names, {m.group(1) for m in finished if m and int(m.group(2)) <= durable}


def run(master, directory, task_ms):
    """One job. Returns how many lives were killed, and what the last one kept."""
    must, may, kills = set(), set(), 0
    for lines_max in LINES + [None]:
        lines, code = live([master, directory, str(task_ms)],
                           lambda said, most=lines_max: most is not None and len(said) >= most)
        kept = check_life(lines, must, may)
        names, durable = acknowledged(lines)
        may |= names
        if kept is not None:
            must = kept | durable
        if code == 0:
            break
        if lines_max is None or code != -9:
            raise Failure('life %d ended with %d: %s' % (kills + 1, code, lines[-3:]))
        kills += 1
        may |= unsaid(may)
    ends = ('the job has ended', 'the job had ended')  # killed between the result and the log
    if lines[-1] not in ends or not os.path.exists(os.path.join(directory, 'result')) \
            or lines[-1] == ends[0] and os.path.exists(os.path.join(directory, 'log')):
        raise Failure('the job did not end in order: %s' % lines[-3:])
    return kills, kept


def unsaid(known):
    """Subtasks that may have finished without a line that got out: the next ones in order."""
    order = ['0.%d' % i for i in range(40)] + ['1.%d' % i for i in range(8)]
    return set([name for name in order if name not in known][:8])


def main():
    for task_ms in TASK_MS:
        directory = tempfile.mkdtemp(prefix='recoup-example-')
        try:
            kills, kept = run(sys.argv[1], directory, task_ms)
        except Failure as failure:
            print('%s\nthe job is in %s' % (failure, directory))
            return 1
        shutil.rmtree(directory)
        print('%d kills; the last master kept %d of 48 subtasks' % (kills, len(kept or ())))
        if kills >= 4 and (kept is None or len(kept) >= 3):
            return 0
    print('this shows nothing')
    return 1


if __name__ == '__main__':
    sys.exit(main())
