// SPDX-License-Identifier: Apache-2.0
//
// What errno means to the library: one table.
#include <errno.h>

#include "recovery/host/recoup_host.h"
#include "recovery/memory.h"

struct row {
    int os_error;
    int error;
};

static const struct row rows[] = {
    {EEXIST, RECOUP_EEXIST},
    {ENOTEMPTY, RECOUP_EEXIST}, // of the directory: somebody else has files in it
    {ENOENT, RECOUP_ENOENT},
    {ENOSPC, RECOUP_ENOSPC},
    {EDQUOT, RECOUP_ENOSPC},
    {EFBIG, RECOUP_ENOSPC},
    {EACCES, RECOUP_EACCES},
    {EPERM, RECOUP_EACCES},
    {EROFS, RECOUP_EACCES},
    {ENOTDIR, RECOUP_EACCES}, // a file is in the directory's place
    {EISDIR, RECOUP_EACCES},
    {ELOOP, RECOUP_EACCES},
    {ETIMEDOUT, RECOUP_ETIMEDOUT},
    {EMFILE, RECOUP_ELIMIT},
    {ENFILE, RECOUP_ELIMIT},
    {ENAMETOOLONG, RECOUP_ELIMIT},
    {EOVERFLOW, RECOUP_ELIMIT},
    // Never RECOUP_ENOMEM: that is for a step which may be repeated, and this operation has failed.
    {ENOMEM, RECOUP_ELIMIT},
    {EIO, RECOUP_EIO},
};

int recoup_host_error(int os_error)
{
    RECOUP_ASSERT(os_error >= 0);
    if (os_error == 0) {
        return RECOUP_OK;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        RECOUP_ASSERT(rows[i].error < 0);
        if (rows[i].os_error == os_error) {
            return rows[i].error;
        }
    }
    return RECOUP_EIO;
}
