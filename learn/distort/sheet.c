/*
 * sheet.c - lpips-learn distort sheet: every distortion at rising strengths, on one picture.
 */
#include "options.h"
#include "command.h"

#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_FAMILY = 256, KEY_TILE };
enum { HEAD = 24, GAP = 4, LABEL = 180, COLUMNS = 6 };

static const double strengths[COLUMNS] = {0 /* the picture itself */, 0.2, 0.4, 0.6, 0.8, 1};

typedef struct request {
    distort_files files;
    const char *networks;
    distort_set set;
    bool families[DISTORT_FAMILIES], some;
    int tile;
} request;

/* ---- options ------------------------------------------------------------------------------
 */

static const struct argp_option options[] = {
    {"family", KEY_FAMILY, "NAME", 0,
     "only this family, such as noise; may be given several times", 0},
    {"tile", KEY_TILE, "PIXELS", 0, "how much of the picture's middle is shown; 96", 0},
    {0}};

static bool pick_family(request *q, const char *name)
{
    for (int i = 0; i < DISTORT_FAMILIES; i++)
        if (!strcmp(name, distort_family_name((distort_family)i)))
            return q->families[i] = q->some = true;
    return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &q->files;
        state->child_inputs[1] = &q->networks;
        break;
    case KEY_FAMILY:
        if (!pick_family(q, arg))
            argp_error(state,
                       "--family: there is no \"%s\": the second column of `lpips-learn "
                       "distort list` has all",
                       arg);
        break;
    case KEY_TILE:
        q->tile = learn_whole(state, "--tile", arg, 32, 512);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const char text[] =
    "Writes a picture of all distortions, one a row, at strengths from 0.2 to 1 beside the "
    "picture itself."
    "\v"
    "IN is a picture, a video, or a folder of pictures that are the frames of a clip. Frame "
    "interpolation is shown of clips only. Labels are drawn by libavfilter's drawtext.";

static const struct argp_child children[] = {{&distort_files_argp, 0, NULL, 0},
                                             {&distort_networks_argp, 0, NULL, 0},
                                             {0}};
static const struct argp argp = {options, parse, "IN OUT.png", text, children, NULL, NULL};

/* ---- drawing
 * ------------------------------------------------------------------------------- */

typedef struct sheet {
    const request *q;
    int width, height, tile;
    uint8_t *rgb, *crop, *made; /* of the sheet; of a tile each */
    distort_neighbours near;
    bool clip;
} sheet;

static bool shown(const sheet *s, const distort_kind *k)
{
    return (!s->q->some || s->q->families[k->family]) &&
           (s->clip || k->family != DISTORT_FRAMEINTERP);
}

static int row_top(const sheet *s, int row)
{
    return HEAD + row * (s->tile + GAP);
}

static int column_left(const sheet *s, int column)
{
    return LABEL + column * (s->tile + GAP);
}

static void put(sheet *s, int row, int column, const uint8_t *tile)
{
    const size_t bytes = 3 * (size_t)s->tile;

    for (int y = 0; y < s->tile; y++)
        memcpy(s->rgb + 3 * ((size_t)(row_top(s, row) + y) * (size_t)s->width +
                             (size_t)column_left(s, column)),
               tile + (size_t)y * bytes, bytes);
}

/* On a line at y. Names are letters, digits and hyphens: nothing in them means something to
 * libavfilter. */
static void label(FILE *f, const char *what, int size, int x, int y)
{
    fprintf(f, ",drawtext=text='%s':expansion=none:fontsize=%d:x=%d:y=%d-ascent", what, size,
            x, y);
}

static void labels(const sheet *s, FILE *f)
{
    char line[80];
    int row = 0;

    fputs("[in0]null", f);
    label(f, "picture", 13, column_left(s, 0), 18);
    for (int c = 1; c < COLUMNS; c++) {
        snprintf(line, sizeof line, "%.1f", strengths[c]);
        label(f, line, 13, column_left(s, c), 18);
    }
    for (const distort_kind *k = s->q->set.kinds; k->name; k++) {
        const int top = row_top(s, row) + s->tile / 2;

        if (!shown(s, k))
            continue;
        snprintf(line, sizeof line, "%g to %g %s", k->low, k->high, k->unit);
        label(f, k->name, 15, 8, top - 4);
        label(f, line, 12, 8, top + 14);
        row++;
    }
}

static int write_labels(sheet *s, char why[LEARN_WHY])
{
    char *graph = NULL;
    size_t size;
    FILE *f = open_memstream(&graph, &size);
    distort_graph g = {.inputs = 1};
    uint8_t *out = malloc(3 * (size_t)s->width * (size_t)s->height);
    int status = -1;

    if (f)
        labels(s, f);
    if (!f || fclose(f) || !out) {
        learn_no_memory(why);
    } else {
        g.text = graph;
        g.input[0] = (distort_input){s->width, s->height, 1, {s->rgb}};
        status = distort_filter(&g, out, s->width, s->height, why);
    }
    free(graph);
    if (!status) {
        free(s->rgb);
        s->rgb = out;
    } else {
        free(out);
    }
    return status;
}

static int draw(sheet *s, char why[LEARN_WHY])
{
    int row = 0;

    for (const distort_kind *k = s->q->set.kinds; k->name; k++) {
        if (!shown(s, k))
            continue;
        put(s, row, 0, s->crop);
        for (int c = 1; c < COLUMNS; c++) {
            const distort_spec spec = {1, {k}, {strengths[c]}};

            if (distort_apply(&spec, s->made, s->crop, s->tile, s->tile,
                              s->clip ? &s->near : NULL, s->q->files.seed, why) < 0)
                return -1;
            put(s, row, c, s->made);
        }
        row++;
    }
    return 0;
}

static int make(void *context, const distort_frame *f, char why[LEARN_WHY])
{
    const request *q = context;
    sheet s = {.q = q, .tile = q->tile, .near = f->near};
    const size_t bytes = 3 * (size_t)q->tile * (size_t)q->tile;
    int rows = 0, status = -1;

    if (f->width < q->tile || f->height < q->tile)
        return learn_fail(why, "%s is %dx%d: choose a --tile that is not larger", q->files.in,
                          f->width, f->height);
    s.clip = f->near.before[0] || f->near.after[0];
    for (const distort_kind *k = q->set.kinds; k->name; k++)
        rows += shown(&s, k);
    if (!rows)
        return q->families[DISTORT_CNN]
                   ? learn_fail(why,
                                "--family cnn shows those of --networks, which is missing")
                   : learn_fail(why, "%s is one picture: frame interpolation needs a clip",
                                q->files.in);
    s.near.x = (f->width - q->tile) / 2;
    s.near.y = (f->height - q->tile) / 2;
    s.width = column_left(&s, COLUMNS);
    s.height = row_top(&s, rows);
    s.rgb = malloc(3 * (size_t)s.width * (size_t)s.height);
    s.crop = malloc(bytes);
    s.made = malloc(bytes);
    if (s.rgb && s.crop && s.made) {
        memset(s.rgb, 255, 3 * (size_t)s.width * (size_t)s.height);
        distort_crop(s.crop, f->rgb, f->width, s.near.x, s.near.y, q->tile, q->tile);
        status = draw(&s, why);
        if (!status)
            status = write_labels(&s, why);
        if (!status)
            status = distort_write(q->files.out, q->files.in, s.rgb, s.width, s.height, why);
    } else {
        learn_no_memory(why);
    }
    free(s.rgb);
    free(s.crop);
    free(s.made);
    return status;
}

int distort_sheet_command(int argc, char **argv)
{
    request q = {.files.frame = -1, .tile = 96};
    char why[LEARN_WHY];
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &q);
    status = distort_set_open(&q.set, q.networks, why);
    if (!status)
        status = distort_files_read(&q.files, make, &q, why);
    distort_set_close(&q.set);
    return status ? distort_failed(why) : LEARN_OK;
}
