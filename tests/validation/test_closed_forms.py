#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison with closed forms fails when it should: in a world where events come 25 % slower.

    test_closed_forms.py RECOUP SWEEPS
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    recoup, sweeps = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, 'sweeps')
        shutil.copytree(sweeps, copy)
        job = os.path.join(copy, 'jobs', 'fl.yaml')
        with open(job, encoding='utf-8') as stream:
            text = stream.read()
        with open(job, 'w', encoding='utf-8') as stream:
            stream.write(text.replace('mean: 100 ms', 'mean: 125 ms'))
        done = subprocess.run([sys.executable, os.path.join(HERE, 'closed_forms.py'), '--recoup',
                               recoup, copy, '--only', 'fl'], stdout=subprocess.PIPE, text=True,
                              check=False)
    print(done.stdout)
    if done.returncode != 1 or done.stdout.count('MISSED') < 2:
        sys.exit('expected exit code 1 and missed rows, got %d' % done.returncode)


if __name__ == '__main__':
    main()
