/*
 * transform.c - see transform.h.
 */
#include "transform.h"

#include <string.h>

pthread_mutex_t *learn_planner(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    return &lock;
}

int learn_transform_make(learn_transform *t, int width, int height, char why[LEARN_WHY])
{
    memset(t, 0, sizeof *t);
    t->width = width;
    t->height = height;
    t->samples = fftw_alloc_real((size_t)height * (size_t)width);
    t->waves = fftw_alloc_complex((size_t)height * ((size_t)width / 2 + 1));
    if (t->samples && t->waves) {
        pthread_mutex_lock(learn_planner());
        t->forth = fftw_plan_dft_r2c_2d(height, width, t->samples, t->waves, FFTW_ESTIMATE);
        t->back = fftw_plan_dft_c2r_2d(height, width, t->waves, t->samples, FFTW_ESTIMATE);
        pthread_mutex_unlock(learn_planner());
    }
    if (t->forth && t->back)
        return 0;
    learn_transform_free(t);
    return learn_fail(why, "not enough memory for the spectrum of %dx%d", width, height);
}

void learn_transform_free(learn_transform *t)
{
    pthread_mutex_lock(learn_planner());
    if (t->forth)
        fftw_destroy_plan(t->forth);
    if (t->back)
        fftw_destroy_plan(t->back);
    pthread_mutex_unlock(learn_planner());
    fftw_free(t->samples);
    fftw_free(t->waves);
    memset(t, 0, sizeof *t);
}
