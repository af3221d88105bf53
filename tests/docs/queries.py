#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ten queries of docs/results.md work: on a small sweep each runs and gives rows.

    queries.py RECOUP ROOT

They run in Python's SQLite, and in the sqlite3 shell where there is one. A query about what went
wrong may have no rows where nothing did; for that one run is marked as such in a copy.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

QUERIES = 10


def queries(root):
    with open(os.path.join(root, 'docs', 'results.md'), encoding='utf-8') as stream:
        blocks = re.findall(r'^```sql\n(.*?)^```$', stream.read(), re.MULTILINE | re.DOTALL)
    return [query.strip() for block in blocks for query in re.split(r';\n', block)
            if query.strip()]


def main():
    recoup, root = sys.argv[1:]
    bad = []
    found = queries(root)
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, 'results.db')
        made = subprocess.run([recoup, 'sweep', os.path.join(root, 'tests', 'cli', 'scenarios',
                                                             'recommend.yaml'),
                               '--db', database], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        if made.returncode not in (0, 1):
            sys.exit(made.stderr)
        connection = sqlite3.connect(database)
        connection.execute("UPDATE run SET state = 'TIMEOUT' WHERE replication = 0")
        connection.commit()
        for i, query in enumerate(found, 1):
            try:
                rows = connection.execute(query).fetchall()
            except sqlite3.Error as error:
                bad.append('%s\n%s' % (error, query))
                continue
            print('%2d rows %4d  %s' % (i, len(rows), query.split('\n')[0]))
            if not rows or not query.startswith('-- %d. ' % i):
                bad.append('no rows, or not number %d:\n%s' % (i, query))
        connection.close()
        if shutil.which('sqlite3'):
            for query in found:
                done = subprocess.run(['sqlite3', '-bail', database], input=query + ';\n',
                                      text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, check=False)
                if done.returncode != 0 or not done.stdout:
                    bad.append('sqlite3: %s\n%s' % (done.stdout, query))
    if len(found) != QUERIES:
        bad.append('%d queries, expected %d' % (len(found), QUERIES))
    for message in bad:
        print(message, file=sys.stderr)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
