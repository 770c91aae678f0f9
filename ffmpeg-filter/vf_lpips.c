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
 * Calculate the perceptual distance LPIPS between input videos.
 *
 * Everything that makes a number lives in liblpips. This file negotiates, pairs frames
 * and hands them over; lpips_reader.c reads frames as RGB, lpips_log.c writes, and
 * lpips_draw.c makes pictures.
 *
 * The formats and colours of the inputs are deliberately not tied to each other: each
 * frame is read by its own tags, so that no scaler gets between the decoder and the
 * metric.
 */

#include <float.h>

#include <lpips.h>

#include "libavutil/avstring.h"
#include "libavutil/opt.h"
#include "lpips_compat.h"
#include "lpips_draw.h"
#include "lpips_engine.h"
#include "lpips_log.h"
#include "lpips_pair.h"
#include "video.h"

typedef struct LPIPSContext {
    const AVClass *class;
    FFFrameSync fs;

    double threshold;
    char *pool;
    LPIPSEngine engine;
    LPIPSPairs pairs;
    LPIPSPicture picture;
    LPIPSLog log;

    int pooled; ///< number of the statistic that the threshold is for
    int concluded;
} LPIPSContext;

#define OFFSET(x) offsetof(LPIPSContext, x)
#define FLAGS     AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM
#define STRING(name, field, value, help)                                           \
    {                                                                              \
        name, help, OFFSET(field), AV_OPT_TYPE_STRING, {.str = value}, 0, 0, FLAGS \
    }
#define CHOICE(name, field, value, last, unit, help)                                \
    {                                                                               \
        name, help, OFFSET(field), AV_OPT_TYPE_INT, {.i64 = value}, 0, last, FLAGS, \
            UNIT(unit)                                                              \
    }
#define VALUE(name, value, unit, help)                                            \
    {                                                                             \
        name, help, 0, AV_OPT_TYPE_CONST, {.i64 = value}, 0, 0, FLAGS, UNIT(unit) \
    }
#define UNIT(name) .unit = name

