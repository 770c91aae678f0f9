/*
 * random.c - see random.h.
 */
#include "random.h"

#include <math.h>

/* SplitMix64: what xoshiro's authors fill its state with. */
static uint64_t split(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void learn_random_start(learn_random *r, uint64_t seed, uint64_t key)
{
    uint64_t x = seed, mixed = split(&x) ^ key;

    for (int i = 0; i < 4; i++)
        r->s[i] = split(&mixed);
}

uint64_t learn_random_key(uint64_t key, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u ^ key;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static uint64_t turn(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t learn_random_bits(learn_random *r)
{
    uint64_t result = turn(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = turn(r->s[3], 45);
    return result;
}

double learn_random_unit(learn_random *r)
{
    return (double)(learn_random_bits(r) >> 11) * 0x1p-53;
}

double learn_random_between(learn_random *r, double low, double high)
{
    return low + (high - low) * learn_random_unit(r);
}

uint64_t learn_random_below(learn_random *r, uint64_t n)
{
    uint64_t reject = (UINT64_MAX - n + 1) % n, x;

    do
        x = learn_random_bits(r);
    while (x < reject);
    return x % n;
}

double learn_random_normal(learn_random *r)
{
    double u = 1 - learn_random_unit(r), v = learn_random_unit(r);

    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}
