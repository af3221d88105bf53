// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs a fuzz target on saved inputs: files, or folders of them. Fails when there is none.
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (16u << 20)

static unsigned run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *exact, *bytes = malloc(INPUT_MAX);
    size_t size;

    FUZZ_REQUIRE(file != NULL && bytes != NULL);
    size = fread(bytes, 1, INPUT_MAX, file);
    FUZZ_REQUIRE(ferror(file) == 0 && fclose(file) == 0);
    // A block of just that size, so that the sanitizer sees a read beyond its end.
    exact = malloc(size + (size == 0));
    FUZZ_REQUIRE(exact != NULL);
    memcpy(exact, bytes, size);
    free(bytes);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static unsigned run(const char *path)
{
    struct stat status;
    struct dirent *entry;
    unsigned n = 0;
    DIR *folder;

    if (stat(path, &status) != 0) {
        return 0;
    }
    if (!S_ISDIR(status.st_mode)) {
        return run_file(path);
    }
    folder = opendir(path);
    FUZZ_REQUIRE(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char name[4096];

        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && stat(name, &status) == 0 && S_ISREG(status.st_mode)) {
            n += run_file(name);
        }
    }
    (void)closedir(folder);
    return n;
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++) {
        n += run(argv[i]);
    }
    printf("%u inputs\n", n);
    return n > 0 ? 0 : 1;
}
