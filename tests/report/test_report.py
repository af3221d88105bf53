#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`recoup report` as a user calls it: pages, tables, figures, data, and what it refuses."""
import argparse
import csv
import html.parser
import io
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import databases

VOID = {'meta', 'input', 'br', 'link', 'img', 'hr'}
HOSTILE = '</script><b onx="1">&amp;\'"\x01\x7f\n]]> | `x` \u202e'


def content(path):
    with open(path, 'rb') as stream:
        return stream.read()


class Page(html.parser.HTMLParser):
    """Checks that elements nest, and collects what tests ask for."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.errors, self.ids, self.tags = [], [], [], []
        self.words, self.attributes = [], []
        self.feed(text)
        self.close()
        if self.stack:
            self.errors.append('not closed: %s' % self.stack)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        self.ids += [value for name, value in attributes if name == 'id']
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.errors.append('</%s> at %s' % (tag, self.getpos()))

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in ('script', 'style'):
            self.words.append(data)

    def text(self):
        return ' '.join(self.words)


class Report(unittest.TestCase):
    recoup = None
    source = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.scenario = os.path.join(cls.source, 'scenarios', 'ideal', 'trim.yaml')
        cls.one = databases.single_run(cls.recoup, cls.scenario,
                                       os.path.join(cls.folder, 'one.db'))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def call(self, *arguments):
        return subprocess.run([self.recoup, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=self.folder)

    def copy(self, name):
        path = os.path.join(self.folder, name)
        shutil.copyfile(self.one, path)
        return path

    def grown(self, file, points, seeds, axes=(), **rest):
        path = self.copy(file)
        databases.grow(path, points, seeds, axes, **rest)
        return path

    def page(self, path, *arguments):
        result = self.call('report', path, *arguments)
        self.assertEqual((result.returncode, result.stdout), (0, b''), result.stderr)
        target = re.sub(r'\.db$', '.html', path)
        with open(target, encoding='utf-8', newline='') as stream:
            text = stream.read()
        page = Page(text)
        self.assertEqual(page.errors, [])
        self.assertEqual(len(page.ids), len(set(page.ids)), 'ids are unique')
        for _, name, value in page.attributes:
            if name == 'href' or name == 'for':
                self.assertIn(value.lstrip('#'), page.ids)
            self.assertNotIn(name, ('src', 'srcset', 'data', 'action'))
            self.assertFalse(name.startswith('on'), name)
        self.assertNotRegex(text, r'<(link|img|iframe|object|embed)\b|@import|url\(')
        self.assertIn("default-src 'none'", text)
        return page, text

    def refuse(self, code, message, *arguments):
        result = self.call('report', *arguments)
        self.assertEqual((result.returncode, result.stdout), (code, b''), result.stderr)
        self.assertIn(message, result.stderr.decode())
        return result.stderr.decode()

    def test_signal_leaves_no_file(self):
        # Blocked when the program starts, it strikes as soon as the program watches for it.
        path = self.copy('hangup.db')
        for number in (signal.SIGHUP, signal.SIGTERM):
            def pending(number=number):
                signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_BLOCK, [number])
                os.kill(os.getpid(), number)
            target = os.path.join(self.folder, 'hangup.html')
            result = subprocess.run([self.recoup, 'report', path, '-o', target],
                                    preexec_fn=pending, check=False, capture_output=True)
            self.assertEqual((result.returncode, result.stdout), (143, b''), result.stderr)
            left = [name for name in os.listdir(self.folder) if name.startswith('hangup.html')]
            self.assertEqual(left, [])

    # --- the page -------------------------------------------------------------------------------

    def test_one_run(self):
        page, _ = self.page(self.copy('single.db'))
        self.assertIn('Single runs have no axes', page.text())
        self.assertIn('fewer than 10 runs', page.text())
        self.assertIn('--seed 1', page.text())

    def test_a_run_is_repeated_by_the_file_it_came_from(self):
        path = os.path.join(self.folder, 'repeat.db')
        self.call('run', self.scenario, '--set', 'cluster.workers=3', '--seed', '4', '--db', path)
        told = self.call('report', path, '--format', 'md', '-o', '-').stdout.decode()
        command = 'run %s --set cluster.workers=3 --seed 4' % shlex.quote(self.scenario)
        self.assertIn(command + '\n', told)
        self.assertIn(self.call(*shlex.split(command)).returncode, (0, 1))
        connection = sqlite3.connect(path)
        connection.execute("UPDATE point SET command = ''")  # as older versions wrote it
        connection.commit()
        connection.close()
        told = self.call('report', path, '--format', 'md', '-o', '-').stdout.decode()
        self.assertIn('run SCENARIO --set cluster.workers=3 --seed 4 # SCENARIO: the file of', told)

    def test_every_size_is_a_sound_page(self):
        for points, seeds, axes in ((1, 5, ()), (2, 3, ('min-pause',)), (3, 2, ('min-pause',)),
                                    (12, 4, ('min-pause', 'flush-interval')),
                                    (24, 3, ('min-pause', 'flush-interval', 'store')),
                                    (500, 2, ())):
            with self.subTest(points=points):
                path = self.grown('size%d.db' % points, points, seeds, axes)
                page, text = self.page(path)
                self.assertEqual(text.count('<tr') - 1, points)
                if points > 40:
                    self.assertIn('40 of %d points' % points, page.text())
                heat = 'Two settings together' in page.text()
                self.assertEqual(heat, len(axes) > 1)

    def test_same_database_same_bytes(self):
        path = self.grown('bytes.db', 12, 5, ('min-pause', 'flush-interval'))
        _, first = self.page(path)
        before = content(path)
        _, second = self.page(path)
        self.assertEqual(first, second)
        self.assertEqual(before, content(path), 'the database is only read')
        moved = os.path.join(self.folder, 'elsewhere')
        os.mkdir(moved)
        shutil.copyfile(path, os.path.join(moved, 'bytes.db'))
        _, third = self.page(os.path.join(moved, 'bytes.db'))
        self.assertEqual(first, third, 'wherever it is')

    def test_numbers_are_those_of_the_database(self):
        path = self.grown('numbers.db', 3, 7, ('min-pause',))
        connection = sqlite3.connect(path)
        means = connection.execute('SELECT avg(job_lost_work_ns), avg(io_event_store_bytes) FROM'
                                   ' run GROUP BY point_id').fetchall()
        connection.close()
        _, text = self.page(path)
        sorts = [float(v) for v in re.findall(r'data-sort="([-0-9.e+]+)"', text)]
        for lost, size in means:
            self.assertTrue(any(abs(v - lost) <= 1e-6 * lost for v in sorts))
            self.assertTrue(any(abs(v - size) <= 1e-6 * size for v in sorts))

    def test_queries_work_in_plain_sqlite(self):
        path = self.grown('query.db', 12, 3, ('min-pause', 'flush-interval'))
        _, text = self.page(path)
        queries = re.findall(r'Query behind it</summary><pre tabindex="0">([^<]*)</pre>', text)
        self.assertGreaterEqual(len(queries), 7)
        connection = sqlite3.connect(path)
        for query in queries:
            connection.execute(html.unescape(query)).fetchall()
        connection.close()

    def test_hostile_names(self):
        path = self.grown('hostile.db', 12, 3, ('min-pause', 'flush-interval'), about=HOSTILE,
                          name=HOSTILE)
        connection = sqlite3.connect(path)
        connection.execute('UPDATE point SET label = ? || id, profile = ?', (HOSTILE, HOSTILE))
        connection.execute('UPDATE axis SET name = ? || id, path = ?', (HOSTILE, HOSTILE))
        connection.execute('UPDATE axis_value SET text = ? || text', (HOSTILE,))
        connection.commit()
        connection.close()
        page, text = self.page(path)
        self.assertNotIn('b', page.tags)
        self.assertNotIn('onx="1"', text)
        self.assertFalse(set(text) & set('\x01\x7f'))
        self.assertIn(HOSTILE[:20], page.text())
        for figure in ('pareto', 'axis', 'heat', 'causes', 'outage', 'curve'):
            svg = self.call('report', path, '--format', 'svg', '--figure', figure)
            self.assertEqual(svg.returncode, 0, svg.stderr)
            xml.etree.ElementTree.fromstring(svg.stdout)
        for block in re.findall(r'<script type="application/json"[^>]*>([^<]*)</script>', text):
            json.loads(block)
        self.assertNotIn('<b', self.call('report', path, '--format', 'md').stdout.decode())

    def test_what_went_wrong_stands_beside_the_numbers(self):
        path = self.grown('trouble.db', 2, 12, ('min-pause',))
        connection = sqlite3.connect(path)
        connection.execute("UPDATE run SET state = 'TIMEOUT' WHERE id = 1")
        connection.execute("UPDATE run SET state = 'FAILED', findings_total = 1 WHERE id = 13")
        connection.execute("INSERT INTO finding VALUES(13, 0, 'R2', NULL, 5, 6, 'message')")
        for n, state in enumerate(('planned', 'crashed', 'crashed', 'timeout', 'differs')):
            databases.insert(connection, 'plan', {
                'run_key': state + str(n), 'point_id': 1, 'seed': n, 'replication': 100 + n,
                'state': state})
        connection.commit()
        connection.close()
        page, _ = self.page(path)
        for words in ('1 runs were cut at their time limit', '1 runs ended FAILED',
                      '1 runs broke an invariant', '2 planned runs left no result: crashed',
                      'not run yet', 'gave another result', '2 crashed',
                      '1 with bugs 1 with findings 1 failed'):
            self.assertIn(words, page.text())

    def test_little_io_of_jobs_that_never_end_is_no_bargain(self):
        path = self.grown('unfinished.db', 2, 12, ('min-pause',))
        connection = sqlite3.connect(path)
        connection.execute("UPDATE run SET state = 'TIMEOUT', io_event_store_bytes = 0,"
                           " job_lost_work_ns = job_lost_work_ns + 1000000000000"
                           " WHERE point_id = 2")
        connection.commit()
        connection.close()
        page, _ = self.page(path)
        self.assertIn('in 12 of its 12 runs the job does not finish', page.text())

    # --- other formats --------------------------------------------------------------------------

    def test_markdown(self):
        path = self.grown('md.db', 12, 5, ('min-pause', 'flush-interval'))
        result = self.call('report', path, '--format', 'md')
        text = result.stdout.decode()
        self.assertEqual(result.returncode, 0)
        self.assertTrue(text.startswith('### grown\n'))
        self.assertEqual(text.count('\n| '), 13)
        self.assertIn('**Least work is lost with', text)

    def test_figures(self):
        path = self.grown('svg.db', 12, 5, ('min-pause', 'flush-interval'))
        for figure in ('pareto', 'axis', 'heat', 'causes', 'outage', 'curve'):
            result = self.call('report', path, '--format', 'svg', '--figure', figure)
            self.assertEqual(result.returncode, 0, result.stderr)
            root = xml.etree.ElementTree.fromstring(result.stdout)
            self.assertTrue(root.tag.endswith('svg'))
            self.assertTrue(root.get('aria-label'))
            width = float(root.get('width'))
            for element in root.iter():
                for name in ('x', 'x1', 'x2', 'cx'):
                    if element.get(name):
                        self.assertTrue(-11 <= float(element.get(name)) <= width + 1, figure)
        for figure in ('requests', 'difference', 'curve'):
            result = self.call('report', path, '--format', 'svg', '--figure', figure)
            self.assertEqual(result.returncode, 0, result.stderr)
        result = self.call('report', path, '--format', 'svg', '--figure', 'axis', '--axis',
                           'flush-interval', '--metric', 'bytes')
        self.assertIn(b'bytes written', result.stdout)
        self.assertIn(b'flush-interval', result.stdout)
        self.refuse(2, "no axis 'flush-intervall'; did you mean 'flush-interval'", path,
                    '--format', 'svg', '--figure', 'axis', '--axis', 'flush-intervall')
        self.refuse(2, 'needs two axes', self.grown('flat.db', 3, 2, ('min-pause',)), '--format',
                    'svg', '--figure', 'heat')

    def test_differences_and_front(self):
        path = self.grown('pairs.db', 12, 8, ('min-pause', 'flush-interval'))
        data = json.loads(self.call('report', path, '--format', 'json').stdout)
        lost, size = {}, {}
        for run in data['runs']:
            lost.setdefault(run['point'], {})[run['seed']] = run['job_lost_work_ns']
            size.setdefault(run['point'], []).append(run['io_event_store_bytes'])
        means = {p: (statistics.mean(lost[p].values()), statistics.mean(size[p])) for p in lost}
        self.assertEqual(data['best'], min(means, key=means.get))
        t_7 = 2.3646242510  # Student's t, 7 degrees of freedom, 97.5 %
        for point in data['points']:
            p = point['number']
            dominated = any(a <= means[p][0] and b <= means[p][1] and (a, b) != means[p]
                            for a, b in means.values())
            self.assertEqual(point['front'], not dominated)
            if p == data['best']:
                continue
            pairs = [lost[p][seed] - lost[data['best']][seed] for seed in lost[p]]
            half = t_7 * statistics.stdev(pairs) / len(pairs) ** 0.5
            found = point['lost_work_less_best_ns']
            self.assertEqual(found['n'], 8)
            self.assertAlmostEqual(found['mean'], statistics.mean(pairs), delta=2)
            self.assertAlmostEqual(found['interval_95'][1], statistics.mean(pairs) + half,
                                   delta=2 + 1e-6 * half)

    def test_a_real_sweep(self):
        sweep = os.path.join(self.folder, 'sweep.yaml')
        with open(sweep, 'w') as stream:
            stream.write('version: 1\nname: small\nabout: A small one.\nscenario: x/../%s\n'
                         'axes:\n'
                         '  - {path: config.execution.batch.job-recovery.snapshot.min-pause,'
                         ' values: [0 s, 2500 ms]}\n'
                         '  - path: faults\n    name: crash\n    values:\n'
                         '      - {label: late, value: [{at: {uniform: {from: 60%%, to: 90%%}},'
                         ' kill: master}]}\nreplications: 12\n'
                         % 'job.yaml')
        os.mkdir(os.path.join(self.folder, 'x'))
        with open(os.path.join(self.folder, 'job.yaml'), 'w') as stream:
            stream.write('version: 1\nbase: %s\nname: job\nabout: A job.\nfaults:\n'
                         '  - {at: 50%%, kill: master}\n'
                         % os.path.join(self.source, 'scenarios', 'tpcds', 'q72-base.yaml'))
        path = os.path.join(self.folder, 'real.db')
        self.assertIn(self.call('sweep', 'sweep.yaml', '--db', path).returncode, (0, 1))
        page, text = self.page(path)
        self.assertIn('It was simulated again', page.text())
        self.assertIn('class="lost"', text)
        self.assertIn('--set', page.text())
        self.assertIn('min-pause=2.5 s', page.text())
        self.assertIn("min-pause=2500 ms'", page.text())
        self.assertNotIn('2.5s', page.text())
        self.assertIn('recoup run job.yaml --set', page.text())  # not x/../job.yaml
        # The report's own means and intervals are those of the table that the sweep filled.
        data = json.loads(self.call('report', path, '--format', 'json').stdout)
        connection = sqlite3.connect(path)
        for metric, key in (('lost-work', 'lost_work_ns'), ('io-event-store-bytes', 'bytes'),
                            ('outage', 'outage_ns')):
            rows = connection.execute(
                'SELECT summary.n, mean, low_95, high_95 FROM summary JOIN point ON point.id ='
                " point_id WHERE metric = ? AND given = 'all' ORDER BY point.n", (metric,))
            for point, row in zip(data['points'], rows.fetchall()):
                found = point[key]
                self.assertEqual(found['n'], row[0])
                self.assertAlmostEqual(found['mean'], row[1], delta=1)
                self.assertAlmostEqual(found['interval_95'][0], row[2], delta=1)
                self.assertAlmostEqual(found['interval_95'][1], row[3], delta=1)
        # A run that comes out differently is not drawn.
        connection.execute("UPDATE run SET fingerprint = '00000000000000000000000000000000'")
        connection.commit()
        connection.close()
        page, _ = self.page(path)
        self.assertIn('has another fingerprint than the one recorded', page.text())
        self.refuse(2, "no figure 'timeline'", path, '--format', 'svg', '--figure', 'timeline')

    def test_labels_of_maps_and_commands(self):
        path = self.grown('maps.db', 2, 2, ('store',))
        connection = sqlite3.connect(path)
        connection.execute("UPDATE axis_value SET text = '{uniform: {from: 1 s, to: ' || point_id"
                           " || ' s}}'")
        connection.execute("UPDATE point SET label = 'n=1, store=at-' || id || ', m=2',"
                           " command = 'run x.yaml --set a=' || id")
        connection.commit()
        connection.close()
        page, _ = self.page(path)
        self.assertIn('#1 store=at-2', page.text())
        connection = sqlite3.connect(path)
        connection.execute("UPDATE axis_value SET text = '1 b'")
        connection.execute("UPDATE point SET label = 'store=1b' WHERE id = 2")
        connection.execute("UPDATE point SET label = 'store=tiny' WHERE id = 1")
        connection.commit()
        connection.close()
        page, _ = self.page(path)
        self.assertIn('#1 store=1 b', page.text())
        self.assertIn('#2 store=tiny', page.text())
        self.assertIn(' recoup run x.yaml --set a=2 --seed 1', page.text())

    def test_csv(self):
        path = self.grown('csv.db', 4, 3, ('min-pause',))
        result = self.call('report', path, '--format', 'csv')
        rows = list(csv.DictReader(io.StringIO(result.stdout.decode(), newline='')))
        connection = sqlite3.connect(path)
        wanted = connection.execute('SELECT job_lost_work_ns, seed FROM run ORDER BY point_id'
                                    ' DESC, seed').fetchall()
        connection.close()
        self.assertEqual([(round(float(r['job_lost_work_s']) * 1e9), int(r['seed']))
                          for r in rows], wanted)
        self.assertEqual(rows[3]['min-pause'], '30 s')
        self.assertEqual(rows[0]['min-pause'], '0 s')

    def test_json(self):
        path = self.grown('json.db', 4, 3, ('min-pause',))
        result = self.call('report', path, '--format', 'json')
        data = json.loads(result.stdout)
        self.assertEqual((len(data['points']), len(data['runs'])), (4, 12))
        mean = sum(r['job_lost_work_ns'] for r in data['runs'] if r['point'] == 2) / 3
        self.assertEqual(data['points'][1]['lost_work_ns']['mean'], round(mean))

    # --- what is refused, what is left alone ----------------------------------------------------

    def test_bad_databases(self):
        self.refuse(7, 'cannot be read: No such file', 'nothing.db')
        self.refuse(7, 'is no file', self.folder)
        empty = os.path.join(self.folder, 'empty.db')
        open(empty, 'w').close()
        self.refuse(2, 'the database is empty', empty)
        words = os.path.join(self.folder, 'words.db')
        with open(words, 'w') as stream:
            stream.write('This is no database at all, but it is long enough to be read. ' * 20)
        self.refuse(7, 'no SQLite database', words)
        foreign = os.path.join(self.folder, 'foreign.db')
        connection = sqlite3.connect(foreign)
        connection.execute('CREATE TABLE t(x)')
        connection.commit()
        connection.close()
        self.refuse(2, 'belongs to another program', foreign)
        newer = self.copy('newer.db')
        connection = sqlite3.connect(newer)
        connection.execute('PRAGMA user_version = 99')
        connection.close()
        self.refuse(2, 'has version 99', newer)
        connection = sqlite3.connect(newer)
        connection.execute('PRAGMA user_version = 1')
        connection.close()
        self.refuse(2, 'brings it there', newer)
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'newer.html')))

    def test_which_sweep(self):
        path = self.grown('which.db', 2, 2, ('min-pause',), name='alpha')
        connection = sqlite3.connect(path)
        connection.execute("INSERT INTO sweep(sweep_key, kind, name, about, definition) VALUES"
                           "('feedbeef00', 'sweep', 'beta', '', '')")
        connection.commit()
        connection.close()
        message = self.refuse(2, 'several sweeps; choose one with --sweep NAME', path)
        self.assertIn('alpha (sweep, 2 points, key', message)
        self.refuse(2, "there is no sweep 'gamma'", path, '--sweep', 'gamma')
        self.refuse(2, "'beta' has no run yet", path, '--sweep', 'feedbeef')
        connection = sqlite3.connect(path)
        connection.execute("UPDATE sweep SET name = 'alpha'")
        connection.commit()
        connection.close()
        self.refuse(2, 'may mean 2 sweeps', path, '--sweep', 'alpha')
        connection = sqlite3.connect(path)
        connection.execute("UPDATE sweep SET name = 'beta' WHERE sweep_key = 'feedbeef00'")
        connection.commit()
        connection.close()
        self.page(path, '--sweep', 'alpha')

    def test_files_that_are_no_report_are_kept(self):
        path = self.copy('keep.db')
        self.refuse(2, 'is the database', path, '-o', path)
        other = os.path.join(self.folder, 'notes.html')
        with open(other, 'w') as stream:
            stream.write('<html>mine</html>')
        self.refuse(2, 'is no earlier report', path, '-o', other)
        self.assertEqual(content(other), b'<html>mine</html>')
        self.refuse(2, 'is a folder', path, '-o', self.folder)
        self.refuse(2, '--figure goes with --format svg', path, '--figure', 'heat')
        self.refuse(7, 'cannot be written', path, '-o', os.path.join(self.folder, 'no/x'))
        self.assertEqual(self.call('report', path).returncode, 0)
        self.assertEqual(self.call('report', path).returncode, 0, 'a report replaces a report')
        self.assertEqual([n for n in os.listdir(self.folder) if n.endswith('.tmp')], [])

    def test_a_full_disk_leaves_the_old_report(self):
        path = self.copy('full.db')
        self.assertEqual(self.call('report', path).returncode, 0)
        target = os.path.join(self.folder, 'full.html')
        before = content(target)
        result = subprocess.run(['sh', '-c', 'ulimit -f 8; exec "$0" report "$1"', self.recoup,
                                 path], stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 7, result.stderr)
        self.assertEqual(content(target), before)
        self.assertEqual([n for n in os.listdir(self.folder) if n.endswith('.tmp')], [])


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--source', required=True)
    known, rest = parser.parse_known_args()
    Report.recoup = os.path.abspath(known.recoup)
    Report.source = os.path.abspath(known.source)
    unittest.main(argv=[sys.argv[0]] + rest)
