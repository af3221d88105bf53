# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading C sources for the tidy test: which files there are, text without comments, functions.

The scanner is no parser. It blanks comments, strings and preprocessor lines (every other
character keeps its line and column) and counts braces, which is enough for code in the style of
this house: one function definition at a time, at depth 0, head ending in a parenthesis.
"""
import os
import re
import subprocess

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
NAME_BEFORE_PARENTHESIS = re.compile(r'([A-Za-z_]\w*)\s*\(')


class Function:
    """One function definition: name, first and last line (both from 1), and its text."""

    def __init__(self, name, first, last, body):
        self.name, self.first, self.last, self.body = name, first, last, body

    @property
    def lines(self):
        return self.last - self.first + 1


def tracked_files(root):
    """Paths below root, relative to it: what git tracks, or every file where there is no git.
    A clone of another user's, as in a container, is as good as any: nothing is run from it."""
    command = ['git', '-c', 'safe.directory=*', '-C', root, 'ls-files', '-z', '--cached']
    try:
        listed = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL).stdout
        found = [name for name in listed.decode().split('\0') if name]
    except (OSError, subprocess.CalledProcessError):
        found = []
    if not found:
        found = walk(root)
    return sorted(name for name in found if os.path.isfile(os.path.join(root, name)))


def walk(root):
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in ('.git', '__pycache__')
                            and not f.startswith('build'))
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return found


def read(root, name):
    with open(os.path.join(root, name), encoding='utf-8', errors='replace') as stream:
        return stream.read()


def blank(match):
    return re.sub(r'[^\n]', ' ', match.group(0))


def without_comments(text):
    """Comments, strings and characters become blanks of the same length; directives stay."""
    return TOKEN.sub(blank, text)


def code_only(text):
    """As without_comments, with preprocessor lines blanked too."""
    return DIRECTIVE.sub(blank, without_comments(text))


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def closing_brace(code, opening):
    depth = 0
    for match in re.compile(r'[{}]').finditer(code, opening):
        depth += 1 if match.group(0) == '{' else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def functions(text):
    """Every function definition of a C file, in order."""
    code = code_only(text)
    found, start, position = [], 0, 0
    boundary = re.compile(r'[{};]')
    while True:
        match = boundary.search(code, position)
        if match is None:
            return found
        position = match.end()
        if match.group(0) != '{':
            start = position
            continue
        end = closing_brace(code, match.start())
        head = code[start:match.start()]
        named = NAME_BEFORE_PARENTHESIS.search(head)
        if head.rstrip().endswith(')') and '=' not in head and named is not None:
            found.append(Function(named.group(1), line_of(code, start + named.start(1)),
                                  line_of(code, end), code[match.start():end + 1]))
            start = end + 1
        position = end + 1
