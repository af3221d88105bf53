# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to run one program that must not change what it computes."""
import os
import resource
import subprocess

from builds import Absent, need

MASK = 'glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F'
STACK_BYTES = 1 << 20
FAKED_DATE = '2038-01-20 00:00:00'


class Environ:
    """`before` stands in front of the program, `options` behind it."""

    def __init__(self, name, level, what, **rest):
        self.name, self.level, self.what = name, level, what
        self.before = rest.pop('before', [])
        self.options = rest.pop('options', [])
        self.variables = rest.pop('variables', None)
        self.only = rest.pop('only', False)  # no other variables than these
        self.folder = rest.pop('folder', None)
        self.prepare = rest.pop('prepare', None)
        self.separate = rest.pop('separate', 0)  # a process for each run, so many at once
        self.probed = rest.pop('probed', True)
        assert not rest, rest

    def environment(self):
        if self.variables is None:
            return None
        kept = {name: value for name, value in os.environ.items()
                if not self.only or name == 'PATH' or name.endswith('SAN_OPTIONS')}
        return dict(kept, **self.variables)

    def check(self):
        """Absent where the way does not work here."""
        if not self.before:
            return
        need(self.before[0])
        done = subprocess.run(self.before + ['true'], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise Absent('%s does not work here' % ' '.join(self.before[:2]))


def small_stack():
    resource.setrlimit(resource.RLIMIT_STACK,
                       (STACK_BYTES, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def last_processor():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def closed_umask():
    os.umask(0o777)


ENVIRONS = (
    Environ('traps', 'D2', 'no system call but for memory, no clock: else killed',
            options=['--trap'], probed=False),
    Environ('again', 'D3', 'a second process', probed=False),
    Environ('reverse', 'D3', 'all runs in reverse order', options=['--reverse'], probed=False),
    Environ('processes-1', 'D3', 'a process for each run, one at a time', separate=1,
            probed=False),
    Environ('processes-n', 'D3', 'a process for each run, four at once', separate=4,
            probed=False),
    Environ('environment', 'D3', 'other time zone, locale, home, a large environment', only=True,
            variables={'TZ': 'Pacific/Chatham', 'LANG': 'tr_TR.UTF-8', 'LC_ALL': 'C.UTF-8',
                       'HOME': '/nonexistent', 'USER': '', 'POSIXLY_CORRECT': '1',
                       'HUGE': 'x' * 100000}),
    Environ('locale', 'D3', 'another locale', variables={'LC_ALL': 'de_DE.UTF-8',
                                                         'LANG': 'de_DE.UTF-8'}),
    Environ('folder', 'D3', 'another working directory', folder='/'),
    Environ('umask', 'D3', 'umask 777', prepare=closed_umask),
    Environ('stack', 'D3', 'a stack of 1 MiB', prepare=small_stack),
    Environ('processor', 'D3', 'one processor, the last', prepare=last_processor),
    Environ('memory', 'D3', 'memory filled otherwise, another arena layout',
            variables={'MALLOC_PERTURB_': '165', 'MALLOC_ARENA_MAX': '1', 'MALLOC_TOP_PAD_': '1',
                       'MALLOC_MMAP_THRESHOLD_': '4096'}),
    Environ('layout', 'D3', 'a fixed address layout (setarch -R)', before=['setarch', '-R']),
    Environ('date', 'D3', 'the date faked: 2038-01-20', before=['faketime', FAKED_DATE]),
    Environ('masked', 'D4', "the CPU's FMA and AVX2 hidden from libm",
            variables={'GLIBC_TUNABLES': MASK}),
    Environ('valgrind', 'D4', 'under valgrind; a value used before it is set is an error',
            before=['valgrind', '-q', '--error-exitcode=99', '--leak-check=no']),
)
