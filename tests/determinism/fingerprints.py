# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs scenarios in many ways and says where two results that must be equal differ."""
import concurrent.futures
import glob
import json
import os
import subprocess

RUN_SECONDS_MAX = 120
SHOWN_MAX = 20
LAYERS = {'F1': 'schedule', 'F2': 'draws', 'F3': 'I/O', 'F4': 'state', 'F5': 'store',
          'F6': 'result'}


class NoResult(Exception):
    """A run ended without printing a result."""


class Way:
    """One way to run a scenario. `whole`: all of the output must be equal, not just the layers."""

    def __init__(self, name, recoup, scenarios, **rest):
        self.name = name
        self.recoup = recoup
        self.scenarios = scenarios
        self.before = rest.pop('before', [])
        self.options = rest.pop('options', lambda serial: [])
        self.environment = rest.pop('environment', None)
        self.folder = rest.pop('folder', None)
        self.prepare = rest.pop('prepare', None)
        self.whole = rest.pop('whole', True)
        assert not rest, rest


def scenario_names(folder):
    """Scenarios below a folder, as relative paths.

    Files that only serve as `base` of others are left out, and so are sweeps.
    """
    names = []
    for path in sorted(glob.glob(os.path.join(folder, '**', '*.yaml'), recursive=True)):
        with open(path, encoding='utf-8') as stream:
            keys = {line.split(':')[0] for line in stream}
        if 'about' in keys and 'axes' not in keys:
            names.append(os.path.relpath(path, folder))
    return names


def result_of(way, name, seed, serial):
    """The output of one run, as text and as an object; a run without a result is an error."""
    command = way.before + [way.recoup, 'run', os.path.join(way.scenarios, name), '--seed',
                            str(seed), '--format', 'json'] + way.options(serial)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=RUN_SECONDS_MAX, cwd=way.folder,
                          env=way.environment, preexec_fn=way.prepare, check=False)
    try:
        result = json.loads(done.stdout)
        if set(result['fingerprint_layers']) != set(LAYERS):
            raise ValueError('layers are missing')
    except (ValueError, KeyError) as error:
        raise NoResult('%s of %s, seed %d: exit %d, no result (%s): %s' % (
            way.name, name, seed, done.returncode, error,
            done.stderr.decode('utf-8', 'replace').strip()[:500])) from error
    return done.stdout, result


def difference(way, first, other):
    """In what two results differ, or None."""
    layers = ['%s (%s)' % (layer, LAYERS[layer]) for layer in LAYERS
              if first[1]['fingerprint_layers'][layer] != other[1]['fingerprint_layers'][layer]]
    if layers:
        return 'layers ' + ', '.join(layers)
    if first[1]['fingerprint'] != other[1]['fingerprint']:
        return 'the fingerprint, although its layers are equal'
    if way.whole and first[0] != other[0]:
        keys = [key for key in first[1] if first[1][key] != other[1].get(key)]
        return 'the output, in ' + (', '.join(keys) or 'the order or form of its keys')
    return None


def compare(reference, ways, names, seeds, jobs):
    """Runs everything; returns (runs, complaints)."""
    def one(job):
        serial, name, seed = job
        complaints = []
        first = result_of(reference, name, seed, serial)
        for number, way in enumerate(ways):
            found = difference(way, first, result_of(way, name, seed, serial * len(ways) + number))
            if found:
                complaints.append('%s, seed %d, %s: differs in %s' % (name, seed, way.name, found))
        return complaints

    tasks = [(serial, name, seed) for serial, (name, seed) in enumerate(
        (name, seed) for name in names for seed in seeds)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        complaints = [line for found in pool.map(one, tasks) for line in found]
    return len(tasks) * (len(ways) + 1), complaints


def report(runs, complaints):
    """Prints what was found; the exit code: 0, or 5 (contract: not deterministic)."""
    for line in complaints[:SHOWN_MAX]:
        print(line)
    if len(complaints) > SHOWN_MAX:
        print('and %d more' % (len(complaints) - SHOWN_MAX))
    print('%d runs, %d differ' % (runs, len(complaints)))
    return 5 if complaints else 0
