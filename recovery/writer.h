// SPDX-License-Identifier: Apache-2.0
//
// What the files of the writer share. Not for the rest of the store.
//
//   writer.c             its life, and the pump that does the work in order
//   writer_accept.c      records are accepted
//   writer_front.c       the front record, into the buffer
//   writer_request.c     operations are asked for and issued
//   writer_ended.c       operations have ended
//   writer_timer.c       the flush timer, and the writer's deadline
//   writer_fail.c        recording stops; rearm.c takes it up again
//   writer_checkpoint.c  checkpoints of the whole job
#ifndef RECOUP_RECOVERY_WRITER_H
#define RECOUP_RECOVERY_WRITER_H

#include "recovery/store_internal.h"

// Operations that are pending, in the order in which they are issued.
#define RECOUP__PENDING_CREATE (1u << 0)
#define RECOUP__PENDING_APPEND (1u << 1)  // the buffer
#define RECOUP__PENDING_DIRECT                                                                     \
    (1u << 2)  // the chunk of the front record that is too large for the buffer
#define RECOUP__PENDING_FLUSH (1u << 3)
#define RECOUP__PENDING_SYNC (1u << 4)
#define RECOUP__PENDING_CLOSE (1u << 5)

// writer_timer.c
// Ticks up to `now_ns` (`inclusive`, or before it) stand behind everything in the queue.
void recoup__writer_note_ticks(struct recoup__store *store, int64_t now_ns, bool inclusive);
// Something was just put into the queue or the buffer: from now on the next tick matters.
void recoup__writer_want_tick(struct recoup__store *store, int64_t now_ns);

// writer_request.c
void recoup__request_flush(struct recoup__writer *writer);
void recoup__request_close(struct recoup__store *store, bool durably);
void recoup__request_durable(struct recoup__store *store);  // everything written so far
// What lingers is done now: the close of a stage end, or the flush of what belongs to it.
void recoup__writer_end_linger(struct recoup__store *store);
// The index of files that the next file to be created will have.
uint32_t recoup__writer_next_file(const struct recoup__store *store);
void recoup__writer_issue_pending(struct recoup__store *store);  // the first pending operation
void recoup__writer_issue_remove(struct recoup__store *store);   // the next one of a removal

// writer_front.c
// The wait of the front record, NULL if it waits for nothing. *blocked: it must go on waiting, or
// recording has stopped because of it.
struct recoup__wait *recoup__front_wait(struct recoup__store *store, int64_t now_ns, bool *blocked);
// Where the chunk that begins at `offset` of a framed record ends.
size_t recoup__front_chunk_end(const struct recoup__format *format, size_t offset, size_t size);
// The bytes to be written for the front record.
uint8_t *recoup__front_bytes(struct recoup__store *store, struct recoup__wait *wait, size_t *size);
// Moves the front record into the buffer, until it is done or an operation has to come first.
void recoup__front_write(struct recoup__store *store, struct recoup__wait *wait);
// The front record has been taken completely.
void recoup__front_finish(struct recoup__store *store, struct recoup__wait *wait);

#endif
