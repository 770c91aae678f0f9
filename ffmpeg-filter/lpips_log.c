/*
 * Copyright (c) 2026 The liblpips authors
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

/**
 * @file
 * What the filter lpips writes: stats file, JSON or CSV log, and the lines at the end.
 *
 * Every line is written as soon as its pair is compared, so a run that is killed keeps
 * what it had. The JSON file is a whole document at every moment: its closing brackets
 * are written with each record, and the next record is written over them.
 */

#include <inttypes.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/bprint.h"
#include "libavutil/thread.h"
#include "lpips_compat.h"
#include "lpips_log.h"

/* ---- files ------------------------------------------------------------------- */

/*
 * The paths that this process has written to, for ffmpeg tears a graph down and builds it
 * anew where a stream changes its size or format: what the graph before has written must
 * not be lost.
 */
static AVMutex written_lock = AV_MUTEX_INITIALIZER;
static char **written;
static int nb_written;

/* How many graphs of this process have written to path, the one to come included. */
static int part_number(const char *path)
{
    int part = 1;

    ff_mutex_lock(&written_lock);
    for (int i = 0; i < nb_written; i++)
        part += !strcmp(written[i], path);
    ff_mutex_unlock(&written_lock);
    return part;
}

/* Without memory for it the next part would begin the file anew. */
static void note_written(const char *path)
{
    char *copy = path ? av_strdup(path) : NULL;

    if (!copy)
        return;
    ff_mutex_lock(&written_lock);
    if (av_dynarray_add_nofree(&written, &nb_written, copy) < 0)
        av_free(copy);
    ff_mutex_unlock(&written_lock);
}

/* "log.json" becomes "log.part2.json". */
static char *numbered(const char *path, int part)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    const int stem = dot && dot != path && dot[-1] != '/' ? dot - path : strlen(path);

    return av_asprintf("%.*s.part%d%s", stem, path, part, path + stem);
}

static FILE *open_file(AVFilterContext *ctx, const char *what, const char *path,
                       const char *mode, int *ret)
{
    FILE *f = avpriv_fopen_utf8(path, mode);

    if (!f) {
        *ret = AVERROR(errno);
        av_log(ctx, AV_LOG_ERROR, "Could not open %s %s: %s\n", what, path, av_err2str(*ret));
    }
    return f;
}

/* A file of lines: a later part of the same run goes behind the earlier. */
static FILE *open_lines(AVFilterContext *ctx, const char *what, const char *path, int *ret)
{
    int part;
    FILE *f;

    if (!strcmp(path, "-"))
        return stdout;
    part = part_number(path);
    f = open_file(ctx, what, path, part > 1 ? "a" : "w", ret);
    if (f && part > 1)
        fprintf(f, "# part %d: a stream changed, frames are counted anew\n", part);
    return f;
}

static FILE *open_json(AVFilterContext *ctx, LPIPSLog *log, int *ret)
{
    int part;
    FILE *f;

    if (!strcmp(log->path, "-"))
        return stdout;
    part = part_number(log->path);
    log->file_path = part > 1 ? numbered(log->path, part) : av_strdup(log->path);
    if (!log->file_path) {
        *ret = AVERROR(ENOMEM);
        return NULL;
    }
    if (part > 1)
        av_log(ctx, AV_LOG_WARNING,
               "a stream changed: %s keeps the frames before, this part of the log goes to "
               "%s\n",
               log->path, log->file_path);
    f = open_file(ctx, "log", log->file_path, "w", ret);
    log->seekable = f && !fseek(f, 0, SEEK_CUR);
    return f;
}

int ff_lpips_log_open(AVFilterContext *ctx, LPIPSLog *log)
{
    int ret = 0;

    if (log->stats_path &&
        !(log->stats = open_lines(ctx, "stats file", log->stats_path, &ret)))
        return ret;
    if (!log->path)
        return 0;
    if (log->format == LPIPS_LOG_JSON)
        log->file = open_json(ctx, log, &ret);
    else
        log->file = open_lines(ctx, "log", log->path, &ret);
    return ret;
}

