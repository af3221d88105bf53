#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/slurm/submit-sweep on a real Slurm of one node, which this test starts and stops. Exit
code 77 (skipped) where Debian's slurmctld, slurmd, slurm-client or munge are missing."""
import argparse
import os
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
SECONDS_MAX = 900  # only ends what hangs
SCENARIO = """version: 1
name: job
about: A job with chance in it.
profile: flink-1.20
config: {execution.batch.job-recovery.enabled: true}
job:
  stages:
    - {name: work, parallelism: 8, duration: {uniform: {from: 1 s, to: 2 s}}}
cluster: {workers: 1, slots: 2, deploy: 0 s}
master: {start: 1 s, standby: true}
ha: {detect: 1 s}
storage: ideal
faults:
  - {at: 80%, kill: master}
"""
SWEEP = """version: 1
name: sweep
about: A question.
scenario: job.yaml
axes:
  - {path: cluster.slots, values: [2, 3, 4]}
replications: 20
"""
OUT = 'at 100%a.db'  # what Slurm has a meaning for, and a blank


def run(arguments, folder, environment, code=0):
    done = subprocess.run(arguments, cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != code:
        raise SystemExit('%s: exit code %d\n%s' % (' '.join(arguments), done.returncode,
                                                   done.stdout))
    return done.stdout


def wait_for_jobs(folder, environment):
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        if not run(['squeue', '-h'], folder, environment).strip():
            return
        time.sleep(0.2)
    raise SystemExit('the jobs have not ended:\n' + run(['squeue'], folder, environment))


def read(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as stream:
        return stream.read()


def check(recoup, submit, folder, environment):
    for name, text in (('job.yaml', SCENARIO), ('it\'s a sweep.yaml', SWEEP)):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as stream:
            stream.write(text)
    run([recoup, 'sweep', "it's a sweep.yaml", '--db', 'alone.db'], folder, environment)
    alone = run([recoup, 'sweep', '--hash', 'alone.db'], folder, environment)
    for _ in range(2):  # the second time there is nothing left to do
        run([submit, '3', "it's a sweep.yaml", OUT], folder, environment)
        wait_for_jobs(folder, environment)
        log = read(folder, OUT + '.shards/merge.log')
        if run([recoup, 'sweep', '--hash', OUT], folder, environment) != alone:
            raise SystemExit('the merged database differs:\n' + log)
        if '0 runs to do, 60 are done' not in log:
            raise SystemExit('the log of the merge does not end as it should:\n' + log)
    if 'Now: 0 run' not in read(folder, OUT + '.shards/2.log'):
        raise SystemExit('shard 2 did its runs again:\n' + read(folder, OUT + '.shards/2.log'))
    run([submit, 'three', "it's a sweep.yaml", OUT], folder, environment, code=2)
    run([submit, '3', 'missing.yaml', OUT], folder, environment, code=2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--scripts', required=True)
    arguments = parser.parse_args()
    recoup = os.path.abspath(arguments.recoup)
    cluster = os.path.join(arguments.scripts, 'local-cluster')
    submit = os.path.abspath(os.path.join(arguments.scripts, 'submit-sweep'))
    # The name of a socket must be short, and Slurm's configuration holds no blanks: not in TMPDIR.
    place = '/tmp' if os.access('/tmp', os.W_OK) else None
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(
            dir=place, ignore_cleanup_errors=True) as slurm:
        started = subprocess.run([cluster, 'start', slurm])
        if started.returncode != 0:
            return started.returncode
        environment = dict(os.environ, SLURM_CONF=os.path.join(slurm, 'slurm.conf'), RECOUP=recoup)
        try:
            check(recoup, submit, folder, environment)
        finally:
            subprocess.run([cluster, 'stop', slurm], check=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
