// SPDX-License-Identifier: GPL-3.0-or-later
#include "results/label.h"

#include <string.h>

const char *results_label_value(const char *label, const char *name, size_t *size)
{
    size_t length = strlen(name);

    while (strncmp(label, name, length) != 0 || label[length] != '=') {
        label = strstr(label, ", ");
        if (label == NULL) {
            return NULL;
        }
        label += 2;
    }
    label += length + 1;
    // A map or a list may hold commas itself.
    if (label[0] == '\0' || label[0] == ',' || label[0] == '{' || label[0] == '[') {
        return NULL;
    }
    *size = strcspn(label, ",");
    return label;
}