static void close_file(AVFilterContext *ctx, FILE *f, const char *path)
{
    if (f && (f == stdout ? fflush(f) : fclose(f)))
        av_log(ctx, AV_LOG_ERROR, "Could not write all of %s\n", path);
}

/* Every line is flushed, so a full disk shows at once. */
static int check_written(AVFilterContext *ctx, LPIPSLog *log)
{
    const int stats = log->stats && ferror(log->stats);

    if (!stats && !(log->file && ferror(log->file)))
        return 0;
    if (!log->failed++)
        av_log(ctx, AV_LOG_ERROR, "Could not write to %s\n",
               stats ? log->stats_path : log->path);
    return AVERROR(EIO);
}

void ff_lpips_log_close(AVFilterContext *ctx, LPIPSLog *log)
{
    close_file(ctx, log->stats, log->stats_path);
    close_file(ctx, log->file, log->path);
    log->stats = log->file = NULL;
    av_freep(&log->file_path);
    for (int i = 0; i < FF_ARRAY_ELEMS(log->streams); i++) {
        av_freep(&log->streams[i].distance);
        av_freep(&log->streams[i].place);
    }
}

/* Write text over the tail of the file, and a new tail behind it. */
static void write_out(LPIPSLog *log, const AVBPrint *text, int tail)
{
    if (log->tail)
        fseek(log->file, -(long)log->tail, SEEK_CUR);
    log->tail = tail;
    fwrite(text->str, 1, text->len, log->file);
    fflush(log->file);
}

/* ---- parts of lines ---------------------------------------------------------- */

/*
 * Names and values, as "name":value, in JSON and as name:value elsewhere. No text that is
 * written comes from outside, so nothing needs to be escaped.
 */
typedef struct Fields {
    AVBPrint *out;
    int json;
    int first;
} Fields;

static void field_name(Fields *f, const char *prefix, const char *name)
{
    const char *quote = f->json ? "\"" : "";

    if (!f->first)
        av_bprintf(f->out, f->json ? "," : " ");
    f->first = 0;
    av_bprintf(f->out, "%s%s%s%s:", quote, prefix, name, quote);
}

static void field_int(Fields *f, const char *prefix, const char *name, int64_t value)
{
    field_name(f, prefix, name);
    av_bprintf(f->out, "%" PRId64, value);
}

static void field_double(Fields *f, const char *name, int digits, double value)
{
    field_name(f, "", name);
    av_bprintf(f->out, "%.*f", digits, value);
}

static void add_pair(Fields *f, const LPIPSStream *s, size_t i)
{
    field_int(f, "", "n", i + 1);
    field_int(f, "", "frame", s->place[i].frame);
    field_double(f, "pts_time", 6, s->place[i].time);
    field_double(f, "lpips", 9, s->distance[i]);
}

static void add_pooled(Fields *f, const lpips_stats *stats)
{
    field_int(f, "", "frames", stats->count);
    for (int i = 0; lpips_stats_name(i); i++)
        field_double(f, lpips_stats_name(i), 9, lpips_stats_value(stats, i));
}

static const char *input_name(const LPIPSLog *log, int i)
{
    return log->engine->readers[i].name;
}

static const char *read_as(const LPIPSLog *log, int i)
{
    const char *text = log->engine->readers[i].colours.read_as;

    return *text ? text : "never read";
}

/* main:N compared:N unpaired_main:N reference:N reused_reference:N unpaired_reference:N */
static void add_sync(Fields *f, const LPIPSLog *log)
{
    for (int i = 0; i < log->engine->nb_inputs; i++) {
        const LPIPSPairing *p = &log->pairs->pairing[i];
        const char *name = input_name(log, i);

        field_int(f, "", name, p->frames);
        if (i)
            field_int(f, "reused_", name, p->reused);
        else
            field_int(f, "", "compared", log->streams[0].nb_distances);
        field_int(f, "unpaired_", name, p->unpaired);
    }
}

