// SPDX-License-Identifier: GPL-3.0-or-later
//
// The file system: names, bytes, what is visible and durable after append, flush, sync and close,
// what a death of its client takes away, how long an operation takes and what it costs. One
// directory, one client at a time.
//
// What survives the kill of the client (parameters.md 1.1, faults-and-invariants.md 3), by kind and
// by `durable_at`; a new client finds just that:
//
//   ideal, hdfs   durable_at flush: what was flushed; sync: synced; close: closed files
//   posix         flush or sync: what was appended, since the page cache outlives the process
//                 (`sync` matters only to a host's crash, which is not modelled); close:
//                 closed files
//   nfs           flush or sync: what was flushed; close: closed files
//   s3, gcs       close: closed files, and no other file exists; flush, sync: as hdfs, the name
//                 appearing with the first kept byte
//
// A sync includes a flush, a close includes both. An operation under way at the kill has no effect,
// except where a fault strikes in its midst (`moment: mid`): an append leaves half of its bytes, a
// flush or sync half of those not kept yet, a create the name without data, as far as the profile
// keeps such bytes and names at all. Half is rounded down.
//
// Bandwidth is paid once for each byte, by the operation that moves it: append (posix), flush, sync
// or close (ideal, hdfs, nfs), close (s3, gcs), read.
#ifndef RECOUP_MODELS_STORAGE_H
#define RECOUP_MODELS_STORAGE_H

#include "models/config.h"
#include "recovery/recoup.h"

struct model_world;
struct model_result;

#include "models/storage_state.h"

int storage_init(struct model_world *w);

// The master of `incarnation` issues the I/O operation `action`, none other being under way. Draws
// its latency (base + bytes / bandwidth) and schedules IO_DONE. Faults by operation are counted
// here; those of moment before and mid strike as the next event of this instant.
void storage_issue(struct model_world *w, const struct recoup_action *action,
                   uint32_t incarnation);

// IO_DONE: applies the operation's effect, lets faults of moment after strike, and steps the IO
// event into the master, unless its incarnation is gone. Stale events are ignored.
void storage_complete(struct model_world *w, uint32_t serial, uint32_t incarnation);

// The client process of `incarnation` is gone now (killed, or its leadership is lost): the
// operation under way has no effect, and what its profile does not keep is lost. May be called
// twice.
void storage_client_died(struct model_world *w, uint32_t incarnation);

// Up to which event of an incarnation all records are in kept bytes (whether or not they can be
// read, and whether or not the file was removed since); 0: none.
uint64_t storage_durable_event(const struct model_world *w, uint32_t incarnation);

// What a new client would find: files in the order in which they appeared; content is given in
// pieces. storage_file_read returns how many bytes there were, less than `size` only at the end.
uint32_t storage_file_count(const struct model_world *w);
const char *storage_file_name(const struct model_world *w, uint32_t file);
uint64_t storage_file_size(const struct model_world *w, uint32_t file);  // visible bytes
// Makes the functions around here show what this leading master found when it listed and read the
// files of those before it that were cut off; 0: what is there now. A file that it cannot have
// seen, or that is its own, is hidden then.
void storage_view(struct model_world *w, uint32_t incarnation);
bool storage_file_hidden(const struct model_world *w, uint32_t file);
size_t storage_file_read(const struct model_world *w, uint32_t file, uint64_t offset, void *buffer,
                         size_t size);

// The ledger of bytes (S16): appended = held + lost + removed. `held` is summed over the files, the
// others are counted as things happen.
uint64_t storage_bytes_appended(const struct model_world *w);
uint64_t storage_bytes_held(const struct model_world *w);
uint64_t storage_bytes_lost(const struct model_world *w);
uint64_t storage_bytes_removed(const struct model_world *w);

// Feeds F5 with the surviving bytes, and fills result->io except `events`, `snapshots` and
// `snapshot_bytes`, which only the library knows.
void storage_finish(struct model_world *w, struct model_result *result);

#endif
