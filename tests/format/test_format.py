#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library and a decoder written from docs/disk-format.md read the same: from stores that are
whole, and from stores with any byte changed (also one under a checksum that fits it again), any end
cut off, zeroes at any end, and any file gone or in the place of another.

    test_format.py STORES ANSWERS [EVERY]

STORES makes the stores, ANSWERS is the library's side. Every damage is tried on two small stores,
one in OTHERS on the rest; with EVERY only one in so many of these. Exit 77: libxxhash is not there.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

import decode
import reading

FRAMINGS = {True: 'hardened', False: 'flink'}
UNCHECKED = {'flink', 'flink-lives', 'flink-fenced', 'hardened-unchecked'}
FLIPS = (0x01, 0x80, 0xff)
THOROUGH = {'flink', 'hardened'}
OTHERS = 17
SMALL = 4096  # of a longer file only what is near the beginning of a record is damaged
NEAR = 64

# What must have come up, lest the comparisons compare nothing.
DAMAGES = {'torn', 'zeroed', 'checksum', 'length', 'type', 'body', 'header', 'version', 'empty'}
ANSWERS = {('log', 'RECOUP_OK'), ('nothing', 'RECOUP_OK'), ('ended', 'RECOUP_OK'),
           ('failed', 'RECOUP_EVERSION'), ('failed', 'RECOUP_EFOREIGN'),
           ('failed', 'RECOUP_ECORRUPT'), ('failed', 'RECOUP_EGAP')}

# What the library shows -------------------------------------------------------------------------

SPECIAL = {decode.SHUFFLE_MASTER: 'shuffle', decode.MARK: 'mark'}


def big(number):
    """As JSON: numbers beyond 2^63 - 1 are strings."""
    return '0x%016x' % number if number is not None and number >= 1 << 63 else number


def blob(content):
    return {'bytes': len(content), 'xxh3': '%016x' % decode.xxh3(content)}


def snapshots(found):
    return [dict(coordinator=SPECIAL.get(one, one), **blob(content)) for one, content in found]


def shown(fields):
    """The fields of a record as the dump shows them (docs/store-tools.md)."""
    result = {key: big(value) if type(value) is int else value for key, value in fields.items()}
    if fields.get('payload') is not None:
        result['payload'] = blob(fields['payload'])
    if 'snapshots' in fields:
        result['snapshots'] = snapshots(fields['snapshots'])
    if result.get('stage') == decode.BOUNDARY:
        result['stage'] = None
    for key, names in (('ranges', ('stage', 'first', 'count')),
                       ('files', ('epoch', 'index', 'bytes'))):
        if key in fields:
            result[key] = [dict(zip(names, map(big, one))) for one in fields[key]]
    return result


def dump(one):
    """The lines of a file."""
    head = {'kind': 'file', 'file': one.name, 'bytes': one.size,
            'framing': FRAMINGS[one.format.contiguous], 'checksums': one.format.checksum}
    if one.header:
        head.update(epoch=big(one.header.epoch), index=one.header.index,
                    job=one.header.digest.hex())
    lines = [head]
    for record in one.records:
        line = {'kind': 'record', 'file': one.name, 'offset': record.offset,
                'length': record.length, 'type': record.kind % (1 << 32),
                'name': decode.NAMES.get(record.kind, 'UNKNOWN'),
                'sequence': big(record.sequence),
                'checksum': 'ok' if one.format.checksum else 'none'}
        line.update({'damage': record.damage} if record.damage else shown(record.fields))
        lines.append(line)
    if one.damage:
        lines.append({'kind': 'damage', 'file': one.name, 'offset': one.end, 'damage': one.damage})
    if one.end < one.size:
        lines.append({'kind': 'unread', 'file': one.name, 'offset': one.end,
                      'bytes': one.size - one.end})
    return lines


def read(files, profile, fencing):
    one = reading.Reading(files, reading.PROFILES[profile], fencing)
    line = {'kind': 'read', 'profile': profile, 'result': one.result, 'error': one.error,
            'records': one.records, 'lost': one.lost, 'counted': one.counted}
    return without_details(line)


def without_details(line):
    """How far a reading came that failed is of no consequence."""
    if line['result'] == 'failed':
        return {key: line[key] for key in ('kind', 'profile', 'result', 'error')}
    return line


# The library ------------------------------------------------------------------------------------


class Library:
    """The library's answers, by way of the tool's code."""

    def __init__(self, program, file_format, directory):
        self.line = '%d %d %s\n' % (*file_format, directory)
        self.known = {}
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def parse(self, text):
        if text not in self.known:
            self.known[text] = json.loads(text)
            self.known[text].pop('message', None)
        return self.known[text]

    def ask(self):
        """(lines of the dump, the verification, the readings under both profiles)."""
        self.process.stdin.write(self.line)
        self.process.stdin.flush()
        lines = []
        while len(lines) < 2 or lines[-2].get('kind') != 'read':
            text = self.process.stdout.readline()
            if not text:
                sys.exit('format_answers has ended')
            lines.append(self.parse(text))
        return lines[:-3], lines[-3], [without_details(line) for line in lines[-2:]]

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit('format_answers has failed')


# A store, whole and damaged ---------------------------------------------------------------------


