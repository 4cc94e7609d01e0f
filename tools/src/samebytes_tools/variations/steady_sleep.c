/* Loaded before libfaketime, in builds whose clock is moved.

   libfaketime up to 0.9.10, told to leave CLOCK_MONOTONIC alone, still takes its offset off the moment that
   clock_nanosleep() is to wait for, and the call fails with EINVAL. CPython from 3.11 on sleeps by it, and so does
   every subprocess with a timeout. This hands the call to the kernel as it came. */

#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request, struct timespec *left)
{
    int before = errno;
    int failure = syscall(SYS_clock_nanosleep, clock, flags, request, left) == 0 ? 0 : errno;

    errno = before;
    return failure;
}
