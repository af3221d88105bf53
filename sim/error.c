// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/error.h"

#include "sim/assert.h"

#include "sim/banned.h"

const char *sim_strerror(int code)
{
#define SIM_ERROR_CASE(name, value, sentence)                                                      \
    case value:                                                                                    \
        return sentence;
    SIM_ASSERT(code <= 0);
    switch (code) {
    case 0:
        return "no error";
        SIM_ERRORS(SIM_ERROR_CASE)
    default:
        return "unknown error";
    }
#undef SIM_ERROR_CASE
}
