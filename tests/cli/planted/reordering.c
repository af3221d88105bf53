// SPDX-License-Identifier: GPL-3.0-or-later
//
// A planted reordering: the model schedules one thing more and cancels it at once, every hundred
// events. Nothing that happens changes; the numbers by which ties are broken do. Linked in front of
// world_push with --wrap.
#include "models/world.h"

void __real_world_push(struct model_world *w, int64_t at_ns, enum model_event_kind kind,
                       uint32_t entity, uint64_t arg);
void __wrap_world_push(struct model_world *w, int64_t at_ns, enum model_event_kind kind,
                       uint32_t entity, uint64_t arg);

void __wrap_world_push(struct model_world *w, int64_t at_ns, enum model_event_kind kind,
                       uint32_t entity, uint64_t arg)
{
    if (w->events % 100 == 99) {
        uint64_t handle = world_push_cancellable(w, at_ns, kind, entity, arg);

        (void)sim_queue_cancel(&w->queue, handle);
    }
    __real_world_push(w, at_ns, kind, entity, arg);
}
