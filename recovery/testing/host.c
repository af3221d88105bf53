// SPDX-License-Identifier: Apache-2.0
//
// The operations of the host in memory.
#include "recovery/testing/host.h"

#include <string.h>

#include <xxhash.h>

#include "recovery/testing/host_internal.h"

void recoup_testing_device_init(struct recoup_testing_device *device,
                                enum recoup_testing_profile profile)
{
    RECOUP_ASSERT(device != NULL);
    RECOUP_ASSERT(profile <= RECOUP_TESTING_OBJECTS);
    *device = (struct recoup_testing_device){
        .storage = {.durable_at = RECOUP_DURABLE_AT_SYNC,
                    .can_sync = true,
                    .create_exclusive = true,
                    .list_consistent = true},
        .keeps = RECOUP_TESTING_KEEPS_APPENDED,
        .tear_bytes = 512,
        .read_syncs = true,
    };
    if (profile == RECOUP_TESTING_DISK_BYTES) {
        device->tear_bytes = 1;
    } else if (profile == RECOUP_TESTING_SERVERS) {
        device->storage.durable_at = RECOUP_DURABLE_AT_FLUSH;
        device->keeps = RECOUP_TESTING_KEEPS_FLUSHED;
        device->tear_bytes = 1;
        device->ordered = true;
        device->names_at_once = true;
    } else if (profile == RECOUP_TESTING_OBJECTS) {
        device->storage.durable_at = RECOUP_DURABLE_AT_CLOSE;
        device->storage.can_sync = false;
        device->keeps = RECOUP_TESTING_KEEPS_CLOSED;
        device->tear_bytes = 0;
        device->names_at_once = true;
    }
}

int recoup_testing_host_create(const struct recoup_testing_device *device,
                               const struct recoup_allocator *allocator,
                               struct recoup_testing_host **host)
{
    struct recoup__memory memory;

    RECOUP_ASSERT(device != NULL && allocator != NULL);
    RECOUP_ASSERT(host != NULL);
    *host = NULL;
    if ((device->storage.durable_at == RECOUP_DURABLE_AT_SYNC && !device->storage.can_sync) ||
        (device->keeps == RECOUP_TESTING_KEEPS_CLOSED &&
         device->storage.durable_at != RECOUP_DURABLE_AT_CLOSE)) {
        return RECOUP_EINVAL;
    }
    recoup__memory_init(&memory, allocator);
    *host = recoup__allocate_zeroed(&memory, 1, sizeof **host);
    if (*host == NULL) {
        return RECOUP_ENOMEM;
    }
    (*host)->memory = memory;
    (*host)->device = *device;
    return 0;
}

void testing_file_release(struct recoup_testing_host *host, struct testing_file *file)
{
    RECOUP_ASSERT(RECOUP_ERGO(file->bytes != NULL, file->capacity > 0));
    RECOUP_ASSERT(file->size <= file->capacity);
    recoup__release(&host->memory, file->bytes, file->capacity);
    *file = (struct testing_file){0};
}

void recoup_testing_host_destroy(struct recoup_testing_host *host)
{
    struct recoup__memory memory;

    if (host == NULL) {
        return;
    }
    for (uint32_t i = 0; i < host->n_files; i++) {
        testing_file_release(host, &host->files[i]);
    }
    recoup__release(&host->memory, host->files, host->files_capacity * sizeof *host->files);
    recoup__release(&host->memory, host->writes, host->writes_capacity * sizeof *host->writes);
    recoup__release(&host->memory, host->names, host->names_capacity * sizeof *host->names);
    memory = host->memory;
    RECOUP_ASSERT(memory.bytes == sizeof *host);
    RECOUP_ASSERT(memory.broken == 0);
    recoup__release(&memory, host, sizeof *host);
}

