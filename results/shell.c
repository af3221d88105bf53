// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/shell.h"

#include <string.h>

#include "scenarios/scenario.h"

void results_shell_word(struct results_text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_@%+=:,./-";

    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        results_text_add(text, word);
        return;
    }
    results_text_char(text, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            results_text_add(text, "'\\''");
        } else {
            results_text_char(text, *word);
        }
    }
    results_text_char(text, '\'');
}

void results_shell_set(struct results_text *text, const char *assignment)
{
    struct results_text hidden;
    bool secret = strncmp(assignment, "config.", strlen("config.")) == 0 &&
                  scenario_key_is_secret(assignment);

    if (!secret && strstr(assignment, "://") == NULL) {
        results_shell_word(text, assignment);
        return;
    }
    results_text_init(&hidden);
    results_text_bytes(&hidden, assignment, secret ? strcspn(assignment, "=") : strlen(assignment));
    results_text_add(&hidden, secret ? "=***" : "");
    if (!secret && !hidden.failed) {
        scenario_mask_urls(hidden.data, hidden.size);
    }
    results_shell_word(text, results_text_string(&hidden));
    text->failed = text->failed || hidden.failed;
    results_text_release(&hidden);
}

void results_shell_file(struct results_text *text, const char *path)
{
    results_text_add(text, path[0] == '-' ? "./" : "");
    results_shell_word(text, path);
}
