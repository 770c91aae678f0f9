/*
 * state.c - what a training leaves and goes on from; see train.h.
 */
#include "train.h"

#include "../weights/safetensors.h"
#include "csv.h"
#include "data/checkpoint.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char state_name[] = "state.safetensors";

enum { TENSORS = 3 * TRAIN_TENSORS_MAX + 2, NAME = 72, SETTING = 96 };

/* Settings on which the numbers depend, in the order of the file. */
enum { MODE, NET, VERSION, BATCH, EPOCHS, DECAY, RATE, DROPOUT, SIZE, SEED, DATA, SETTINGS };

static const char *const setting_names[SETTINGS] = {"mode",   "net",   "version", "batch",
                                                    "epochs", "decay", "rate",    "dropout",
                                                    "size",   "seed",  "data"};

typedef struct settings {
    char text[SETTINGS][SETTING];
} settings;

static settings settings_of(const train_run *r)
{
    const train_options *o = r->o;
    settings s;

    snprintf(s.text[MODE], SETTING, "%s", train_mode_name(o->mode));
    snprintf(s.text[NET], SETTING, "%s", lpips_net_name(r->model.net));
    snprintf(s.text[VERSION], SETTING, "%s", r->model.version);
    snprintf(s.text[BATCH], SETTING, "%d", o->batch);
    snprintf(s.text[EPOCHS], SETTING, "%d", o->epochs);
    snprintf(s.text[DECAY], SETTING, "%d", o->decay);
    snprintf(s.text[RATE], SETTING, "%.17g", o->rate);
    snprintf(s.text[DROPOUT], SETTING, "%s", o->dropout ? "0.5" : "0");
    snprintf(s.text[SIZE], SETTING, "%d", o->size);
    snprintf(s.text[SEED], SETTING, "%" PRIu64, o->seed);
    snprintf(s.text[DATA], SETTING, "%zu trials %016" PRIx64 ", %zu held out %016" PRIx64,
             r->data.n, r->data.mark, r->held_out.n, r->held_out.mark);
    return s;
}

/* ---- writing -----------------------------------------------------------------------------
 */

/* The tensors of the net, and of the state; names go to `names`. */
static int list_tensors(const train_run *r, bool state, learn_tensor *out,
                        char (*names)[NAME])
{
    const train_model *m = &r->model;
    int n = 0;

    for (int i = 0; i < (state ? m->n : m->of_net); i++) {
        const train_tensor *t = &m->tensor[i];
        const float *const parts[3] = {t->value, t->m, t->v};
        static const char *const prefix[3] = {"", "m.", "v."};

        for (int k = 0; k < (state ? 3 : 1); k++) {
            if (!parts[k])
                continue;
            snprintf(names[n], NAME, "%s%s", prefix[k], t->name);
            out[n] = (learn_tensor){.name = names[n], .dims = t->dims, .floats = parts[k]};
            memcpy(out[n++].shape, t->shape, sizeof t->shape);
        }
    }
    if (state) {
        out[n++] = (learn_tensor){"curve.loss", {(int)r->step}, 1, r->loss};
        out[n++] = (learn_tensor){"curve.score", {(int)train_epoch(r) + 1}, 1, r->score};
    }
    return n;
}

static int write_tensors(const train_run *r, bool state, const char *metadata,
                         char why[LEARN_WHY])
{
    learn_tensor tensors[TENSORS];
    char(*names)[NAME] = calloc(TENSORS, sizeof *names);
    unsigned char *bytes = NULL;
    report_file file;
    size_t size = 0;
    int status = -1;

    if (names)
        bytes = learn_checkpoint(tensors, list_tensors(r, state, tensors, names), metadata,
                                 &size);
    if (!bytes)
        learn_no_memory(why);
    else if (!report_file_open(&file, r->o->out, state ? state_name : "weights.safetensors",
                               why)) {
        fwrite(bytes, 1, size, file.f);
        status = report_file_close(&file, 0, why);
    }
    free(bytes);
    free(names);
    return status;
}