// The parts of a copy; what is missing on an error is given back by the caller.
static int copy_parts(const struct recoup_testing_host *host, struct recoup_testing_host *copy)
{
    int error = recoup__grow(&copy->memory, (void **)&copy->files, &copy->files_capacity,
                             sizeof *copy->files, host->n_files + 1);

    RECOUP_ASSERT(copy->n_files == 0 && copy->n_writes == 0);
    RECOUP_ASSERT(copy->names == NULL);
    error = error != 0 ? error
                       : recoup__grow(&copy->memory, (void **)&copy->writes, &copy->writes_capacity,
                                      sizeof *copy->writes, host->n_writes + 1);
    for (uint32_t i = 0; error == 0 && i < host->n_files; i++) {
        struct testing_file *file = &copy->files[copy->n_files++];

        *file = host->files[i];
        file->bytes = NULL;
        file->capacity = 0;
        file->size = 0;
        error = testing_file_append(copy, file, host->files[i].bytes, host->files[i].size);
    }
    if (error == 0 && host->n_writes > 0) {
        memcpy(copy->writes, host->writes, host->n_writes * sizeof *host->writes);
        copy->n_writes = host->n_writes;
    }
    return error;
}

int recoup_testing_host_copy(const struct recoup_testing_host *host,
                             struct recoup_testing_host **copy)
{
    int error;

    RECOUP_ASSERT(host != NULL && copy != NULL);
    error = recoup_testing_host_create(&host->device, &host->memory.allocator, copy);
    if (error != 0) {
        return error;
    }
    error = copy_parts(host, *copy);
    if (error != 0) {
        recoup_testing_host_destroy(*copy);
        *copy = NULL;
        return error;
    }
    (*copy)->directory = host->directory;
    (*copy)->fault = host->fault;
    (*copy)->interrupted = host->interrupted;
    (*copy)->flight = host->flight;
    (*copy)->n_flight = host->n_flight;
    RECOUP_ASSERT((*copy)->n_writes == host->n_writes);
    return 0;
}

const struct recoup_testing_device *recoup_testing_device(const struct recoup_testing_host *host)
{
    RECOUP_ASSERT(host != NULL);
    return &host->device;
}

// ---------------------------------------------------------------------------------------------
// Files

int testing_file_append(struct recoup_testing_host *host, struct testing_file *file,
                        const void *bytes, uint64_t size)
{
    int error;

    RECOUP_ASSERT(RECOUP_ERGO(size > 0, bytes != NULL));
    RECOUP_ASSERT(file->size <= file->capacity);
    if (size > RECOUP_TESTING_FILE_BYTES_MAX - file->size) {
        return RECOUP_ELIMIT;
    }
    error = recoup__grow(&host->memory, (void **)&file->bytes, &file->capacity, 1,
                         (uint32_t)(file->size + size));
    if (error == 0 && size > 0) {
        memcpy(file->bytes + file->size, bytes, (size_t)size);
        file->size += size;
    }
    return error;
}

struct testing_file *testing_find(struct recoup_testing_host *host, const char *name)
{
    RECOUP_ASSERT(name[0] != '\0');
    RECOUP_ASSERT(host->n_files <= RECOUP_TESTING_FILES_MAX);
    for (uint32_t i = 0; i < host->n_files; i++) {
        if (host->files[i].used && host->files[i].linked &&
            strcmp(host->files[i].name, name) == 0) {
            return &host->files[i];
        }
    }
    return NULL;
}

// The file that the client has open; an object's name is not there yet.
struct testing_file *testing_find_open(struct recoup_testing_host *host, const char *name)
{
    RECOUP_ASSERT(host != NULL);
    for (uint32_t i = 0; i < host->n_files; i++) {
        if (host->files[i].open && strcmp(host->files[i].name, name) == 0) {
            RECOUP_ASSERT(host->files[i].used);
            return &host->files[i];
        }
    }
    return NULL;
}

uint32_t testing_index(const struct recoup_testing_host *host, const struct testing_file *file)
{
    RECOUP_ASSERT(file >= host->files);
    RECOUP_ASSERT(file < host->files + host->n_files);
    return (uint32_t)(file - host->files);
}

