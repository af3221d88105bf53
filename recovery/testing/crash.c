// SPDX-License-Identifier: Apache-2.0
//
// Crash states: the writes that are not durable, cut into the pieces that the device keeps or loses
// as a whole, and what is left for each choice.
#include "recovery/testing/crash.h"

#include <string.h>

#include "recovery/testing/host_internal.h"

struct piece {
    enum testing_write_kind kind;
    uint32_t file;
    uint64_t offset;
    uint64_t size;
};

struct pieces {
    struct piece items[RECOUP_TESTING_WINDOW_MAX]; // oldest first
    uint32_t n;
    // What is older: the writes before `older`, and the first `older_bytes` of that one.
    uint32_t older;
    uint64_t older_bytes;
};

static bool object_store(const struct recoup_testing_host *host)
{
    RECOUP_ASSERT(host != NULL);
    return host->device.keeps == RECOUP_TESTING_KEEPS_CLOSED;
}

// ---------------------------------------------------------------------------------------------
// The operation under way

static void take_flight(struct recoup_testing_host *host, enum testing_write_kind kind,
                        uint32_t file, uint64_t offset, uint64_t size)
{
    RECOUP_ASSERT(host->n_flight == 0);
    RECOUP_ASSERT(file < host->n_files);
    host->flight = (struct testing_write){kind, file, offset, size};
    host->n_flight = 1;
}

static int interrupt_append(struct recoup_testing_host *host, const struct recoup_action *action)
{
    struct testing_file *file = testing_find_open(host, action->io.file);
    uint64_t before = file != NULL ? file->size : 0;
    int error;

    RECOUP_ASSERT(action->type == RECOUP_ACTION_APPEND);
    if (file == NULL || object_store(host) || action->io.size == 0) {
        return 0;
    }
    error = testing_file_append(host, file, action->io.data, action->io.size);
    if (error == 0) {
        error = testing_write_note(host, TESTING_WRITE_APPEND, testing_index(host, file), before,
                                   action->io.size);
    }
    if (error == 0 && host->device.keeps == RECOUP_TESTING_KEEPS_APPENDED) {
        take_flight(host, TESTING_WRITE_APPEND, testing_index(host, file), before, action->io.size);
    }
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, file->kept <= before));
    return error;
}

static int interrupt_create(struct recoup_testing_host *host, const struct recoup_action *action)
{
    struct testing_file *file;
    int error = testing_create(host, action->io.file);

    RECOUP_ASSERT(action->type == RECOUP_ACTION_CREATE);
    if (error == RECOUP_EEXIST || error == RECOUP_ENOENT) {
        return 0; // it would have failed, and has no effect
    }
    file = testing_find_open(host, action->io.file);
    if (error != 0 || file == NULL || object_store(host)) {
        return error;
    }
    if (host->device.names_at_once) {
        file->linked_durably = false;
        error = testing_write_note(host, TESTING_WRITE_CREATE, testing_index(host, file), 0, 0);
    }
    if (error == 0) {
        take_flight(host, TESTING_WRITE_CREATE, testing_index(host, file), 0, 0);
    }
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, host->n_flight == 1));
    return error;
}

static int interrupt_remove(struct recoup_testing_host *host, const struct recoup_action *action)
{
    struct testing_file *file =
        action->io.file[0] != '\0' ? testing_find(host, action->io.file) : NULL;
    int error = 0;

    RECOUP_ASSERT(action->type == RECOUP_ACTION_REMOVE);
    // The directory itself is removed last, when it is empty: before or after makes no difference.
    if (file != NULL) {
        error = testing_write_note(host, TESTING_WRITE_REMOVE, testing_index(host, file), 0, 0);
        if (error == 0) {
            take_flight(host, TESTING_WRITE_REMOVE, testing_index(host, file), 0, 0);
        }
    }
    RECOUP_ASSERT(RECOUP_ERGO(file == NULL, host->n_flight == 0));
    return error;
}