int train_save(const train_run *r, char why[LEARN_WHY])
{
    const settings s = settings_of(r);
    char text[1024];
    int at;

    at = snprintf(text, sizeof text, "{\"step\":\"%" PRId64 "\"", r->step);
    for (int i = 0; i < SETTINGS; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, ",\"%s\":\"%s\"",
                       setting_names[i], s.text[i]);
    snprintf(text + at, sizeof text - (size_t)at, "}");
    if (write_tensors(r, true, text, why))
        return -1;
    snprintf(text, sizeof text,
             "{\"net\":\"%s\",\"version\":\"%s\",\"made_by\":\"lpips-learn train %s\","
             "\"step\":\"%" PRId64 "\"}",
             s.text[NET], s.text[VERSION], s.text[MODE], r->step);
    return write_tensors(r, false, text, why) || train_write_log(r, why) ||
                   train_write_curves(r, why)
               ? -1
               : 0;
}

/* ---- reading -----------------------------------------------------------------------------
 */

static char *state_path(const train_options *o)
{
    char *path;

    return asprintf(&path, "%s/%s", o->out, state_name) < 0 ? NULL : path;
}

bool train_begun(const train_options *o)
{
    char *path = state_path(o);
    const bool is = path && !access(path, F_OK);

    free(path);
    return is;
}

static int take(const lpips_safetensors *st, const char *prefix, const char *name,
                float *values, size_t n, char why[LEARN_WHY])
{
    char full[NAME];
    const lpips_st_tensor *t;

    snprintf(full, sizeof full, "%s%s", prefix, name);
    t = lpips_st_find(st, full);
    if (!t || strcmp(t->dtype, "F32") || t->size != 4 * n)
        return learn_fail(why, "%s is missing or of another size", full);
    lpips_st_floats(t, values);
    return 0;
}

static int same_settings(const lpips_safetensors *st, const train_run *r, char why[LEARN_WHY])
{
    const settings s = settings_of(r);

    for (int i = 0; i < SETTINGS; i++) {
        const char *was = lpips_st_metadata(st, setting_names[i]);

        if (!was)
            return learn_fail(why, "it does not say its %s", setting_names[i]);
        if (strcmp(was, s.text[i]))
            return learn_fail(why,
                              "its %s is \"%s\", not \"%s\": resume with the options and "
                              "trials it was begun with",
                              setting_names[i], lpips_show(was).text, s.text[i]);
    }
    return 0;
}

static int take_state(train_run *r, const lpips_safetensors *st, char why[LEARN_WHY])
{
    const char *step = lpips_st_metadata(st, "step");
    train_model *m = &r->model;
    char *end = NULL;

    if (same_settings(st, r, why))
        return -1;
    r->step = step ? strtoll(step, &end, 10) : 0;
    if (!step || *end || r->step < 1 || r->step > r->steps)
        return learn_fail(why, "its step is none of 1 to %" PRId64, r->steps);
    for (int i = 0; i < m->n; i++) {
        const train_tensor *t = &m->tensor[i];

        if (take(st, "", t->name, t->value, t->n, why) ||
            (t->m && (take(st, "m.", t->name, t->m, t->n, why) ||
                      take(st, "v.", t->name, t->v, t->n, why))))
            return -1;
    }
    train_model_changed(m);
    return take(st, "", "curve.loss", r->loss, (size_t)r->step, why) ||
                   take(st, "", "curve.score", r->score, (size_t)train_epoch(r) + 1, why)
               ? -1
               : 0;
}

int train_load(train_run *r, char why[LEARN_WHY])
{
    char *path = state_path(r->o), *bytes = NULL, reason[LEARN_WHY];
    lpips_safetensors *st = NULL;
    size_t size;
    int status = path ? report_read_file(path, &bytes, &size, why) : learn_no_memory(why);

    if (!status &&
        (lpips_st_open(&st, bytes, size, reason, sizeof reason) || take_state(r, st, reason)))
        status = learn_fail(why, "%.200s cannot be gone on with: %.280s", path, reason);
    lpips_st_close(st);
    free(bytes);
    free(path);
    return status;
}