/* clang-format off */
static const AVOption filter_options[] = {
    { "net",         "Set the network (alex unless a model says otherwise)", OFFSET(engine.net), AV_OPT_TYPE_INT, {.i64 = -1}, -1, LPIPS_NET_SQUEEZE, FLAGS, UNIT("net") },
        VALUE("alex",    LPIPS_NET_ALEX,    "net", "AlexNet, the metric's default"),
        VALUE("vgg",     LPIPS_NET_VGG,     "net", "VGG-16"),
        VALUE("squeeze", LPIPS_NET_SQUEEZE, "net", "SqueezeNet 1.1"),
    STRING("version",    engine.version, NULL, "Set the version of the metric, 0.1 or 0.0 (0.1 unless a model says otherwise)"),
    STRING("model",      engine.model, NULL, "Set a safetensors file to take the weights from"),
    { "inputs",      "Set the number of inputs, the reference included", OFFSET(engine.nb_inputs), AV_OPT_TYPE_INT, {.i64 = 2}, 2, LPIPS_MAX_INPUTS, FLAGS },
    STRING("stats_file", log.stats_path, NULL, "Set file where to store per-frame distances"),
    STRING("f",          log.stats_path, NULL, "Set file where to store per-frame distances"),
    STRING("log_path",   log.path, NULL, "Set file where to store a log with everything measured"),
    CHOICE("log_fmt",    log.format, LPIPS_LOG_JSON, NB_LPIPS_LOGS - 1, "log_fmt", "Set the format of the log"),
        VALUE("json", LPIPS_LOG_JSON, "log_fmt", "one JSON document"),
        VALUE("csv",  LPIPS_LOG_CSV,  "log_fmt", "comma separated values, with lines of # before and after"),
    { "worst",       "Set how many of the worst frames to list", OFFSET(log.worst), AV_OPT_TYPE_INT, {.i64 = 5}, 0, 1000, FLAGS },
    { "n_subsample", "Compare one frame, chosen at random, of each so many", OFFSET(pairs.n_subsample), AV_OPT_TYPE_INT, {.i64 = 1}, 1, INT_MAX, FLAGS },
    { "seed",        "Set the seed of that choice", OFFSET(pairs.seed), AV_OPT_TYPE_INT64, {.i64 = 0}, INT64_MIN, INT64_MAX, FLAGS },
    { "threshold",   "Fail at the end if the pooled distance is above this (negative: never)", OFFSET(threshold), AV_OPT_TYPE_DOUBLE, {.dbl = -1}, -1, DBL_MAX, FLAGS },
    STRING("pool",       pool, "mean", "Set the statistic that threshold is for: mean, harmonic_mean, median, max, p1 ... p99"),
    CHOICE("sync",       pairs.sync, LPIPS_SYNC_WARN, NB_LPIPS_SYNC - 1, "sync", "Set what happens when a frame has no partner or a reference frame is used again"),
        VALUE("ignore", LPIPS_SYNC_IGNORE, "sync", "only count"),
        VALUE("warn",   LPIPS_SYNC_WARN,   "sync", "warn of the first"),
        VALUE("error",  LPIPS_SYNC_ERROR,  "sync", "fail at the first"),
    CHOICE("scale",      engine.scale, LPIPS_SCALE_NONE, NB_LPIPS_SCALES - 1, "scale", "Set which input to scale where sizes differ"),
        VALUE("none",      LPIPS_SCALE_NONE,      "scale", "different sizes are an error"),
        VALUE("reference", LPIPS_SCALE_REFERENCE, "scale", "the reference to the size of main"),
        VALUE("main",      LPIPS_SCALE_MAIN,      "scale", "main to the size of the reference"),
    STRING("scale_flags", engine.scale_flags, "bicubic", "Set how to scale, by libswscale's names: bilinear, bicubic, lanczos ..."),
    CHOICE("tags",       engine.tags, LPIPS_TAGS_OWN, NB_LPIPS_TAGS - 1, "tags", "Set by whose colour tags inputs are read"),
        VALUE("own",       LPIPS_TAGS_OWN,       "tags", "each by its own"),
        VALUE("main",      LPIPS_TAGS_MAIN,      "tags", "all by those of main"),
        VALUE("reference", LPIPS_TAGS_REFERENCE, "tags", "all by those of the reference"),
    CHOICE("output",     picture.output, LPIPS_OUTPUT_MAIN, NB_LPIPS_OUTPUTS - 1, "output", "Set what is put out"),
        VALUE("main",    LPIPS_OUTPUT_MAIN,    "output", "the main frames, unchanged"),
        VALUE("map",     LPIPS_OUTPUT_MAP,     "output", "where frames differ, as colours"),
        VALUE("overlay", LPIPS_OUTPUT_OVERLAY, "output", "the map over the main picture in grey"),
        VALUE("side",    LPIPS_OUTPUT_SIDE,    "output", "the main picture and the map side by side"),
    CHOICE("colormap",   picture.colormap, LPIPS_COLORS_VIRIDIS, LPIPS_COLORS_GRAY, "colormap", "Set the colours of the map"),
        VALUE("viridis", LPIPS_COLORS_VIRIDIS, "colormap", ""),
        VALUE("magma",   LPIPS_COLORS_MAGMA,   "colormap", ""),
        VALUE("inferno", LPIPS_COLORS_INFERNO, "colormap", ""),
        VALUE("cividis", LPIPS_COLORS_CIVIDIS, "colormap", "for colour-blind viewers"),
        VALUE("gray",    LPIPS_COLORS_GRAY,    "colormap", ""),
    { "full_scale",  "Set the distance that has the last colour of the map", OFFSET(picture.full_scale), AV_OPT_TYPE_DOUBLE, {.dbl = 0.5}, 1e-6, 1e6, FLAGS },
    { "opacity",     "Set the opacity of the map over the picture", OFFSET(picture.opacity), AV_OPT_TYPE_DOUBLE, {.dbl = 0.6}, 0, 1, FLAGS },
    STRING("dump",       engine.dump_path, NULL, "Set file where to store the pictures as they are compared, as floats"),
    { NULL }
};
/* clang-format on */

FRAMESYNC_DEFINE_CLASS_EXT(lpips, LPIPSContext, fs, filter_options);

/* ---- comparing --------------------------------------------------------------- */

