# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bytes of a log a new master goes on from: "Reading" in docs/disk-format.md, with "Which
records follow which", "Two masters" and "The end of a job"."""
import collections

from decode import BEGIN, END, ENDED, INCARNATION, INITIALIZED, RESET, File

# prefix: replay.holes; wipe: replay.on-damage; gap_is_error: replay.on-gap; graph_check:
# replay.graph-check; complete: replay.empty.
Policies = collections.namedtuple('Policies', 'prefix wipe gap_is_error graph_check complete')
PROFILES = {'flink-1.20': Policies(False, True, False, False, False),
            'hardened': Policies(True, False, True, True, True)}

TAIL = ('torn', 'zeroed', 'empty')  # what a crash leaves at the end of the log
ERRORS = {'type': 'RECOUP_EVERSION', 'version': 'RECOUP_EVERSION', 'foreign': 'RECOUP_EFOREIGN'}


class Over(Exception):
    """The reading ends with this result, and with this error if it has failed."""

    def __init__(self, result, error='RECOUP_OK'):
        super().__init__(result)
        self.result, self.error = result, error


class Part:
    """A file as it is read: as much of it as may count."""

    def __init__(self, one, before, early_is_torn):
        self.file, self.name, self.fenced = one, one.name, one.fenced
        self.key = (one.epoch, one.index)
        self.first = before is None or before.key[0] != one.epoch
        self.gap = one.index != (0 if self.first else before.key[1] + 1)
        self.limit, self.valid = None, 0
        self.early_is_torn = early_is_torn

    def set_limit(self, limit):
        self.limit = limit
        if 0 < limit < self.file.size:
            self.file = File(self.name, self.file.content[:limit], self.file.format)

    def damage_of_file(self):
        """To a reader zeroes in three-writes are a record of an unknown type."""
        zeroed = self.file.damage == 'zeroed' and not self.file.format.contiguous
        return 'type' if zeroed else self.file.damage

    def damage_of(self, record):
        early = record.early and self.early_is_torn and record.kind in (RESET, INITIALIZED)
        return 'torn' if early else record.damage


