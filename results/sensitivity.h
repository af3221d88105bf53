// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which input matters, when the points are a Sobol sample over several inputs at once: Sobol's
// first and total index of each, from the points that there are (no extra runs, no model in
// between).
//
//   first  Var(E[Y | X_i]) / Var Y: what knowing X_i alone explains. Points are put into
//          floor(sqrt n) classes by the rank of X_i; the variance between classes is freed of what
//          the variance within adds to it, as in epsilon squared (given-data estimator: Plischke,
//          Borgonovo, Smith, EJOR 226, 2013).
//   total  E[Var(Y | all others)] / Var Y: what is lost when X_i alone is not known. The mean
//          variance of groups of 8 points that are nearest in the ranks of all others (Broto,
//          Bachoc, Depecker, SIAM/ASA JUQ 8, 2020).
//
// Both are freed of the noise that the mean of finitely many runs has. Neighbours are never quite
// the same in the others, so the total is too large in small samples: by up to 0.08 at 1,024 points
// of the three inputs of a rough function (docs/statistics.md).
#ifndef RECOUP_RESULTS_SENSITIVITY_H
#define RECOUP_RESULTS_SENSITIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_SENSITIVITY_POINTS_MIN 16u
#define RESULTS_SENSITIVITY_POINTS_MAX 8192u // the search for neighbours is quadratic

struct results_sensitivity {
    double first; // in [0, 1]; NAN when Y varies no more than its noise
    double total; // in [0, 1]; NAN likewise
};

// inputs[i][point]: any numbers, only their order counts. output: the mean of each point; noise:
// the variance of such a mean (0: exact). n_points between the limits above, n_inputs at least 1.
// False when out of memory.
bool results_sensitivity(const int64_t *const *inputs, uint32_t n_inputs, const double *output,
                         size_t n_points, double noise, struct results_sensitivity *indices);

#endif