static int add_file(struct recoup_testing_host *host, const char *name, struct testing_file **file)
{
    uint32_t slot = 0;
    int error;

    RECOUP_ASSERT(strlen(name) < TESTING_NAME_MAX);
    while (slot < host->n_files && host->files[slot].used) {
        slot++;
    }
    if (slot == RECOUP_TESTING_FILES_MAX) {
        return RECOUP_ELIMIT;
    }
    error = recoup__grow(&host->memory, (void **)&host->files, &host->files_capacity,
                         sizeof *host->files, slot + 1);
    if (error != 0) {
        return error;
    }
    host->n_files = slot == host->n_files ? slot + 1 : host->n_files;
    *file = &host->files[slot];
    **file = (struct testing_file){.used = true};
    memcpy((*file)->name, name, strlen(name));
    RECOUP_ASSERT((*file)->bytes == NULL);
    return 0;
}

int testing_write_note(struct recoup_testing_host *host, enum testing_write_kind kind,
                       uint32_t file, uint64_t offset, uint64_t size)
{
    int error = recoup__grow(&host->memory, (void **)&host->writes, &host->writes_capacity,
                             sizeof *host->writes, host->n_writes + 1);

    RECOUP_ASSERT(file < host->n_files);
    RECOUP_ASSERT(RECOUP_ERGO(kind != TESTING_WRITE_APPEND, size == 0));
    if (error == 0) {
        host->writes[host->n_writes++] = (struct testing_write){kind, file, offset, size};
    }
    return error;
}

void testing_collect(struct recoup_testing_host *host)
{
    RECOUP_ASSERT(host->n_files <= host->files_capacity);
    for (uint32_t i = 0; i < host->n_files; i++) {
        struct testing_file *file = &host->files[i];
        bool named = file->linked || file->linked_durably || file->open;

        for (uint32_t k = 0; !named && k < host->n_writes; k++) {
            named = host->writes[k].file == i;
        }
        if (file->used && !named) {
            testing_file_release(host, file);
        }
    }
    RECOUP_ASSERT(RECOUP_ERGO(host->n_writes > 0, host->writes != NULL));
}

// ---------------------------------------------------------------------------------------------
// Effects; each returns 0 or the error that the operation reports.

// Every creation and removal so far is on the medium.
static void settle_names(struct recoup_testing_host *host)
{
    uint32_t n = 0;

    RECOUP_ASSERT(!host->interrupted);
    for (uint32_t i = 0; i < host->n_writes; i++) {
        struct testing_write write = host->writes[i];

        if (write.kind == TESTING_WRITE_APPEND) {
            host->writes[n++] = write;
        } else {
            host->files[write.file].linked_durably = write.kind == TESTING_WRITE_CREATE;
        }
    }
    host->n_writes = n;
    testing_collect(host);
    RECOUP_ASSERT(host->n_writes <= host->writes_capacity);
}

static void settle_bytes(struct recoup_testing_host *host, uint32_t file)
{
    uint32_t n = 0;

    RECOUP_ASSERT(host->files[file].used);
    for (uint32_t i = 0; i < host->n_writes; i++) {
        if (host->writes[i].kind != TESTING_WRITE_APPEND || host->writes[i].file != file) {
            host->writes[n++] = host->writes[i];
        }
    }
    host->n_writes = n;
    host->files[file].durable = host->files[file].size;
    RECOUP_ASSERT(host->files[file].kept <= host->files[file].size);
}

int testing_create(struct recoup_testing_host *host, const char *name)
{
    bool object = host->device.keeps == RECOUP_TESTING_KEEPS_CLOSED;
    struct testing_file *file = testing_find(host, name);
    int error;

    RECOUP_ASSERT(name[0] != '\0');
    if (!host->directory && !object) {
        return RECOUP_ENOENT;
    }
    if ((file != NULL && host->device.storage.create_exclusive) ||
        testing_find_open(host, name) != NULL) {
        return RECOUP_EEXIST;
    }
    error = add_file(host, name, &file);
    if (error != 0) {
        return error;
    }
    file->open = true;
    file->linked = !object;
    file->linked_durably = !object && host->device.names_at_once;
    if (!object && !host->device.names_at_once) {
        error = testing_write_note(host, TESTING_WRITE_CREATE, testing_index(host, file), 0, 0);
        if (error != 0) {
            testing_file_release(host, file);
        }
    }
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, file->open));
    return error;
}

