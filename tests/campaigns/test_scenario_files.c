// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which files are scenarios, and where baselines are looked for.
#define _XOPEN_SOURCE 700
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "campaigns/scenario_files.h"

#define FOLDER RECOUP_BINARY_DIR "/tests/files"

static void make(const char *name, const char *text)
{
    char path[1024];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_i64(fclose(file), 0);
}

static int prepare(void **state)
{
    static const char *const folders[] = {
        "", "/b", "/b/c", "/.git", "/results", "/results/baselines", "/.hidden"};

    (void)state;
    assert_i64(system("rm -rf '" FOLDER "'"), 0);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[1024];

        (void)snprintf(path, sizeof(path), "%s%s", FOLDER, folders[i]);
        assert_i64(mkdir(path, 0777), 0);
    }
    make("site.yaml", "version: 1\njob: {}\n");
    make("b/two.yml", "\xef\xbb\xbfversion: 1\nbase: '../site.yaml' # here\n");
    make("b/one.yaml", "# first\nversion: 1\nbase: ../site.yaml\nabout: x\n");
    make("b/c/alone.yaml", "version: 1\njob:\n  stages: []\n");
    make("b/c/sweep.yaml", "version: 1\nscenario: ../one.yaml\naxes: []\n");
    make("b/c/compose.yaml", "version: 3\nservices: {}\n");
    make("b/c/nested.yaml", "a:\n  version: 1\n  job: 2\n");
    make("b/c/text.txt", "version: 1\njob: {}\n");
    make("b/c/empty.yaml", "");
    make("results/baselines/one.yaml", "version: 1\nbaseline: one\n");
    make(".hidden/no.yaml", "version: 1\njob: {}\n");
    return 0;
}

static void assert_paths(const struct campaign_files *files, const char *expected)
{
    char found[2048] = "";

    for (uint32_t i = 0; i < files->count; i++) {
        if (!files->list[i].serves) {
            const char *path = files->list[i].path;

            path += strncmp(path, FOLDER, strlen(FOLDER)) == 0 ? strlen(FOLDER) : 0;
            (void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s ", path);
        }
    }
    assert_text(found, expected);
}

static void scenarios_are_told_from_other_yaml(void **state)
{
    static const char *const paths[] = {FOLDER};
    struct campaign_files files;

    (void)state;
    assert_true(campaign_files_find(&files, paths, 1));
    assert_paths(&files, "/b/c/alone.yaml /b/one.yaml /b/two.yml ");
    assert_u64(files.n_serving, 1);
    assert_u64(files.n_other, 5);
    campaign_files_release(&files);
}

static void a_named_file_is_taken_at_its_word(void **state)
{
    static const char *const paths[] = {FOLDER "/site.yaml", FOLDER "/b/c/text.txt", FOLDER "/b",
                                        FOLDER "/b/one.yaml"};
    struct campaign_files files;

    (void)state;
    assert_true(campaign_files_find(&files, paths, 4));
    assert_paths(&files, "/site.yaml /b/c/text.txt /b/c/alone.yaml /b/one.yaml /b/two.yml ");
    campaign_files_release(&files);
    assert_true(campaign_files_sift(&files, paths, 4));
    assert_paths(&files, "/b/one.yaml /b/two.yml ");
    campaign_files_release(&files);
}

static void a_sweep_keeps_its_jobs_below(void **state)
{
    static const char *const paths[] = {FOLDER};
    struct campaign_files files;

    (void)state;
    make("b/sweep.yaml", "version: 1\nscenario: c/alone.yaml # its job\naxes:\n  - {}\n");
    make("b/other.yaml", "version: 1\nscenario: one.yaml\naxes: []\n");
    make("b/third.yaml", "version: 1\nscenario: ../b/two.yml\naxes: []\n");
    assert_true(campaign_files_find(&files, paths, 1));
    assert_paths(&files, "/b/one.yaml /b/two.yml ");
    assert_u64(files.n_serving, 2);
    campaign_files_release(&files);
}

static void what_is_not_there_is_an_error(void **state)
{
    static const char *const paths[] = {FOLDER "/nowhere"};
    struct campaign_files files;

    (void)state;
    assert_false(campaign_files_find(&files, paths, 1));
    assert_non_null(strstr(files.message, "/nowhere: No such file"));
    campaign_files_release(&files);
}

static void assert_folder(const char *scenario, const char *expected, bool exists)
{
    bool found;
    char *folder = campaign_baselines_folder(scenario, &found);

    assert_non_null(folder);
    assert_text(folder, expected);
    assert_int_equal(found, exists);
    free(folder);
}

static void baselines_are_looked_for_upwards(void **state)
{
    (void)state;
    assert_folder(FOLDER "/b/c/alone.yaml", FOLDER "/results/baselines", true);
    assert_i64(mkdir(FOLDER "/b/baselines", 0777), 0);
    assert_folder(FOLDER "/b/c/alone.yaml", FOLDER "/b/baselines", true);
    assert_folder(FOLDER "/site.yaml", FOLDER "/results/baselines", true);
    // Not beyond the folder that holds .git; then they are made beside the scenario.
    assert_i64(rmdir(FOLDER "/b/baselines"), 0);
    assert_i64(mkdir(FOLDER "/b/.git", 0777), 0);
    assert_folder(FOLDER "/b/c/alone.yaml", FOLDER "/b/c/baselines", false);
    assert_i64(chdir(FOLDER "/b/c"), 0);
    assert_folder("alone.yaml", "./baselines", false);
    assert_i64(mkdir("../baselines", 0777), 0);
    assert_folder("alone.yaml", "../baselines", true);
    assert_i64(chdir(RECOUP_BINARY_DIR), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(scenarios_are_told_from_other_yaml, prepare),
    cmocka_unit_test_setup(a_named_file_is_taken_at_its_word, prepare),
    cmocka_unit_test_setup(a_sweep_keeps_its_jobs_below, prepare),
    cmocka_unit_test_setup(what_is_not_there_is_an_error, prepare),
    cmocka_unit_test_setup(baselines_are_looked_for_upwards, prepare),
};

int main(int argc, char **argv)
{
    return check_main(argc, argv, "scenario files", tests);
}