/* "main: yuv 4:2:0 ...; reference: ...", each after `before` */
static void add_inputs(AVBPrint *out, const LPIPSLog *log, const char *before)
{
    for (int i = 0; i < log->engine->nb_inputs; i++)
        av_bprintf(out, "%s%s: %s", before, input_name(log, i), read_as(log, i));
}

/* Indices of the worst pairs of a stream; the caller frees them. */
static size_t *find_worst(const LPIPSLog *log, const LPIPSStream *s, size_t *count)
{
    size_t *worst = av_malloc_array(FFMAX(log->worst, 1), sizeof(*worst));

    *count = worst ? lpips_worst(s->distance, s->nb_distances, worst, log->worst) : 0;
    return worst;
}

/* ---- beginnings -------------------------------------------------------------- */

static void begin_json(LPIPSLog *log, AVBPrint *out)
{
    const unsigned v = lpips_version();
    const LPIPSEngine *e = log->engine;

    av_bprintf(
        out,
        "{\"library\":\"%u.%u.%u\",\"net\":\"%s\",\"version\":\"%s\",\"weights\":\"%s\","
        "\"cpu\":\"%s\",\"width\":%d,\"height\":%d,\"n_subsample\":%d,\"seed\":%" PRId64
        ",\n\"inputs\":[",
        v >> 16, v >> 8 & 0xff, v & 0xff, lpips_net_name(lpips_weights_net(e->weights)),
        lpips_weights_version(e->weights), lpips_weights_hash(e->weights),
        lpips_context_cpu(e->lpips), e->width, e->height, log->pairs->n_subsample,
        log->pairs->seed);
    for (int i = 0; i < log->engine->nb_inputs; i++)
        av_bprintf(out, "%s{\"name\":\"%s\",\"read_as\":\"%s\"}", i ? "," : "",
                   input_name(log, i), read_as(log, i));
    av_bprintf(out, "],\n\"frames\":[");
}

static void begin_csv(LPIPSLog *log, AVBPrint *out)
{
    const LPIPSEngine *e = log->engine;
    char described[128];

    lpips_describe(log->engine->lpips, described, sizeof(described));
    av_bprintf(out,
               "# %s\n# weights %s\n# cpu %s\n# size %dx%d\n# n_subsample %d seed %" PRId64,
               described, lpips_weights_hash(e->weights), lpips_context_cpu(e->lpips),
               e->width, e->height, log->pairs->n_subsample, log->pairs->seed);
    add_inputs(out, log, "\n# ");
    av_bprintf(out, "\ninput,n,frame,pts,pts_time,lpips");
    for (int i = 0; i < lpips_net_layers(lpips_weights_net(e->weights)); i++)
        av_bprintf(out, ",layer.%d", i);
    av_bprintf(out, "\n");
}

/* The log's beginning is left in out, so that it is written together with what follows. */
static void begin(LPIPSLog *log, AVBPrint *out)
{
    if (log->begun)
        return;
    note_written(log->stats_path);
    note_written(log->path);
    if (log->stats) {
        char described[128];

        lpips_describe(log->engine->lpips, described, sizeof(described));
        av_bprintf(out, "# %s", described);
        add_inputs(out, log, "; ");
        fprintf(log->stats, "%s\n", out->str);
        av_bprint_clear(out);
    }
    if (log->file) {
        if (log->format == LPIPS_LOG_JSON)
            begin_json(log, out);
        else
            begin_csv(log, out);
    }
    log->begun = 1;
}

/* ---- pairs ------------------------------------------------------------------- */

