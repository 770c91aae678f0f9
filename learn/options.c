/*
 * options.c - see options.h.
 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>

static long long whole(const struct argp_state *state, const char *option, const char *arg,
                       long long least, long long most)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(arg, &end, 10);
    if (errno || end == arg || *end || n < least || n > most)
        argp_error(state, "%s: \"%s\" is no whole number from %lld to %lld", option, arg,
                   least, most);
    return n;
}

int learn_whole(const struct argp_state *state, const char *option, const char *arg,
                int least, int most)
{
    return (int)whole(state, option, arg, least, most);
}

uint64_t learn_seed(const struct argp_state *state, const char *arg)
{
    return (uint64_t)whole(state, "--seed", arg, 0, 1LL << 53);
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
