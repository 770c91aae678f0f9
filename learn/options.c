/*
 * options.c - see options.h.
 */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

int learn_whole(const struct argp_state *state, const char *option, const char *arg,
                int least, int most)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(arg, &end, 10);
    if (errno || end == arg || *end || n < least || n > most)
        argp_error(state, "%s: \"%s\" is no whole number from %d to %d", option, arg, least,
                   most);
    return (int)n;
}

uint64_t learn_seed(const struct argp_state *state, const char *arg, uint64_t most)
{
    char *end;
    uint64_t n;

    errno = 0;
    n = strtoull(arg, &end, 10);
    /* strtoull() takes a minus sign, and the number's complement */
    if (errno || *arg < '0' || *arg > '9' || *end || n > most)
        argp_error(state, "--seed: \"%s\" is no whole number from 0 to %" PRIu64, arg, most);
    return n;
}

double learn_real(const struct argp_state *state, const char *option, const char *arg,
                  double least, double most)
{
    char *end;
    const double x = strtod(arg, &end);

    if (end == arg || *end || !(x >= least && x <= most))
        argp_error(state, "%s: \"%s\" is no number from %g to %g", option, arg, least, most);
    return x;
}

double learn_rate(const struct argp_state *state, const char *arg)
{
    char *end;
    const double rate = strtod(arg, &end);

    if (end == arg || *end || !(rate > 0 && rate <= 1))
        argp_error(state, "--rate: \"%s\" is no number above 0, 1 at most", arg);
    return rate;
}
