// SPDX-License-Identifier: Apache-2.0
//
// Names and sentences of the error codes, from the one list in recoup.h.
#include <stddef.h>

#include "recovery/memory.h"

static const struct {
    int code;
    const char *name;
    const char *text;
} errors[] = {
    {RECOUP_OK, "RECOUP_OK", "no error"},
#define X(name, value, text) {value, #name, text},
    RECOUP_ERRORS(X)
#undef X
};

#define N_ERRORS (sizeof errors / sizeof errors[0])

const char *recoup_error_name(int code)
{
    for (size_t i = 0; i < N_ERRORS; i++) {
        RECOUP_ASSERT(errors[i].name != NULL);
        if (errors[i].code == code) {
            return errors[i].name;
        }
    }
    return "RECOUP_UNKNOWN";
}

const char *recoup_strerror(int code)
{
    for (size_t i = 0; i < N_ERRORS; i++) {
        RECOUP_ASSERT(errors[i].text != NULL);
        if (errors[i].code == code) {
            return errors[i].text;
        }
    }
    return "no error code of this library; please report where it came from";
}
