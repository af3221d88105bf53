#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that a machine can check, for every tracked file.

    tidy.py ROOT [--compile-commands FILE]

Every finding reads `file:line: what is wrong; what to do instead`. Exit 0 without findings, else
1. A summary (functions, median length, assertions per function and folder) goes to standard
output in both cases.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

import source

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MEDIAN = 20
FILE_LINES_MAX = 1200
COLUMNS_MAX = 100
ASSERTIONS_PER_FUNCTION = 1.5
ASSERTING_FOLDERS = ('recovery', 'sim', 'models')

# Which folders a folder may include from; tests and benchmarks may use all.
ARROWS = {
    'recovery': {'recovery'},
    'sim': {'sim'},
    'models': {'models', 'sim', 'recovery'},
    'scenarios': {'scenarios', 'models', 'sim', 'recovery'},
    'results': {'results', 'scenarios', 'models', 'sim', 'recovery'},
    'campaigns': {'campaigns', 'results', 'scenarios', 'models', 'sim', 'recovery'},
    'cli': {'cli', 'campaigns', 'results', 'scenarios', 'models', 'sim', 'recovery'},
}

ASSERTION = re.compile(
    r'\b(?:[A-Z][A-Z0-9]*_)*(?:ASSERT|ALWAYS|CHECK)(?:_[A-Z]+)?\s*\('
    r'|\b(?:_Static_assert|static_assert)\s*\(')
SIDE_EFFECT = re.compile(r'\+\+|--|(?<![=!<>+*/%&|^-])=(?!=)|[+*/%&|^-]=(?!=)')

# Calls that make a run depend on something else than its seed, and what to write instead.
BANNED = {
    r'qsort|qsort_r|bsearch': 'a stable sort of our own with a total key',
    r'rand|srand|random|srandom|rand_r|drand48|lrand48|mrand48|getrandom|arc4random':
        'sim_random draws addressed by (seed, stream, entity, n)',
    r'time|clock_gettime|gettimeofday|clock|localtime|gmtime|mktime|strftime':
        'the virtual time, or now_ns that the caller passes',
    r'getpid|getenv|secure_getenv|setlocale|strcoll|gethostname':
        'a value of the scenario, or an argument from cli/',
    r'pthread_\w+|thrd_\w+|signal|sigaction|fork': 'one thread per run; processes belong to cli/',
}
SLEEPS = r'sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep'
LIBM = r'powf?|expf?|logf?|log2|log10|log1p|expm1|tgamma|lgamma|sin|cos|tan|fma'
BANNED_FREE = ('recovery/host/', 'campaigns/', 'cli/', 'tests/', 'bench/')

# Split, so that this file does not find itself.
MACHINE_WORDS = [r'/ho' r'me/\w', r'/ro' r'ot/', r'/Use' r'rs/\w', r'/wo' r'rk/',
                 r'\bpoly' r'glot\b', r'\bissues sh' r'ow\b', r'\bCE' r'O\b', r'\bCla' r'ude\b',
                 r'\bAnthro' r'pic\b', r'\bLL' r'M\b', r'\bAI ass' r'istant']
UNFINISHED = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')

LICENSED = ('.c', '.h', '.py', '.sh', '.cmake', '.yaml', '.yml')


class Tidy:
    def __init__(self, root):
        self.root = root
        self.files = source.tracked_files(root)
        self.findings = []
        self.functions = {}

    def report(self, name, line, message):
        self.findings.append('%s:%d: %s' % (name, line, message))

    def text(self, name):
        return source.read(self.root, name)


def folder_of(name):
    return name.split('/', 1)[0]


def is_c(name):
    return name.endswith(('.c', '.h'))


def is_script(name, text):
    return text.startswith('#!') and not is_c(name)


def is_text(text):
    return '\0' not in text and '\ufffd' not in text


def check_sizes(tidy, name, text):
    lines = text.count('\n')
    if lines > FILE_LINES_MAX and not name.startswith('LICENSES/'):
        tidy.report(name, FILE_LINES_MAX + 1, 'the file has %d lines, the limit is %d; one subject '
                    'per file: split it' % (lines, FILE_LINES_MAX))
    for number, line in enumerate(text.split('\n'), 1):
        if len(line) > COLUMNS_MAX:
            tidy.report(name, number, 'the line has %d columns, the limit is %d; break it'
                        % (len(line), COLUMNS_MAX))
        if '\t' in line or line.rstrip() != line:
            tidy.report(name, number, 'a tab or a blank at the end of the line; use 4 spaces, and '
                        'none at the end')


