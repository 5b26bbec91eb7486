/*
 * Put before a user-mode kernel by LD_PRELOAD: the processes of a guest end with it, and the host's kernel gets whole floating-point
 * states.
 *
 * A guest's processes are processes of the host, which the guest's kernel traces. When that dies they are let go: they run on with
 * system calls of the host, as root. That is when glibc says in one of them that "the futex facility returned an unexpected error
 * code", and when the host logs "linux.uml overflowed sigaltstack": a page fault that nobody handles comes back for ever.
 *
 * User-mode kernels before 6.13 keep 2,696 bytes of a process's state, which is all that a processor with AVX-512 has. The host's
 * kernel refuses to set less than everything (xstateregs_set, arch/x86/kernel/fpu/regset.c: EFAULT), and a processor with AMX has
 * 11 KB: the guest panics at its first process. What the guest keeps is laid over what the process has; the rest stays as it is.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* PTRACE_OLDSETOPTIONS of asm/ptrace-abi.h, which cannot be included beside sys/ptrace.h. */
enum { OLDSETOPTIONS = 21 };

long ptrace(enum __ptrace_request request, ...)
{
    va_list rest;
    va_start(rest, request);
    pid_t pid = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);

    /* The tracer is one thread, and its stack is small. */
    static char state[16384];
    struct iovec whole = {state, sizeof state};
    if (request == PTRACE_SETREGSET && (unsigned long)address == NT_X86_XSTATE &&
        syscall(SYS_ptrace, PTRACE_GETREGSET, pid, address, &whole) == 0) {
        const struct iovec *kept = data;
        memcpy(state, kept->iov_base, kept->iov_len < whole.iov_len ? kept->iov_len : whole.iov_len);
        data = &whole;
    }
    if (request == PTRACE_SETOPTIONS || (int)request == OLDSETOPTIONS)
        data = (void *)((unsigned long)data | PTRACE_O_EXITKILL);
    long word;
    int peeks = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
    long answer = syscall(SYS_ptrace, request, pid, address, peeks ? &word : data);
    return peeks && answer == 0 ? word : answer;
}
