/*
 * command.c - lpips-learn distort list, and distort picture.
 */
#include "command.h"

#include "clip.h"
#include "compare.h"
#include "media.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_WITH = 256, KEY_SEED, KEY_FRAME };

/* ---- shared ------------------------------------------------------------------------------
 */

uint64_t distort_whole(struct argp_state *state, const char *text, const char *option,
                       uint64_t low, uint64_t high)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < low || value > high)
        argp_error(state, "%s: \"%s\" is no whole number from %" PRIu64 " to %" PRIu64,
                   option, text, low, high);
    return value;
}

int distort_failed(const char *why)
{
    fprintf(stderr, "lpips-learn distort: %s\n", cli_plain(why));
    return LEARN_FAILED;
}

static bool ends_with_png(const char *path)
{
    const size_t n = strlen(path);

    return n > 4 && !strcasecmp(path + n - 4, ".png");
}

int distort_write(const char *path, const char *from, const uint8_t *rgb, int width,
                  int height, char why[LEARN_WHY])
{
    struct stat a, b;

    if (!ends_with_png(path))
        return learn_fail(why, "%s: pictures are written as PNG: give a name that ends so",
                          path);
    if (!stat(path, &a) && !stat(from, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return learn_fail(why, "%s is the picture itself: give another name", path);
    return media_png_write(path, rgb, width, height, why);
}

/* ---- list --------------------------------------------------------------------------------
 */

static const char list_text[] =
    "Prints all distortions, one a line, in columns that tabs separate: name, family, subset "
    "(the folder of BAPPS it belongs to), the quantity at strength 0 and at strength 1, its "
    "unit, how it follows the strength (even, whole: rounded, doubling: a rounded power of "
    "two), and what is done.";

static const struct argp list_argp = {NULL, NULL, NULL, list_text, NULL, NULL, NULL};

int distort_list_command(int argc, char **argv)
{
    static const char *const scales[] = {"even", "whole", "doubling"};

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&list_argp, argc, argv, 0, NULL, NULL);
    puts("#name\tfamily\tsubset\tat_0\tat_1\tunit\tscale\ttext");
    for (const distort_kind *k = distort_kinds; k->name; k++)
        printf("%s\t%s\t%s\t%g\t%g\t%s\t%s\t%s\n", k->name, distort_family_name(k->family),
               distort_family_subset(k->family), k->low, k->high, k->unit, scales[k->scale],
               k->text);
    return fflush(stdout) ? distort_failed("standard output cannot be written") : LEARN_OK;
}

/* ---- picture -----------------------------------------------------------------------------
 */

typedef struct request {
    const char *in, *out, *with;
    distort_spec spec;
    uint64_t seed;
    int64_t frame; /* -1: the middle one */
} request;

static const struct argp_option picture_options[] = {
    {"with", KEY_WITH, "NAME[:STRENGTH][+NAME[:STRENGTH]]", 0,
     "one distortion, or two, the second of what the first made; strengths from 0 to 1, 0.5 "
     "where none is given",
     0},
    {"seed", KEY_SEED, "N", 0, "of what is random; 0 where none is given", 0},
    {"frame", KEY_FRAME, "N", 0,
     "which frame of a clip, from 0; the middle one where none is given", 0},
    {0}};

static error_t parse_picture(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;
    char why[LEARN_WHY];

    switch (key) {
    case KEY_WITH:
        q->with = arg;
        if (distort_parse(&q->spec, arg, why) < 0)
            argp_error(state, "--with: %s", why);
        break;
    case KEY_SEED:
        q->seed = distort_whole(state, arg, "--seed", 0, UINT64_MAX);
        break;
    case KEY_FRAME:
        q->frame = (int64_t)distort_whole(state, arg, "--frame", 0, INT32_MAX);
        break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "two files are wanted, IN and OUT.png, not \"%s\"", arg);
        *(state->arg_num ? &q->out : &q->in) = arg;
        break;
    case ARGP_KEY_END:
        if (!q->out)
            argp_error(state, "two files are wanted: IN and OUT.png");
        if (!q->with)
            argp_error(state, "--with is missing: `lpips-learn distort list` has all names");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char picture_text[] =
    "Distorts one picture."
    "\v"
    "IN is a picture, a video, or a folder of pictures that are the frames of a clip; frame "
    "interpolation needs the latter two. OUT.png takes the place of what is called so.\n"
    "\n"
    "    lpips-learn distort picture a.png b.png --with jpeg:0.8\n"
    "    lpips-learn distort picture a.png b.png --with gaussian-blur:0.3+pink-noise --seed "
    "7\n"
    "    lpips-learn distort picture clip.mp4 b.png --with minterpolate:0 --frame 20\n"
    "\n"
    "The same seed gives the same bytes. A pair is the second distortion of what the first "
    "made, written and read back: both commands, one after the other with the same seed, "
    "give "
    "the same.";

static const struct argp picture_argp = {
    picture_options, parse_picture, "IN OUT.png", picture_text, NULL, NULL, NULL};

static int distort_frame_of(void *context, const distort_frame *f, char why[LEARN_WHY])
{
    const request *q = context;
    const bool clip = f->near.before[0] || f->near.after[0];
    uint8_t *out = malloc(3 * (size_t)f->width * (size_t)f->height);
    int status;

    if (!out)
        return learn_no_memory(why);
    status = distort_apply(&q->spec, out, f->rgb, f->width, f->height, clip ? &f->near : NULL,
                           q->seed, why);
    if (!status)
        status = distort_write(q->out, q->in, out, f->width, f->height, why);
    free(out);
    return status;
}

int distort_picture_command(int argc, char **argv)
{
    request q = {.frame = -1};
    char why[LEARN_WHY];
    int64_t count = 0;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&picture_argp, argc, argv, 0, NULL, &q);
    if (q.frame < 0) {
        count = distort_clip_count(q.in, why);
        q.frame = count / 2;
    }
    if (count < 0 || distort_clip_read(q.in, &q.frame, 1, distort_frame_of, &q, why) < 0)
        return distort_failed(why);
    return LEARN_OK;
}
