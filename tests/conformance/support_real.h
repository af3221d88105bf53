// SPDX-License-Identifier: GPL-3.0-or-later
//
// A real directory behind the same call as the host in memory: the file operations of the real
// host, one after the other. Only where the real host is built (CONFORMANCE_REAL_HOST).
#ifndef RECOUP_TESTS_CONFORMANCE_SUPPORT_REAL_H
#define RECOUP_TESTS_CONFORMANCE_SUPPORT_REAL_H

#include "check.h"
#include "recovery/recoup.h"

#ifdef CONFORMANCE_REAL_HOST
#include "recovery/host/files.h"

struct real_fs {
    struct recoup__files files;
    struct recoup__file_operation operation; // the last one: owns what its event points to
    char directory[256];
    char parent[200]; // made by us; the store's directory lies in it
};

// A fresh directory below `base`.
void real_init(struct real_fs *fs, const char *base, enum recoup_host_durability durability);
// Removes it with all its files.
void real_release(struct real_fs *fs);
// The process dies and another one comes: what was open is not any more.
void real_reopen(struct real_fs *fs, enum recoup_host_durability durability);
void real_perform(struct real_fs *fs, const struct recoup_action *action,
                  struct recoup_event *event);

// Real file systems to be had: that of RECOUP_CONFORMANCE_DIR, or else of the build directory, and
// a tmpfs. NULL ends the list.
const char *const *real_bases(void);
const char *real_kind(const char *base); // "ext4", "tmpfs", "another file system"
#endif

#endif