static int do_append(struct recoup_testing_host *host, struct testing_file *file,
                     const struct recoup_action *action, size_t size)
{
    bool object = host->device.keeps == RECOUP_TESTING_KEEPS_CLOSED;
    uint64_t before = file->size;
    int error = testing_file_append(host, file, action->io.data, size);

    RECOUP_ASSERT(size <= action->io.size);
    if (error == 0 && !object && size > 0) {
        error =
            testing_write_note(host, TESTING_WRITE_APPEND, testing_index(host, file), before, size);
        file->size = error != 0 ? before : file->size;
    }
    if (host->device.keeps == RECOUP_TESTING_KEEPS_APPENDED) {
        file->kept = file->size;
    }
    RECOUP_ASSERT(file->size >= before);
    return error;
}

// FLUSH, SYNC and CLOSE of an open file.
static void do_make_durable(struct recoup_testing_host *host, struct testing_file *file,
                            enum recoup_action_type type)
{
    const struct recoup_testing_device *device = &host->device;
    uint32_t level = type == RECOUP_ACTION_FLUSH ? 1 : type == RECOUP_ACTION_SYNC ? 2 : 3;
    enum recoup_durable_at at = device->storage.durable_at;
    // On a page cache the close of a file is no sync.
    bool durable = at == RECOUP_DURABLE_AT_CLOSE
                       ? type == RECOUP_ACTION_CLOSE
                       : (type == RECOUP_ACTION_SYNC || at == RECOUP_DURABLE_AT_FLUSH);

    RECOUP_ASSERT(file->open);
    RECOUP_ASSERT(file->durable <= file->size);
    if ((uint32_t)device->keeps <= level) {
        file->kept = file->size;
    }
    if (type == RECOUP_ACTION_CLOSE) {
        file->open = false;
        file->linked = true;
        file->linked_durably = file->linked_durably || device->keeps == RECOUP_TESTING_KEEPS_CLOSED;
    }
    if (durable && !device->lying) {
        settle_bytes(host, testing_index(host, file));
        settle_names(host);
    }
}

static int do_remove_file(struct recoup_testing_host *host, struct testing_file *file)
{
    int error = 0;

    RECOUP_ASSERT(file->used);
    if (host->device.names_at_once || !file->linked) {
        settle_bytes(host, testing_index(host, file));
        file->linked_durably = false;
    } else {
        error = testing_write_note(host, TESTING_WRITE_REMOVE, testing_index(host, file), 0, 0);
    }
    if (error == 0) {
        file->linked = false;
        file->open = false;
        testing_collect(host);
    }
    RECOUP_ASSERT(RECOUP_ERGO(error != 0, file->used));
    return error;
}

static int do_remove(struct recoup_testing_host *host, const char *name)
{
    struct testing_file *file = name[0] != '\0' ? testing_find(host, name) : NULL;
    RECOUP_ASSERT(!host->interrupted);
    if (name[0] != '\0') {
        file = file != NULL ? file : testing_find_open(host, name);
        return file != NULL ? do_remove_file(host, file) : 0;
    }
    if (recoup_testing_file_count(host) > 0) {
        return RECOUP_EEXIST;
    }
    host->directory = false;
    return 0;
}

static int do_list(struct recoup_testing_host *host, struct recoup_event *event)
{
    uint32_t n = 0;
    int error = recoup__grow(&host->memory, (void **)&host->names, &host->names_capacity,
                             sizeof *host->names, host->n_files + 1);

    if (!host->directory && host->device.keeps != RECOUP_TESTING_KEEPS_CLOSED) {
        return RECOUP_ENOENT;
    }
    for (uint32_t i = host->n_files; error == 0 && i > 0; i--) { // in no order that helps
        if (host->files[i - 1].linked) {
            RECOUP_ASSERT(host->files[i - 1].used);
            host->names[n++] = host->files[i - 1].name;
        }
    }
    event->io.names = error == 0 ? host->names : NULL;
    event->io.n_names = n;
    RECOUP_ASSERT(n <= host->n_files);
    return error;
}

static int do_read(struct recoup_testing_host *host, const struct recoup_action *action,
                   struct recoup_event *event)
{
    struct testing_file *file = testing_find(host, action->io.file);

