// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "campaigns/bless.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "results/baseline_text.h"
#include "results/event_words.h"
#include "results/replace_file.h"

#define HEAD_BYTES_MAX 4096u // of comments that are kept

struct blessing {
    const struct campaign_bless *bless;
    struct campaign_check_item *item;
    struct results_text *text;
    struct results_trail trails[SCENARIO_BASELINE_RUNS_MAX];
    uint32_t n_trails;
    uint32_t layers; // that changed in any run
    bool changed;
};

static bool refuse(struct blessing *b, const char *why)
{
    results_text_format(b->text, "      %s\n", why);
    return false;
}

// The runs. False: one has no result, or does not do what the scenario expects.
static bool run_all(struct blessing *b, const uint64_t *seeds, uint32_t n,
                    enum campaign_bless_status *status)
{
    for (uint32_t i = 0; i < n; i++) {
        struct results_text details;
        uint32_t code;

        results_text_init(&details);
        code = campaign_check_run(b->item, seeds[i], b->bless->arena, &b->trails[b->n_trails],
                                  &details);
        b->n_trails++;
        if (code != CAMPAIGN_CODE_DONE) {
            bool result = b->trails[b->n_trails - 1].metrics != NULL;

            results_text_format(b->text, "      seed %" PRIu64 ": %s", seeds[i],
                                results_text_string(&details));
            *status = result ? CAMPAIGN_BLESS_REFUSED : CAMPAIGN_BLESS_FAILED;
            results_text_release(&details);
            return refuse(b, "only what meets its expectations can be accepted; mend the scenario, "
                             "or what it expects, first");
        }
        results_text_release(&details);
    }
    return true;
}

static bool has_seed(const struct blessing *b, uint64_t seed)
{
    for (uint32_t i = 0; i < b->n_trails; i++) {
        if (b->trails[i].seed == seed) {
            return true;
        }
    }
    return false;
}

static void compare_run(struct blessing *b, const struct results_trail *trail)
{
    const struct scenario_baseline *baseline = &b->item->baseline;
    struct results_baseline_check compared;

    results_baseline_check(baseline, trail, true, &compared);
    if (!compared.seed_known) {
        results_text_format(b->text, "      seed %" PRIu64 " is covered from now on\n",
                            trail->seed);
        b->changed = true;
        return;
    }
    if (!compared.equal || compared.scenario_changed || compared.version_changed) {
        b->changed = true;
        b->layers |= compared.layers;
        if (b->n_trails > 1) {
            results_text_format(b->text, "      seed %" PRIu64 ":\n", trail->seed);
        }
        results_baseline_check_text(&compared, baseline, trail, 6, b->text);
    }
}

// The semantic difference between the old baseline and the new runs.
static void compare(struct blessing *b)
{
    const struct scenario_baseline *baseline = &b->item->baseline;

    if (!b->item->has_baseline) {
        results_text_add(b->text, "      a first baseline\n");
        b->changed = true;
        return;
    }
    for (uint32_t i = 0; i < b->n_trails; i++) {
        compare_run(b, &b->trails[i]);
    }
    for (uint32_t i = 0; i < baseline->n_runs; i++) {
        if (!has_seed(b, baseline->runs[i].seed)) {
            results_text_format(b->text, "      seed %" PRIu64 " is no longer covered\n",
                                baseline->runs[i].seed);
            b->changed = true;
        }
    }
    // A metric that the file does not know yet.
    b->changed = b->changed || baseline->n_metrics != scenario_metric_count();
}

// The comment lines at the front of the old file, as they stand.
static void read_head(const char *path, struct results_text *head)
{
    char line[512];
    FILE *stream = fopen(path, "rb");

    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL && line[0] == '#' &&
           head->size < HEAD_BYTES_MAX && strchr(line, '\n') != NULL) {
        results_text_add(head, line);
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
}

// The folder of the baselines is made where there is none; the one above it must be there.
static int make_folder(const char *path)
{
    char *folder = strdup(path);
    char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
    int error = folder == NULL ? ENOMEM : 0;

    if (slash != NULL && slash != folder) {
        *slash = '\0';
        error = mkdir(folder, 0777) == 0 || errno == EEXIST ? 0 : errno;
    }
    free(folder);
    return error;
}

static enum campaign_bless_status write_baseline(struct blessing *b)
{
    const char *path = b->item->baseline_path;
    struct results_baseline_new new = {
        .old = b->item->has_baseline ? &b->item->baseline : NULL,
        .why = b->bless->why,
        .trails = b->trails,
        .n_trails = b->n_trails,
    };
    struct results_text head;
    struct results_text text;
    int error = make_folder(path);

    results_text_init(&head);
    results_text_init(&text);
    read_head(path, &head);
    new.head = results_text_string(&head);
    results_baseline_text(&new, &text);
    if (error == 0) {
        error = results_replace_file(path, &text, b->bless->unique);
    }
    results_text_release(&head);
    results_text_release(&text);
    if (error != 0) {
        results_text_format(b->text, "      %s: the baseline could not be written: %s\n", path,
                            strerror(error));
        return CAMPAIGN_BLESS_FAILED;
    }
    return CAMPAIGN_BLESS_WRITTEN;
}

static enum campaign_bless_status bless_runs(struct blessing *b)
{
    uint64_t own[SCENARIO_BASELINE_RUNS_MAX + 1];
    const uint64_t *seeds = b->bless->seeds;
    uint32_t n = b->bless->n_seeds;
    enum campaign_bless_status status = CAMPAIGN_BLESS_REFUSED;

    if (seeds == NULL) {
        n = campaign_check_seeds(b->item, own);
        seeds = own;
    }
    if (n > SCENARIO_BASELINE_RUNS_MAX) {
        (void)refuse(b, "a baseline covers 64 seeds at most; name them with --seed");
        return CAMPAIGN_BLESS_REFUSED;
    }
    if (!run_all(b, seeds, n, &status)) {
        return status;
    }
    compare(b);
    if (!b->changed) {
        return CAMPAIGN_BLESS_UNCHANGED;
    }
    if (b->bless->order_only && results_change_of(b->layers) == RESULTS_CHANGE_BEHAVIOUR) {
        (void)refuse(b, "more than the order of events changed, and --order-only accepts no more");
        return CAMPAIGN_BLESS_REFUSED;
    }
    return b->bless->dry_run ? CAMPAIGN_BLESS_WRITTEN : write_baseline(b);
}

enum campaign_bless_status campaign_bless_one(const struct campaign_bless *bless,
                                              struct campaign_check_item *item,
                                              struct results_text *text)
{
    struct blessing *b = calloc(1, sizeof(*b));
    enum campaign_bless_status status;

    if (b == NULL) {
        results_text_add(text, "      out of memory\n");
        return CAMPAIGN_BLESS_FAILED;
    }
    b->bless = bless;
    b->item = item;
    b->text = text;
    status = bless_runs(b);
    for (uint32_t i = 0; i < b->n_trails; i++) {
        results_trail_release(&b->trails[i]);
    }
    free(b);
    return status;
}
