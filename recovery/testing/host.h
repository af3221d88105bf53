// SPDX-License-Identifier: Apache-2.0
//
// A host in memory for the tests of engines: it carries out the I/O operations of a job on files in
// memory, and can crash at any instant into every state that the declared device permits.
//
// What is not durable yet is kept as a list of writes (creations, appends, removals, in the order
// in which they happened). A power loss keeps, drops or tears each of them as the device says; the
// death of the process alone keeps what the operating system or a server already had. Crash states
// are enumerated, not sampled (crash.h).
//
// One client at a time, one operation at a time (D2). No I/O, no clock, no threads; all memory
// comes from the allocator given. It is meant for logs of tests: kilobytes to megabytes.
#ifndef RECOUP_RECOVERY_TESTING_HOST_H
#define RECOUP_RECOVERY_TESTING_HOST_H

#include "recovery/recoup.h"

#define RECOUP_TESTING_FILES_MAX 4096u // that exist or may come back after a power loss
#define RECOUP_TESTING_FILE_BYTES_MAX (1u << 28)

// From which operation on the death of the process alone (SIGKILL) does not harm a byte.
enum recoup_testing_keeps {
    RECOUP_TESTING_KEEPS_APPENDED, // the page cache of a local disk
    RECOUP_TESTING_KEEPS_FLUSHED,  // a server has it
    RECOUP_TESTING_KEEPS_SYNCED,
    RECOUP_TESTING_KEEPS_CLOSED, // an object store: the name appears, with all its bytes, at close
};

struct recoup_testing_device {
    struct recoup_storage storage; // what a job on this host is told; `durable_at` holds for power
                                   // loss, unless `lying`
    enum recoup_testing_keeps keeps;

    // How a write that is not durable may be torn by a power loss. 0: not at all; 1: any first part
    // of it survives; else (512, 4096): each part between multiples of so many bytes of the file is
    // a write of its own.
    uint32_t tear_bytes;
    bool ordered;       // writes reach the medium in their order: a prefix of the list survives
    bool length_first;  // the length of a file may survive without the bytes of its last writes
    bool names_at_once; // creations and removals are durable at once, else with the next
                        // operation that makes bytes of any file durable (directory sync)
    // A READ that reaches the end of a file makes the file durable first. Without it a master that
    // was killed leaves bytes which the next one reads and goes on from, and which a power loss
    // then takes from under it, with all that it has recorded since.
    bool read_syncs;
    bool lying;   // flush, sync and close report success, and nothing is durable
    uint8_t hole; // what stands where bytes are missing in front of others; usually 0
};

// Of an operation that is made to fail. After a creation or a close the file is not open any more
// (in an object store: gone, if it has not appeared), whatever the effect.
enum recoup_testing_effect {
    RECOUP_TESTING_EFFECT_NONE,
    RECOUP_TESTING_EFFECT_HALF, // of an append; else none
    RECOUP_TESTING_EFFECT_FULL, // it happened, and the error is a lie
};

#define RECOUP_TESTING_ANY UINT32_MAX

struct recoup_testing_fault {
    uint32_t type;      // enum recoup_action_type of an operation, or RECOUP_TESTING_ANY
    uint32_t countdown; // strikes at the countdown-th such operation from now on, from 1; 0: never
    uint32_t repeat;    // and at so many more right after it
    int error;          // RECOUP_E... code
    enum recoup_testing_effect effect;
};

struct recoup_testing_host;

// Creates a host with nothing on it, not even the store's directory. RECOUP_ENOMEM; RECOUP_EINVAL
// for a device that contradicts itself (durable at sync without sync, an object store that is not
// durable at close).
int recoup_testing_host_create(const struct recoup_testing_device *device,
                               const struct recoup_allocator *allocator,
                               struct recoup_testing_host **host);
void recoup_testing_host_destroy(struct recoup_testing_host *host); // accepts NULL

// A second host in the same state, with the same fault armed; an operation under way is copied, its
// data excepted (see recoup_testing_interrupt). RECOUP_ENOMEM.
int recoup_testing_host_copy(const struct recoup_testing_host *host,
                             struct recoup_testing_host **copy);

const struct recoup_testing_device *recoup_testing_device(const struct recoup_testing_host *host);

// Profiles: a local disk that is synced (durable at sync, page cache, any subset of the writes,
// sectors of 512 bytes), the same with any-byte tears, a file system in servers' memory (durable at
// flush, ordered), an object store (durable at close).
enum recoup_testing_profile {
    RECOUP_TESTING_DISK,
    RECOUP_TESTING_DISK_BYTES,
    RECOUP_TESTING_SERVERS,
    RECOUP_TESTING_OBJECTS,
};
void recoup_testing_device_init(struct recoup_testing_device *device,
                                enum recoup_testing_profile profile);

// Carries the operation `action` out and fills `event` with its IO event, ready to be stepped: what
// it points to stays valid until the next call on this host. An operation on a file that is not
// open reports RECOUP_ENOENT, no memory RECOUP_ENOMEM. An action that is no operation:
// RECOUP_EINVAL is returned, else 0.
int recoup_testing_perform(struct recoup_testing_host *host, const struct recoup_action *action,
                           struct recoup_event *event);

// The operation `action` is under way when a crash comes: it may have happened or not. Only
// recoup_testing_crash(), _copy, _hash and the enumerator may follow. Its bytes are copied.
int recoup_testing_interrupt(struct recoup_testing_host *host, const struct recoup_action *action);

// Arms a fault (replacing the one before), or disarms it with NULL.
void recoup_testing_fail(struct recoup_testing_host *host,
                         const struct recoup_testing_fault *fault);
uint32_t recoup_testing_fired(const struct recoup_testing_host *host); // how often it struck

// Operations performed so far, of one type or of RECOUP_TESTING_ANY.
uint64_t recoup_testing_operations(const struct recoup_testing_host *host, uint32_t type);

// What a client finds now: files in the order in which they were created. `bytes` stays valid until
// the next call that changes the host.
uint32_t recoup_testing_file_count(const struct recoup_testing_host *host);
const char *recoup_testing_file_name(const struct recoup_testing_host *host, uint32_t file);
const uint8_t *recoup_testing_file_bytes(const struct recoup_testing_host *host, uint32_t file,
                                         uint64_t *size);
// Puts a durable file there, replacing one of that name. RECOUP_ENOMEM, RECOUP_ELIMIT.
int recoup_testing_file_put(struct recoup_testing_host *host, const char *name, const void *bytes,
                            uint64_t size);

// A hash of names and bytes, as a client finds them; independent of the order of creation.
void recoup_testing_hash(const struct recoup_testing_host *host, uint8_t hash[16]);

#endif
