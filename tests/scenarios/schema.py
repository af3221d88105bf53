#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an editor with scenarios/schema.json says about scenarios.

    schema.py ROOT

Every committed scenario must be accepted. Of the broken ones each that this test names must be
refused: those whose mistake one value or key shows. (The others need the loader: units, references
between stages, bytes.) Needs the Python packages jsonschema and yaml; exit 77 without them.
"""
import glob
import json
import os
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print('skipped: %s; python3-jsonschema and python3-yaml are needed' % missing)
    sys.exit(77)

REFUSED = ('25-unknown-key', '27-missing-keys', '28-version-2', '29-bad-name', '32-seed-negative',
           '39-boolean-yes', '40-unknown-law', '56-exchange', '60-parallelism-zero',
           '64-profile-unknown', '65-preset-unknown')


class Loader(yaml.SafeLoader):
    """Scalars as YAML 1.2 and language servers read them: `on` is a text."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ('bool', r'^(?:true|false)$', 'tf'), ('null', r'^(?:~|null|)$', ['~', 'n', '']),
        ('int', r'^[-+]?[0-9]+$', '-+0123456789'),
        ('float', r'^[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?$', '-+0123456789')):
    Loader.add_implicit_resolver('tag:yaml.org,2002:' + tag, re.compile(pattern), list(first))


def read(path):
    with open(path, encoding='utf-8') as stream:
        return yaml.load(stream.read(), Loader)  # a subclass of SafeLoader


def first_error(validator, path):
    """What the schema says against a file; None: nothing."""
    try:
        errors = sorted(validator.iter_errors(read(path)), key=lambda error: list(error.path))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return 'no YAML: %s' % error
    return '%s: %s' % (list(errors[0].path), errors[0].message[:200]) if errors else None


def main():
    root = sys.argv[1]
    with open(os.path.join(root, 'scenarios', 'schema.json'), encoding='utf-8') as stream:
        schema = json.load(stream)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    bad = accepted = refused = 0
    for path in sorted(glob.glob(os.path.join(root, 'scenarios', '**', '*.yaml'), recursive=True)):
        with open(path, encoding='utf-8') as stream:
            text = stream.read()
        # Files without `about` serve as a base; those with `axes` are sweeps.
        keys = re.findall(r'^(about|axes):', text, re.MULTILINE)
        if 'about' not in keys or 'axes' in keys:
            continue
        error = first_error(validator, path)
        accepted += error is None
        if error is not None:
            bad += 1
            print('%s: refused: %s' % (os.path.relpath(path, root), error))
    broken = sorted(glob.glob(os.path.join(root, 'tests', 'scenarios', 'broken', '*.yaml')))
    for path in broken:
        name = os.path.basename(path)[:-len('.yaml')]
        error = first_error(validator, path)
        refused += error is not None
        if error is None and name in REFUSED:
            bad += 1
            print('%s: accepted, although it is broken' % name)
    print('%d scenarios accepted; %d of %d broken files refused' % (accepted, refused, len(broken)))
    return 1 if bad or not accepted else 0


if __name__ == '__main__':
    sys.exit(main())
