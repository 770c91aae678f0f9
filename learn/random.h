/*
 * random.h - numbers that look random and depend on a seed and a key alone.
 *
 * Whatever is drawn for one thing (a picture, a trial, a rater) comes from a stream of its
 * own, named by a key, so that neither threads nor what was drawn before change it.
 */
#ifndef LEARN_RANDOM_H
#define LEARN_RANDOM_H

#include <stdint.h>

typedef struct learn_random {
    uint64_t s[4];
} learn_random;

/* The stream of a seed and a key. */
void learn_random_start(learn_random *r, uint64_t seed, uint64_t key);

/* A key out of a name and another key; FNV-1a, so that it is the same everywhere. */
uint64_t learn_random_key(uint64_t key, const char *name);

/* 64 random bits: xoshiro256** 1.0, D. Blackman and S. Vigna, ACM TOMS 47 (2021). */
uint64_t learn_random_bits(learn_random *r);

/* Uniform in [0, 1), 53 bits; in [low, high). */
double learn_random_unit(learn_random *r);
double learn_random_between(learn_random *r, double low, double high);

/* Uniform in 0..n - 1, without bias; n > 0. */
uint64_t learn_random_below(learn_random *r, uint64_t n);

/* Normal, mean 0 and deviation 1: G. Box and M. Muller (1958), one of the two it gives, so
 * that every call takes the same number of bits. */
double learn_random_normal(learn_random *r);

#endif
