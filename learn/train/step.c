/*
 * step.c - a batch of trials through the net, the ranker and back.
 */
#include "train.h"

#include "eval/score.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

struct train_batch {
    size_t most; /* trials at once */
    uint8_t *rgb;
    lpips_image *images;
    uint64_t *keep;
    size_t words; /* of a pair */
    double *d, *pull;
};

train_batch *train_batch_make(const train_run *r)
{
    train_batch *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->most = (size_t)lpips_train_trials(r->model.core);
    b->words = lpips_train_words(r->model.core);
    b->rgb = malloc(b->most * train_data_bytes(&r->data));
    b->images = calloc(3 * b->most, sizeof *b->images);
    b->keep = calloc(2 * b->most * b->words, sizeof *b->keep);
    b->d = calloc(2 * b->most, sizeof *b->d);
    b->pull = calloc(2 * b->most, sizeof *b->pull);
    if (b->rgb && b->images && b->keep && b->d && b->pull)
        return b;
    train_batch_free(b);
    return NULL;
}

void train_batch_free(train_batch *b)
{
    if (!b)
        return;
    free(b->rgb);
    free(b->images);
    free(b->keep);
    free(b->d);
    free(b->pull);
    free(b);
}

/* Reads n trials; trials NULL: from `first` on. */
static int read_trials(train_batch *b, train_data *d, const size_t *trials, size_t first,
                       size_t n, char why[LEARN_WHY])
{
    const size_t bytes = train_data_bytes(d);

    for (size_t i = 0; i < n; i++) {
        uint8_t *rgb = b->rgb + i * bytes;

        if (train_data_pictures(d, trials ? trials[i] : first + i, rgb, why))
            return -1;
        for (size_t k = 0; k < 3; k++)
            lpips_image_packed(&b->images[3 * i + k], LPIPS_U8, rgb + k * bytes / 3, d->size,
                               d->size, 3, (ptrdiff_t)3 * d->size);
    }
    return 0;
}

/* The bits of a trial are a stream of their own, by seed, epoch and trial. */
static void draw_dropout(const train_run *r, const size_t *trials, size_t n)
{
    const uint64_t epoch = learn_random_key((uint64_t)train_epoch(r), "dropout");
    train_batch *b = r->batch;

    for (size_t i = 0; i < n; i++) {
        learn_random draw;

        learn_random_start(&draw, r->o->seed, learn_random_key(epoch + trials[i], "trial"));
        for (size_t k = 0; k < 2 * b->words; k++)
            b->keep[2 * i * b->words + k] = learn_random_bits(&draw);
    }
}

static int forward(train_run *r, size_t n, bool dropout, char why[LEARN_WHY])
{
    train_batch *b = r->batch;
    const int status =
        lpips_train_forward(r->model.core, b->images, (int)n, dropout ? b->keep : NULL, b->d);

    return status ? learn_fail(why, "a batch cannot be compared: %s", lpips_strerror(status))
                  : 0;
}

int train_step(train_run *r, const size_t *trials, size_t n, double *loss,
               char why[LEARN_WHY])
{
    train_batch *b = r->batch;
    train_ranker *g = &r->model.ranker;

    *loss = 0;
    lpips_train_clear(r->model.core);
    for (size_t from = 0, some; from < n; from += some) {
        some = n - from < b->most ? n - from : b->most;
        if (read_trials(b, &r->data, trials + from, 0, some, why))
            return -1;
        if (r->o->dropout)
            draw_dropout(r, trials + from, some);
        if (forward(r, some, r->o->dropout, why))
            return -1;
        for (size_t i = 0; i < some; i++)
            *loss += train_ranker_loss(g, b->d[2 * i], b->d[2 * i + 1],
                                       train_data_judge(&r->data, trials[from + i]),
                                       1 / (double)n, b->pull + 2 * i) /
                     (double)n;
        lpips_train_backward(r->model.core, b->pull);
    }
    train_ranker_finish(g);
    train_model_step(&r->model, r->step + 1, train_rate(r->o, train_epoch(r)));
    return 0;
}

int train_measure(train_run *r, double *score, char why[LEARN_WHY])
{
    train_batch *b = r->batch;
    train_data *d = &r->held_out;

    *score = 0;
    for (size_t from = 0, some; from < d->n; from += some) {
        some = d->n - from < b->most ? d->n - from : b->most;
        if (read_trials(b, d, NULL, from, some, why) || forward(r, some, false, why))
            return -1;
        for (size_t i = 0; i < some; i++)
            *score +=
                learn_score_2afc(train_data_judge(d, from + i), b->d[2 * i], b->d[2 * i + 1]);
    }
    *score /= (double)d->n;
    return 0;
}
