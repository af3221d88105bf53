# SPDX-License-Identifier: GPL-3.0-or-later
"""Result databases for the tests of the report: one real run, copied with other numbers.

A real run gives the schema of the program under test, whatever its version; its row is then
multiplied by SQL, so that a database of thousands of runs takes a moment.
"""
import sqlite3
import subprocess

AXES = {
    'min-pause': ('ns', ['0 s', '30 s', '3 min'], [0, 30 * 10**9, 180 * 10**9]),
    'flush-interval': ('ns', ['100 ms', '1 s', '10 s', '1 min'],
                       [10**8, 10**9, 10**10, 6 * 10**10]),
    'store': ('text', ['hdfs', 's3'], [None, None]),
}


def single_run(recoup, scenario, path, *arguments):
    subprocess.run([recoup, 'run', scenario, '--db', path, *arguments], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def columns_of(connection, table):
    return [row[1] for row in connection.execute('PRAGMA table_info(%s)' % table)]


def add_axes(connection, names):
    connection.execute('DELETE FROM axis_value')
    connection.execute('DELETE FROM axis')
    for n, name in enumerate(names):
        insert(connection, 'axis', {'id': n + 1, 'sweep_id': 1, 'n': n, 'name': name,
                                    'path': 'config.' + name, 'kind': AXES[name][0], 'unit': ''})


def insert(connection, table, row):
    connection.execute('INSERT INTO %s(%s) VALUES(%s)' % (
        table, ', '.join('"%s"' % key for key in row), ', '.join('?' * len(row))),
        list(row.values()))


def row_of(connection, table, where='1'):
    cursor = connection.execute('SELECT * FROM %s WHERE %s LIMIT 1' % (table, where))
    row = cursor.fetchone()
    if row is None:
        return None
    names = [d[0] for d in cursor.description]
    writable = set(columns_of(connection, table))
    return {name: value for name, value in zip(names, row) if name in writable}


def noise(point, seed):
    """A number below 1000 that looks random and is the same everywhere."""
    return (point * 7919 + seed * 104729 + point * seed * 31) % 1000


def grow(path, points, seeds, axes=(), about='A question?', name='grown'):
    """Makes of the database of one run a sweep of points with these seeds each.

    Rows have descending ids, since ids mean nothing: the order of points is column n.
    """
    connection = sqlite3.connect(path)
    connection.execute("UPDATE sweep SET kind = 'sweep', name = ?, about = ?", (name, about))
    point, run = row_of(connection, 'point'), row_of(connection, 'run')
    lost, failover = row_of(connection, 'lost_work'), row_of(connection, 'failover')
    connection.execute('PRAGMA foreign_keys = OFF')
    for table in ('summary', 'lost_work', 'failover', 'finding', 'execution', 'run', 'plan',
                  'point'):
        connection.execute('DELETE FROM ' + table)
    add_axes(connection, axes)
    for p in range(points):
        values, rest = [], p
        for a, axis in enumerate(axes):
            _, texts, numbers = AXES[axis]
            index, rest = rest % len(texts), rest // len(texts)
            values.append('%s=%s' % (axis, texts[index]))
            insert(connection, 'axis_value', {
                'point_id': points - p, 'axis_id': a + 1, 'text': texts[index],
                'value': numbers[index]})
        point.update(id=points - p, n=p, point_key='point %d' % p, command='',
                     label=', '.join(values) if values else 'point %d' % p)
        insert(connection, 'point', point)
        for seed in range(1, seeds + 1):
            key = p * seeds + seed
            run.update(id=key, run_key='run %08d' % key, point_id=points - p, seed=seed,
                       replication=seed - 1,
                       job_lost_work_ns=(p + 1) * 10**10 + noise(p, seed) * 10**7,
                       job_delay_ns=10**10 + noise(p, seed) * 10**7,
                       io_event_store_bytes=10**6 // (p + 1) + noise(p, seed))
            insert(connection, 'run', run)
            if lost:
                lost.update(run_id=key, ns=run['job_lost_work_ns'])
                insert(connection, 'lost_work', lost)
            if failover:
                failover.update(run_id=key, at_ns=noise(p, seed) * 10**8)
                insert(connection, 'failover', failover)
    connection.commit()
    connection.close()