def check_licence(tidy, name, text):
    licensed = name.endswith(LICENSED) or is_script(name, text) or name.endswith('CMakeLists.txt')
    if not licensed or name.startswith('tests/') and name.endswith(('.yaml', '.yml')):
        return
    # What adopters link or copy is under the permissive licence.
    free = folder_of(name) in ('recovery', 'examples')
    wanted = 'Apache-2.0' if free else 'GPL-3.0-or-later'
    mark = '//' if is_c(name) else '#'
    line = '%s SPDX-License-Identifier: %s' % (mark, wanted)
    place = 1 if text.startswith('#!') else 0
    lines = text.split('\n')
    if len(lines) <= place or lines[place] != line:
        tidy.report(name, place + 1, 'expected the line "%s"' % line)


def check_words(tidy, name, text):
    for number, line in enumerate(text.split('\n'), 1):
        for word in MACHINE_WORDS:
            if re.search(word, line):
                tidy.report(name, number, 'names one machine or workplace ("%s"); use a path '
                            'relative to the project, or leave it out'
                            % re.search(word, line).group(0))
        found = UNFINISHED.search(line)
        if found:
            tidy.report(name, number, 'unfinished ("%s"); finish it, or say in docs/ what is left '
                        'out' % found.group(0))


def check_script(tidy, name, text):
    if text.startswith('#!') and 'python' in text.split('\n', 1)[0]:
        try:
            compile(text, name, 'exec')
        except SyntaxError as error:
            tidy.report(name, error.lineno or 1, '%s; python3 must be able to read it' % error.msg)
    elif text.startswith('#!/bin/sh') or name.endswith('.sh'):
        parsed = subprocess.run(['sh', '-n', os.path.join(tidy.root, name)], text=True,
                                stderr=subprocess.PIPE)
        if parsed.returncode != 0:
            tidy.report(name, 1, parsed.stderr.strip())
    for number, line in enumerate(text.split('\n'), 1):
        if len(line) > COLUMNS_MAX:
            tidy.report(name, number, 'the line has %d columns, the limit is %d; break it'
                        % (len(line), COLUMNS_MAX))


def check_guard(tidy, name, text):
    code = source.without_comments(text)
    guard = re.search(r'^#ifndef (\w+)\n#define (\w+)$', code, re.MULTILINE)
    if guard is None or guard.group(1) != guard.group(2):
        tidy.report(name, 1, 'the header has no include guard; use #ifndef %s_H'
                    % re.sub(r'\W', '_', name[:-2]).upper())


def check_banned(tidy, name, text):
    code = source.code_only(text)
    rules = {}
    if not name.startswith(BANNED_FREE):
        rules.update(BANNED)
        if re.search(r'"[^"\n]*%p', text):
            tidy.report(name, 1, 'prints an address (%p); print an index or a name')
    if not name.startswith(('recovery/host/', 'cli/')):
        rules[SLEEPS] = 'virtual time; tests wait for events, never for time'
    if name.startswith(('sim/', 'models/', 'recovery/')):
        rules[LIBM] = 'the det_ functions of sim/ (libm differs between CPUs)'
    for names, instead in rules.items():
        for match in re.finditer(r'(?<![\w.>])(%s)\s*\(' % names, code):
            tidy.report(name, source.line_of(code, match.start()), 'calls %s(); use %s'
                        % (match.group(1), instead))


def check_arrows(tidy, name, text):
    allowed = ARROWS.get(folder_of(name))
    if allowed is None:
        return
    for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE):
        target = folder_of(match.group(1)) if '/' in match.group(1) else folder_of(name)
        if target not in allowed:
            tidy.report(name, source.line_of(text, match.start(1)), 'includes "%s"; %s/ may only '
                        'include from %s' % (match.group(1), folder_of(name),
                                             ', '.join(sorted(allowed))))


def check_poison(tidy, name, text):
    """sim/banned.h poisons names from where it is included, so it comes last."""
    if not name.startswith(('sim/', 'models/')) or not name.endswith('.c'):
        return
    included = list(re.finditer(r'^\s*#\s*include\s+[<"]([^">]+)', text, re.MULTILINE))
    if not included or included[-1].group(1) != 'sim/banned.h':
        line = source.line_of(text, included[-1].start(1)) if included else 1
        tidy.report(name, line, 'the last #include is not "sim/banned.h", which turns clocks, '
                    'chance and the environment into compile errors; add it')


def argument(code, opening):
    """The text between a parenthesis and its partner."""
    depth = 0
    for position in range(opening, len(code)):
        depth += {'(': 1, ')': -1}.get(code[position], 0)
        if depth == 0:
            return code[opening + 1:position]
    return code[opening + 1:]