// FLUSH, SYNC, CLOSE. For a power loss they add nothing to the list: all of it may survive anyway.
static int interrupt_durable(struct recoup_testing_host *host, const struct recoup_action *action)
{
    struct testing_file *file = testing_find_open(host, action->io.file);
    uint32_t level = action->type == RECOUP_ACTION_FLUSH  ? 1
                     : action->type == RECOUP_ACTION_SYNC ? 2
                                                          : 3;

    RECOUP_ASSERT(!host->interrupted);
    if (file == NULL || (uint32_t)host->device.keeps > level) {
        return 0;
    }
    RECOUP_ASSERT(file->kept <= file->size);
    if (object_store(host)) {
        take_flight(host, TESTING_WRITE_PUBLISH, testing_index(host, file), 0, 0);
        return testing_write_note(host, TESTING_WRITE_PUBLISH, testing_index(host, file), 0, 0);
    }
    if (file->kept < file->size) {
        take_flight(host, TESTING_WRITE_KEEP, testing_index(host, file), 0, 0);
    }
    return 0;
}

int recoup_testing_interrupt(struct recoup_testing_host *host, const struct recoup_action *action)
{
    int error = 0;

    RECOUP_ASSERT(host != NULL && action != NULL);
    RECOUP_ASSERT(!host->interrupted);
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_CREATE:
        error = interrupt_create(host, action);
        break;
    case RECOUP_ACTION_APPEND:
        error = interrupt_append(host, action);
        break;
    case RECOUP_ACTION_REMOVE:
        error = interrupt_remove(host, action);
        break;
    case RECOUP_ACTION_FLUSH:
    case RECOUP_ACTION_SYNC:
    case RECOUP_ACTION_CLOSE:
        error = interrupt_durable(host, action);
        break;
    case RECOUP_ACTION_MKDIR:
    case RECOUP_ACTION_LIST:
    case RECOUP_ACTION_READ:
        break;
    default:
        return RECOUP_EINVAL;
    }
    host->interrupted = true;
    return error;
}

// ---------------------------------------------------------------------------------------------
// Pieces

// Where the last piece of the first `end` bytes of an append begins (relative to the append).
static uint64_t piece_begin(const struct recoup_testing_host *host,
                            const struct testing_write *write, uint64_t end)
{
    uint32_t tear = host->device.tear_bytes;
    uint64_t sector;

    RECOUP_ASSERT(end > 0 && end <= write->size);
    RECOUP_ASSERT(write->kind == TESTING_WRITE_APPEND);
    if (tear <= 1) {
        return 0;
    }
    sector = (write->offset + end - 1) / tear * tear;
    return sector > write->offset ? sector - write->offset : 0;
}

static void cut_power(const struct recoup_testing_host *host, uint32_t window, struct pieces *out)
{
    struct piece reversed[RECOUP_TESTING_WINDOW_MAX] = {{0}};
    uint32_t i = host->n_writes;
    uint64_t end = i > 0 ? host->writes[i - 1].size : 0;

    RECOUP_ASSERT(window > 0 && window <= RECOUP_TESTING_WINDOW_MAX);
    RECOUP_ASSERT(out->n == 0);
    while (i > 0 && out->n < window) {
        const struct testing_write *write = &host->writes[i - 1];
        uint64_t begin = write->kind == TESTING_WRITE_APPEND ? piece_begin(host, write, end) : 0;

        reversed[out->n++] =
            (struct piece){write->kind, write->file, write->offset + begin, end - begin};
        end = begin;
        if (begin == 0) {
            i--;
            end = i > 0 ? host->writes[i - 1].size : 0;
        }
    }
    for (uint32_t k = 0; k < out->n; k++) {
        out->items[k] = reversed[out->n - 1 - k];
    }
    // `i` is the first write that is not wholly in the window.
    out->older = i > 0 ? i - 1 : 0;
    out->older_bytes = i > 0 ? end : 0;
    if (i > 0 && end == host->writes[i - 1].size) {
        out->older = i;
        out->older_bytes = 0;
    }
    RECOUP_ASSERT(out->older <= host->n_writes);
}

static void cut(const struct recoup_testing_host *host, enum recoup_testing_crash_kind kind,
                uint32_t window, struct pieces *out)
{
    *out = (struct pieces){.n = 0};
    RECOUP_ASSERT(host->n_flight <= 1);
    if (kind == RECOUP_TESTING_POWER_LOSS) {
        cut_power(host, window, out);
    } else if (host->n_flight == 1) {
        const struct testing_write *flight = &host->flight;

        out->items[out->n++] =
            (struct piece){flight->kind, flight->file, flight->offset, flight->size};
    }
    RECOUP_ASSERT(out->n <= window);
}

