/*
 * run.c - a training from its start, or from where it was stopped, to its end.
 */
#include "train.h"

#include "judge/judge.h"
#include "progress.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The distances that equal lin weights of this size give lie where the released ones do. */
static const float equal_lin = 0.1F;

const char *train_mode_name(train_mode mode)
{
    static const char *const names[] = {"lin", "tune", "scratch"};

    return names[mode];
}

double train_rate(const train_options *o, int64_t epoch)
{
    const double left = (double)(o->epochs + o->decay - epoch);

    return left < o->decay ? o->rate * left / o->decay : o->rate;
}

int64_t train_epoch(const train_run *r)
{
    return r->step / r->per_epoch;
}

/* ---- beginning ---------------------------------------------------------------------------
 */

static int first_weights(const train_options *o, lpips_weights **w, char why[LEARN_WHY])
{
    const lpips_net net = (lpips_net)o->net;

    if (o->from) {
        if (lpips_weights_load(w, o->from, why, LEARN_WHY))
            return -1;
        if (lpips_weights_net(*w) != net)
            return learn_fail(why, "%s holds weights of %s, not of %s: give --net %s",
                              o->from, lpips_net_name(lpips_weights_net(*w)),
                              lpips_net_name(net), lpips_net_name(lpips_weights_net(*w)));
        return 0;
    }
    if (o->mode == TRAIN_SCRATCH)
        return learn_random_weights(w, net, o->seed, why);
    return lpips_weights_find(w, net, "0.1", why, LEARN_WHY) ? -1 : 0;
}

static int open_data(train_run *r, char why[LEARN_WHY])
{
    const train_options *o = r->o;

    if (train_data_open(&r->data, o->folders, o->n_folders, LEARN_TRAIN, o->size, why))
        return -1;
    if (o->n_held_out &&
        train_data_open(&r->held_out, o->held_out, o->n_held_out, LEARN_VAL, o->size, why))
        return -1;
    r->per_epoch = (int64_t)((r->data.n + (size_t)o->batch - 1) / (size_t)o->batch);
    r->steps = r->per_epoch * (o->epochs + o->decay);
    return 0;
}

static int open_run(train_run *r, char why[LEARN_WHY])
{
    const train_options *o = r->o;
    lpips_weights *w = NULL;
    int status = open_data(r, why);

    if (!status)
        status = first_weights(o, &w, why);
    if (!status)
        status = train_model_open(&r->model, w, o->size, o->threads, o->mode != TRAIN_LIN,
                                  o->seed, why);
    lpips_weights_unref(w);
    if (status)
        return -1;
    if (!o->keep_lin)
        train_model_equal_lin(&r->model, equal_lin);
    r->loss = calloc((size_t)r->steps, sizeof *r->loss);
    r->score = calloc((size_t)(o->epochs + o->decay) + 1, sizeof *r->score);
    r->order = calloc(r->data.n, sizeof *r->order);
    r->batch = train_batch_make(r);
    if (!r->loss || !r->score || !r->order || !r->batch)
        return learn_no_memory(why);
    return 0;
}

static void close_run(train_run *r)
{
    train_batch_free(r->batch);
    free(r->order);
    free(r->score);
    free(r->loss);
    train_model_close(&r->model);
    train_data_close(&r->held_out);
    train_data_close(&r->data);
}

static int open_folder(const train_options *o, char why[LEARN_WHY])
{
    if (mkdir(o->out, 0777) && errno != EEXIST)
        return learn_fail(why, "%s cannot be made: %s", o->out, strerror(errno));
    if (!o->resume && train_begun(o))
        return learn_fail(why,
                          "%s holds a training already: --resume goes on with it, or give "
                          "another --out",
                          o->out);
    return 0;
}

/* ---- the loop ----------------------------------------------------------------------------
 */

/* R. Durstenfeld's shuffle, another one each epoch. */
static void shuffle(train_run *r)
{
    learn_random draw;

    if (r->ordered == train_epoch(r))
        return;
    r->ordered = train_epoch(r);
    learn_random_start(&draw, r->o->seed,
                       learn_random_key((uint64_t)train_epoch(r), "order"));
    for (size_t i = 0; i < r->data.n; i++)
        r->order[i] = i;
    for (size_t i = r->data.n; i > 1; i--) {
        const size_t k = (size_t)learn_random_below(&draw, i), other = r->order[k];

        r->order[k] = r->order[i - 1];
        r->order[i - 1] = other;
    }
}

/* The score at the start or after an epoch, and a line about it. */
static int after_epoch(train_run *r, report_progress *p, char why[LEARN_WHY])
{
    const int64_t epoch = train_epoch(r);
    char line[160], held_out[64] = "";
    double score = 0, loss = 0;

    if (r->held_out.n) {
        if (train_measure(r, &score, why))
            return -1;
        snprintf(held_out, sizeof held_out, "%.2f %% agreement on %zu held out", 100 * score,
                 r->held_out.n);
    }
    r->score[epoch] = (float)score;
    for (int64_t i = r->step - r->per_epoch; epoch && i < r->step; i++)
        loss += (double)r->loss[i] / (double)r->per_epoch;
    if (epoch)
        snprintf(line, sizeof line, "epoch %lld of %d: loss %.4f%s%s", (long long)epoch,
                 r->o->epochs + r->o->decay, loss, *held_out ? ", " : "", held_out);
    else
        snprintf(line, sizeof line, "%zu trials; at the start %s", r->data.n,
                 *held_out ? held_out : "nothing is held out");
    if (!r->o->quiet)
        report_progress_say(p, line);
    return 0;
}

/* One step, and what is due after it: 1 where that is to stop, everything being saved. */
static int advance(train_run *r, report_progress *p, char why[LEARN_WHY])
{
    const size_t at = (size_t)(r->step % r->per_epoch) * (size_t)r->o->batch;
    const size_t left = r->data.n - at, batch = (size_t)r->o->batch;
    double loss;
    bool stop;

    shuffle(r);
    if (train_step(r, r->order + at, left < batch ? left : batch, &loss, why))
        return -1;
    r->loss[r->step++] = (float)loss;
    report_progress_show(p, 0, NULL);
    if (r->step % r->per_epoch == 0 && after_epoch(r, p, why))
        return -1;
    stop = *r->o->stop && r->step < r->steps;
    if ((stop || r->step % r->per_epoch == 0 || r->step % r->o->every == 0) &&
        train_save(r, why))
        return -1;
    return stop;
}

static int loop(train_run *r, char why[LEARN_WHY])
{
    report_progress p;
    int status = 0;

    report_progress_begin(&p, (size_t)r->steps, r->o->quiet);
    p.done = (size_t)r->step;
    if (!r->step)
        status = after_epoch(r, &p, why);
    while (!status && r->step < r->steps) {
        status = advance(r, &p, why);
        p.done = (size_t)r->step;
    }
    report_progress_end(&p, NULL);
    return status;
}

int train(const train_options *o, char why[LEARN_WHY])
{
    train_run r = {.o = o, .ordered = -1};
    int status = open_folder(o, why);

    if (!status)
        status = open_run(&r, why);
    if (!status && o->resume)
        status = train_load(&r, why);
    if (!status)
        status = loop(&r, why);
    close_run(&r);
    return status;
}
