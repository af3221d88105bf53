#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator and a real master run the same objects of librecoup.

    same_objects.py ARCHIVE PROGRAM... [--relinked PROGRAM...]

Every function of the library that a program holds must be as long there as in the archive, to the
byte (a linker fills in addresses, so the bytes themselves differ), and it must hold some. Programs
that were optimized when they were linked hold other bytes, under local names; of them only the
presence of recoup_step is checked.
"""
import subprocess
import sys


def functions(path, *bindings):
    """{name: bytes} of the functions with names of these bindings."""
    done = subprocess.run(['readelf', '-sW', path], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[7]: int(words[2], 0) for words in lines
            if len(words) == 8 and words[3] == 'FUNC' and words[4] in bindings
            and words[6] != 'UND'}


def main():
    archive, programs, relinked = sys.argv[1], sys.argv[2:], []
    if '--relinked' in programs:
        at = programs.index('--relinked')
        programs, relinked = programs[:at], programs[at + 1:]
    library = functions(archive, 'GLOBAL')
    bad = 0
    for program in programs + relinked:
        held = functions(program, 'GLOBAL', *(['LOCAL'] if program in relinked else []))
        shared = [name for name in library if name in held]
        for name in shared:
            if program in programs and held[name] != library[name]:
                print('%s: %s has %d bytes, in %s it has %d: it was compiled another time; link '
                      'the archive' % (program, name, held[name], archive, library[name]))
                bad += 1
        if 'recoup_step' not in shared:
            print('%s: does not hold recoup_step of %s; link the archive' % (program, archive))
            bad += 1
        print('%s: %d of the %d functions of the library' % (program, len(shared), len(library)))
    return 1 if bad or not programs else 0


if __name__ == '__main__':
    sys.exit(main())
