#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive imports, and whether it keeps state outside its objects.

    symbols.py ARCHIVE ALLOWED_FILE

Fails on an undefined symbol that the file does not list (names or regular expressions, one a
line), on soft-float routines, and on symbols in .data or .bss: no globals, no static state.
"""
import re
import subprocess
import sys

SOFT_FLOAT = re.compile(
    r'__(?:add|sub|mul|div|neg|eq|ne|ge|gt|le|lt|cmp|unord|fix|fixuns|float|floatun|extend|trunc|'
    r'pow)[sdtxh]f\w*$|__(?:fix|fixuns|float|floatun)\w*[sdtx][fi]\w*$')
STATEFUL = re.compile(r'^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)')


def nm(archive, *options):
    run = subprocess.run(['nm', *options, archive], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    return run.stdout.splitlines()


def imports(archive):
    """Undefined symbols of the archive's objects that no other object of it defines."""
    undefined, defined = {}, set()
    member = archive
    for line in nm(archive, '-P'):
        if line.endswith(':'):
            member = line[:-1]
            continue
        name, kind = line.split()[:2]
        if kind in 'Uwv':
            undefined.setdefault(name, member)
        elif kind.isupper():
            defined.add(name)
    return {name: member for name, member in undefined.items() if name not in defined}


def stateful(archive):
    member, found = archive, []
    for line in nm(archive, '-f', 'sysv'):
        heading = re.match(r'^Symbols from (.*):$', line)
        if heading:
            member = heading.group(1)
        columns = [column.strip() for column in line.split('|')]
        if len(columns) == 7 and STATEFUL.match(columns[6]):
            found.append((columns[0], member, columns[6]))
    return found


def allowed_names(path):
    with open(path, encoding='utf-8') as stream:
        lines = [line.split('#', 1)[0].strip() for line in stream]
    return re.compile('(?:%s)$' % '|'.join(line for line in lines if line))


def main():
    archive, path = sys.argv[1], sys.argv[2]
    allowed = allowed_names(path)
    bad = 0
    for name, member in sorted(imports(archive).items()):
        if SOFT_FLOAT.match(name):
            print('%s: imports %s, a soft-float routine; use integers' % (member, name))
            bad += 1
        elif not allowed.match(name):
            print('%s: imports %s, which %s does not list; let the host or the caller do it'
                  % (member, name, path))
            bad += 1
    for name, member, section in stateful(archive):
        print('%s: %s lies in %s; no globals, no static state: put it into the object, or make it '
              'const' % (member, name, section))
        bad += 1
    print('%s: %d findings' % (archive, bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
