/*
 * command.c - lpips-learn distort list, and distort picture.
 */
#include "options.h"
#include "command.h"

#include "compare.h"
#include "media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Numbers that those of other options keep clear of. */
enum { KEY_WITH = 256, KEY_SEED = 512, KEY_FRAME, KEY_NETWORKS };

/* ---- shared ------------------------------------------------------------------------------
 */

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

/* ---- files -------------------------------------------------------------------------------
 */

static const struct argp_option files_options[] = {
    {"seed", KEY_SEED, "N", 0, "of what is random; 0 where none is given", 0},
    {"frame", KEY_FRAME, "N", 0,
     "which frame of a clip, from 0; the middle one where none is given", 0},
    {0}};

static error_t parse_files(int key, char *arg, struct argp_state *state)
{
    distort_files *files = state->input;

    switch (key) {
    case KEY_SEED:
        files->seed = learn_seed(state, arg, UINT64_MAX);
        break;
    case KEY_FRAME:
        files->frame = learn_whole(state, "--frame", arg, 0, INT32_MAX);
        break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_error(state, "two files are wanted, IN and OUT.png, not \"%s\"", arg);
        *(state->arg_num ? &files->out : &files->in) = arg;
        break;
    case ARGP_KEY_END:
        if (!files->out)
            argp_error(state, "two files are wanted: IN and OUT.png");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp distort_files_argp = {files_options, parse_files, NULL, NULL,
                                        NULL,          NULL,        NULL};

int distort_files_read(const distort_files *files,
                       int (*visit)(void *context, const distort_frame *f,
                                    char why[LEARN_WHY]),
                       void *context, char why[LEARN_WHY])
{
    int64_t frame = files->frame, count;

    if (frame < 0) {
        count = distort_clip_count(files->in, why);
        if (count < 0)
            return -1;
        frame = count / 2;
    }
    return distort_clip_read(files->in, &frame, 1, visit, context, why);
}

/* ---- networks ----------------------------------------------------------------------------
 */

static const struct argp_option networks_options[] = {
    {"networks", KEY_NETWORKS, "DIR", 0,
     "a folder that `lpips-learn distort train` made: its networks are distortions too", 0},
    {0}};

static error_t parse_networks(int key, char *arg, struct argp_state *state)
{
    if (key != KEY_NETWORKS)
        return ARGP_ERR_UNKNOWN;
    *(const char **)state->input = arg;
    return 0;
}

const struct argp distort_networks_argp = {
    networks_options, parse_networks, NULL, NULL, NULL, NULL, NULL};

/* ---- list --------------------------------------------------------------------------------
 */

static const char list_text[] =
    "Prints all distortions, one a line, in columns that tabs separate: name, family, subset "
    "(the folder of BAPPS it belongs to), the quantity at strength 0 and at strength 1, its "
    "unit, how it follows the strength (even, whole: rounded, doubling: a rounded power of "
    "two), and what is done.";

static error_t parse_list(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = state->input;
    return 0;
}

static const struct argp_child list_children[] = {{&distort_networks_argp, 0, NULL, 0}, {0}};
static const struct argp list_argp = {NULL,          parse_list, NULL, list_text,
                                      list_children, NULL,       NULL};

int distort_list_command(int argc, char **argv)
{
    static const char *const scales[] = {"even", "whole", "doubling"};
    const char *networks = NULL;
    distort_set set;
    char why[LEARN_WHY];

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&list_argp, argc, argv, 0, NULL, &networks);
    if (distort_set_open(&set, networks, why)) {
        distort_set_close(&set);
        return distort_failed(why);
    }
    puts("#name\tfamily\tsubset\tat_0\tat_1\tunit\tscale\ttext");
    for (const distort_kind *k = set.kinds; k->name; k++)
        printf("%s\t%s\t%s\t%g\t%g\t%s\t%s\t%s\n", k->name, distort_family_name(k->family),
               distort_family_subset(k->family), k->low, k->high, k->unit, scales[k->scale],
               k->text);
    distort_set_close(&set);
    return fflush(stdout) ? distort_failed("standard output cannot be written") : LEARN_OK;
}

/* ---- picture -----------------------------------------------------------------------------
 */

typedef struct request {
    distort_files files;
    const char *with, *networks;
    distort_spec spec;
} request;

static const struct argp_option picture_options[] = {
    {"with", KEY_WITH, "NAME[:STRENGTH][+NAME[:STRENGTH]]", 0,
     "one distortion, or two, the second of what the first made; strengths from 0 to 1, 0.5 "
     "where none is given",
     0},
    {0}};

static error_t parse_picture(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &q->files;
        state->child_inputs[1] = &q->networks;
        break;
    case KEY_WITH:
        q->with = arg;
        break;
    case ARGP_KEY_END:
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
    "    lpips-learn distort picture a.png b.png --networks nets --with cnn-003:1\n"
    "\n"
    "The same seed gives the same bytes. A pair is the second distortion of what the first "
    "made, written and read back: both commands, one after the other with the same seed, "
    "give "
    "the same.";

static const struct argp_child children[] = {{&distort_files_argp, 0, NULL, 0},
                                             {&distort_networks_argp, 0, NULL, 0},
                                             {0}};
static const struct argp picture_argp = {
    picture_options, parse_picture, "IN OUT.png", picture_text, children, NULL, NULL};

static int distort_one(void *context, const distort_frame *f, char why[LEARN_WHY])
{
    const request *q = context;
    const bool clip = f->near.before[0] || f->near.after[0];
    uint8_t *out = malloc(3 * (size_t)f->width * (size_t)f->height);
    int status;

    if (!out)
        return learn_no_memory(why);
    status = distort_apply(&q->spec, out, f->rgb, f->width, f->height, clip ? &f->near : NULL,
                           q->files.seed, why);
    if (!status)
        status = distort_write(q->files.out, q->files.in, out, f->width, f->height, why);
    free(out);
    return status;
}

int distort_picture_command(int argc, char **argv)
{
    request q = {.files.frame = -1};
    distort_set set;
    char why[LEARN_WHY];
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&picture_argp, argc, argv, 0, NULL, &q);
    status = distort_set_open(&set, q.networks, why);
    if (!status)
        status = distort_parse(&q.spec, set.kinds, q.with, why);
    if (!status)
        status = distort_files_read(&q.files, distort_one, &q, why);
    distort_set_close(&set);
    return status ? distort_failed(why) : LEARN_OK;
}
