#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of README.md, docs/ and scenarios/README.md, and compares what they print.

    commands.py --recoup BINARY [--example BINARY] ROOT [--update]

A block that starts with ```console is run: lines that begin with "$ " are commands for sh, the
lines up to the next command are what standard output must be. A line "..." stands for any number
of lines; a command without lines after it may print anything. A block ```console exit=2 expects
that exit code of its last command, and standard error counts as output, too. Commands run in a
folder of their own that sees scenarios/, scripts/ and docs/ of ROOT, and BINARY as
build/release/recoup. --example is seen as build/release/examples/NAME; without it docs/embedding.md
is left out. --update writes the real output into the blocks instead of comparing.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r'^```console(?: exit=(\d+))?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SEEN = ('scenarios', 'scripts', 'docs')
COMMAND_SECONDS_MAX = 900  # only ends what hangs, on the slowest machine


def documents(root):
    named = [os.path.join(root, 'README.md'), os.path.join(root, 'CONTRIBUTING.md'),
             os.path.join(root, 'scenarios', 'README.md')]
    return [path for path in named + sorted(glob.glob(os.path.join(root, 'docs', '*.md')))
            if os.path.exists(path)]


def steps(block):
    """[(command, expected lines)] of a block."""
    found = []
    for line in block.splitlines():
        if line.startswith('$ '):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def matches(lines, expected):
    """Whether lines are as expected, where "..." stands for any number of lines."""
    if not expected:
        return not lines
    if expected[0] == '...':
        return any(matches(lines[i:], expected[1:]) for i in range(len(lines) + 1))
    return bool(lines) and lines[0] == expected[0] and matches(lines[1:], expected[1:])


def run(command, folder, with_errors):
    environment = dict(os.environ, NO_COLOR='1', LC_ALL='C.UTF-8')
    return subprocess.run(['sh', '-c', command], cwd=folder, env=environment, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT if with_errors else subprocess.PIPE,
                          timeout=COMMAND_SECONDS_MAX)


class Checker:
    def __init__(self, folder, root, update):
        self.folder, self.root, self.update = folder, root, update
        self.commands, self.bad = 0, 0

    def complain(self, path, line, message):
        self.bad += 1
        print('%s:%d: %s' % (os.path.relpath(path, self.root), line, message))

    def check_block(self, path, line, block, code):
        """The block with its real output."""
        written = []
        found = steps(block)
        for i, (command, expected) in enumerate(found):
            wanted = code if i == len(found) - 1 else 0
            done = run(command, self.folder, wanted != 0)
            self.commands += 1
            lines = done.stdout.rstrip('\n').split('\n') if done.stdout else []
            written.append('$ ' + command)
            written += lines if expected and '...' not in expected else expected
            if done.returncode != wanted:
                self.complain(path, line, '"%s" ended with %d, not %d\n%s'
                              % (command, done.returncode, wanted, done.stderr or ''))
            elif expected and not matches(lines, expected) and not self.update:
                self.complain(path, line, '"%s" prints something else than the text shows; '
                              'tests/docs/commands.py --update writes it:\n%s'
                              % (command, done.stdout))
        return '\n'.join(written) + '\n'

    def check_document(self, path):
        with open(path, encoding='utf-8') as stream:
            text = stream.read()

        def replace(match):
            line = text.count('\n', 0, match.start()) + 1
            block = self.check_block(path, line, match.group(2), int(match.group(1) or 0))
            head = match.group(0).split('\n', 1)[0]
            return '%s\n%s```' % (head, block)
        renewed = BLOCK.sub(replace, text)
        if self.update and renewed != text:
            with open(path, 'w', encoding='utf-8') as stream:
                stream.write(renewed)


def main():
    parser = argparse.ArgumentParser(description='Run the commands of the documentation.')
    parser.add_argument('root')
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--example')
    parser.add_argument('--update', action='store_true')
    arguments = parser.parse_args()
    root = os.path.abspath(arguments.root)
    with tempfile.TemporaryDirectory() as folder:
        for name in SEEN:
            os.symlink(os.path.join(root, name), os.path.join(folder, name))
        os.makedirs(os.path.join(folder, 'build', 'release'))
        os.symlink(os.path.abspath(arguments.recoup),
                   os.path.join(folder, 'build', 'release', 'recoup'))
        if arguments.example:
            os.makedirs(os.path.join(folder, 'build', 'release', 'examples'))
            os.symlink(os.path.abspath(arguments.example),
                       os.path.join(folder, 'build', 'release', 'examples',
                                    os.path.basename(arguments.example)))
        checker = Checker(folder, root, arguments.update)
        for path in documents(root):
            if arguments.example or os.path.basename(path) != 'embedding.md':
                checker.check_document(path)
    print('%d commands, %d not as told' % (checker.commands, checker.bad))
    return 1 if checker.bad or not checker.commands else 0


if __name__ == '__main__':
    sys.exit(main())
