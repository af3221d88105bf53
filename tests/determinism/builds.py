# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds recoup_fingerprints in many ways, for this CPU and for others.

libyaml and xxHash come from the system where a build can use the system's; for another C library,
another CPU or MemorySanitizer they are compiled from Debian's source packages, fetched outside the
source tree.
"""
import glob
import os
import shutil
import subprocess
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM, LAWS = 'recoup_fingerprints', 'recoup_laws'
YAML_FILES = ('api', 'reader', 'scanner', 'parser', 'loader', 'writer', 'emitter', 'dumper')
YAML_VERSION = ('0', '2', '5')
XXHASH_VERSION = '0.8.1'
PC_FILE = '''prefix=%s
Name: %s
Description: %s
Version: %s
Cflags: -I${prefix}/include
Libs: -L${prefix}/lib -l%s
'''


class Absent(Exception):
    """A tool is not here, so nothing can be said."""


class Failed(Exception):
    """A build or a run ended badly."""


class Build:
    """One way to build. `tools` must be found; `runner` stands before the program."""

    def __init__(self, name, what, compiler, flags, **rest):
        self.name, self.what, self.compiler, self.flags = name, what, compiler, flags
        self.link = rest.pop('link', '')
        self.options = rest.pop('options', ())
        self.cpu = rest.pop('cpu', 'x86_64')
        self.own_libraries = rest.pop('own_libraries', False)
        self.runner = rest.pop('runner', [])
        self.tools = [compiler] + rest.pop('tools', []) + self.runner[:1]
        self.probe_flags = rest.pop('probe_flags', flags)
        assert not rest, rest


def cross(name, what, triplet, cpu, flags, runner):
    return Build(name, what, triplet + '-gcc', flags, cpu=cpu, own_libraries=True,
                 link='-static', runner=runner, tools=[triplet + '-ar'])


RELEASE = '-O2 -DNDEBUG'
BUILDS = (
    Build('gcc-O2', 'gcc -O2: the reference', 'gcc', RELEASE),
    Build('gcc-O0', 'gcc -O0, checks inside on', 'gcc', '-O0'),
    Build('gcc-O3', 'gcc -O3', 'gcc', '-O3 -DNDEBUG'),
    Build('gcc-O3-native', 'gcc -O3 -march=native', 'gcc', '-O3 -DNDEBUG -march=native'),
    Build('gcc-lto', 'gcc -O2 -flto', 'gcc', RELEASE, options=('-DRECOUP_LTO=ON',)),
    Build('gcc-static', 'gcc -O2 -static', 'gcc', RELEASE, link='-static', own_libraries=True),
    Build('clang-O0', 'clang -O0, checks inside on', 'clang', '-O0'),
    Build('clang-O2', 'clang -O2', 'clang', RELEASE),
    Build('clang-O3', 'clang -O3', 'clang', '-O3 -DNDEBUG'),
    Build('clang-lto', 'clang -O2 -flto', 'clang', RELEASE + ' -flto', link='-fuse-ld=gold',
          tools=['llvm-ar', 'ld.gold'],
          options=('-DCMAKE_AR=llvm-ar', '-DCMAKE_RANLIB=llvm-ranlib')),
    Build('gcc-sanitizers', 'gcc -O1, ASan and UBSan', 'gcc', '-O1 -g',
          options=('-DRECOUP_SANITIZE=ON',), probe_flags='-O1 -fsanitize=address'),
    Build('clang-sanitizers', 'clang -O1, ASan and UBSan', 'clang', '-O1 -g',
          options=('-DRECOUP_SANITIZE=ON',), probe_flags='-O1 -fsanitize=address'),
    Build('clang-msan', 'clang -O1, MemorySanitizer', 'clang',
          '-O1 -g -fsanitize=memory -fno-sanitize-recover=all', link='-fsanitize=memory',
          own_libraries=True),
    Build('gcc-pattern', 'gcc, automatic variables filled with a pattern', 'gcc',
          '-O1 -DNDEBUG -ftrivial-auto-var-init=pattern'),
    Build('gcc-zero', 'gcc, automatic variables filled with zeros', 'gcc',
          '-O1 -DNDEBUG -ftrivial-auto-var-init=zero'),
    Build('gcc-signed-char', 'gcc -fsigned-char', 'gcc', RELEASE + ' -fsigned-char'),
    Build('gcc-unsigned-char', 'gcc -funsigned-char', 'gcc', RELEASE + ' -funsigned-char'),
    Build('musl', 'gcc -O2, musl', 'musl-gcc', RELEASE, link='-static', own_libraries=True),
    cross('i386', 'i386, SSE2, 32 bits', 'i686-linux-gnu', 'i686',
          RELEASE + ' -msse2 -mfpmath=sse', []),
    cross('aarch64', 'aarch64, under qemu', 'aarch64-linux-gnu', 'aarch64', RELEASE,
          ['qemu-aarch64']),
    cross('s390x', 's390x, big-endian, under qemu', 's390x-linux-gnu', 's390x', RELEASE,
          ['qemu-s390x']),
)


def by_name(name):
    return next(build for build in BUILDS if build.name == name)


def run(command, **rest):
    """Runs a command quietly; an error is Failed with the end of what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False, **rest)
    text = done.stdout.decode('utf-8', 'replace')
    if done.returncode != 0:
        raise Failed('%s: exit %d\n%s' % (' '.join(command), done.returncode, text[-3000:]))
    return text


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Absent('no %s here' % tool)


