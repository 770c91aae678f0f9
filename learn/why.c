/*
 * why.c - sentences that say what failed and why.
 */
#include "learn.h"

#include <stdarg.h>
#include <stdio.h>

int learn_fail(char why[LEARN_WHY], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, LEARN_WHY, format, arguments);
    va_end(arguments);
    return -1;
}

int learn_no_memory(char why[LEARN_WHY])
{
    return learn_fail(why, "not enough memory");
}
