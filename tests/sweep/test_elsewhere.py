#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes of docs/sweeps.md for other machines, as they stand there.

The command of the Kubernetes job runs in a shell per pod, with /data in a folder of this test;
kubectl reads the job itself, without a cluster, where it is installed. The command for GNU parallel
runs on this machine alone, where that is installed. Exit code 77 (skipped) without PyYAML.
"""
import argparse
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import yaml
except ImportError:
    print('PyYAML is not installed')
    sys.exit(77)

SCENARIO = """version: 1
name: job
profile: flink-1.20
config: {execution.batch.job-recovery.enabled: true}
job:
  stages:
    - {name: work, parallelism: %d, duration: {uniform: {from: 1 s, to: 2 s}}}
cluster: {workers: 1, slots: 2, deploy: 0 s}
storage: ideal
faults:
  - {at: 80%%, kill: master}
"""
SWEEP = """version: 1
name: sweep
scenario: job.yaml
axes:
  - {path: cluster.slots, values: [2, 3, 4]}
replications: %d
"""


class Elsewhere(unittest.TestCase):
    recoup = source = None

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.source, 'docs/sweeps.md'), encoding='utf-8') as stream:
            self.text = stream.read()
        self.environment = dict(os.environ)
        self.environment['PATH'] = os.path.dirname(self.recoup) + ':' + os.environ['PATH']
        self.write(8, 20)

    def write(self, tasks, replications):
        for name, text in (('job.yaml', SCENARIO % tasks), ('sweep.yaml', SWEEP % replications)):
            with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as stream:
                stream.write(text)

    def run_all(self, arguments, code=0, **more):
        done = subprocess.run(arguments, cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def merged_is_whole(self, databases):
        self.run_all([self.recoup, 'merge', 'out.db'] + databases)
        self.run_all([self.recoup, 'sweep', 'sweep.yaml', '--db', 'whole.db'])
        self.assertEqual(self.run_all([self.recoup, 'sweep', '--hash', 'out.db']),
                         self.run_all([self.recoup, 'sweep', '--hash', 'whole.db']))

    def manifest(self):
        return re.search(r'```yaml\n(apiVersion: .*?)```', self.text, re.S)[1]

    def pod(self, index):
        """Starts what the container of a pod runs."""
        container = yaml.safe_load(self.manifest())['spec']['template']['spec']['containers'][0]
        # The folder goes by a variable: its name may hold what a shell would read.
        command = [word.replace(' /data/sweep.yaml', ' "$DATA/sweep.yaml"')
                   .replace('"/data/', '"$DATA/')
                   for word in container['command'] + container['args']]
        return subprocess.Popen(command, cwd='/', stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, start_new_session=True,
                                env=dict(self.environment, DATA=self.folder,
                                         JOB_COMPLETION_INDEX=str(index)))

    def test_all_pods_make_the_sweep(self):
        pods = yaml.safe_load(self.manifest())['spec']['completions']
        self.assertEqual(pods, 20)
        for index in range(pods):
            self.assertEqual(self.pod(index).wait(), 0)
        self.merged_is_whole(['%d.db' % index for index in range(pods)])

    def test_findings_are_no_reason_to_start_again(self):
        with open(os.path.join(self.folder, 'job.yaml'), 'a', encoding='utf-8') as stream:
            stream.write('expect: {makespan: {at-most: 1 s}}\n')
        self.assertEqual(self.pod(0).wait(), 0)
        with open(os.path.join(self.folder, 'sweep.yaml'), 'w', encoding='utf-8') as stream:
            stream.write('no sweep\n')
        self.assertNotEqual(self.pod(0).wait(), 0)

    def states(self, database):
        connection = sqlite3.connect(os.path.join(self.folder, database))
        try:
            return dict(connection.execute('SELECT state, count(*) FROM plan GROUP BY 1'))
        except sqlite3.Error:
            return {}
        finally:
            connection.close()

    def test_an_evicted_pod_ends_in_order(self):
        self.write(2000, 100000)  # hours: the signal cannot come too late
        pod = self.pod(19)
        self.addCleanup(pod.kill)
        while self.states('19.db').get('done', 0) == 0:
            self.assertIsNone(pod.poll())
            time.sleep(0.01)
        pod.send_signal(signal.SIGTERM)  # to the first process alone, as a node does
        self.assertNotEqual(pod.wait(), 0)  # so it is started again
        states = self.states('19.db')
        self.assertGreater(states.pop('done'), 0)
        self.assertGreater(states.pop('planned'), 0)
        self.assertLessEqual(set(states), {'skipped'})

    @unittest.skipIf(shutil.which('kubectl') is None, 'kubectl is not installed')
    def test_kubectl_understands_the_job(self):
        with open(os.path.join(self.folder, 'job.yml'), 'w', encoding='utf-8') as stream:
            stream.write(self.manifest())
        # Reads it as what it says it is, without a cluster, and writes what it has understood.
        text = self.run_all(['kubectl', 'set', 'image', '-f', 'job.yml', '--local', 'recoup=other',
                             '-o', 'yaml'])
        understood = yaml.safe_load(text)
        meant = yaml.safe_load(self.manifest())
        meant['spec']['template']['spec']['containers'][0]['image'] = 'other'
        self.holds(meant, understood, 'job')

    def holds(self, meant, understood, place):
        """All that is meant was understood; defaults may stand beside it."""
        if isinstance(meant, dict):
            for key, value in meant.items():
                self.assertIn(key, understood, place)
                self.holds(value, understood[key], place + '.' + key)
        elif isinstance(meant, list):
            self.assertEqual(len(meant), len(understood), place)
            for i, value in enumerate(meant):
                self.holds(value, understood[i], '%s.%d' % (place, i))
        else:
            self.assertEqual(meant, understood, place)

    @unittest.skipIf(shutil.which('parallel') is None, 'GNU parallel is not installed')
    def test_gnu_parallel(self):
        command = re.search(r'^    (parallel -S .*)$', self.text, re.M)[1]
        local = command.replace('-S node1,node2,node3', '-S :')
        self.assertNotEqual(command, local)
        self.environment['HOME'] = self.folder  # where it asks to be cited but once
        self.run_all(['sh', '-c', local], stdin=subprocess.DEVNULL)
        self.merged_is_whole(['1.db', '2.db', '3.db'])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--source', required=True)
    arguments = parser.parse_args()
    Elsewhere.recoup = os.path.abspath(arguments.recoup)
    Elsewhere.source = arguments.source
    unittest.main(argv=[sys.argv[0]])


if __name__ == '__main__':
    main()
