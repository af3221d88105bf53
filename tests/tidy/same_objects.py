#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator and a real master run the same objects of librecoup.

    same_objects.py ARCHIVE PROGRAM...

Every function of the library that a program holds must be as long there as in the archive, to the
byte (a linker fills in addresses, so the bytes themselves differ), and it must hold some.
"""
import subprocess
import sys


def functions(path):
    """{name: bytes} of the functions with external names."""
    done = subprocess.run(['nm', '-S', '--defined-only', path], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[3]: int(words[1], 16) for words in lines if len(words) == 4 and words[2] == 'T'}


def main():
    archive, programs = sys.argv[1], sys.argv[2:]
    library = functions(archive)
    bad = 0
    for program in programs:
        held = functions(program)
        shared = [name for name in library if name in held]
        for name in shared:
            if held[name] != library[name]:
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
