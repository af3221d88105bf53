#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of targets.csv fails when it should; its intervals hold what they claim to."""
import csv
import math
import os
import random
import tempfile
import unittest

import closed_forms
import statistic
import targets

TARGETS = targets.read_csv(os.path.join(targets.HERE, 'targets.csv'))


def target(sample, kind):
    return next(row for row in TARGETS if row['sample'] == sample and row['statistic'] == kind)


class Intervals(unittest.TestCase):
    def test_student(self):
        for freedom, exact in ((29, 3.659), (59, 3.464), (399, 3.315), (3999, 3.2929)):
            self.assertAlmostEqual(statistic.student(freedom), exact, delta=0.003)

    def test_clopper_and_pearson(self):
        self.assertAlmostEqual(statistic.share(0, 100)[2], 1 - 0.0005 ** 0.01, places=9)
        self.assertAlmostEqual(statistic.share(100, 100)[1], 0.0005 ** 0.01, places=9)
        estimate, low, high = statistic.share(30, 1000)
        self.assertEqual(estimate, 0.03)
        # What the ends mean: so many hits or more (or fewer) have a probability of 0.0005.
        self.assertAlmostEqual(statistic.binomial_tail(1000, low, 30), 0.0005, places=9)
        self.assertAlmostEqual(1 - statistic.binomial_tail(1000, high, 31), 0.0005, places=9)
        self.assertAlmostEqual(statistic.binomial_tail(10, 0.5, 5), 638 / 1024, places=12)

    def test_they_cover(self):
        """Of 300 samples from an exponential law hardly any interval may miss."""
        draw = random.Random(1)
        missed = {'mean': 0, 'variance': 0}
        for _ in range(300):
            values = [draw.expovariate(1) for _ in range(1500)]
            for name in missed:
                _, low, high = getattr(statistic, name)(values)
                missed[name] += not low <= 1 <= high
        self.assertLessEqual(missed['mean'], 3)
        self.assertLessEqual(missed['variance'], 9)  # skewed: it misses more often than 0.1 %


class Judging(unittest.TestCase):
    def judged(self, row, values):
        return targets.judge(row, {row['sample']: values}).ok

    def test_a_world_that_is_off_is_missed(self):
        draw = random.Random(1)
        events = [draw.randint(0, 1) for _ in range(4000)]  # mean and variance off, P(none) too
        for kind in ('mean', 'none'):
            self.assertFalse(self.judged(target('fl-0.5', kind), events))
        normal = [draw.gauss(4219.548249, 900) for _ in range(4000)]
        self.assertTrue(self.judged(target('ck1', 'mean'), normal))
        self.assertFalse(self.judged(target('ck1', 'sd'), normal))
        self.assertFalse(self.judged(target('st-deterministic', 'mean'), [110.001] * 30))
        self.assertTrue(self.judged(target('st-deterministic', 'mean'), [110.0] * 30))
        self.assertFalse(self.judged(target('le-flink', 'range'), [9.9, 19.9]))
        self.assertFalse(self.judged(target('le-flink', 'range'), [12.0, 19.9]))
        self.assertTrue(self.judged(target('le-flink', 'range'), [10.1, 19.9]))
        self.assertFalse(self.judged(target('fl-100-flushes', 'share of 20'), [19.0] * 50))
        self.assertFalse(self.judged(target('mm1-0.8-late', 'quantile 0.99'), [0.02, 0.021] * 30))

    def test_every_formula_gives_its_value_and_no_other(self):
        rows = [row for row in TARGETS if row['statistic'] == 'formula']
        self.assertGreater(len(rows), 8)
        for row in rows:
            self.assertTrue(targets.judge(row, {}).ok, row)
            self.assertFalse(targets.judge(dict(row, value='1.5'), {}).ok, row)
        for row in TARGETS:
            if row['statistic'] == 'sweep':
                self.assertIn(row['sample'], closed_forms.OPTIMA)
                self.assertFalse(targets.judge(dict(row, value='60'), {}).ok, row)

    def test_half_and_twice_the_best_cost_more(self):
        row = next(row for row in TARGETS if row['statistic'] == 'least')
        names = row['sample'].replace('<', '>').split(' > ')
        work, mtbf = float(row['value']), 87196.95629
        draw = random.Random(1)
        samples = {name: [targets.slowdown(work * factor, mtbf) + draw.gauss(0, 0.01)
                          for _ in range(400)] for name, factor in zip(names, (0.5, 1, 2))}
        self.assertTrue(targets.judge(row, samples).ok)
        samples[names[0]] = samples[names[1]]
        self.assertFalse(targets.judge(row, samples).ok)


class Completeness(unittest.TestCase):
    def samples(self):
        return {name: [1.0] for row in TARGETS if row['statistic'] not in ('formula', 'sweep')
                for name in row['sample'].replace('<', '/').replace('>', '/').split(' / ')}

    def test_all_is_tied_up(self):
        self.assertEqual(targets.loose_ends(TARGETS, self.samples()), [])
        self.assertTrue(all(row['source'] and row['value'] for row in TARGETS))

    def test_a_row_without_a_check_is_told(self):
        rows = [dict(row, sample='') if row['id'] == 'ST' else row for row in TARGETS]
        self.assertIn('nothing checks it', '\n'.join(targets.loose_ends(rows, self.samples())))
        rows = [row for row in TARGETS if row['id'] != 'ST']
        self.assertIn('st-100: a sample that no row names',
                      targets.loose_ends(rows, self.samples()))
        samples = self.samples()
        del samples['ck1']
        self.assertIn('ck1: no such sample', targets.loose_ends(TARGETS, samples))

    def test_a_list_with_more_rows_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(targets.missing_from(TARGETS, folder))
            path = os.path.join(folder, 'validation_targets.csv')
            rows = [dict(TARGETS[0]), dict(TARGETS[1], value='1'), dict(TARGETS[2], id='XX')]
            with open(path, 'w', encoding='utf-8', newline='') as stream:
                writer = csv.DictWriter(stream, list(TARGETS[0]))
                writer.writeheader()
                writer.writerows(rows)
            found = targets.missing_from(TARGETS, folder)
            self.assertEqual(len(found), 2)
            self.assertIn('with the value 1', found[0])
            self.assertTrue(found[1].startswith('XX'))

    def test_values_are_those_of_the_sources_formulas(self):
        """CK1, by hand: e^(R/M) (M + D) (e^((W + C)/M) - 1)."""
        by_hand = math.exp(120 / 14400) * (14400 + 60) * math.expm1(3660 / 14400)
        self.assertAlmostEqual(float(target('ck1', 'mean')['value']), by_hand, places=5)


if __name__ == '__main__':
    unittest.main()
