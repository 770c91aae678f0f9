/*
 * run.c - the steps: distance and gradient by the library, Adam on the samples, which stay
 * within 0..1.
 */
#include "optimise.h"

#include "adam.h"
#include "media.h"
#include "progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is there in the beginning ---------------------------------------- */

static float *floats_of(const AVFrame *frame, char why[LEARN_WHY])
{
    const size_t n = 3 * (size_t)frame->width * (size_t)frame->height;
    uint8_t *rgb = media_rgb(frame, why);
    float *x = rgb ? malloc(n * sizeof *x) : NULL;

    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)rgb[i] / 255.f;
    if (rgb && !x)
        learn_no_memory(why);
    free(rgb);
    return x;
}

/* The first frame of a file as packed RGB; NULL and why. */
static float *read_picture(const char *path, int *width, int *height, char why[LEARN_WHY])
{
    media_source *s = NULL;
    const AVFrame *frame;
    float *x = NULL;
    int got = media_open(&s, path, 0, why) ? -1 : media_next(s, &frame, why);

    if (!got)
        learn_fail(why, "%s: no picture in it", path);
    if (got > 0) {
        *width = frame->width;
        *height = frame->height;
        x = floats_of(frame, why);
    }
    media_close(s);
    return x;
}

static int read_pictures(learn_optimise_run *r, char why[LEARN_WHY])
{
    const learn_optimise_options *o = r->o;
    int width, height;

    r->x = read_picture(o->start, &r->width, &r->height, why);
    r->target = r->x ? read_picture(o->target, &width, &height, why) : NULL;
    if (!r->target)
        return -1;
    if (width != r->width || height != r->height)
        return learn_fail(why,
                          "%s is %dx%d and %s is %dx%d; both must be of one size: cut or "
                          "resize one of them",
                          o->start, r->width, r->height, o->target, width, height);
    r->g = malloc(3 * sizeof *r->g * (size_t)r->width * (size_t)r->height);
    r->log = calloc((size_t)o->steps + 1, sizeof *r->log);
    return r->g && r->log ? 0 : learn_no_memory(why);
}

static lpips_weights *find_weights(const learn_optimise_options *o, char why[LEARN_WHY])
{
    char detail[LEARN_WHY / 2] = "";
    lpips_weights *w = NULL;
    int status = o->model ? lpips_weights_load(&w, o->model, detail, sizeof detail)
                          : lpips_weights_find(&w, o->net, o->version, detail, sizeof detail);

    if (status)
        learn_fail(why, "weights: %s", *detail ? detail : lpips_strerror(status));
    return w;
}

/* Asked before the memory is: a system that overcommits would end the process later. */
static int check_memory(lpips_weights *w, const learn_optimise_run *r, const lpips_options *o,
                        char why[LEARN_WHY])
{
    const double needed = (double)lpips_context_memory(w, r->width, r->height, o);
    const double has = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (needed <= has)
        return 0;
    return learn_fail(why,
                      "%s on %dx%d keeps %.1f GB of features, and this machine has %.1f GB; "
                      "take smaller pictures, or --net alex",
                      lpips_net_name(lpips_weights_net(w)), r->width, r->height,
                      needed * 1e-9, has * 1e-9);
}

static lpips_context *make_context(learn_optimise_run *r, char why[LEARN_WHY])
{
    lpips_options o = LPIPS_OPTIONS_DEFAULT;
    lpips_weights *w = find_weights(r->o, why);
    lpips_context *c = NULL;
    int status = w ? LPIPS_OK : -1;

    o.flags = r->o->flags | LPIPS_WANT_GRADIENT;
    o.threads = r->o->threads;
    if (!status)
        status = check_memory(w, r, &o, why);
    if (!status && (status = lpips_context_create(&c, w, r->width, r->height, &o)))
        learn_fail(why, "%s on %dx%d: %s", lpips_net_name(lpips_weights_net(w)), r->width,
                   r->height, lpips_strerror(status));
    lpips_weights_unref(w);
    if (c)
        lpips_describe(c, r->described, sizeof r->described);
    return c;
}

/* ---- the steps -------------------------------------------------------------- */

static int look(learn_optimise_run *r, lpips_context *c, char why[LEARN_WHY])
{
    const ptrdiff_t step = 3 * (ptrdiff_t)sizeof *r->g, row = r->width * step;
    const lpips_planes planes = {{r->g, r->g + 1, r->g + 2}, {row, row, row}, step};
    lpips_image a, b;
    int status =
        lpips_image_packed(&a, LPIPS_F32, r->x, r->width, r->height, 3, row) ||
                lpips_image_packed(&b, LPIPS_F32, r->target, r->width, r->height, 3, row)
            ? LPIPS_ERR_ARGUMENT
            : lpips_gradient(c, &a, &b, &r->log[r->logged], &planes);

    r->logged += !status;
    return status ? learn_fail(why, "step %d: %s", r->logged, lpips_strerror(status)) : 0;
}

static int keep(const learn_optimise_run *r, int step, char why[LEARN_WHY])
{
    const int last = step == r->o->steps;
    char name[32];

    if (step % r->o->every && !last)
        return 0;
    snprintf(name, sizeof name, "frame-%06d.png", step);
    return learn_optimise_picture(r, name, why) || learn_optimise_log(r, why) ||
                   (last && learn_optimise_picture(r, "final.png", why))
               ? -1
               : 0;
}

static int walk(learn_optimise_run *r, lpips_context *c, char why[LEARN_WHY])
{
    const size_t n = 3 * (size_t)r->width * (size_t)r->height;
    report_progress progress;
    learn_adam adam;
    int status = learn_adam_start(&adam, n, r->o->rate, .9, .999) ? learn_no_memory(why) : 0;

    report_progress_begin(&progress, (size_t)r->o->steps, r->o->quiet);
    for (int step = 0; step <= r->o->steps && !status; step++) {
        char name[48];

        status = look(r, c, why) || keep(r, step, why);
        if (status || step == r->o->steps)
            break;
        learn_adam_step(&adam, r->x, r->g);
        for (size_t i = 0; i < n; i++)
            r->x[i] = fminf(fmaxf(r->x[i], 0), 1);
        progress.done = (size_t)step + 1;
        snprintf(name, sizeof name, "distance %.6f", r->log[step].distance);
        report_progress_show(&progress, 0, name);
    }
    report_progress_end(&progress, NULL);
    if (!status && !r->o->quiet) {
        char text[96];

        snprintf(text, sizeof text, "%d steps: distance %.9f to %.9f", r->o->steps,
                 r->log[0].distance, r->log[r->logged - 1].distance);
        report_progress_say(&progress, text);
    }
    learn_adam_free(&adam);
    return status;
}

int learn_optimise_do(const learn_optimise_options *o, char why[LEARN_WHY])
{
    learn_optimise_run r = {.o = o};
    lpips_context *c = NULL;
    int status = read_pictures(&r, why);

    if (!status)
        c = make_context(&r, why);
    status = !c || learn_optimise_folder(o->folder, why) || walk(&r, c, why) ? -1 : 0;
    lpips_context_free(c);
    free(r.target);
    free(r.x);
    free(r.g);
    free(r.log);
    return status;
}
