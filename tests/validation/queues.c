// SPDX-License-Identifier: GPL-3.0-or-later
//
// Queues on the kernel, whose closed forms are in textbooks: prints one line per replication,
// "sample value", as simulate.c does.
//
//     validation_queues [times=K] [share=K] [from=SEED]
#include "check.h"
#include "sim/support_mmc.h"

#define MEAN INT64_C(1000000000) // of a service
#define REPLICATIONS 60u
#define WARM_UP 5000u
#define CUSTOMERS 25000u

struct queue {
    struct mmc_world world;
    const char *number, *sojourn, *wait, *waited, *late; // samples; NULL: not asked for
};

static void put(const char *sample, double value)
{
    if (sample != NULL) {
        (void)printf("%s %.17g\n", sample, value);
    }
}

static void run(const struct queue *queue, uint64_t from, uint64_t n)
{
    for (uint64_t seed = from; seed < from + n; seed++) {
        const struct mmc_result r = mmc_run_world(seed, &queue->world, WARM_UP, CUSTOMERS);

        put(queue->number, r.number);
        put(queue->sojourn, r.sojourn_s);
        put(queue->wait, r.wait_s);
        put(queue->waited, r.waited);
        put(queue->late, r.late);
    }
}

int main(int argc, char **argv)
{
    // Of squared coefficient of variation 4: two exponential phases, of balanced means.
    const struct sim_law phases[] = {{.kind = SIM_LAW_EXPONENTIAL, .a = 563508327},
                                     {.kind = SIM_LAW_EXPONENTIAL, .a = 4436491673}};
    const int64_t weights[] = {887298335, 112701665};
    const struct sim_law general = {
        .kind = SIM_LAW_MIXTURE, .count = 2, .parts = phases, .weights_nano = weights};
    const struct sim_law exponential = {.kind = SIM_LAW_EXPONENTIAL, .a = MEAN};
    const struct sim_law constant = {.kind = SIM_LAW_CONSTANT, .a = MEAN};
    const struct queue queues[] = {
        {{1, MEAN * 10 / 8, exponential, 23025850930},
         "mm1-0.8-number", "mm1-0.8-sojourn", "mm1-0.8-wait", NULL, "mm1-0.8-late"},
        {{1, MEAN * 10 / 9, exponential, 46051701860},
         "mm1-0.9-number", "mm1-0.9-sojourn", "mm1-0.9-wait", NULL, "mm1-0.9-late"},
        {{4, MEAN * 10 / 32, exponential, 0}, NULL, NULL, "mm4-wait", "mm4-waited", NULL},
        {{16, MEAN * 10 / 144, exponential, 0}, NULL, NULL, "mm16-wait", "mm16-waited", NULL},
        {{2, MEAN * 10 / 16, exponential, 0}, NULL, NULL, "mm2-wait", "mm2-waited", NULL},
        {{1, MEAN * 10 / 8, constant, 0}, NULL, NULL, "md1-wait", NULL, NULL},
        {{1, MEAN * 10 / 8, general, 0}, NULL, NULL, "mg1-wait", NULL, NULL},
    };
    uint64_t times = 1, share = 1, from = 1, n;

    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        uint64_t number = equals == NULL ? 0 : strtoull(equals + 1, NULL, 10);

        if (number == 0) {
            (void)fprintf(stderr, "%s: times=K, share=K or from=SEED\n", argv[i]);
            return 2;
        }
        *(argv[i][0] == 't' ? &times : argv[i][0] == 's' ? &share : &from) = number;
    }
    n = REPLICATIONS * times / share;
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        run(&queues[i], from, n < 30 ? 30 : n);
    }
    return fflush(stdout) == 0 ? 0 : 2;
}
