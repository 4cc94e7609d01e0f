#include "checks.h"

const char *checks_source(void)
{
    return __FILE__;
}
