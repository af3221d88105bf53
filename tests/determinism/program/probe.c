// SPDX-License-Identifier: GPL-3.0-or-later
//
// What C does not promise: prints a line "NAME HASH" for constructs whose values depend on the
// compiler, the CPU, the C library or the addresses. A build or an environment in which nothing of
// this differs proves little; the matrix shows for each where it differs.
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200000u

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9FB21C651E98DF25);
    return hash ^ hash >> 29;
}

static uint64_t bits(double x)
{
    uint64_t value;

    memcpy(&value, &x, sizeof(value));
    return value;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1;
    return *state >> 11;
}

static void print(const char *name, uint64_t hash)
{
    printf("%s %016" PRIx64 "\n", name, hash);
}

static void libm(void)
{
    uint64_t state = 1, logs = 0, powers = 0, waves = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        double u = ((double)next(&state) + 0.5) * 0x1p-53;

        logs = mix(logs, bits(log(u)));
        powers = mix(powers, bits(pow(-log(u), 1.0 / 0.7)));
        waves = mix(waves, bits(exp(u) + sin(1000.0 * u)));
    }
    print("log", logs);
    print("pow", powers);
    print("exp-sin", waves);
}

static uint64_t pair(uint64_t a, uint64_t b)
{
    return a * 3 + b;
}

static int by_key(const void *a, const void *b)
{
    return *(const int *)a / 1000 - *(const int *)b / 1000;
}

static void order(void)
{
    uint64_t state = 1, sorted = 0, addresses = 0;
    int keys[1000];
    void *blocks[100];

    print("argument-order", pair(next(&state), next(&state)));
    for (int i = 0; i < 1000; i++) {
        keys[i] = (int)(next(&state) % 8) * 1000 + i;
    }
    qsort(keys, 1000, sizeof(keys[0]), by_key);
    for (int i = 0; i < 1000; i++) {
        sorted = mix(sorted, (uint64_t)keys[i]);
    }
    print("qsort-of-equal-keys", sorted);
    for (int i = 0; i < 100; i++) {
        blocks[i] = malloc((size_t)(next(&state) % 300000 + 1));
    }
    for (int i = 1; i < 100; i++) {
        addresses = addresses * 2 + ((uintptr_t)blocks[i] > (uintptr_t)blocks[i - 1]);
        addresses ^= addresses >> 60;
    }
    print("malloc-order", addresses);
    for (int i = 0; i < 100; i++) {
        free(blocks[i]);
    }
}

static void representation(void)
{
    volatile double huge = 1e30;
    volatile double a = 1.0 + 0x1p-30, b = 1.0 - 0x1p-30, c = -1.0;
    const uint32_t word = 1;
    unsigned char first;

    memcpy(&first, &word, 1);
    print("byte-order", first);
    print("char-signedness", (uint64_t)(CHAR_MIN < 0));
    print("long-size", sizeof(long));
    print("address-size", sizeof(void *));
    print("long-double", (uint64_t)LDBL_MANT_DIG);
    print("a*b+c", bits(a * b + c));
    print("double-to-integer-out-of-range", (uint64_t)(int64_t)huge);
    srand(1);
    print("rand", (uint64_t)rand());
}

int main(void)
{
    libm();
    order();
    representation();
    return 0;
}