static void stats_line(LPIPSLog *log, int stream, const LPIPSPlace *place,
                       const lpips_result *r)
{
    fprintf(log->stats, "n:%d pts_time:%.6f", log->streams[stream].nb_distances, place->time);
    if (log->engine->nb_inputs > 2)
        fprintf(log->stats, " input:%s", input_name(log, stream));
    fprintf(log->stats, " lpips:%.9f", r->distance);
    for (int i = 0; i < r->layers; i++)
        fprintf(log->stats, " layer.%d:%.9f", i, r->layer[i]);
    fprintf(log->stats, "\n");
    fflush(log->stats);
}

static const char json_tail[] = "\n]}\n";

static void json_record(LPIPSLog *log, AVBPrint *out, int stream, const LPIPSPlace *place,
                        const lpips_result *r)
{
    Fields f = {out, 1, 1};
    int first = stream == 0 && log->streams[0].nb_distances == 1;

    av_bprintf(out, "%s\n{\"input\":\"%s\",", first ? "" : ",", input_name(log, stream));
    field_int(&f, "", "n", log->streams[stream].nb_distances);
    field_int(&f, "", "frame", place->frame);
    field_int(&f, "", "pts", place->pts);
    field_double(&f, "pts_time", 6, place->time);
    field_double(&f, "lpips", 9, r->distance);
    av_bprintf(out, ",\"layers\":[");
    for (int i = 0; i < r->layers; i++)
        av_bprintf(out, "%s%.9f", i ? "," : "", r->layer[i]);
    av_bprintf(out, "]}");
    if (log->seekable)
        av_bprintf(out, "%s", json_tail);
    write_out(log, out, log->seekable ? strlen(json_tail) : 0);
}

static void csv_record(LPIPSLog *log, AVBPrint *out, int stream, const LPIPSPlace *place,
                       const lpips_result *r)
{
    av_bprintf(out, "%s,%d,%" PRId64 ",%" PRId64 ",%.6f,%.9f", input_name(log, stream),
               log->streams[stream].nb_distances, place->frame, place->pts, place->time,
               r->distance);
    for (int i = 0; i < r->layers; i++)
        av_bprintf(out, ",%.9f", r->layer[i]);
    av_bprintf(out, "\n");
    write_out(log, out, 0);
}

static int remember(LPIPSLog *log, int stream, const LPIPSPlace *place, double distance)
{
    LPIPSStream *s = &log->streams[stream];

    if (!av_dynarray2_add((void **)&s->distance, &s->nb_distances, sizeof(*s->distance),
                          (const uint8_t *)&distance) ||
        !av_dynarray2_add((void **)&s->place, &s->nb_places, sizeof(*s->place),
                          (const uint8_t *)place))
        return AVERROR(ENOMEM);
    return 0;
}

int ff_lpips_log_pair(AVFilterContext *ctx, LPIPSLog *log, int stream,
                      const LPIPSPlace *place, const lpips_result *result)
{
    int ret = remember(log, stream, place, result->distance);
    AVBPrint out;

    if (ret < 0)
        return ret;
    av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
    begin(log, &out);
    if (log->stats)
        stats_line(log, stream, place, result);
    if (log->file) {
        if (log->format == LPIPS_LOG_JSON)
            json_record(log, &out, stream, place, result);
        else
            csv_record(log, &out, stream, place, result);
    }
    ret = av_bprint_is_complete(&out) ? check_written(ctx, log) : AVERROR(ENOMEM);
    av_bprint_finalize(&out, NULL);
    return ret;
}

/* ---- ends -------------------------------------------------------------------- */

static void end_json(LPIPSLog *log, AVBPrint *out)
{
    Fields f = {out, 1, 1};
    int shown = 0;

    av_bprintf(out, "\n],\n\"pooled\":{");
    for (int i = 0; i < log->engine->nb_inputs - 1; i++) {
        const LPIPSStream *s = &log->streams[i];
        lpips_stats stats;
        size_t count, *worst;

        if (lpips_stats_of(s->distance, s->nb_distances, &stats) < 0)
            continue;
        av_bprintf(out, "%s\"%s\":{", shown++ ? ",\n" : "", input_name(log, i));
        f.first = 1;
        add_pooled(&f, &stats);
        av_bprintf(out, ",\"worst\":[");
        worst = find_worst(log, s, &count);
        for (size_t k = 0; k < count; k++) {
            av_bprintf(out, k ? ",{" : "{");
            f.first = 1;
            add_pair(&f, s, worst[k]);
            av_bprintf(out, "}");
        }
        av_bprintf(out, "]}");
        av_free(worst);
    }
    av_bprintf(out, "},\n\"sync\":{");
    f.first = 1;
    add_sync(&f, log);
    av_bprintf(out, "}}\n");
}