static void set_meta(AVDictionary **metadata, const char *prefix, const char *key,
                     double value)
{
    char name[64], text[64];

    snprintf(name, sizeof(name), "lavfi.lpips.%s%s", prefix, key);
    snprintf(text, sizeof(text), "%.9f", value);
    av_dict_set(metadata, name, text, 0);
}

static void add_metadata(AVFrame *frame, const char *prefix, const lpips_result *result)
{
    set_meta(&frame->metadata, prefix, "distance", result->distance);
    for (int i = 0; i < result->layers; i++) {
        char key[16];

        snprintf(key, sizeof(key), "layer.%d", i);
        set_meta(&frame->metadata, prefix, key, result->layer[i]);
    }
}

static int report(AVFilterContext *ctx, AVFrame *frame, const lpips_result *results)
{
    LPIPSContext *s = ctx->priv;
    const LPIPSPlace place = {
        .frame = s->pairs.pairing[0].frames - 1,
        .pts = frame->pts,
        .time = frame->pts * av_q2d(ctx->outputs[0]->time_base),
    };
    int ret = 0;

    for (int i = 0; i < s->engine.nb_inputs - 1 && ret >= 0; i++) {
        char prefix[32];

        snprintf(prefix, sizeof(prefix), "%s.", s->engine.readers[i].name);
        add_metadata(frame, i ? prefix : "", &results[i]);
        ret = ff_lpips_log_pair(ctx, &s->log, i, &place, &results[i]);
    }
    return ret;
}

/* Put out a picture in place of the main frame, which is freed. */
static int put_picture(AVFilterContext *ctx, AVFrame *main, int compared)
{
    LPIPSContext *s = ctx->priv;
    AVFilterLink *outlink = ctx->outputs[0];
    AVFrame *out = ff_get_video_buffer(outlink, outlink->w, outlink->h);
    int ret = out ? av_frame_copy_props(out, main) : AVERROR(ENOMEM);

    if (ret >= 0 && !compared && s->picture.output != LPIPS_OUTPUT_MAP)
        ret = ff_lpips_read_alone(ctx, &s->engine.readers[0], main);
    if (ret >= 0) {
        out->colorspace = AVCOL_SPC_RGB;
        out->color_range = AVCOL_RANGE_JPEG;
        out->sample_aspect_ratio = outlink->sample_aspect_ratio;
        out->crop_left = out->crop_right = out->crop_top = out->crop_bottom = 0;
        ret = ff_lpips_draw(ctx, &s->picture, &s->engine.readers[0],
                            compared ? s->engine.map : NULL, out);
    }
    av_frame_free(&main);
    if (ret >= 0)
        return ff_filter_frame(outlink, out);
    av_frame_free(&out);
    return ret;
}

static int do_lpips(FFFrameSync *fs)
{
    AVFilterContext *ctx = fs->parent;
    LPIPSContext *s = ctx->priv;
    const AVFrame *frames[LPIPS_MAX_INPUTS];
    lpips_result results[LPIPS_MAX_INPUTS];
    AVFrame *main;
    int compared, ret;

    if (!ff_lpips_pair_is_main(&s->pairs)) {
        ff_filter_set_ready(ctx, 100); /* no frame goes out that would bring the next call */
        return 0;
    }
    ret = ff_framesync_get_frame(fs, 0, &main, 1);
    if (ret < 0)
        return ret;
    main->pts = av_rescale_q(fs->pts, fs->time_base, ctx->outputs[0]->time_base);
    frames[0] = main;
    ret = ff_lpips_pair(ctx, &s->pairs, frames);
    compared = ret > 0 && !ctx->is_disabled && ff_lpips_pair_is_chosen(&s->pairs);
    if (ret >= 0 && compared)
        ret = ff_lpips_engine_compare(ctx, &s->engine, frames, results);
    if (ret >= 0 && compared)
        ret = report(ctx, main, results);
    if (ret < 0) {
        av_frame_free(&main);
        return ret;
    }
    if (s->picture.output == LPIPS_OUTPUT_MAIN)
        return ff_filter_frame(ctx->outputs[0], main);
    return put_picture(ctx, main, compared);
}

/* ---- the end ----------------------------------------------------------------- */