def check_assertions(tidy, name, text):
    code = source.code_only(text)
    for match in ASSERTION.finditer(code):
        condition = argument(code, match.end() - 1)
        if SIDE_EFFECT.search(condition):
            tidy.report(name, source.line_of(code, match.start()), 'the assertion has a side '
                        'effect; do it in a statement of its own')


def check_functions(tidy, name, text):
    tidy.functions[name] = source.functions(text)
    for function in tidy.functions[name]:
        if function.lines > FUNCTION_LINES_MAX:
            tidy.report(name, function.first, '%s has %d lines, the limit is %d; split it by '
                        'subject' % (function.name, function.lines, FUNCTION_LINES_MAX))


def check_c(tidy, name, text):
    check_sizes(tidy, name, text)
    check_banned(tidy, name, text)
    check_arrows(tidy, name, text)
    check_poison(tidy, name, text)
    check_assertions(tidy, name, text)
    check_functions(tidy, name, text)
    if name.endswith('.h'):
        check_guard(tidy, name, text)


def check_files(tidy):
    for name in tidy.files:
        text = tidy.text(name)
        if not is_text(text) and not is_c(name):
            continue
        check_licence(tidy, name, text)
        if not name.startswith('LICENSES/'):
            check_words(tidy, name, text)
        if is_c(name):
            check_c(tidy, name, text)
        elif text.startswith('#!') or name.endswith(('.py', '.sh')):
            check_script(tidy, name, text)


def summarize_lengths(tidy):
    product = [f.lines for name, found in tidy.functions.items() for f in found
               if not name.startswith(('tests/', 'bench/'))]
    if not product:
        return
    median = statistics.median(product)
    print('%d functions outside tests, median %g lines, longest %d'
          % (len(product), median, max(product)))
    if median > FUNCTION_LINES_MEDIAN:
        tidy.report('tests/tidy/tidy.py', 1, 'the median function has %g lines, the limit is %d; '
                    'split the longest ones' % (median, FUNCTION_LINES_MEDIAN))


def barest(tidy, folder):
    """The longest function of a folder for what it asserts, with its file."""
    found = [(name, f) for name, fs in tidy.functions.items() if folder_of(name) == folder
             for f in fs]
    return max(found, key=lambda pair: pair[1].lines - 10 * len(ASSERTION.findall(pair[1].body)))


def summarize_assertions(tidy):
    for folder in ASSERTING_FOLDERS:
        found = [f for name, fs in tidy.functions.items() if folder_of(name) == folder for f in fs]
        asserted = sum(len(ASSERTION.findall(f.body)) for f in found)
        if not found:
            continue
        density = asserted / len(found)
        print('%s: %d functions, %d assertions, %.2f per function'
              % (folder, len(found), asserted, density))
        if density < ASSERTIONS_PER_FUNCTION:
            name, bare = barest(tidy, folder)
            tidy.report(name, bare.first, '%s/ has %.2f assertions per function, at least %.1f '
                        'are wanted; start with %s'
                        % (folder, density, ASSERTIONS_PER_FUNCTION, bare.name))


def check_compile_commands(tidy, path):
    with open(path, encoding='utf-8') as stream:
        commands = json.load(stream)
    for entry in commands:
        name = os.path.relpath(entry['file'], tidy.root)
        command = entry.get('command') or ' '.join(entry.get('arguments', []))
        for flag in ('-ffast-math', '-Ofast', '-march=native', '-funsafe-math-optimizations'):
            if flag in command.split():
                tidy.report(name, 1, 'is compiled with %s, which makes results depend on the '
                            'compiler or CPU; leave it out' % flag)
        if '-ffp-contract=off' not in command.split():
            tidy.report(name, 1, 'is compiled without -ffp-contract=off; link recoup_flags')
    if not commands:
        tidy.report('CMakeLists.txt', 1, 'the compile database is empty')


def main():
    parser = argparse.ArgumentParser(description='Check the rules of the house.')
    parser.add_argument('root')
    parser.add_argument('--compile-commands')
    arguments = parser.parse_args()
    tidy = Tidy(arguments.root)
    check_files(tidy)
    summarize_lengths(tidy)
    summarize_assertions(tidy)
    if arguments.compile_commands:
        check_compile_commands(tidy, arguments.compile_commands)
    for finding in tidy.findings:
        print(finding, file=sys.stderr)
    print('%d files, %d findings' % (len(tidy.files), len(tidy.findings)))
    return 1 if tidy.findings or not tidy.files else 0


if __name__ == '__main__':
    sys.exit(main())