class Store:
    def __init__(self, directory, program):
        self.name, self.directory = os.path.basename(directory), directory
        self.format = decode.Format(self.name.startswith('hardened'), self.name not in UNCHECKED)
        self.library = Library(program, self.format, directory)
        self.whole = {}
        for name in decode.log_names(os.listdir(directory)):
            with open(os.path.join(directory, name), 'rb') as file:
                self.whole[name] = decode.File(name, file.read(), self.format)
        self.lines = {name: dump(one) for name, one in self.whole.items()}
        self.fencing = any(one.fenced for one in self.whole.values())

    def put(self, name, content):
        path = os.path.join(self.directory, name)
        if content is None:
            os.unlink(path)
            return
        with open(path, 'wb') as file:
            file.write(content)

    def compare(self, what, changes, seen):
        """Both sides read the store with these contents of files (None: gone)."""
        for name, content in changes.items():
            self.put(name, content)
        dumped, verified, readings = self.library.ask()
        for name in changes:
            self.put(name, self.whole[name].content)
        files = [decode.File(name, changes[name], self.format) if name in changes else one
                 for name, one in self.whole.items() if changes.get(name, b'') is not None]
        mine = [line for one in files
                for line in (dump(one) if one.name in changes else self.lines[one.name])]
        self.equal(what, 'the dump', dumped, mine)
        for line in readings:
            self.equal(what, 'the reading', [line], [read(files, line['profile'], self.fencing)])
        self.equal(what, 'the verdict', verified['new_master']['result'],
                   next(line['result'] for line in readings
                        if line['profile'] == verified['profile']))
        seen['damage'].update(line['damage'] for line in mine if 'damage' in line)
        seen['answer'].update((line['result'], line['error']) for line in readings)

    def equal(self, what, where, library, mine):
        if library != mine:
            both = [pair for pair in zip(library, mine) if pair[0] != pair[1]]
            first = both[0] if both else (library, mine)
            sys.exit('%s, %s: %s differs\nthe library: %s\nthe document: %s'
                     % (self.name, what, where, *first))

    def damages(self):
        """(what, {file: content}) of each damage."""
        names = list(self.whole)
        for i, name in enumerate(names):
            yield name + ' is gone', {name: None}
            yield name + ' is another', {name: self.whole[names[i - 1]].content}
            yield name + ' twice', {name: self.whole[name].content * 2}
            for what, content in self.damages_of(self.whole[name]):
                yield name + what, {name: content}

    def damages_of(self, one):
        content = one.content
        for at in self.positions(one):
            yield ' ends at %d' % at, content[:at]
            # Without checksums this field is zero, and the tools take anything else for one.
            if not (self.format == (True, False) and 56 <= at < 64):
                flipped = content[:at] + bytes([content[at] ^ FLIPS[at % 3]]) + content[at + 1:]
                yield ' changed at %d' % at, flipped
                if self.format.checksum:
                    yield ' changed and sealed at %d' % at, \
                        decode.seal(flipped, one.records, self.format)
        for record in one.records:
            yield ' zero from %d' % record.offset, \
                content[:record.offset] + bytes(one.size - record.offset)

    @staticmethod
    def positions(one):
        near = {record.offset + i for record in one.records for i in range(NEAR)}
        return [at for at in range(one.size) if one.size <= SMALL or at < NEAR or at in near]


def check_kinds(stores):
    """Every kind of record is among what the stores hold."""
    records = [record for store in stores for one in store.whole.values() for record in one.records]
    kinds = {record.kind for record in records}
    if kinds != set(decode.NAMES):
        sys.exit('the stores hold records of the types %s only' % sorted(kinds))
    fields = [record.fields for record in records]
    entries = [coordinator for one in fields for coordinator, _ in one.get('snapshots', [])]
    for what, found in (
            ('a payload', any(one.get('payload') for one in fields)),
            ('a checkpoint that replaces', any(one.get('replaces') is True for one in fields)),
            ('one that repeats', any(one.get('replaces') is False for one in fields)),
            ('a boundary', any(one.get('stage') == decode.BOUNDARY for one in fields)),
            ('a mark', decode.MARK in entries),
            ('an INCARNATION that names files', any(one.get('files') for one in fields)),
            ('a reset', any(one.get('ranges') for one in fields))):
        if not found:
            sys.exit('no store holds ' + what)


def main():
    if decode.XXHASH is None:
        print('libxxhash is not there')
        return 77
    makes, answers = sys.argv[1:3]
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    seen = collections.defaultdict(set)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([makes, folder], check=True)
        stores = [Store(os.path.join(folder, name), answers) for name in sorted(os.listdir(folder))]
        check_kinds(stores)
        tried = 0
        for store in stores:
            step = every if store.name in THOROUGH else every * OTHERS
            store.compare('whole', {}, seen)
            for i, (what, changes) in enumerate(store.damages()):
                if i % step == 0:
                    store.compare(what, changes, seen)
                    tried += 1
            store.library.close()
    if every == 1 and (seen['damage'] != DAMAGES or seen['answer'] != ANSWERS):
        sys.exit('not all came up: %s, %s' % (DAMAGES ^ seen['damage'], ANSWERS ^ seen['answer']))
    print('%d stores, %d damages: read alike' % (len(stores), tried))
    return 0


if __name__ == '__main__':
    sys.exit(main())