// ---------------------------------------------------------------------------------------------
// Enumeration

void recoup_testing_crashes_begin(struct recoup_testing_crashes *crashes,
                                  const struct recoup_testing_host *host,
                                  enum recoup_testing_crash_kind kind, uint32_t window)
{
    const struct recoup_testing_device *device = &host->device;
    struct pieces pieces;

    RECOUP_ASSERT(window > 0);
    window = window < RECOUP_TESTING_WINDOW_MAX ? window : RECOUP_TESTING_WINDOW_MAX;
    cut(host, kind, window, &pieces);
    *crashes = (struct recoup_testing_crashes){
        .choice = {.kind = kind, .window = window, .older_kept = true, .n = pieces.n},
        .ordered = device->ordered,
        .every_byte = kind == RECOUP_TESTING_KILL || device->tear_bytes == 1,
        .length_first = kind == RECOUP_TESTING_POWER_LOSS && device->length_first,
        .older = pieces.older > 0 || pieces.older_bytes > 0,
    };
    for (uint32_t i = 0; i < pieces.n; i++) {
        crashes->bytes[i] = pieces.items[i].kind == TESTING_WRITE_APPEND;
        crashes->full[i] = crashes->bytes[i] ? (uint32_t)pieces.items[i].size : 1;
        RECOUP_ASSERT(crashes->full[i] > 0);
    }
}

// What comes after the value keep[i]; `full` is the last one.
static uint32_t next_value(const struct recoup_testing_crashes *crashes, uint32_t i)
{
    uint32_t value = crashes->choice.keep[i];
    uint32_t full = crashes->full[i];
    bool zeroed = crashes->length_first && crashes->bytes[i];

    RECOUP_ASSERT(i < crashes->choice.n);
    RECOUP_ASSERT(value != full);
    if (value == RECOUP_TESTING_ZEROED) {
        return full;
    }
    if (crashes->bytes[i] && crashes->every_byte && value + 1 < full) {
        return value + 1;
    }
    return zeroed ? RECOUP_TESTING_ZEROED : full;
}

static bool advance_ordered(struct recoup_testing_crashes *crashes)
{
    struct recoup_testing_choice *choice = &crashes->choice;

    RECOUP_ASSERT(crashes->ordered);
    if (crashes->at == choice->n) {
        return false;
    }
    choice->keep[crashes->at] = next_value(crashes, crashes->at);
    if (choice->keep[crashes->at] == crashes->full[crashes->at]) {
        crashes->at++;
    }
    RECOUP_ASSERT(crashes->at <= choice->n);
    return true;
}

static bool advance_any(struct recoup_testing_crashes *crashes)
{
    struct recoup_testing_choice *choice = &crashes->choice;

    RECOUP_ASSERT(!crashes->ordered);
    for (uint32_t i = 0; i < choice->n; i++) {
        if (choice->keep[i] != crashes->full[i]) {
            choice->keep[i] = next_value(crashes, i);
            return true;
        }
        choice->keep[i] = 0;
    }
    if (choice->older_kept && crashes->older) {
        choice->older_kept = false;
        return true;
    }
    return false;
}

bool recoup_testing_crashes_next(struct recoup_testing_crashes *crashes)
{
    RECOUP_ASSERT(crashes != NULL);
    if (!crashes->begun) {
        crashes->begun = true;
        return true;
    }
    RECOUP_ASSERT(crashes->choice.n <= RECOUP_TESTING_WINDOW_MAX);
    return crashes->ordered ? advance_ordered(crashes) : advance_any(crashes);
}

uint64_t recoup_testing_crashes_count(const struct recoup_testing_crashes *crashes)
{
    uint64_t sum = 1;
    uint64_t product = 1;

    RECOUP_ASSERT(crashes != NULL);
    for (uint32_t i = 0; i < crashes->choice.n; i++) {
        bool tears = crashes->bytes[i] && crashes->every_byte;
        uint64_t more =
            (tears ? crashes->full[i] : 1) + (crashes->length_first && crashes->bytes[i] ? 1u : 0u);

        sum += more;
        product = product > UINT64_MAX / (more + 1) ? UINT64_MAX : product * (more + 1);
    }
    RECOUP_ASSERT(sum <= product);
    if (crashes->ordered) {
        return sum;
    }
    return crashes->older && product <= UINT64_MAX / 2 ? product * 2 : product;
}

