#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tidy test finds what it is meant to find: one planted sin per rule, and a clean file."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = '// SPDX-License-Identifier: GPL-3.0-or-later\n'
POISON = '#include "sim/banned.h"\n'


def tidy(files):
    """Runs tidy.py on a folder of these files; returns (exit code, findings)."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), 'w', encoding='utf-8') as stream:
                stream.write(text)
        run = subprocess.run([sys.executable, os.path.join(HERE, 'tidy.py'), root],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return run.returncode, run.stderr


class Tidy(unittest.TestCase):
    def finds(self, name, text, *parts):
        code, findings = tidy({name: text})
        self.assertEqual(code, 1, findings)
        for part in parts:
            self.assertIn(part, findings)

    def test_clean_file_passes(self):
        text = LICENCE + POISON + 'int f(int x)\n{\n    SIM_ASSERT(x > 0 && x != 9);\n' \
            '    SIM_ASSERT(x <= 5);\n    return x;  // qsort(a) in a comment is fine\n}\n'
        self.assertEqual(tidy({'sim/a.c': text}), (0, ''))

    def test_long_function(self):
        body = '    (void)0;\n' * 70
        self.finds('cli/a.c', LICENCE + 'int f(void)\n{\n' + body + '}\n', 'cli/a.c:2: f has 73')

    def test_long_file_and_line(self):
        self.finds('cli/a.c', LICENCE + 'int x;\n' * 1300, 'cli/a.c:1201: the file has 1301')
        self.finds('cli/a.c', LICENCE + '// ' + 'x' * 98 + '\n', 'cli/a.c:2: the line has 101')

    def test_licence_by_folder(self):
        self.finds('recovery/a.c', LICENCE, 'recovery/a.c:1:', 'Apache-2.0')
        self.finds('scripts/x', '#!/bin/sh\necho\n', 'scripts/x:2:', 'GPL-3.0-or-later')

    def test_banned_calls_name_the_replacement(self):
        self.finds('results/a.c', LICENCE + 'int x = rand ();\n', 'results/a.c:2: calls rand()',
                   'sim_random')
        self.finds('tests/a.c', LICENCE + 'void f(void)\n{\n    sleep(1);\n}\n', 'calls sleep()')
        self.finds('models/a.c', LICENCE + 'double f(double x)\n{\n    return exp(x);\n}\n',
                   'calls exp()')

    def test_arrows(self):
        self.finds('sim/a.c', LICENCE + '#include "models/run.h"\n', 'sim/a.c:2: includes')
        self.finds('recovery/a.c', '#include "sim/queue.h"\n', 'recovery/a.c:1: includes')

    def test_poison_comes_last(self):
        self.finds('models/a.c', LICENCE + POISON + '#include <time.h>\n', 'models/a.c:3: the last')
        self.finds('sim/a.c', LICENCE, 'sim/a.c:1: the last')

    def test_assertions(self):
        self.finds('sim/a.c', LICENCE + 'int f(int x)\n{\n    SIM_ASSERT(x++ > 0);\n'
                   '    SIM_ASSERT(x);\n    return x;\n}\n', 'sim/a.c:4: the assertion has a side')
        self.finds('sim/a.c', LICENCE + 'int f(int x)\n{\n    return x;\n}\n',
                   'sim/ has 0.00 assertions per function')

    def test_guard_words_and_marks(self):
        self.finds('cli/a.h', LICENCE + 'int f(void);\n', 'cli/a.h:1: the header has no include')
        self.finds('docs/a.md', 'see /ho' + 'me/someone/x\n', 'docs/a.md:1: names one machine')
        self.finds('docs/a.md', 'TO' + 'DO later\n', 'docs/a.md:1: unfinished')

    def test_scripts_must_parse(self):
        head = '#!/bin/sh\n# SPDX-License-Identifier: GPL-3.0-or-later\n'
        self.finds('scripts/x', head + 'if true; do\n', 'scripts/x:1:')
        self.finds('scripts/y', head.replace('bin/sh', 'usr/bin/env python3') + 'def f(:\n',
                   'scripts/y:3:')

    def test_nothing_checked_is_a_failure(self):
        self.assertEqual(tidy({})[0], 1)


if __name__ == '__main__':
    unittest.main()