    RECOUP_ASSERT(action->io.size > 0);
    if (file == NULL) {
        return RECOUP_ENOENT;
    }
    if (action->io.offset < file->kept) { // what another client would see
        uint64_t left = file->kept - action->io.offset;

        event->io.data = file->bytes + action->io.offset;
        event->io.size = left < action->io.size ? (size_t)left : action->io.size;
    }
    if (event->io.size < action->io.size && host->device.read_syncs && !host->device.lying) {
        settle_bytes(host, testing_index(host, file));
        settle_names(host);
    }
    RECOUP_ASSERT(event->io.size <= action->io.size);
    return 0;
}

static int do_operation(struct recoup_testing_host *host, const struct recoup_action *action,
                        size_t size, struct recoup_event *event)
{
    struct testing_file *file = testing_find_open(host, action->io.file);

    RECOUP_ASSERT(action->type <= RECOUP_ACTION_REMOVE);
    RECOUP_ASSERT(strlen(action->io.file) < TESTING_NAME_MAX);
    switch ((unsigned)action->type) {
    case RECOUP_ACTION_MKDIR:
        host->directory = true;
        return 0;
    case RECOUP_ACTION_LIST:
        return do_list(host, event);
    case RECOUP_ACTION_CREATE:
        return testing_create(host, action->io.file);
    case RECOUP_ACTION_READ:
        return do_read(host, action, event);
    case RECOUP_ACTION_REMOVE:
        return do_remove(host, action->io.file);
    default:
        break;
    }
    if (file == NULL) {
        return RECOUP_ENOENT;
    }
    if (action->type == RECOUP_ACTION_APPEND) {
        return do_append(host, file, action, size);
    }
    do_make_durable(host, file, action->type);
    return 0;
}

// ---------------------------------------------------------------------------------------------

void recoup_testing_fail(struct recoup_testing_host *host, const struct recoup_testing_fault *fault)
{
    RECOUP_ASSERT(host != NULL);
    RECOUP_ASSERT(RECOUP_ERGO(fault != NULL, fault->error < 0));
    host->fault = fault != NULL ? *fault : (struct recoup_testing_fault){0};
    host->fired = 0;
}

uint32_t recoup_testing_fired(const struct recoup_testing_host *host)
{
    RECOUP_ASSERT(host != NULL);
    return host->fired;
}

// Whether the armed fault strikes this operation.
static bool strikes(struct recoup_testing_host *host, enum recoup_action_type type)
{
    struct recoup_testing_fault *fault = &host->fault;

    RECOUP_ASSERT(type <= RECOUP_ACTION_REMOVE);
    if (fault->countdown == 0 ||
        (fault->type != RECOUP_TESTING_ANY && fault->type != (uint32_t)type)) {
        return false;
    }
    if (fault->countdown > 1) {
        fault->countdown--;
        return false;
    }
    RECOUP_ASSERT(fault->error != 0);
    if (fault->repeat > 0) {
        fault->repeat--;
    } else {
        fault->countdown = 0;
    }
    host->fired++;
    return true;
}

// After a creation or a close that is reported to have failed the file is not open, whatever came
// of it; of an object that has not appeared nothing is left.
static void let_go(struct recoup_testing_host *host, const char *name)
{
    struct testing_file *file = testing_find_open(host, name);

    RECOUP_ASSERT(!host->interrupted);
    if (file != NULL) {
        file->open = false;
        testing_collect(host);
    }
    RECOUP_ASSERT(testing_find_open(host, name) == NULL);
}

int recoup_testing_perform(struct recoup_testing_host *host, const struct recoup_action *action,
                           struct recoup_event *event)
{
    size_t size = action->type == RECOUP_ACTION_APPEND ? action->io.size : 0;
    bool effect = true;
    bool struck;

