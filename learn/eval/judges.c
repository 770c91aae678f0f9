/*
 * judges.c - what `eval` and `eval mos` share: options, lists of judges, writing.
 */
#include "eval.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media.h"

/* ---- options ----------------------------------------------------------------------------
 */

enum { KEY_SIZE = 512, KEY_JSON, KEY_CSV };

static const struct argp_option judging[] = {
    {"judges", 'J', "LIST", 0,
     "who judges, with commas between: lpips:NET[:VERSION] (alex, vgg, squeeze; 0.1, 0.0, or "
     "none: without lin), random:NET[:SEED], a safetensors file, or a classic metric "
     "(l2-rgb, "
     "l2-lab, l2-official, psnr, ssim, ssim-rgb, ssim-lab, ssim-official, ms-ssim, fsim, "
     "fsimc); all: each that can be had (" LEARN_DEFAULT_JUDGES ")",
     0},
    {0}};

static const struct argp_option known[] = {
    {"size", KEY_SIZE, "N", 0,
     "pictures are resized until their shorter side is N; 0: they stay as they are", 0},
    {"threads", 'j', "N", 0, "that work at once (as many as there are cores)", 0},
    {"json", KEY_JSON, "FILE", 0, "everything as JSON; - is standard output", 0},
    {"csv", KEY_CSV, "FILE", 0, "a row for every score; - is standard output", 0},
    {"quiet", 'q', NULL, 0, "neither progress nor remarks", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    learn_common *c = state->input;

    switch (key) {
    case KEY_SIZE:
        c->size = learn_whole(state, "--size", arg, 0, 16384);
        return 0;
    case 'j':
        c->threads = learn_whole(state, "--threads", arg, 1, 1024);
        return 0;
    case KEY_JSON:
        c->json = arg;
        return 0;
    case KEY_CSV:
        c->csv = arg;
        return 0;
    case 'q':
        c->quiet = true;
        return 0;
    case ARGP_KEY_END:
        if (learn_is_out(c->json) && learn_is_out(c->csv))
            argp_error(state, "--json and --csv cannot both go to standard output");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp learn_common_argp = {known, parse, NULL, NULL, NULL, NULL, NULL};

static error_t parse_judging(int key, char *arg, struct argp_state *state)
{
    learn_common *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c;
        return 0;
    case 'J':
        c->judges = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child common_child[] = {{&learn_common_argp, 0, NULL, 0}, {0}};
const struct argp learn_judging_argp = {judging,      parse_judging, NULL, NULL,
                                        common_child, NULL,          NULL};

/* ---- judges ------------------------------------------------------------------------------
 */

int learn_judges_add(learn_judges *out, const char *name, char why[LEARN_WHY])
{
    learn_judge **grown = realloc(out->judges, (out->n + 1) * sizeof *grown);

    if (!grown)
        return learn_no_memory(why);
    out->judges = grown;
    if (learn_judge_open(&grown[out->n], name, why))
        return -1;
    out->n++;
    for (size_t i = 0; i + 1 < out->n; i++)
        if (!strcmp(grown[i]->name, grown[out->n - 1]->name))
            return learn_fail(why, "%s is named twice as a judge", grown[i]->name);
    return 0;
}

static int add_all(learn_judges *out, bool quiet, char why[LEARN_WHY])
{
    static const char *const of_nets[] = {"lpips:%s:0.1", "lpips:%s:0.0", "lpips:%s:none",
                                          "random:%s:0"};
    int status = 0;

    for (size_t i = 0; i < sizeof of_nets / sizeof *of_nets; i++)
        for (int net = 0; lpips_net_name((lpips_net)net) && !status; net++) {
            char name[64];

            snprintf(name, sizeof name, of_nets[i], lpips_net_name((lpips_net)net));
            if (learn_judges_add(out, name, why) && !quiet)
                fprintf(stderr, "lpips-learn eval: left out: %s\n", why);
        }
    for (const learn_metric *m = learn_metrics; m->name && !status; m++)
        status = learn_judges_add(out, m->name, why);
    return status;
}

int learn_judges_open(learn_judges *out, const char *list, bool quiet, char why[LEARN_WHY])
{
    char *copy = strdup(list ? list : LEARN_DEFAULT_JUDGES), *rest = copy, *name;
    int status = 0;

    *out = (learn_judges){0};
    if (!copy)
        return learn_no_memory(why);
    while (!status && (name = strsep(&rest, ",")))
        status = !strcmp(name, "all") ? add_all(out, quiet, why)
                                      : learn_judges_add(out, name, why);
    free(copy);
    return status;
}

void learn_judges_free(learn_judges *j)
{
    while (j->n)
        learn_judge_free(j->judges[--j->n]);
    free(j->judges);
    *j = (learn_judges){0};
}

/* ---- writing ------------------------------------------------------------------------------
 */

bool learn_is_out(const char *path)
{
    return path && !strcmp(path, "-");
}

static int put_text(const char *path, const char *text, size_t size, char why[LEARN_WHY])
{
    if (!learn_is_out(path))
        return media_write_file(path, text, size, why);
    return fwrite(text, 1, size, stdout) == size && !fflush(stdout)
               ? 0
               : learn_fail(why, "standard output: %s", strerror(errno));
}

int learn_put(learn_writer *write, const void *what, const char *path, char why[LEARN_WHY])
{
    char *made = NULL;
    size_t size = 0;
    FILE *f;
    int status;

    if (!path)
        return 0;
    if (!(f = open_memstream(&made, &size)))
        return learn_no_memory(why);
    write(what, f);
    status = fclose(f) || !size ? learn_no_memory(why) : put_text(path, made, size, why);
    free(made);
    return status;
}

json_t *learn_json_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

void learn_json_write(json_t *document, FILE *f)
{
    char *made = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(12));

    if (made)
        fprintf(f, "%s\n", made);
    free(made);
    json_decref(document);
}