static int check_threshold(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    int ret = 0;

    for (int i = 0; i < s->engine.nb_inputs - 1 && s->threshold >= 0; i++) {
        const LPIPSStream *stream = &s->log.streams[i];
        double value;
        lpips_stats stats;

        if (lpips_stats_of(stream->distance, stream->nb_distances, &stats) < 0) {
            av_log(ctx, AV_LOG_ERROR,
                   "No frames of %s were compared, so that it cannot be "
                   "held against the threshold.\n",
                   s->engine.readers[i].name);
            return AVERROR_INVALIDDATA;
        }
        value = lpips_stats_value(&stats, s->pooled);
        if (value > s->threshold) {
            av_log(ctx, AV_LOG_ERROR, "LPIPS %s%s%s %.9f is above the threshold %g\n",
                   s->engine.nb_inputs > 2 ? s->engine.readers[i].name : "",
                   s->engine.nb_inputs > 2 ? " " : "", s->pool, value, s->threshold);
            ret = AVERROR(ERANGE);
        }
    }
    return ret;
}

/* Once all frames have come, or the graph goes: what is left to count and to say. */
static int conclude(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    int ret, written;

    if (s->concluded || !s->fs.in)
        return 0;
    s->concluded = 1;
    ret = ff_lpips_pair_end(ctx, &s->pairs);
    written = ff_lpips_log_end(ctx, &s->log);
    if (ret >= 0)
        ret = written;
    return ret < 0 ? ret : check_threshold(ctx);
}

static int activate(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    int ret = ff_framesync_activate(&s->fs);

    return ret >= 0 && s->fs.eof ? conclude(ctx) : ret;
}

static av_cold void uninit(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;

    conclude(ctx);
    ff_framesync_uninit(&s->fs);
    ff_lpips_log_close(ctx, &s->log);
    ff_lpips_engine_uninit(ctx, &s->engine);
}

/* ---- the beginning ----------------------------------------------------------- */

static int find_pool(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;

    for (s->pooled = 0; lpips_stats_name(s->pooled); s->pooled++)
        if (!strcmp(lpips_stats_name(s->pooled), s->pool))
            return 0;
    av_log(ctx, AV_LOG_ERROR, "pool=%s is none of:", s->pool);
    for (int i = 0; lpips_stats_name(i); i++)
        av_log(ctx, AV_LOG_ERROR, " %s", lpips_stats_name(i));
    av_log(ctx, AV_LOG_ERROR, "\n");
    return AVERROR(EINVAL);
}

static av_cold int append_input(AVFilterContext *ctx, int i)
{
    LPIPSContext *s = ctx->priv;
    char *name = s->engine.readers[i].name;
    const size_t size = sizeof(s->engine.readers[i].name);
    AVFilterPad pad = {.type = AVMEDIA_TYPE_VIDEO};

    if (i == s->engine.nb_inputs - 1)
        av_strlcpy(name, "reference", size);
    else if (s->engine.nb_inputs == 2)
        av_strlcpy(name, "main", size);
    else
        snprintf(name, size, "main%d", i);

    pad.name = av_strdup(name);
    return pad.name ? ff_append_inpad_free_name(ctx, &pad) : AVERROR(ENOMEM);
}

static av_cold int init(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    int ret = 0;

    for (int i = 0; i < s->engine.nb_inputs && ret >= 0; i++)
        ret = append_input(ctx, i);
    if (ret < 0 || (ret = find_pool(ctx)) < 0 ||
        (ret = ff_lpips_check_scale_flags(ctx, s->engine.scale_flags)) < 0)
        return ret;
    s->fs.on_event = do_lpips;
    s->pairs.fs = &s->fs;
    s->pairs.readers = s->engine.readers;
    s->pairs.nb_inputs = s->engine.nb_inputs;
    s->log.engine = &s->engine;
    s->log.pairs = &s->pairs;
    s->engine.wants_map = s->picture.output != LPIPS_OUTPUT_MAIN;
    return ff_lpips_engine_init(ctx, &s->engine);
}

/* ---- negotiation ------------------------------------------------------------- */

