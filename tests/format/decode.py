# SPDX-License-Identifier: GPL-3.0-or-later
"""A second decoder of the event store's files, written from docs/disk-format.md. It shares no code
with the library, so where the two disagree, one of them or the document is wrong."""
import collections
import ctypes
import ctypes.util
import re
import struct

BODY_MAX = 67108864
PAYLOAD_MAX = 1048576
SNAPSHOTS_MAX = 65537
ITEMS_MAX = 1048576  # of a RESET or INCARNATION record
SHUFFLE_MASTER = 0xFFFFFFFF  # where a coordinator is named
MARK = 0xFFFFFFFE
BOUNDARY = 0xFFFFFFFF  # where a stage is named, in a checkpoint
MAGIC = b'RECOUP\r\n'

FINISHED, RESET, INITIALIZED, INCARNATION, SNAPSHOT, BEGIN, END, GAP, ENDED = range(1, 10)
NAMES = {FINISHED: 'FINISHED', RESET: 'RESET', INITIALIZED: 'INITIALIZED',
         INCARNATION: 'INCARNATION', SNAPSHOT: 'SNAPSHOT', BEGIN: 'CHECKPOINT_BEGIN',
         END: 'CHECKPOINT_END', GAP: 'GAP', ENDED: 'ENDED'}

PLAIN = re.compile(r'events\.(0|[1-9][0-9]*)')
FENCED = re.compile(r'events\.([0-9a-f]{16})\.([0-9]{6})')


class Damage(Exception):
    """What the document's table of damage calls it."""

    def __init__(self, kind):
        super().__init__(kind)
        self.kind = kind


def library():
    """libxxhash; None if it is not there."""
    name = ctypes.util.find_library('xxhash')
    if name is None:
        return None
    xxhash = ctypes.CDLL(name)
    xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
    xxhash.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    return xxhash


XXHASH = library()


def seal(content, records, file_format):
    """The file with a checksum for its header and for each of its records as they are now."""
    content = bytearray(content)
    seed = 0
    if file_format.contiguous:
        seed = xxh3(bytes(content[:56]))
        content[56:64] = seed.to_bytes(8, 'little')
    for one in records:
        if file_format.contiguous:
            check = xxh3(bytes(content[one.offset + 8:one.end]), seed)
            content[one.offset:one.offset + 8] = check.to_bytes(8, 'little')
        else:
            check = xxh3(bytes(content[one.offset:one.end - 8]))
            content[one.end - 8:one.end] = check.to_bytes(8, 'little')
    return bytes(content)


def xxh3(content, seed=0):
    return XXHASH.XXH3_64bits_withSeed(content, len(content), seed)


# Bodies ------------------------------------------------------------------------------------------


class Early(Damage):
    """A body that ends before its fields do."""

    def __init__(self):
        super().__init__('body')


class Body:
    """Reads the little-endian fields of a body."""

    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, n):
        if n > len(self.content) - self.at:
            raise Early()
        self.at += n
        return self.content[self.at - n:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), 'little', signed=signed)

    def u8(self):
        return self.number(1)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def require(self, condition):
        if not condition:
            raise Damage('body')

    def many(self, most, size, each):
        """A count, then as many items of at least `size` bytes."""
        n = self.u32()
        self.require(n <= most)
        if n * size > len(self.content) - self.at:
            raise Early()
        return [each() for _ in range(n)]


def ascending(keys):
    return all(a < b for a, b in zip(keys, keys[1:]))


def read_snapshots(body):
    found = body.many(SNAPSHOTS_MAX, 8, lambda: (body.u32(), body.take(body.u32())))
    body.require(found)
    body.require(ascending([coordinator for coordinator, _ in found]))
    return found


def read_finished(body):
    record = {'stage': body.u32(), 'subtask': body.u32(), 'attempt': body.u64(),
              'worker': body.u32(), 'partition_bytes': body.u64()}
    flags = body.u8()
    body.require(flags & ~7 == 0)
    record['partition'] = bool(flags & 1)
    record['payload'] = None
    if flags & 2:
        size = body.u32()
        body.require(1 <= size <= PAYLOAD_MAX)
        record['payload'] = body.take(size)
    record['snapshots'] = read_snapshots(body) if flags & 4 else []
    return record


def read_reset(body):
    def one():
        stage, first, count = body.u32(), body.u32(), body.u32()
        body.require(count > 0)
        return stage, first, count
    return {'ranges': body.many(ITEMS_MAX, 12, one)}


def read_initialized(body):
    record = {'stage': body.u32(), 'parallelism': body.u32()}
    body.require(record['parallelism'] > 0)
    return record


def read_incarnation(body):
    record = {'epoch': body.u64(), 'point_epoch': body.u64(), 'point_sequence': body.u64()}
    record['files'] = body.many(ITEMS_MAX, 20,
                                lambda: (body.u64(), body.u32(), body.u64()))
    body.require(ascending([one[:2] for one in record['files']]))
    return record


