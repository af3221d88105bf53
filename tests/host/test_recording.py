#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records the example master, also one that is killed, and replays the recordings.

    test_recording.py MASTER RECOUP
"""
import os
import re
import struct
import subprocess
import sys
import tempfile

from lives import live

LINES = 20  # of the first master, at least
TASK_MS = (2, 8, 32, 128, 512)


def expect(condition, what):
    if not condition:
        sys.exit('not so: ' + what)


def replay(recoup, path):
    done = subprocess.run([recoup, 'store', 'replay', path], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def record(master, directory, path, enough, task_ms=2):
    """One life of the master, killed when it has said enough."""
    return live([master, directory, str(task_ms), path], enough)[0]


def durable(lines):
    """The last event of which these lines say that it is durable, else 0."""
    return max([int(n) for n in re.findall(r'^durable (\d+)$', '\n'.join(lines), re.M)] + [0])


def record_killed(master, folder):
    """A job whose master was killed while it was at work, and was told of something durable before:
    (its directory, the recording, what it said). Where the disk is too slow for that, the next job
    has longer subtasks."""
    for task_ms in TASK_MS:
        job = os.path.join(folder, 'job-%d' % task_ms)
        path = os.path.join(folder, 'recording-%d' % task_ms)
        said = record(master, job, path, lambda lines: len(lines) >= LINES and durable(lines) > 0,
                      task_ms)
        if durable(said) > 0 and not os.path.exists(os.path.join(job, 'result')):
            return job, path, said
    sys.exit('no master was told of anything durable before its job had ended')


def entries(content):
    """Offset and size of each entry: kind, sizes of head and data, these, and the check."""
    at = 12
    while at < len(content):
        head, data = struct.unpack_from('<II', content, at + 1)
        yield at, 9 + head + data + 4
        at += 9 + head + data + 4


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1:]


def main():
    master, recoup = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        job, path, said = record_killed(master, folder)
        code, out, err = replay(recoup, path)
        expect(code in (0, 1), 'a killed master leaves a recording that replays: ' + err)
        expect(re.search(r'SUBTASK_FINISHED 0\.0', out), 'its events are there')
        told = [int(n) for n in re.findall(r'-> DURABLE (\d+)', out)]
        expect(told and told[-1] >= durable(said), 'all that it was told is there')

        record(master, job, path, lambda lines: False)
        code, out, err = replay(recoup, path)
        expect(code == 0 and err == '', 'the whole life of the next one replays: ' + err)
        expect('-> RECOVERED' in out and out.count('-> STOPPED') == 1, 'from START to STOPPED')
        expect(re.search(r'stage 0: 40 of 40 finished\nstage 1: 8 of 8 finished\n$', out),
               'the state is that of the ended job')

        with open(path, 'rb') as file:
            whole = file.read()
        broken = os.path.join(folder, 'broken')
        # How many events a life has depends on its timing, so the place to damage is looked up: a
        # byte of the middle of the file may belong to a size, and then the entry ends elsewhere.
        found = list(entries(whole))
        expect(sum(size for _, size in found) + 12 == len(whole), 'the entries fill the file')
        at, size = found[len(found) // 2]
        for content, wanted, words in [
                (whole[:-1], 1, 'ends within'), (flipped(whole, at + 9), 1, 'has changed'),
                (flipped(whole, at + size - 1), 1, 'has changed'),
                (flipped(whole, at + 4), 1, 'no entry has this kind or size'),
                (flipped(whole, found[-1][0] + 5), 1, ''),
                (b'hello\n', 1, 'no recording'), (b'', 1, 'ends within'),
                (whole[:8] + b'\xff' + whole[9:], 1, 'another version')]:
            with open(broken, 'wb') as file:
                file.write(content)
            code, out, err = replay(recoup, broken)
            expect(code == wanted and words in err, '%s: %d, %s' % (words, code, err))
        expect(replay(recoup, os.path.join(folder, 'none'))[0] == 7, 'a file that is not there')
        expect(replay(recoup, folder)[0] == 7, 'a directory')
    print('recorded and replayed')


main()