#if LAVFI(10, 4)
static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in,
                         AVFilterFormatsConfig **cfg_out)
{
    const LPIPSContext *s = ctx->priv;

    return ff_lpips_negotiate(ctx, cfg_in, s->engine.nb_inputs, cfg_out[0],
                              s->picture.output == LPIPS_OUTPUT_MAIN);
}
#define QUERY_FORMATS FILTER_QUERY_FUNC2(query_formats)
#else
static int query_formats(AVFilterContext *ctx)
{
    const LPIPSContext *s = ctx->priv;
    AVFilterFormatsConfig *in[LPIPS_MAX_INPUTS];

    for (unsigned i = 0; i < ctx->nb_inputs; i++)
        in[i] = &ctx->inputs[i]->outcfg;
    return ff_lpips_negotiate(ctx, in, s->engine.nb_inputs, &ctx->outputs[0]->incfg,
                              s->picture.output == LPIPS_OUTPUT_MAIN);
}
#define QUERY_FORMATS FILTER_QUERY_FUNC(query_formats)
#endif

static void warn_of_links(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    const AVFilterLink *main = ctx->inputs[0];

    for (int i = 1; i < s->engine.nb_inputs; i++) {
        const AVFilterLink *link = ctx->inputs[i];
        const AVRational a = main->sample_aspect_ratio, b = link->sample_aspect_ratio;

        if (av_cmp_q(main->time_base, s->fs.time_base) ||
            av_cmp_q(link->time_base, s->fs.time_base))
            av_log(ctx, AV_LOG_WARNING,
                   "not matching timebases found between first input: %d/%d and second input "
                   "%d/%d, results may be incorrect!\n",
                   main->time_base.num, main->time_base.den, link->time_base.num,
                   link->time_base.den);
        if (a.num > 0 && b.num > 0 && av_cmp_q(a, b))
            av_log(
                ctx, AV_LOG_WARNING,
                "%s has sample aspect ratio %d:%d and %s %d:%d; their samples are compared "
                "one by one all the same.\n",
                s->engine.readers[0].name, a.num, a.den, s->engine.readers[i].name, b.num,
                b.den);
    }
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    LPIPSContext *s = ctx->priv;
    AVFilterLink *main = ctx->inputs[0];
    int width[LPIPS_MAX_INPUTS], height[LPIPS_MAX_INPUTS], ret;

    for (int i = 0; i < s->engine.nb_inputs; i++) {
        width[i] = ctx->inputs[i]->w;
        height[i] = ctx->inputs[i]->h;
    }
    /* Files are opened here, for ffmpeg makes and drops a first instance that is never used.
     */
    if ((ret = ff_lpips_engine_config(ctx, &s->engine, width, height)) < 0 ||
        (ret = ff_lpips_engine_open_dump(ctx, &s->engine)) < 0 ||
        (ret = ff_lpips_log_open(ctx, &s->log)) < 0 ||
        (ret = ff_lpips_pair_config(ctx, &s->pairs)) < 0)
        return ret;
    outlink->w = s->picture.output == LPIPS_OUTPUT_MAIN ? main->w : s->engine.width;
    outlink->h = s->picture.output == LPIPS_OUTPUT_MAIN ? main->h : s->engine.height;
    if (s->picture.output == LPIPS_OUTPUT_SIDE)
        outlink->w *= 2;
    outlink->time_base = s->fs.time_base;
    outlink->sample_aspect_ratio = main->sample_aspect_ratio;
    LINK(outlink)->frame_rate = LINK(main)->frame_rate;
    warn_of_links(ctx);
    return 0;
}

static const AVFilterPad lpips_outputs[] = {
    {.name = "default", .type = AVMEDIA_TYPE_VIDEO, .config_props = config_output},
};

const FILTER_TYPE ff_vf_lpips = {
    FIELD(name) = "lpips",
    FIELD(description) = NULL_IF_CONFIG_SMALL("Calculate the LPIPS between video streams."),
    FIELD(priv_class) = &lpips_class,
    FIELD(flags) = AVFILTER_FLAG_SUPPORT_TIMELINE_INTERNAL | AVFILTER_FLAG_SLICE_THREADS |
                   AVFILTER_FLAG_DYNAMIC_INPUTS,
    .preinit = lpips_framesync_preinit,
    .init = init,
    .uninit = uninit,
    .activate = activate,
    .priv_size = sizeof(LPIPSContext),
    FILTER_OUTPUTS(lpips_outputs),
    QUERY_FORMATS,
};