    RECOUP_ASSERT(host != NULL && event != NULL);
    RECOUP_ASSERT(!host->interrupted);
    if (action->type > RECOUP_ACTION_REMOVE) {
        return RECOUP_EINVAL;
    }
    *event = (struct recoup_event){.type = RECOUP_EVENT_IO};
    event->io.operation = action->io.operation;
    host->operations[action->type]++;
    struck = strikes(host, action->type);
    if (struck) {
        event->io.error = host->fault.error;
        effect = host->fault.effect == RECOUP_TESTING_EFFECT_FULL ||
                 (host->fault.effect == RECOUP_TESTING_EFFECT_HALF && size > 0);
        size = host->fault.effect == RECOUP_TESTING_EFFECT_HALF ? size / 2 : size;
    }
    if (effect) {
        int error = do_operation(host, action, size, event);

        event->io.error = event->io.error != 0 ? event->io.error : error;
    }
    if (struck && (action->type == RECOUP_ACTION_CREATE || action->type == RECOUP_ACTION_CLOSE)) {
        let_go(host, action->io.file);
    }
    if (event->io.error != 0) {
        event->io.data = NULL;
        event->io.size = 0;
        event->io.names = NULL;
        event->io.n_names = 0;
    }
    return 0;
}

uint64_t recoup_testing_operations(const struct recoup_testing_host *host, uint32_t type)
{
    uint64_t sum = 0;

    RECOUP_ASSERT(type == RECOUP_TESTING_ANY || type <= RECOUP_ACTION_REMOVE);
    for (uint32_t i = 0; i <= RECOUP_ACTION_REMOVE; i++) {
        sum += type == RECOUP_TESTING_ANY || type == i ? host->operations[i] : 0;
    }
    return sum;
}

// ---------------------------------------------------------------------------------------------
// Looking at the files

uint32_t recoup_testing_file_count(const struct recoup_testing_host *host)
{
    uint32_t n = 0;

    RECOUP_ASSERT(host != NULL);
    for (uint32_t i = 0; i < host->n_files; i++) {
        n += host->files[i].linked ? 1 : 0;
    }
    RECOUP_ASSERT(n <= host->n_files);
    return n;
}

static const struct testing_file *nth(const struct recoup_testing_host *host, uint32_t file)
{
    RECOUP_ASSERT(file < recoup_testing_file_count(host));
    for (uint32_t i = 0; i < host->n_files; i++) {
        if (host->files[i].linked) {
            if (file == 0) {
                return &host->files[i];
            }
            file--;
        }
    }
    RECOUP_ASSERT(false);
    return NULL;
}

const char *recoup_testing_file_name(const struct recoup_testing_host *host, uint32_t file)
{
    RECOUP_ASSERT(host != NULL);
    return nth(host, file)->name;
}

const uint8_t *recoup_testing_file_bytes(const struct recoup_testing_host *host, uint32_t file,
                                         uint64_t *size)
{
    RECOUP_ASSERT(size != NULL);
    *size = nth(host, file)->size;
    return nth(host, file)->bytes;
}

int recoup_testing_file_put(struct recoup_testing_host *host, const char *name, const void *bytes,
                            uint64_t size)
{
    struct testing_file *file = testing_find(host, name);
    int error;

    RECOUP_ASSERT(!host->interrupted);
    if (file == NULL) {
        error = add_file(host, name, &file);
        if (error != 0) {
            return error;
        }
    }
    host->directory = true;
    settle_bytes(host, testing_index(host, file));
    file->size = 0;
    file->durable = 0;
    file->linked = true;
    file->linked_durably = true;
    error = testing_file_append(host, file, bytes, size);
    file->durable = file->size;
    file->kept = file->size;
    RECOUP_ASSERT(RECOUP_ERGO(error == 0, file->size == size));
    return error;
}

void recoup_testing_hash(const struct recoup_testing_host *host, uint8_t hash[16])
{
    XXH128_hash_t sum = {0, 0};

    RECOUP_ASSERT(host != NULL && hash != NULL);
    for (uint32_t i = 0; i < host->n_files; i++) {
        const struct testing_file *file = &host->files[i];

        if (file->linked) {
            uint64_t seed = XXH3_64bits(file->name, strlen(file->name)) ^ file->size;
            XXH128_hash_t one = XXH3_128bits_withSeed(file->bytes, (size_t)file->size, seed);

            RECOUP_ASSERT(file->used);
            sum.low64 += one.low64; // commutative: the order of creation is no content
            sum.high64 += one.high64;
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        hash[i] = (uint8_t)(sum.low64 >> (8 * i));
        hash[8 + i] = (uint8_t)(sum.high64 >> (8 * i));
    }
}
