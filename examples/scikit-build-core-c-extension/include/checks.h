#ifndef EXAMPLE_CHECKS_H
#define EXAMPLE_CHECKS_H

#undef NDEBUG /* asserts stay in the release: they name this file */
#include <assert.h>

const char *checks_source(void);

static inline long checked_half(long value)
{
    assert(value % 2 == 0);
    return value / 2;
}

static inline const char *checks_header(void)
{
    return __FILE__;
}

#endif
