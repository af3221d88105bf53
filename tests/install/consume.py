#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the project into a fresh prefix, moves it, and uses it from outside.

    consume.py --cmake CMAKE --build FOLDER --compiler CC --libdir DIR --abi X.Y [--flags=F]
               [--release] ROOT

With --release FOLDER is made first: the library alone, in the way of a release.
A program is built by pkg-config (shared and static) and the example by find_package; all are run.
The shared libraries export the functions of the public headers and nothing else, with a version,
and have the soname that docs/compatibility.md tells.
"""
import argparse
import os
import shlex
import re
import shutil
import subprocess
import sys

FUNCTION = re.compile(r'^(?!typedef)[a-z][\w \*]*?\*?(recoup_\w+)\(', re.MULTILINE)


class Failure(Exception):
    pass


def run(command, **options):
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=1', **options.pop('extra', {}))
    # pkg-config puts a backslash before each byte of a name that is not ASCII.
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8', errors='surrogateescape', stdin=subprocess.DEVNULL,
                          env=environment, **options)
    if done.returncode != 0:
        raise Failure('%s\nended with %d:\n%s' % (' '.join(command), done.returncode, done.stdout))
    return done.stdout


def expect(condition, message):
    if not condition:
        raise Failure(message)


class Consumer:
    def __init__(self, arguments):
        self.a = arguments
        if arguments.release:
            self.build_release()
        self.work = os.path.join(arguments.build, 'install-test')
        shutil.rmtree(self.work, ignore_errors=True)
        first = os.path.join(self.work, 'first')
        run([arguments.cmake, '--install', arguments.build, '--prefix', first])
        # Nothing in the tree may hold on to the place where it was installed first.
        self.prefix = os.path.join(self.work, 'moved')
        os.rename(first, self.prefix)
        self.libraries = os.path.join(self.prefix, arguments.libdir)
        self.flags = arguments.flags.split()
        self.with_host = os.path.exists(os.path.join(self.libraries, 'librecoup_host.a'))

    def build_release(self):
        run([self.a.cmake, '-S', self.a.root, '-B', self.a.build, '-DCMAKE_BUILD_TYPE=Release',
             '-DRECOUP_LIBRARY_ONLY=ON', '-DRECOUP_TESTS=OFF', '-DRECOUP_WERROR=ON',
             '-DCMAKE_INSTALL_LIBDIR=%s' % self.a.libdir,
             '-DCMAKE_C_COMPILER=%s' % self.a.compiler,
             *(['-DCMAKE_C_COMPILER_LAUNCHER=ccache'] if shutil.which('ccache') else [])])
        run([self.a.cmake, '--build', self.a.build, '-j', '2'])

    def check_archives(self):
        """Machine code only: another version of the compiler refuses this one's other code."""
        names = [name for name in os.listdir(self.libraries) if name.endswith('.a')]
        expect(len(names) >= 2, 'archives installed: %s' % names)
        for name in names:
            sections = run(['readelf', '-SW', os.path.join(self.libraries, name)])
            expect('.text' in sections, '%s holds no machine code' % name)
            expect('.gnu.lto_' not in sections, '%s holds intermediate code of gcc' % name)

    def pkg_config(self, *arguments):
        path = os.path.join(self.libraries, 'pkgconfig')
        return shlex.split(run(['pkg-config', *arguments], extra={'PKG_CONFIG_PATH': path}))

    def run_with_libraries(self, command):
        return run(command, extra={'LD_LIBRARY_PATH': self.libraries})

    def check_symbols(self, name, headers, node):
        library = os.path.join(self.libraries, name)
        header, declared = ', '.join(headers), set()
        for path in headers:
            with open(os.path.join(self.prefix, 'include', 'recoup', path), encoding='utf-8') as f:
                declared |= set(FUNCTION.findall(f.read()))
        exported = set()
        for line in run(['nm', '-D', '--defined-only', library]).splitlines():
            symbol, kind = line.split()[-1], line.split()[-2]
            plain, _, version = symbol.partition('@@')
            if kind != 'A' and not plain.startswith(('__asan', '__ubsan', '__odr_asan', '__gcov')):
                expect(version == node, '%s exports %s without version %s' % (name, symbol, node))
                exported.add(plain)
        expect(declared, '%s declares no function' % header)
        expect(exported == declared, '%s: exported but not declared in %s: %s; the reverse: %s'
               % (name, header, sorted(exported - declared), sorted(declared - exported)))
        soname = '%s.%s' % (name, self.a.abi)
        expect('[%s]' % soname in run(['readelf', '-d', library]), '%s lacks soname %s'
               % (name, soname))
        return len(exported)

    def by_pkg_config(self, package, static):
        program = os.path.join(self.work, '%s-%s' % (package, 'static' if static else 'shared'))
        source = os.path.join(self.a.root, 'tests', 'install', 'consumer.c')
        host = ['-DWITH_HOST'] if package == 'recoup-host' else []
        found = self.pkg_config('--cflags', '--libs', *(['--static'] if static else []), package)
        if static:  # the archives themselves, though shared libraries lie beside them
            found = ['-l:lib%s.a' % f[2:] if f.startswith('-lrecoup') else f for f in found]
        run([self.a.compiler, '-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', *host,
             *self.flags, source, '-o', program, *found])
        needed = run(['readelf', '-d', program])
        expect(('librecoup.so' in needed) != static, '%s is not linked as asked' % program)
        expect(self.run_with_libraries([program]) == 'RECOUP_EFENCED\n', program)

    def check_headers(self):
        """Every installed header can be included alone, the public ones by C++, too."""
        include = os.path.join(self.prefix, 'include')
        clang = shutil.which('clang')
        for name in ('recoup.h', 'recorder.h', *(['recoup_host.h'] if self.with_host else [])):
            if clang:
                run(['sh', '-c', 'echo "#include <recoup/%s>" | %s -std=c++17 -Wall -Werror -I%s '
                     '-fsyntax-only -xc++ -' % (name, clang, shlex.quote(include))])
        for folder, _, names in os.walk(include):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), include)
                run(['sh', '-c', 'echo "#include <%s>" | %s -std=c11 -pedantic-errors -Wall '
                     '-Werror -I%s -fsyntax-only -xc -'
                     % (path, self.a.compiler, shlex.quote(include))])

    def by_find_package(self):
        folder = os.path.join(self.work, 'example')
        run([self.a.cmake, '-S', os.path.join(self.a.root, 'examples'), '-B', folder,
             '-DCMAKE_PREFIX_PATH=%s' % self.prefix, '-DCMAKE_C_COMPILER=%s' % self.a.compiler,
             '-DCMAKE_C_FLAGS=%s' % ' '.join(self.flags)])
        run([self.a.cmake, '--build', folder])
        output = self.run_with_libraries([os.path.join(folder, 'master'),
                                          os.path.join(self.work, 'job'), '1'])
        expect('nothing to recover' in output and output.endswith('the job has ended\n'), output)


def main():
    parser = argparse.ArgumentParser(description='Use the installed tree from outside.')
    for name in ('cmake', 'build', 'compiler', 'libdir', 'abi'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--flags', default='')
    parser.add_argument('--release', action='store_true')
    parser.add_argument('root')
    try:
        consumer = Consumer(parser.parse_args())
        n = consumer.check_symbols('librecoup.so', ['recoup.h', 'recorder.h'],
                                    'RECOUP_' + consumer.a.abi)
        packages = ['recoup']
        if consumer.with_host:
            n += consumer.check_symbols('librecoup_host.so', ['recoup_host.h'],
                                        'RECOUP_HOST_' + consumer.a.abi)
            packages.append('recoup-host')
            consumer.by_find_package()
        for package in packages:
            consumer.by_pkg_config(package, static=False)
            consumer.by_pkg_config(package, static=True)
        consumer.check_archives()
        consumer.check_headers()
    except Failure as failure:
        print(failure)
        return 1
    print('%d functions exported; consumed by pkg-config: %s; by find_package: %s'
          % (n, ' '.join(packages), 'the example' if consumer.with_host else 'nothing'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