// ---------------------------------------------------------------------------------------------
// Building a state

// The new file has the name from now on; a directory has each name once.
static void take_name(struct recoup_testing_host *host, uint32_t file)
{
    RECOUP_ASSERT(file < host->n_files);
    for (uint32_t i = 0; i < host->n_files; i++) {
        if (i != file && strcmp(host->files[i].name, host->files[file].name) == 0) {
            host->files[i].linked_durably = false;
        }
    }
    host->files[file].linked_durably = true;
    RECOUP_ASSERT(host->files[file].used);
}

// `file->durable` grows to what the file will have.
static void keep_bytes(struct recoup_testing_host *host, const struct piece *piece, uint32_t keep)
{
    struct testing_file *file = &host->files[piece->file];
    bool zeroed = keep == RECOUP_TESTING_ZEROED;
    uint64_t kept = zeroed ? 0 : keep;
    uint64_t end = zeroed ? piece->offset + piece->size : piece->offset + kept;

    RECOUP_ASSERT(kept <= piece->size);
    RECOUP_ASSERT(piece->offset + piece->size <= file->size);
    memset(file->bytes + piece->offset + kept, host->device.hole, (size_t)(piece->size - kept));
    if ((zeroed || kept > 0) && end > file->durable) {
        file->durable = end;
    }
}

static void keep_piece(struct recoup_testing_host *host, const struct piece *piece, uint32_t keep)
{
    struct testing_file *file = &host->files[piece->file];

    RECOUP_ASSERT(file->used);
    RECOUP_ASSERT(piece->kind != TESTING_WRITE_KEEP);
    if (piece->kind == TESTING_WRITE_APPEND) {
        keep_bytes(host, piece, keep);
    } else if (keep != 0 && piece->kind == TESTING_WRITE_REMOVE) {
        file->linked_durably = false;
    } else if (keep != 0) {
        take_name(host, piece->file);
        if (piece->kind == TESTING_WRITE_PUBLISH) {
            file->durable = file->size;
        }
    }
}

static void lose_power(struct recoup_testing_host *host, const struct recoup_testing_choice *choice,
                       const struct pieces *pieces)
{
    RECOUP_ASSERT(choice->n == pieces->n);
    for (uint32_t i = 0; i < pieces->older; i++) {
        const struct testing_write *write = &host->writes[i];
        struct piece piece = {write->kind, write->file, write->offset, write->size};
        uint32_t full = write->kind == TESTING_WRITE_APPEND ? (uint32_t)write->size : 1;

        keep_piece(host, &piece, choice->older_kept ? full : 0);
    }
    if (pieces->older_bytes > 0) {
        const struct testing_write *write = &host->writes[pieces->older];
        struct piece piece = {write->kind, write->file, write->offset, pieces->older_bytes};

        keep_piece(host, &piece, choice->older_kept ? (uint32_t)pieces->older_bytes : 0);
    }
    for (uint32_t i = 0; i < pieces->n; i++) {
        keep_piece(host, &pieces->items[i], choice->keep[i]);
    }
    host->n_writes = 0;
    for (uint32_t i = 0; i < host->n_files; i++) {
        struct testing_file *file = &host->files[i];

        file->size = file->durable;
        file->kept = file->durable;
        file->linked = file->linked_durably;
        RECOUP_ASSERT(file->size <= file->capacity);
    }
}

// What the operation under way has done when the process dies.
static void land_flight(struct recoup_testing_host *host, const struct piece *piece, uint32_t keep)
{
    struct testing_file *file = &host->files[piece->file];

    RECOUP_ASSERT(host->n_flight == 1);
    RECOUP_ASSERT(file->used);
    switch (piece->kind) {
    case TESTING_WRITE_APPEND:
        file->kept = piece->offset + keep;
        break;
    case TESTING_WRITE_KEEP:
        file->kept = keep != 0 ? file->size : file->kept;
        break;
    case TESTING_WRITE_CREATE:
        file->linked = keep != 0;
        break;
    case TESTING_WRITE_REMOVE:
        file->linked = keep == 0;
        break;
    case TESTING_WRITE_PUBLISH:
        if (keep != 0) {
            file->kept = file->size;
            file->durable = file->size;
            file->linked = true;
            file->linked_durably = true;
        }
        break;
    default:
        RECOUP_ASSERT(false);
        break;
    }
}

