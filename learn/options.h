/*
 * options.h - numbers on the command line: each function returns one within its limits, or
 * ends the program by argp's error, which names the option.
 */
#ifndef LEARN_OPTIONS_H
#define LEARN_OPTIONS_H

#include <argp.h>
#include <stdint.h>

int learn_whole(const struct argp_state *state, const char *option, const char *arg,
                int least, int most);

/* --seed, from 0. */
uint64_t learn_seed(const struct argp_state *state, const char *arg, uint64_t most);

double learn_real(const struct argp_state *state, const char *option, const char *arg,
                  double least, double most);

/* --rate, of a descent: above 0, 1 at most. */
double learn_rate(const struct argp_state *state, const char *arg);

#endif
