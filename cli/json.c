/*
 * json.c - everything in one JSON document, written when the run ends.
 */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

struct cli_json {
    const cli_options *o;
    const media_score *score;
    json_t *root, *pairs, *unmatched, *summaries;
    json_t **frames; /* of the video at hand, for every set */
};

/* ---- values ------------------------------------------------------------------- */

/* Nine digits behind the point, as everywhere. */
static json_t *real(double x)
{
    return json_real(round(x * 1e9) / 1e9);
}

/* Names are bytes, JSON is UTF-8. */
static json_t *text(const char *s)
{
    char *clean = media_clean_text(s);
    json_t *value = clean ? json_string(clean) : NULL;

    free(clean);
    return value;
}

static json_t *layers_of(const cli_json *j, const lpips_result *r)
{
    const int n = lpips_net_layers(lpips_weights_net(media_score_weights(j->score)));
    json_t *array = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(array, real(r->layer[i]));
    return array;
}

static json_t *statistics(const double *values, size_t n)
{
    json_t *object = json_object();
    lpips_stats stats;

    if (lpips_stats_of(values, n, &stats) >= 0)
        for (int i = 0; lpips_stats_name(i); i++)
            json_object_set_new(object, lpips_stats_name(i),
                                real(lpips_stats_value(&stats, i)));
    return object;
}

/* ---- rows --------------------------------------------------------------------- */

static json_t *pair_of(const cli_row *row)
{
    json_t *pair = json_object();

    json_object_set_new(pair, "reference", text(row->reference));
    json_object_set_new(pair, "distorted", text(row->distorted));
    if (row->reference_read_as) {
        json_object_set_new(pair, "width", json_integer(row->width));
        json_object_set_new(pair, "height", json_integer(row->height));
        json_object_set_new(pair, "reference_read_as", text(row->reference_read_as));
        json_object_set_new(pair, "distorted_read_as", text(row->distorted_read_as));
    }
    return pair;
}

static void frame_row(cli_json *j, const cli_row *row)
{
    json_t *frame = json_object();

    json_object_set_new(frame, "frame", json_integer(row->frame));
    json_object_set_new(frame, "lpips", real(row->value));
    json_object_set_new(frame, "layers", layers_of(j, row->terms));
    if (!j->frames[row->set])
        j->frames[row->set] = json_array();
    json_array_append_new(j->frames[row->set], frame);
}

static void set_video(json_t *pair, const cli_row *row)
{
    json_t *worst = json_array();
    size_t index[10];
    const size_t n = lpips_worst(row->values, row->frames, index, 10);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(worst, json_integer((json_int_t)index[i]));
    json_object_set_new(pair, "frames", json_integer((json_int_t)row->frames));
    json_object_set_new(pair, "unpaired_reference", json_integer(row->unpaired_reference));
    json_object_set_new(pair, "unpaired_distorted", json_integer(row->unpaired_distorted));
    json_object_set_new(pair, "statistics", statistics(row->values, row->frames));
    json_object_set_new(pair, "worst_frames", worst);
}

void cli_json_row(cli_json *j, const cli_row *row)
{
    json_t *pair;

    if (row->kind == CLI_UNMATCHED) {
        json_array_append_new(j->unmatched,
                              text(row->reference ? row->reference : row->distorted));
        return;
    }
    if (row->kind == CLI_FRAME) {
        frame_row(j, row);
        return;
    }
    pair = pair_of(row);
    if (row->kind == CLI_BROKEN)
        json_object_set_new(pair, "error", text(row->why));
    else
        json_object_set_new(pair, "lpips", real(row->value));
    if (row->terms)
        json_object_set_new(pair, "layers", layers_of(j, row->terms));
    if (row->kind == CLI_VIDEO)
        set_video(pair, row);
    if (j->frames[row->set])
        json_object_set_new(pair, "per_frame", j->frames[row->set]);
    j->frames[row->set] = NULL;
    json_array_append_new(j->pairs, pair);
}

void cli_json_summary(cli_json *j, int set, const double *values, size_t n)
{
    json_t *summary = json_object();

    json_object_set_new(summary, "distorted", text(j->o->distorted[set]));
    json_object_set_new(summary, "compared", json_integer((json_int_t)n));
    json_object_set_new(summary, "statistics", statistics(values, n));
    json_array_append_new(j->summaries, summary);
}

/* ---- the whole ---------------------------------------------------------------- */

static void set_provenance(json_t *root, const cli_options *o, const media_score *score)
{
    static const char *const tags[] = {"own", "distorted", "reference"};
    const lpips_weights *w = media_score_weights(score);
    const unsigned v = lpips_version();

    json_object_set_new(root, "by", json_string(media_score_describe(score)));
    json_object_set_new(root, "library",
                        json_sprintf("%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff));
    json_object_set_new(root, "net", json_string(lpips_net_name(lpips_weights_net(w))));
    json_object_set_new(root, "version", json_string(lpips_weights_version(w)));
    json_object_set_new(root, "weights", json_string(lpips_weights_hash(w)));
    json_object_set_new(root, "no_lin", json_boolean(o->score.flags & LPIPS_NO_LIN));
    json_object_set_new(root, "range",
                        json_string(o->score.flags & LPIPS_RANGE_0_1 ? "0..1" : "-1..1"));
    json_object_set_new(root, "tags", json_string(tags[o->score.tags]));
    json_object_set_new(root, "pool", json_string(lpips_stats_name(o->pool)));
}

cli_json *cli_json_new(const cli_options *o, const media_score *score)
{
    cli_json *j = calloc(1, sizeof *j);

    if (!j || !(j->frames = calloc((size_t)o->sets, sizeof(json_t *)))) {
        free(j);
        return NULL;
    }
    j->o = o;
    j->score = score;
    j->root = json_object();
    set_provenance(j->root, o, score);
    json_object_set_new(j->root, "pairs", j->pairs = json_array());
    json_object_set_new(j->root, "unmatched", j->unmatched = json_array());
    json_object_set_new(j->root, "summary", j->summaries = json_array());
    return j;
}

int cli_json_write(cli_json *j, bool complete, int gate, char why[MEDIA_WHY])
{
    char *dumped;
    int ret;

    if (j->o->gated) {
        json_object_set_new(j->root, "fail_above", json_real(j->o->fail_above));
        json_object_set_new(j->root, "failed", json_boolean(gate > 0));
    }
    json_object_set_new(j->root, "complete", json_boolean(complete));
    dumped = json_dumps(j->root, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    if (!dumped) {
        snprintf(why, MEDIA_WHY, "out of memory for the JSON document");
        return -1;
    }
    if (!strcmp(j->o->json, "-"))
        ret = puts(dumped) < 0 ? -1 : 0;
    else
        ret = media_write_file(j->o->json, dumped, strlen(dumped), why);
    free(dumped);
    return ret;
}

void cli_json_free(cli_json *j)
{
    if (!j)
        return;
    for (int i = 0; i < j->o->sets; i++)
        json_decref(j->frames[i]);
    free(j->frames);
    json_decref(j->root);
    free(j);
}
