// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "trap.h"

#include <stdio.h>
#include <string.h>

// The headers of the kernel are not everywhere beside those of the C library (musl).
#if defined(__has_include) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#if __has_include(<linux/filter.h>)
#define TRAP_POSSIBLE
#endif
#endif

#ifdef TRAP_POSSIBLE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// linux/audit.h is not part of every C library's headers.
#define TRAP_ARCHITECTURE 0xC000003EU // AUDIT_ARCH_X86_64

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int complain(const char *what)
{
    fprintf(stderr, "trap: %s: %s\n", what, strerror(errno));
    return 1;
}

// The kernel's clocks are read without a system call and partly without the CPU's counter. Without
// their pages a read of any of them faults.
static int unmap_clocks(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    uintptr_t from[8], to[8];
    size_t n = 0;
    char line[512];

    if (maps == NULL) {
        return complain("/proc/self/maps");
    }
    while (n < 8 && fgets(line, sizeof(line), maps) != NULL) {
        unsigned long long first, last;

        if ((strstr(line, "[vdso]") != NULL || strstr(line, "[vvar") != NULL) &&
            sscanf(line, "%llx-%llx", &first, &last) == 2) {
            from[n] = (uintptr_t)first;
            to[n++] = (uintptr_t)last;
        }
    }
    fclose(maps);
    for (size_t i = 0; i < n; i++) {
        if (munmap((void *)from[i], to[i] - from[i]) != 0) {
            return complain("munmap of the vDSO");
        }
    }
    return 0;
}

static int filter_calls(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRAP_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_write),
        ALLOW(SYS_brk),
        ALLOW(SYS_mmap),
        ALLOW(SYS_munmap),
        ALLOW(SYS_mremap),
        ALLOW(SYS_madvise),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
        complain("seccomp");
        return 77;
    }
    return 0;
}

int trap_enter(void)
{
    int error = unmap_clocks();

    if (error != 0) {
        return error;
    }
    if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0) {
        complain("PR_SET_TSC");
        return 77;
    }
    return filter_calls();
}

int trap_sin(const char *name)
{
    struct timespec now;

    if (strcmp(name, "syscall") == 0) {
        (void)getppid();
    } else if (strcmp(name, "clock") == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } else if (strcmp(name, "coarse-clock") == 0) {
        (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } else if (strcmp(name, "cycles") == 0) {
        (void)__builtin_ia32_rdtsc();
    } else if (strcmp(name, "file") == 0) {
        (void)open("/dev/null", O_RDONLY);
    } else {
        return 2;
    }
    return 0;
}

#else

int trap_enter(void)
{
    fputs("trap: only on x86-64 Linux and without sanitizers\n", stderr);
    return 77;
}

int trap_sin(const char *name)
{
    return name == NULL ? 2 : 0;
}

#endif