// Writes beyond what a file has any more, and those of the operation that had no effect, are gone.
static void trim_writes(struct recoup_testing_host *host)
{
    uint32_t n = 0;

    RECOUP_ASSERT(host->n_writes <= host->writes_capacity);
    for (uint32_t i = 0; i < host->n_writes; i++) {
        struct testing_write write = host->writes[i];
        const struct testing_file *file = &host->files[write.file];

        if (write.kind == TESTING_WRITE_APPEND) {
            if (!file->used || write.offset >= file->size) {
                continue;
            }
            if (write.size > file->size - write.offset) {
                write.size = file->size - write.offset;
            }
        } else if (write.kind == TESTING_WRITE_PUBLISH ||
                   (write.kind == TESTING_WRITE_REMOVE && file->linked) ||
                   (write.kind == TESTING_WRITE_CREATE && i + 1 == host->n_writes &&
                    host->n_flight == 1 && !file->linked)) {
            continue;
        }
        host->writes[n++] = write;
    }
    host->n_writes = n;
    RECOUP_ASSERT(host->n_writes <= host->writes_capacity);
}

static void die(struct recoup_testing_host *host, const struct recoup_testing_choice *choice,
                const struct pieces *pieces)
{
    RECOUP_ASSERT(pieces->n <= 1);
    RECOUP_ASSERT(choice->kind == RECOUP_TESTING_KILL);
    if (pieces->n == 1) {
        land_flight(host, &pieces->items[0], choice->keep[0]);
    }
    for (uint32_t i = 0; i < host->n_files; i++) {
        struct testing_file *file = &host->files[i];

        RECOUP_ASSERT(file->kept <= file->size);
        file->size = file->kept > file->durable ? file->kept : file->durable;
        if (file->open && object_store(host) && !file->linked_durably) {
            file->linked = false;
        }
    }
    trim_writes(host);
}

int recoup_testing_crash(struct recoup_testing_host *host,
                         const struct recoup_testing_choice *choice)
{
    struct pieces pieces;

    RECOUP_ASSERT(host != NULL && choice != NULL);
    if (choice->window == 0 || choice->window > RECOUP_TESTING_WINDOW_MAX) {
        return RECOUP_EINVAL;
    }
    cut(host, choice->kind, choice->window, &pieces);
    if (pieces.n != choice->n) {
        return RECOUP_EINVAL;
    }
    for (uint32_t i = 0; i < pieces.n; i++) {
        bool append = pieces.items[i].kind == TESTING_WRITE_APPEND;

        if (choice->keep[i] > (append ? pieces.items[i].size : 1) &&
            (!append || choice->keep[i] != RECOUP_TESTING_ZEROED)) {
            return RECOUP_EINVAL;
        }
    }
    if (choice->kind == RECOUP_TESTING_POWER_LOSS) {
        lose_power(host, choice, &pieces);
    } else {
        die(host, choice, &pieces);
    }
    for (uint32_t i = 0; i < host->n_files; i++) {
        host->files[i].open = false;
    }
    host->interrupted = false;
    host->n_flight = 0;
    testing_collect(host);
    RECOUP_ASSERT(RECOUP_ERGO(choice->kind == RECOUP_TESTING_POWER_LOSS, host->n_writes == 0));
    return 0;
}

void recoup_testing_crash_worst(struct recoup_testing_host *host,
                                enum recoup_testing_crash_kind kind)
{
    struct recoup_testing_crashes crashes;

    RECOUP_ASSERT(host != NULL);
    recoup_testing_crashes_begin(&crashes, host, kind, RECOUP_TESTING_WINDOW_MAX);
    crashes.choice.older_kept = false;
    // The first choice keeps nothing; it always fits.
    if (recoup_testing_crash(host, &crashes.choice) != 0) {
        (void)recoup__memory_broken(&host->memory);
    }
    RECOUP_ASSERT(host->memory.broken == 0);
}