static void end_csv(LPIPSLog *log, AVBPrint *out)
{
    Fields f = {out, 0, 0};

    for (int i = 0; i < log->engine->nb_inputs - 1; i++) {
        const LPIPSStream *s = &log->streams[i];
        lpips_stats stats;
        size_t count, *worst;

        if (lpips_stats_of(s->distance, s->nb_distances, &stats) < 0)
            continue;
        av_bprintf(out, "# pooled input:%s", input_name(log, i));
        add_pooled(&f, &stats);
        worst = find_worst(log, s, &count);
        for (size_t k = 0; k < count; k++) {
            av_bprintf(out, "\n# worst input:%s", input_name(log, i));
            add_pair(&f, s, worst[k]);
        }
        av_bprintf(out, "\n");
        av_free(worst);
    }
    av_bprintf(out, "# sync");
    add_sync(&f, log);
    av_bprintf(out, "\n");
}

static void print_stream(AVFilterContext *ctx, LPIPSLog *log, int i, AVBPrint *out)
{
    const LPIPSStream *s = &log->streams[i];
    const char *name = log->engine->nb_inputs > 2 ? input_name(log, i) : "";
    const char *space = *name ? " " : "";
    Fields f = {out, 0, 0};
    char described[128];
    size_t count, *worst;
    lpips_stats stats;

    if (lpips_stats_of(s->distance, s->nb_distances, &stats) < 0)
        return;
    lpips_describe(log->engine->lpips, described, sizeof(described));
    av_bprint_clear(out);
    add_inputs(out, log, "; ");
    av_log(ctx, AV_LOG_INFO, "LPIPS%s%s average:%.9f min:%.9f max:%.9f frames:%d (%s%s)\n",
           space, name, stats.mean, stats.min, stats.max, s->nb_distances, described,
           out->str);
    av_bprint_clear(out);
    add_pooled(&f, &stats);
    av_log(ctx, AV_LOG_INFO, "LPIPS%s%s pooled%s\n", space, name, out->str);
    av_bprint_clear(out);
    worst = find_worst(log, s, &count);
    for (size_t k = 0; k < count; k++) {
        av_bprintf(out, k ? ";" : "");
        add_pair(&f, s, worst[k]);
    }
    if (count)
        av_log(ctx, AV_LOG_INFO, "LPIPS%s%s worst%s\n", space, name, out->str);
    av_free(worst);
}

int ff_lpips_log_end(AVFilterContext *ctx, LPIPSLog *log)
{
    AVBPrint out;
    Fields f = {&out, 0, 0};

    if (!log->engine->lpips)
        return 0;
    av_bprint_init(&out, 0, AV_BPRINT_SIZE_UNLIMITED);
    begin(log, &out);
    if (log->file) {
        if (log->format == LPIPS_LOG_JSON)
            end_json(log, &out);
        else
            end_csv(log, &out);
        write_out(log, &out, 0);
    }
    for (int i = 0; i < log->engine->nb_inputs - 1; i++)
        print_stream(ctx, log, i, &out);
    av_bprint_clear(&out);
    add_sync(&f, log);
    av_log(ctx, ff_lpips_pair_bad(log->pairs) ? AV_LOG_WARNING : AV_LOG_INFO,
           "LPIPS sync%s\n", out.str);
    av_bprint_finalize(&out, NULL);
    return check_written(ctx, log);
}
