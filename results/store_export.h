// SPDX-License-Identifier: GPL-3.0-or-later
//
// `recoup run --store-out`: the files of a simulated event store, as they survive the run, in a
// real directory, so that `recoup store` and other tools have something to look at.
#ifndef RECOUP_RESULTS_STORE_EXPORT_H
#define RECOUP_RESULTS_STORE_EXPORT_H

#include <stddef.h>
#include <stdint.h>

struct results_store_export {
    int directory; // descriptor, -1: none
    int fd;        // of the file being written, -1: none
    int error;     // errno of the first failure
};

// Makes `directory`, which may exist if it is empty. Returns 0 or an errno value, ENOTEMPTY among
// them.
int results_store_export_open(struct results_store_export *out, const char *directory);

// For model_run_options.store_piece; `context` is the export.
void results_store_export_piece(void *context, const char *name, uint64_t offset,
                                const void *bytes, size_t size);

// Closes what is open. Returns the first error (errno), 0: every byte was written. May be called
// again, and on one that was never opened (descriptors -1).
int results_store_export_close(struct results_store_export *out);

#endif
