/*
 * score_dump.c - distances of the pictures that the filter's option dump= wrote
 *
 * usage: score_dump FILE WIDTH HEIGHT [INPUTS]
 *
 * Computed by ref.c, which shares nothing with the library but the weights of alex 0.1.  A
 * record holds INPUTS pictures (2 by default), the reference last, each three planes of
 * floats; for each other picture of a record one line is printed.
 */
#include "ref.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_INPUTS = 16, MOST_SIDE = 4096 };

/* 1, or 0 at the end of the file; a part of a picture is an error. */
static int read_picture(FILE *in, float *samples, ref_picture *p)
{
    const size_t n = 3 * (size_t)p->width * (size_t)p->height;
    const size_t got = fread(samples, sizeof *samples, n, in);

    for (size_t i = 0; i < got; i++)
        p->rgb[i] = samples[i];
    return got == n ? 1 : got ? -1 : 0;
}

static int score(FILE *in, const lpips_weights *w, float *samples, ref_picture *p, int inputs)
{
    for (int record = 0;; record++) {
        for (int i = 0; i < inputs; i++) {
            const int got = read_picture(in, samples, &p[i]);

            if (!got && !i)
                return record ? 0 : fprintf(stderr, "score_dump: no pictures\n");
            if (got <= 0)
                return fprintf(stderr, "score_dump: record %d is cut off\n", record);
        }
        for (int i = 0; i + 1 < inputs; i++) {
            ref_result r;

            ref_lpips(w, &p[i], &p[inputs - 1], 0, &r);
            printf("%.9f\n", r.distance);
            ref_result_free(&r);
        }
    }
}

int main(int argc, char **argv)
{
    const int width = argc > 3 ? atoi(argv[2]) : 0, height = argc > 3 ? atoi(argv[3]) : 0;
    const int inputs = argc > 4 ? atoi(argv[4]) : 2;
    FILE *in = argc > 3 ? fopen(argv[1], "rb") : NULL;
    ref_picture p[MOST_INPUTS];
    lpips_weights *w = NULL;
    float *samples;
    char why[256];
    int failed;

    if (!in || width < 1 || width > MOST_SIDE || height < 1 || height > MOST_SIDE ||
        inputs < 2 || inputs > MOST_INPUTS) {
        fprintf(stderr, "usage: score_dump FILE WIDTH HEIGHT [INPUTS]\n");
        return 2;
    }
    if (lpips_weights_find(&w, LPIPS_NET_ALEX, "0.1", why, sizeof why) < 0) {
        fprintf(stderr, "score_dump: %s\n", why);
        return 2;
    }
    samples = malloc(3 * sizeof *samples * (size_t)width * (size_t)height);
    for (int i = 0; i < inputs; i++) {
        p[i].width = width;
        p[i].height = height;
        p[i].rgb = calloc(3 * (size_t)width * (size_t)height, sizeof(double));
        if (!samples || !p[i].rgb)
            abort();
    }
    failed = score(in, w, samples, p, inputs);
    for (int i = 0; i < inputs; i++)
        ref_picture_free(&p[i]);
    free(samples);
    lpips_weights_unref(w);
    fclose(in);
    return failed != 0;
}
