// SPDX-License-Identifier: GPL-3.0-or-later
//
// Labels of points, "min-pause=30s, store=s3": the one short form in which people see the values of
// a sweep. What a machine reads (--set, a configuration, SQL) has the value itself, "30 s".
#ifndef RECOUP_RESULTS_LABEL_H
#define RECOUP_RESULTS_LABEL_H

#include <stddef.h>

// Where the value of the axis `name` stands in `label`, and its size in bytes. NULL where the label
// does not tell it in full; `*size` is as it was then.
const char *results_label_value(const char *label, const char *name, size_t *size);

#endif