def read_snapshot(body):
    return {'stage': body.u32(), 'subtask': body.u32(), 'attempt': body.u64(),
            'snapshots': read_snapshots(body)}


def read_begin(body):
    replaces = body.u8()
    body.require(replaces <= 1)
    return {'replaces': bool(replaces)}


def read_gap(body):
    return {'from_ns': body.number(8, True), 'to_ns': body.number(8, True),
            'error': body.number(4, True)}


READERS = {FINISHED: read_finished, RESET: read_reset, INITIALIZED: read_initialized,
           INCARNATION: read_incarnation, SNAPSHOT: read_snapshot, BEGIN: read_begin,
           END: lambda body: {}, GAP: read_gap, ENDED: lambda body: {}}


def read_body(kind, content):
    """The fields of a body; Damage if there is no such type or body."""
    if kind not in READERS:
        raise Damage('type')
    body = Body(content)
    fields = READERS[kind](body)
    body.require(body.at == len(content))
    return fields


# Files -------------------------------------------------------------------------------------------

Format = collections.namedtuple('Format', 'contiguous checksum')
Header = collections.namedtuple('Header', 'digest epoch index checksum')


class Record:
    def __init__(self, offset, length, kind, sequence, content):
        self.offset, self.length, self.kind, self.sequence = offset, length, kind, sequence
        self.fields, self.damage, self.early = None, None, False
        try:
            self.fields = read_body(kind, content)
        except Damage as damage:
            self.damage = damage.kind
            self.early = isinstance(damage, Early)

    @property
    def end(self):
        return self.offset + self.length


def read_header(content, checksum):
    if len(content) < 64:
        raise Damage('torn' if any(content) else 'zeroed')
    version, size = struct.unpack_from('<II', content, 8)
    epoch, index, zero, stored = struct.unpack_from('<QI12sQ', content, 32)
    if content[:8] != MAGIC:
        raise Damage('header')
    if version != 1:
        raise Damage('version')
    if (checksum and stored != xxh3(content[:56])) or size != 64 or any(zero):
        raise Damage('header')
    return Header(content[16:32], epoch, index, stored)


def frame_contiguous(content, at, checksum, seed):
    """(length, type, sequence, body) of the record at `at`."""
    head = content[at:at + 24]
    if not any(head):
        raise Damage('zeroed')
    if len(head) < 24:
        raise Damage('torn')
    stored, size, kind, sequence = struct.unpack('<QIIQ', head)
    if size > BODY_MAX:
        raise Damage('length')
    if len(content) - at - 24 < size:
        raise Damage('torn')
    if checksum and stored != xxh3(content[at + 8:at + 24 + size], seed):
        raise Damage('checksum')
    return 24 + size, kind, sequence, content[at + 24:at + 24 + size]


def frame_three_writes(content, at, checksum):
    head = content[at:at + 8]
    if len(head) < 8:
        raise Damage('torn')
    kind, size = struct.unpack('>ii', head)
    extra = 8 if checksum else 0
    if size < 0:
        raise Damage('length')
    if size - extra > BODY_MAX or size > len(content) - at - 8:
        raise Damage('torn')
    end = at + 8 + size
    if checksum and (size < 8 or
                     xxh3(content[at:end - 8]) != int.from_bytes(content[end - 8:end], 'little')):
        raise Damage('checksum')
    if kind == 0 and size == extra:
        raise Damage('zeroed')
    return 8 + size, kind, None, content[at + 8:end - extra]


class File:
    """A file of the log by itself: its records, up to the first that cannot be read."""

    def __init__(self, name, content, file_format):
        self.name, self.size, self.content, self.format = name, len(content), content, file_format
        match = FENCED.fullmatch(name)
        self.fenced = match is not None
        self.epoch = int(match.group(1), 16) if match else 0
        self.index = int(match.group(2) if match else PLAIN.fullmatch(name).group(1))
        self.header, self.records, self.damage, self.end = None, [], None, 0
        try:
            self.read()
        except Damage as damage:
            self.damage = damage.kind

    def read(self):
        contiguous, checksum = self.format
        if not self.content:
            raise Damage('empty')
        if contiguous:
            self.header = read_header(self.content, checksum)
            self.end = 64
        while self.end < self.size:
            if contiguous:
                frame = frame_contiguous(self.content, self.end, checksum, self.header.checksum)
            else:
                frame = frame_three_writes(self.content, self.end, checksum)
            length, kind, sequence, body = frame
            self.records.append(Record(self.end, length, kind, sequence, body))
            self.end += length
            if self.records[-1].damage and not checksum:
                return  # nothing says that the next record really begins there


def sort_key(name):
    match = FENCED.fullmatch(name)
    if match:
        return 1, int(match.group(1), 16), int(match.group(2))
    return 0, 0, int(PLAIN.fullmatch(name).group(1))


def log_names(names):
    return sorted((n for n in names if PLAIN.fullmatch(n) or FENCED.fullmatch(n)), key=sort_key)