class Workshop:
    """A folder for builds. `source` is the tree that is built."""

    def __init__(self, folder, source=ROOT, jobs=2, archives=None):
        self.folder, self.source, self.jobs = os.path.abspath(folder), source, jobs
        self.archives = archives  # a folder with the source packages, or None: fetch them

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def has_ccache(self, compiler):
        """Whether ccache is here and works: it may have no folder that it may write to."""
        if not shutil.which('ccache'):
            return False
        source = self.path('ccache.c')
        os.makedirs(self.folder, exist_ok=True)
        with open(source, 'w', encoding='utf-8') as stream:
            stream.write('typedef int nothing;\n')
        return subprocess.run(['ccache', compiler, '-c', source, '-o', source + '.o'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, check=False).returncode == 0

    def unpack(self, package, pattern):
        """The unpacked source of a Debian package."""
        folder = self.path('sources', package)
        if not os.path.isdir(folder):
            found = sorted(glob.glob(os.path.join(self.archives or self.fetch(), pattern)))
            if not found:
                raise Absent('no source package of %s' % package)
            os.makedirs(folder + '.new', exist_ok=True)
            with tarfile.open(found[0]) as archive:
                # Older versions of Python know no filter; what apt fetched is signed.
                safe = {'filter': 'data'} if hasattr(tarfile, 'data_filter') else {}
                archive.extractall(folder + '.new', **safe)
            os.rename(folder + '.new', folder)
        return os.path.join(folder, os.listdir(folder)[0])

    def fetch(self):
        """Fetches the source packages by apt, which checks their signatures; needs no root."""
        need('apt-get')
        folder = self.path('archives')
        lists = os.path.join(folder, 'lists')
        os.makedirs(os.path.join(lists, 'partial'), exist_ok=True)
        os.makedirs(os.path.join(folder, 'cache', 'archives', 'partial'), exist_ok=True)
        with open(os.path.join(folder, 'sources.list'), 'w', encoding='utf-8') as stream:
            stream.write('deb-src http://deb.debian.org/debian bookworm main\n')
        apt = ['apt-get', '-o', 'Dir::Etc::sourcelist=' + os.path.join(folder, 'sources.list'),
               '-o', 'Dir::Etc::sourceparts=/dev/null', '-o', 'Dir::State::lists=' + lists,
               '-o', 'Dir::Cache=' + os.path.join(folder, 'cache')]
        try:
            run(apt + ['update'], cwd=folder)
            run(apt + ['source', '--download-only', 'libyaml=0.2.5-1', 'xxhash=0.8.1-1'],
                cwd=folder)
        except Failed as error:
            raise Absent('the source packages cannot be fetched: %s' % error) from error
        return folder

    def libraries(self, build):
        """libyaml and xxHash made for a build; the folder that holds them."""
        name = 'libraries-' + build.name
        if os.path.isdir(self.path(name)):
            return self.path(name)
        yaml = self.unpack('libyaml', 'libyaml_*.orig.tar.*')
        xxhash = self.unpack('xxhash', 'xxhash_*.orig.tar.*')
        new = self.path(name + '.new')
        shutil.rmtree(new, ignore_errors=True)
        for part in ('include', 'lib/pkgconfig', 'objects'):
            os.makedirs(os.path.join(new, part))
        numbers = ['-DYAML_VERSION_%s=%s' % pair for pair in zip(
            ('MAJOR', 'MINOR', 'PATCH'), YAML_VERSION)]
        numbers.append('-DYAML_VERSION_STRING="%s"' % '.'.join(YAML_VERSION))
        jobs = [(os.path.join(yaml, 'src', file + '.c'), numbers) for file in YAML_FILES]
        jobs.append((os.path.join(xxhash, 'xxhash.c'), []))
        for path, options in jobs:
            target = os.path.join(new, 'objects', os.path.basename(path)[:-2] + '.o')
            run([build.compiler] + build.flags.split() + options
                + ['-I' + os.path.join(yaml, 'include'), '-c', path, '-o', target])
        self.archive(build, new)
        for header in (os.path.join(yaml, 'include', 'yaml.h'), os.path.join(xxhash, 'xxhash.h')):
            shutil.copy(header, os.path.join(new, 'include'))
        for file, library, version in (('yaml-0.1', 'yaml', '.'.join(YAML_VERSION)),
                                       ('libxxhash', 'xxhash', XXHASH_VERSION)):
            with open(os.path.join(new, 'lib', 'pkgconfig', file + '.pc'), 'w',
                      encoding='utf-8') as stream:
                stream.write(PC_FILE % (self.path(name), library, library, version, library))
        os.rename(new, self.path(name))
        return self.path(name)

    @staticmethod
    def archive(build, folder):
        cross_ar = build.compiler.replace('-gcc', '-ar')
        ar = cross_ar if build.cpu != 'x86_64' else 'ar'
        objects = sorted(glob.glob(os.path.join(folder, 'objects', '*.o')))
        for library, members in (
                ('yaml', [o for o in objects if not o.endswith('xxhash.o')]),
                ('xxhash', [o for o in objects if o.endswith('xxhash.o')])):
            run([ar, 'rcs', os.path.join(folder, 'lib', 'lib%s.a' % library)] + members)

    def configure(self, build, folder):
        command = ['cmake', '-S', self.source, '-B', folder, '-DCMAKE_BUILD_TYPE=Release',
                   '-DCMAKE_C_COMPILER=' + build.compiler,
                   '-DCMAKE_C_FLAGS_RELEASE=' + build.flags,
                   '-DCMAKE_EXE_LINKER_FLAGS=' + build.link,
                   '-DRECOUP_CORE_ONLY=ON', '-DRECOUP_HOST=OFF',
                   '-DRECOUP_LTO=OFF'] + list(build.options)
        if build.cpu != 'x86_64':
            command += ['-DCMAKE_SYSTEM_NAME=Linux', '-DCMAKE_SYSTEM_PROCESSOR=' + build.cpu]
        if shutil.which('ninja'):
            command += ['-G', 'Ninja']
        if self.has_ccache(build.compiler):
            command += ['-DCMAKE_C_COMPILER_LAUNCHER=ccache']
        environment = dict(os.environ)
        if build.own_libraries:
            environment['PKG_CONFIG_LIBDIR'] = os.path.join(self.libraries(build), 'lib',
                                                            'pkgconfig')
        try:
            run(command, env=environment)
        except Failed:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def build(self, build):
        """The program, built in a folder of its own beside recoup_laws; or Absent or Failed."""
        need('cmake', 'pkg-config', *build.tools)
        folder = self.path('build-' + build.name)
        os.makedirs(self.folder, exist_ok=True)
        if not os.path.exists(os.path.join(folder, 'CMakeCache.txt')):
            self.configure(build, folder)
        run(['cmake', '--build', folder, '-j', str(self.jobs), '--target', PROGRAM, LAWS])
        return os.path.join(folder, PROGRAM)

    def probe(self, build):
        """The program that shows what C does not promise, built the same way."""
        target = self.path('probe-' + build.name)
        source = os.path.join(self.source, 'tests', 'determinism', 'program', 'probe.c')
        run([build.compiler, '-std=c11', '-w'] + build.probe_flags.split() + build.link.split()
            + [source, '-o', target, '-lm'])
        return target
