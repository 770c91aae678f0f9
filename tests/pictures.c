/*
 * pictures.c - test pictures by formula; see pictures.h.
 */
#include "pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct name_parts {
    char base[16], change[16];
    int seed, amount;
} name_parts;

uint32_t picture_hash(uint32_t x)
{
    x ^= x >> 16;
    x *= UINT32_C(0x7feb352d);
    x ^= x >> 15;
    x *= UINT32_C(0x846ca68b);
    x ^= x >> 16;
    return x;
}

static uint32_t hash_at(int x, int y, int c, int seed)
{
    uint32_t at = ((uint32_t)y * 8192u + (uint32_t)x) * 3u + (uint32_t)c;

    return picture_hash(at + (uint32_t)seed * UINT32_C(0x9e3779b9));
}

static int clamp(int v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}

/* A triangle from 0 to 255 and back. */
static int wave(int t, int period)
{
    int m = 2 * (t % period);

    return (m < period ? m : 2 * period - m) * 255 / period;
}

static int scene(int x, int y, int c, int seed)
{
    int v = (wave(3 * x + 5 * y * (c + 1) + 17 * seed, 197) +
             wave(2 * x * (3 - c) + y + 29 * seed + 400, 331)) /
            2;

    if ((x / 11 + y / 13 + seed) % 5 == 0)
        v = 255 - v;
    if ((x / 16 + 3 * (y / 12) + c + seed) % 7 == 0)
        v = 40 * (seed % 5) + 30;
    else
        v += (int)(hash_at(x, y, c, seed) % 13) - 6;
    return clamp(v);
}

static int sample(const name_parts *n, int x, int y, int c)
{
    if (!strcmp(n->base, "black"))
        return 0;
    if (!strcmp(n->base, "white"))
        return 255;
    if (!strcmp(n->base, "noise"))
        return (int)(hash_at(x, y, c, n->seed) >> 24);
    return scene(x, y, c, n->seed);
}

static int known(const name_parts *n)
{
    static const char *const bases[] = {"black", "white", "noise", "scene"};
    static const char *const changes[] = {"", "step", "grain", "shift", "blur", "coarse"};
    int base = 0, change = 0;

    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        base |= !strcmp(n->base, bases[i]);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        change |= !strcmp(n->change, changes[i]);
    return base && change && n->amount > 0;
}

static void blur(uint8_t *rgb, int w, int h)
{
    size_t size = (size_t)w * (size_t)h * 3;
    uint8_t *from = malloc(size);

    if (!from)
        abort();
    memcpy(from, rgb, size);
    for (int y = 0; y < h; y++)
        for (int i = 0; i < 3 * w; i++) {
            int left = i < 3 ? i : i - 3, right = i + 3 < 3 * w ? i + 3 : i, sum = 4;

            for (int d = -1; d <= 1; d++) {
                int row = y + d < 0 ? 0 : y + d >= h ? h - 1 : y + d;
                const uint8_t *p = from + (size_t)row * 3 * (size_t)w;

                sum += p[left] + p[i] + p[right];
            }
            rgb[(size_t)y * 3 * (size_t)w + (size_t)i] = (uint8_t)(sum / 9);
        }
    free(from);
}

static int changed(const name_parts *n, int v, int x, int y, int c, uint32_t index)
{
    uint32_t k = (uint32_t)n->amount;

    if (!strcmp(n->change, "step"))
        return index % k == k / 2 ? (v == 255 ? 254 : v + 1) : v;
    if (!strcmp(n->change, "grain"))
        return clamp(v + (int)(hash_at(x, y, c, n->seed + 77) % (2 * k + 1)) - n->amount);
    if (!strcmp(n->change, "coarse"))
        return clamp(v / n->amount * n->amount + n->amount / 2);
    return v;
}

uint8_t *picture_make(const char *name, int width, int height)
{
    name_parts n = {"", "", 0, 1};
    uint8_t *rgb = malloc((size_t)width * (size_t)height * 3), *p = rgb;
    int fields =
        sscanf(name, "%15[a-z].%d+%15[a-z].%d", n.base, &n.seed, n.change, &n.amount);
    int shift;

    if (!rgb || (fields != 2 && fields != 4) || !known(&n)) {
        fprintf(stderr, "no picture '%s'\n", name);
        abort();
    }
    shift = strcmp(n.change, "shift") ? 0 : n.amount;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++, p++) {
                int v = sample(&n, x < shift ? 0 : x - shift, y, c);

                *p = (uint8_t)changed(&n, v, x, y, c, (uint32_t)(p - rgb));
            }
    for (int i = 0; !strcmp(n.change, "blur") && i < n.amount; i++)
        blur(rgb, width, height);
    return rgb;
}