class Reading:
    """`counted`: bytes per file; `records`: how many count; `lost`: something that was once there,
    or that can be read, does not."""

    def __init__(self, files, policies, fencing):
        self.policies, self.fencing = policies, fencing
        self.parts = []
        for one in self.run_of(files):
            self.parts.append(Part(one, self.parts[-1] if self.parts else None, policies.wipe))
        self.entries = len(files)
        self.digest = self.job_of(files)
        self.records, self.lost = 0, False
        self.broken = self.gap = self.in_checkpoint = self.late = False
        self.checkpoint = self.stream = self.expected = None
        try:
            if fencing:
                self.read_heads()
            self.read_files()
        except Over as over:
            self.result, self.error = over.result, over.error
        self.counted = {one.name: 0 for one in files}
        self.counted.update((part.name, part.valid) for part in self.parts)

    def run_of(self, files):
        """Without fencing, and where a gap is the end of the log: the run from events.0."""
        if self.fencing or self.policies.gap_is_error:
            return files
        run = []
        for one in files:
            if one.index == len(run):
                run.append(one)
        return run

    @staticmethod
    def job_of(files):
        """The log does not say which job it is of: the job that most headers name."""
        digests = collections.Counter(one.header.digest for one in files if one.header)
        return digests.most_common(1)[0][0] if digests else None

    # The newest INCARNATION record ---------------------------------------------------------------

    def read_heads(self):
        newest_first = sorted({part.key[0] for part in self.parts}, reverse=True)
        if len(newest_first) < 2:
            return
        for epoch in newest_first:
            for i, part in enumerate(self.parts):
                if part.key[0] == epoch and self.take_head(i):
                    return

    def take_head(self, i):
        """True if the file begins well: then it has the word on the files before it."""
        part = self.parts[i]
        records = part.file.records
        at = 1 if records and records[0].kind == BEGIN and not records[0].damage else 0
        if at < len(records) and not records[at].damage:
            if records[at].kind == INCARNATION:
                self.apply_extents(i, records[at])
            return True
        if at < len(records):
            kind = part.damage_of(records[at])
        else:
            kind = part.damage_of_file() or 'empty'
        if not (kind == 'empty' and part.first):
            if ERRORS.get(kind) == 'RECOUP_EVERSION':
                self.lost = True
                raise Over('failed', ERRORS[kind])
            alone = i + 1 == len(self.parts) or self.parts[i + 1].key[0] != part.key[0]
            self.lost = self.lost or not (alone and kind in TAIL)
        part.limit = 0
        return False

    def apply_extents(self, head, record):
        named = {one[:2]: one[2] for one in record.fields['files']}
        for part in self.parts[:head]:
            part.set_limit(named.get(part.key, 0))
        if any(size for key, size in named.items() if self.find(key) is None):
            self.gap = self.lost = True
            self.broken = True

    def find(self, key):
        return next((part for part in self.parts if part.key == key), None)

    # Files ---------------------------------------------------------------------------------------

    def read_files(self):
        for part in self.parts:
            if part.limit == 0:
                continue
            if not part.gap:
                self.late = self.late and not part.first
            elif part.fenced and part.first:
                self.late = True  # its first record says whether anything is missing
            else:
                self.missing()
            damage = self.read_file(part)
            if damage:
                self.damaged(part, damage)
        if self.gap and self.policies.gap_is_error:
            raise Over('failed', 'RECOUP_EGAP')
        found = self.records if self.policies.complete else self.entries
        raise Over('log' if found else 'nothing')

    def missing(self):
        self.gap = self.broken = self.lost = True
        self.late = self.in_checkpoint = False

    def damaged(self, part, kind):
        if kind == 'empty' and part.fenced and part.first and part.limit is None:
            return  # a claim
        self.lost = self.lost or kind not in TAIL or part.limit is not None
        if kind in ERRORS:
            raise Over('failed', ERRORS[kind])
        if self.policies.wipe and kind not in TAIL:
            raise Over('failed', 'RECOUP_ECORRUPT')
        if self.policies.prefix:
            self.broken, self.in_checkpoint = True, False

    def read_file(self, part):
        """What is wrong with it, or None."""
        for i, record in enumerate(part.file.records):
            kind = self.foreign(part) if i == 0 else None
            kind = kind or self.take(part, record, i == 0)
            if kind:
                return kind
        if part.file.damage == 'empty' and not part.file.format.contiguous:
            return None if part.limit is None else 'short'
        if part.file.damage:
            return part.damage_of_file()
        return 'short' if part.limit is not None and part.file.size < part.limit else None

    def foreign(self, part):
        header = part.file.header
        if header is None:
            return None
        other = (self.policies.graph_check and header.digest != self.digest) or \
            header.index != part.key[1] or (part.fenced and header.epoch != part.key[0])
        return 'foreign' if other else None

    def take(self, part, record, first):
        if self.late and record.kind != ENDED:
            if record.kind != INCARNATION:
                self.missing()
            self.late = False
        if record.damage:
            return part.damage_of(record)
        if record.kind == ENDED:
            if not self.fencing:
                return 'type'
            self.lost = False
            raise Over('ended')
        before = self.broken, self.in_checkpoint
        if not self.admit(part, record):
            self.lost = True
            return None
        epoch = part.file.header.epoch if part.file.header else part.key[0]
        if not self.follows(record, epoch, first):
            if self.policies.prefix:
                self.broken, self.in_checkpoint = before
                return 'sequence'
            self.lost = True
        self.stream = epoch
        self.expected = record.sequence + 1 if record.sequence is not None else None
        self.records += 1
        part.valid = record.end
        if record.kind == END:
            if self.in_checkpoint:
                self.broken = self.gap = self.lost = False
            self.in_checkpoint = False
        return None

    def follows(self, record, epoch, first):
        if record.sequence is None:
            return True
        expected = self.expected if self.stream == epoch and self.expected else 1
        if first and record.kind == BEGIN:
            return record.sequence >= expected
        return record.sequence == expected

    def admit(self, part, record):
        """False: the record does not count."""
        if record.kind == BEGIN:
            self.in_checkpoint, self.checkpoint = True, part
            return True
        if record.kind == INCARNATION:
            if part is not self.checkpoint:
                self.in_checkpoint = False
            exact = self.names_what_was_read(record)
            if self.fencing and self.records == 0 and not self.broken \
                    and not self.in_checkpoint and not exact:
                self.gap = self.broken = self.lost = True
            if self.broken and not self.in_checkpoint and exact \
                    and not (self.gap and self.policies.gap_is_error):
                self.broken = self.gap = False
        return self.in_checkpoint or not self.broken

    def names_what_was_read(self, record):
        for epoch, index, size in record.fields['files']:
            part = self.find((epoch, index))
            if size and (part is None or part.valid < size):
                return False
        return True
