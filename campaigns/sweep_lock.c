// SPDX-License-Identifier: GPL-3.0-or-later
//
// One sweep at a time writes to a database. The lock ends with the process, however that ends, so a
// run that still counts as running when the lock is taken was left behind.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/vfs.h>
#endif

#include "campaigns/sweep_parts.h"

bool sweep_is_network(uint64_t type)
{
    static const uint64_t types[] = {
        0x6969,     // NFS
        0x517b,     // SMB
        0xff534d42, // CIFS
        0xfe534d42, // SMB2
        0x5346414f, // AFS
        0x73757245, // Coda
        0x01021997, // 9P
        0x00c36400, // Ceph
        0x0bd00bd0, // Lustre
        0x47504653, // GPFS
        0x19830326, // BeeGFS
        0x7461636f, // OCFS2
        0x01161970, // GFS2
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i] == type) {
            return true;
        }
    }
    return false;
}

static bool on_network(int fd)
{
#ifdef __linux__
    struct statfs status;

    return fstatfs(fd, &status) == 0 && sweep_is_network((uint32_t)status.f_type);
#else
    (void)fd;
    return false;
#endif
}

static bool lock_failed(struct sweep_campaign *campaign, const char *format, const char *reason)
{
    results_text_format(&campaign->outcome->message, "%s: ", campaign->options->database);
    results_text_format(&campaign->outcome->message, "%s%s", format, reason);
    return false;
}

bool sweep_lock(struct sweep_campaign *campaign)
{
    // Closed after the database: closing any descriptor of a file ends SQLite's own locks on it.
    campaign->lock = open(campaign->options->database, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (campaign->lock < 0) {
        return lock_failed(campaign,
                           "the database cannot be opened for writing: ", strerror(errno));
    }
    campaign->network = on_network(campaign->lock);
    if (campaign->network && campaign->options->shards <= 1) {
        return lock_failed(campaign,
                           "the database is on a network file system, where locks cannot be relied "
                           "upon; use a local folder, or --shard I/N with a database for each "
                           "shard, and recoup merge",
                           "");
    }
    if (flock(campaign->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return lock_failed(campaign,
                           "another sweep is writing to the database; wait for it, or use another "
                           "file",
                           "");
    }
    return true;
}

void sweep_unlock(struct sweep_campaign *campaign)
{
    if (campaign->lock >= 0) {
        (void)close(campaign->lock);
        campaign->lock = -1;
    }
}
