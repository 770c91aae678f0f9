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
 * Calculate the perceptual distance LPIPS between two input videos.
 *
 * Everything that makes a number lives in liblpips: reading frames as RGB, the
 * comparison, the statistics. This file negotiates, hands frames over and prints.
 *
 * The reference's formats and colours are deliberately not tied to those of the
 * main input: each frame is read by its own tags, so that no scaler gets between
 * the decoder and the metric.
 */

#include <lpips.h>

#include "libavutil/avstring.h"
#include "libavutil/cpu.h"
#include "libavutil/mem.h"
#include "libavutil/opt.h"
#include "libavutil/pixdesc.h"
#include "avfilter.h"
#include "version.h"

/* What differs between FFmpeg 5.1, 6.1, 7.1, 8.1 and 9.0. */
#define LAVFI(major, minor) (LIBAVFILTER_VERSION_INT >= AV_VERSION_INT(major, minor, 100))

#if LAVFI(9, 0)
#include "libavutil/file_open.h"
#else
#include "libavutil/internal.h"
#endif
#include "filters.h"
#include "formats.h"
#if !LAVFI(10, 4)
#include "internal.h"
#endif
#include "framesync.h"

#if LAVFI(10, 4)
#define LINK(link) ff_filter_link(link)
#else
#define LINK(link) (link)
#endif

#if LAVFI(11, 0)
#define FILTER_TYPE FFFilter
#define FIELD(name) .p.name
#else
#define FILTER_TYPE AVFilter
#define FIELD(name) .name
#endif

enum { MAIN, REF, NB_INPUTS };

static const char *const input_name[NB_INPUTS] = {"main", "reference"};

typedef struct LPIPSContext {
    const AVClass *class;
    FFFrameSync fs;

    int net;
    char *version;
    char *model;
    char *stats_file_str;

    lpips_weights *weights;
    lpips_context *lpips;
    FILE *stats_file;

    float *rgb[NB_INPUTS][3];     ///< planes of the converted frames, one allocation each
    ptrdiff_t rgb_stride;         ///< bytes from row to row of those
    char colours[NB_INPUTS][128]; ///< how the last frames were read

    double *distance; ///< of every pair so far
    int nb_frames;
} LPIPSContext;

#define OFFSET(x) offsetof(LPIPSContext, x)
#define FLAGS     AV_OPT_FLAG_FILTERING_PARAM | AV_OPT_FLAG_VIDEO_PARAM

/* clang-format off */
static const AVOption filter_options[] = {
    { "net",        "Set the network (alex unless a model says otherwise)", OFFSET(net), AV_OPT_TYPE_INT, {.i64 = -1}, -1, LPIPS_NET_SQUEEZE, FLAGS, .unit = "net" },
        { "alex",    "AlexNet, the metric's default",  0, AV_OPT_TYPE_CONST, {.i64 = LPIPS_NET_ALEX},    0, 0, FLAGS, .unit = "net" },
        { "vgg",     "VGG-16",                         0, AV_OPT_TYPE_CONST, {.i64 = LPIPS_NET_VGG},     0, 0, FLAGS, .unit = "net" },
        { "squeeze", "SqueezeNet 1.1",                 0, AV_OPT_TYPE_CONST, {.i64 = LPIPS_NET_SQUEEZE}, 0, 0, FLAGS, .unit = "net" },
    { "version",    "Set the version of the metric, 0.1 or 0.0 (0.1 unless a model says otherwise)", OFFSET(version), AV_OPT_TYPE_STRING, {.str = NULL}, 0, 0, FLAGS },
    { "model",      "Set a safetensors file to take the weights from", OFFSET(model), AV_OPT_TYPE_STRING, {.str = NULL}, 0, 0, FLAGS },
    { "stats_file", "Set file where to store per-frame distances", OFFSET(stats_file_str), AV_OPT_TYPE_STRING, {.str = NULL}, 0, 0, FLAGS },
    { "f",          "Set file where to store per-frame distances", OFFSET(stats_file_str), AV_OPT_TYPE_STRING, {.str = NULL}, 0, 0, FLAGS },
    { NULL }
};
/* clang-format on */

FRAMESYNC_DEFINE_CLASS_EXT(lpips, LPIPSContext, fs, filter_options);

static int error_code(int status)
{
    if (status == LPIPS_ERR_ARGUMENT || status == LPIPS_ERR_SIZE)
        return AVERROR(EINVAL);
    if (status == LPIPS_ERR_MEMORY)
        return AVERROR(ENOMEM);
    return status == LPIPS_ERR_IO ? AVERROR(ENOENT) : AVERROR_INVALIDDATA;
}

/* A view of frame for liblpips; colours that nobody tagged stay unknown. */
static void wrap_frame(lpips_frame *f, const AVFrame *frame)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const int rgb = desc->flags & AV_PIX_FMT_FLAG_RGB;

    memset(f, 0, sizeof(*f));
    for (int c = 0; c < (desc->nb_components < 3 ? 1 : 3); c++) {
        const AVComponentDescriptor *comp = &desc->comp[c];

        f->plane[c] = frame->data[comp->plane] + comp->offset;
        f->row_stride[c] = frame->linesize[comp->plane];
        f->step[c] = comp->step;
    }
    f->width = frame->width;
    f->height = frame->height;
    f->chroma_x = desc->log2_chroma_w;
    f->chroma_y = desc->log2_chroma_h;
    f->bits = desc->comp[0].depth;
    f->shift = desc->comp[0].shift;
    f->matrix = rgb ? LPIPS_MATRIX_RGB : (int)frame->colorspace;
    if (!rgb && f->matrix == LPIPS_MATRIX_RGB)
        f->matrix = -1; /* RGB in YUV planes: for liblpips to refuse */
    f->levels = frame->color_range;
    if (av_strstart(desc->name, "yuvj", NULL))
        f->levels = LPIPS_LEVELS_FULL;
    f->chroma_location = frame->chroma_location;
}

/* Say how an input is read, once and again whenever that changes. */
static void log_colours(AVFilterContext *ctx, int input, const lpips_frame *tagged,
                        const lpips_frame *settled, const AVFrame *frame)
{
    LPIPSContext *s = ctx->priv;
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    const int matrix = settled->plane[1] && tagged->matrix != settled->matrix;
    const int levels = settled->matrix && tagged->levels != settled->levels;
    char text[sizeof(s->colours[0])];

    lpips_frame_describe(settled, text, sizeof(text));
    if (matrix || levels)
        av_strlcatf(text, sizeof(text), " (untagged, %s%s%s assumed)", matrix ? "matrix" : "",
                    matrix && levels ? " and " : "", levels ? "range" : "");
    if (desc->flags & AV_PIX_FMT_FLAG_ALPHA)
        av_strlcat(text, " alpha ignored", sizeof(text));
    if (strcmp(text, s->colours[input])) {
        av_strlcpy(s->colours[input], text, sizeof(text));
        av_log(ctx, AV_LOG_INFO, "%s read as %s\n", input_name[input], text);
    }
}

static int convert_slice(AVFilterContext *ctx, void *arg, int jobnr, int nb_jobs)
{
    LPIPSContext *s = ctx->priv;
    const lpips_frame *frame = arg;
    int ret = 0;

    for (int i = 0; i < NB_INPUTS; i++) {
        const int first = (int64_t)frame[i].height * jobnr / nb_jobs;
        const int end = (int64_t)frame[i].height * (jobnr + 1) / nb_jobs;

        ret |= lpips_frame_to_rgb(&frame[i], s->rgb[i], s->rgb_stride, first, end - first);
    }
    return ret;
}

/* Both frames to the planes in s->rgb, each by its own tags. */
static int convert(AVFilterContext *ctx, const AVFrame *const frame[NB_INPUTS])
{
    LPIPSContext *s = ctx->priv;
    lpips_frame tagged[NB_INPUTS], settled[NB_INPUTS];

    for (int i = 0; i < NB_INPUTS; i++) {
        wrap_frame(&tagged[i], frame[i]);
        settled[i] = tagged[i];
    }
    lpips_frame_settle(&settled[MAIN], &settled[REF]);
    for (int i = 0; i < NB_INPUTS; i++) {
        const char *space = av_color_space_name(frame[i]->colorspace);

        /* No rows: only asks whether it can be done. */
        if (lpips_frame_to_rgb(&settled[i], s->rgb[i], s->rgb_stride, 0, 0) < 0) {
            av_log(
                ctx, AV_LOG_ERROR,
                "The %s's colour space %s cannot be read as RGB; convert it with zscale or "
                "correct a wrong tag with setparams=colorspace=bt709.\n",
                input_name[i], space ? space : "of an unknown number");
            return AVERROR_PATCHWELCOME;
        }
        log_colours(ctx, i, &tagged[i], &settled[i], frame[i]);
    }
    return ff_filter_execute(ctx, convert_slice, settled, NULL,
                             FFMIN(settled[MAIN].height, ff_filter_get_nb_threads(ctx)));
}

static int compare(AVFilterContext *ctx, const AVFrame *const frame[NB_INPUTS],
                   lpips_result *result)
{
    LPIPSContext *s = ctx->priv;
    const ptrdiff_t stride[3] = {s->rgb_stride, s->rgb_stride, s->rgb_stride};
    lpips_image image[NB_INPUTS];
    int ret = convert(ctx, frame);

    if (ret < 0)
        return ret;
    for (int i = 0; i < NB_INPUTS; i++) {
        const void *const plane[3] = {s->rgb[i][0], s->rgb[i][1], s->rgb[i][2]};

        lpips_image_planar(&image[i], LPIPS_F32, plane, stride, frame[i]->width,
                           frame[i]->height);
    }
    ret = lpips_compare(s->lpips, &image[MAIN], &image[REF], result);
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not compare frames: %s\n", lpips_strerror(ret));
        return error_code(ret);
    }
    if (!av_dynarray2_add((void **)&s->distance, &s->nb_frames, sizeof(*s->distance),
                          (const uint8_t *)&result->distance))
        return AVERROR(ENOMEM);
    return 0;
}

static void set_meta(AVDictionary **metadata, const char *key, double value)
{
    char text[64];

    snprintf(text, sizeof(text), "%.9f", value);
    av_dict_set(metadata, key, text, 0);
}

static void report(AVFilterContext *ctx, AVFrame *frame, const lpips_result *result)
{
    LPIPSContext *s = ctx->priv;

    set_meta(&frame->metadata, "lavfi.lpips.distance", result->distance);
    for (int i = 0; i < result->layers; i++) {
        char key[64];

        snprintf(key, sizeof(key), "lavfi.lpips.layer.%d", i);
        set_meta(&frame->metadata, key, result->layer[i]);
    }
    if (!s->stats_file)
        return;
    fprintf(s->stats_file, "n:%d pts_time:%.6f lpips:%.9f", s->nb_frames,
            frame->pts * av_q2d(ctx->outputs[0]->time_base), result->distance);
    for (int i = 0; i < result->layers; i++)
        fprintf(s->stats_file, " layer.%d:%.9f", i, result->layer[i]);
    fprintf(s->stats_file, "\n");
    fflush(s->stats_file); /* a run that is killed keeps what it had */
}

static int do_lpips(FFFrameSync *fs)
{
    AVFilterContext *ctx = fs->parent;
    AVFrame *master, *ref;
    lpips_result result;
    int ret = ff_framesync_dualinput_get(fs, &master, &ref);

    if (ret < 0)
        return ret;
    if (ctx->is_disabled || !ref)
        return ff_filter_frame(ctx->outputs[0], master);

    ret = compare(ctx, (const AVFrame *const[]){master, ref}, &result);
    if (ret < 0) {
        av_frame_free(&master);
        return ret;
    }
    report(ctx, master, &result);
    return ff_filter_frame(ctx->outputs[0], master);
}

static av_cold int load_weights(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    char why[512] = "";
    const char *version;
    lpips_net net;
    int ret;

    if (!s->model) {
        ret = lpips_weights_find(&s->weights, s->net < 0 ? LPIPS_NET_ALEX : s->net,
                                 s->version, why, sizeof(why));
        if (ret < 0)
            av_log(ctx, AV_LOG_ERROR, "%s\n", *why ? why : lpips_strerror(ret));
        return ret < 0 ? error_code(ret) : 0;
    }

    ret = lpips_weights_load(&s->weights, s->model, why, sizeof(why));
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not load model: %s\n",
               *why ? why : lpips_strerror(ret));
        return error_code(ret);
    }
    net = lpips_weights_net(s->weights);
    version = lpips_weights_version(s->weights);
    if ((s->net >= 0 && s->net != (int)net) || (s->version && strcmp(s->version, version))) {
        av_log(ctx, AV_LOG_ERROR,
               "Model %s holds net %s, version %s, which is not what the options net and "
               "version ask for; leave those out.\n",
               s->model, lpips_net_name(net), version);
        return AVERROR(EINVAL);
    }
    return 0;
}

static av_cold int init(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    int ret = load_weights(ctx);

    if (ret < 0)
        return ret;
    if (s->stats_file_str && !strcmp(s->stats_file_str, "-")) {
        s->stats_file = stdout;
    } else if (s->stats_file_str) {
        s->stats_file = avpriv_fopen_utf8(s->stats_file_str, "w");
        if (!s->stats_file) {
            ret = AVERROR(errno);
            av_log(ctx, AV_LOG_ERROR, "Could not open stats file %s: %s\n", s->stats_file_str,
                   av_err2str(ret));
            return ret;
        }
    }
    s->fs.on_event = do_lpips;
    return 0;
}

/* Formats whose every sample is a byte, a native 16-bit word or a float by itself. */
static int is_supported(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);
    const AVComponentDescriptor *first = &desc->comp[0];
    const int bytes = first->depth > 16 ? 4 : first->depth > 8 ? 2 : 1;
    const int is_float = !!(desc->flags & AV_PIX_FMT_FLAG_FLOAT);

    if (desc->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL |
                       AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BAYER) ||
        (bytes > 1 && !(desc->flags & AV_PIX_FMT_FLAG_BE) != !HAVE_BIGENDIAN) ||
        av_strstart(desc->name, "xyz", NULL) ||
        format == AV_PIX_FMT_UYYVYY411) /* whose luma is not equally spaced */
        return 0;
    if (first->depth < 8 || first->depth + first->shift > 8 * bytes ||
        is_float != (first->depth == 32) ||
        (is_float && desc->nb_components > 2 && !(desc->flags & AV_PIX_FMT_FLAG_RGB)))
        return 0;
    for (int c = 0; c < (desc->nb_components < 3 ? 1 : 3); c++) {
        const AVComponentDescriptor *comp = &desc->comp[c];

        if (comp->depth != first->depth || comp->shift != first->shift ||
            comp->step % bytes || comp->offset % bytes)
            return 0;
    }
    return 1;
}

static AVFilterFormats *supported_formats(void)
{
    AVFilterFormats *formats = NULL;
    const AVPixFmtDescriptor *desc = NULL;

    while ((desc = av_pix_fmt_desc_next(desc))) {
        const enum AVPixelFormat format = av_pix_fmt_desc_get_id(desc);

        if (is_supported(format) && ff_add_format(&formats, format) < 0)
            return NULL;
    }
    return formats;
}

/* The main input and the output share one list, the reference has its own. */
static int untie(AVFilterFormats *(*list)(void), AVFilterFormats **in, AVFilterFormats **ref,
                 AVFilterFormats **out)
{
    AVFilterFormats *shared = list();
    int ret = ff_formats_ref(shared, in);

    if (ret >= 0)
        ret = ff_formats_ref(shared, out);
    if (ret >= 0)
        ret = ff_formats_ref(list(), ref);
    return ret;
}

static int negotiate(AVFilterFormatsConfig *in, AVFilterFormatsConfig *ref,
                     AVFilterFormatsConfig *out)
{
    int ret = untie(supported_formats, &in->formats, &ref->formats, &out->formats);

#if LAVFI(10, 0)
    if (ret >= 0)
        ret = untie(ff_all_color_spaces, &in->color_spaces, &ref->color_spaces,
                    &out->color_spaces);
    if (ret >= 0)
        ret = untie(ff_all_color_ranges, &in->color_ranges, &ref->color_ranges,
                    &out->color_ranges);
#endif
    return ret;
}

#if LAVFI(10, 4)
static int query_formats(const AVFilterContext *ctx, AVFilterFormatsConfig **cfg_in,
                         AVFilterFormatsConfig **cfg_out)
{
    return negotiate(cfg_in[MAIN], cfg_in[REF], cfg_out[0]);
}
#define QUERY_FORMATS FILTER_QUERY_FUNC2(query_formats)
#else
static int query_formats(AVFilterContext *ctx)
{
    return negotiate(&ctx->inputs[MAIN]->outcfg, &ctx->inputs[REF]->outcfg,
                     &ctx->outputs[0]->incfg);
}
#define QUERY_FORMATS FILTER_QUERY_FUNC(query_formats)
#endif

/* Threads for the comparison: as many as there are cores, unless the filter's or the
 * graph's option asks for fewer; the graph's own default stops at 16. */
static int compare_threads(AVFilterContext *ctx)
{
    const int cores = av_cpu_count(), allowed = ff_filter_get_nb_threads(ctx);

    if (ctx->nb_threads > 0)
        return ctx->nb_threads;
    return allowed < FFMIN(cores, 16) ? allowed : cores;
}

static int create_context(AVFilterContext *ctx, int width, int height)
{
    LPIPSContext *s = ctx->priv;
    const lpips_net net = lpips_weights_net(s->weights);
    const int min_size = lpips_net_min_size(net);
    lpips_options options = LPIPS_OPTIONS_DEFAULT;
    int ret;

    if (width < min_size || height < min_size) {
        av_log(ctx, AV_LOG_ERROR,
               "%dx%d is too small for net %s, which needs %dx%d at least.\n", width, height,
               lpips_net_name(net), min_size, min_size);
        return AVERROR(EINVAL);
    }
    options.threads = compare_threads(ctx);
    ret = lpips_context_create(&s->lpips, s->weights, width, height, &options);
    if (ret < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not prepare to compare %dx%d: %s\n", width, height,
               lpips_strerror(ret));
        return error_code(ret);
    }

    s->rgb_stride = FFALIGN(width, 16) * sizeof(float);
    for (int i = 0; i < NB_INPUTS; i++) {
        float *planes = av_malloc_array(3 * (size_t)height, s->rgb_stride);

        if (!planes)
            return AVERROR(ENOMEM);
        for (int c = 0; c < 3; c++)
            s->rgb[i][c] = planes + c * (size_t)height * (s->rgb_stride / sizeof(float));
    }
    return 0;
}

static void free_context(LPIPSContext *s)
{
    lpips_context_free(s->lpips);
    s->lpips = NULL;
    for (int i = 0; i < NB_INPUTS; i++)
        av_freep(&s->rgb[i][0]);
}

static int config_output(AVFilterLink *outlink)
{
    AVFilterContext *ctx = outlink->src;
    LPIPSContext *s = ctx->priv;
    AVFilterLink *mainlink = ctx->inputs[MAIN];
    AVFilterLink *reflink = ctx->inputs[REF];
    int ret;

    if (mainlink->w != reflink->w || mainlink->h != reflink->h) {
        av_log(ctx, AV_LOG_ERROR, "Width and height of input videos must be same.\n");
        return AVERROR(EINVAL);
    }
    free_context(s);
    if ((ret = create_context(ctx, mainlink->w, mainlink->h)) < 0 ||
        (ret = ff_framesync_init_dualinput(&s->fs, ctx)) < 0)
        return ret;
    outlink->w = mainlink->w;
    outlink->h = mainlink->h;
    outlink->time_base = mainlink->time_base;
    outlink->sample_aspect_ratio = mainlink->sample_aspect_ratio;
    LINK(outlink)->frame_rate = LINK(mainlink)->frame_rate;
    if ((ret = ff_framesync_configure(&s->fs)) < 0)
        return ret;

    outlink->time_base = s->fs.time_base;
    if (av_cmp_q(mainlink->time_base, outlink->time_base) ||
        av_cmp_q(reflink->time_base, outlink->time_base))
        av_log(ctx, AV_LOG_WARNING,
               "not matching timebases found between first input: %d/%d and second input "
               "%d/%d, results may be incorrect!\n",
               mainlink->time_base.num, mainlink->time_base.den, reflink->time_base.num,
               reflink->time_base.den);
    return 0;
}

static int activate(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;

    return ff_framesync_activate(&s->fs);
}

static void log_summary(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;
    lpips_stats stats;
    char text[256];

    if (lpips_stats_of(s->distance, s->nb_frames, &stats) < 0) {
        av_log(ctx, AV_LOG_ERROR, "Could not pool the distances of %d frames.\n",
               s->nb_frames);
        return;
    }
    lpips_describe(s->lpips, text, sizeof(text));
    av_log(ctx, AV_LOG_INFO,
           "LPIPS average:%.9f min:%.9f max:%.9f frames:%d (%s; %s: %s; %s: %s)\n",
           stats.mean, stats.min, stats.max, s->nb_frames, text, input_name[MAIN],
           s->colours[MAIN], input_name[REF], s->colours[REF]);
}

static av_cold void uninit(AVFilterContext *ctx)
{
    LPIPSContext *s = ctx->priv;

    if (s->nb_frames > 0 && s->distance)
        log_summary(ctx);
    ff_framesync_uninit(&s->fs);
    free_context(s);
    lpips_weights_unref(s->weights);
    av_freep(&s->distance);
    if (s->stats_file) {
        const int failed = ferror(s->stats_file);

        if ((s->stats_file != stdout && fclose(s->stats_file)) || failed)
            av_log(ctx, AV_LOG_ERROR, "Could not write all of stats file %s.\n",
                   s->stats_file_str);
    }
}

static const AVFilterPad lpips_inputs[] = {
    {.name = "main", .type = AVMEDIA_TYPE_VIDEO},
    {.name = "reference", .type = AVMEDIA_TYPE_VIDEO},
};

static const AVFilterPad lpips_outputs[] = {
    {.name = "default", .type = AVMEDIA_TYPE_VIDEO, .config_props = config_output},
};

const FILTER_TYPE ff_vf_lpips = {
    FIELD(name) = "lpips",
    FIELD(description) =
        NULL_IF_CONFIG_SMALL("Calculate the LPIPS between two video streams."),
    FIELD(priv_class) = &lpips_class,
    FIELD(flags) = AVFILTER_FLAG_SUPPORT_TIMELINE_INTERNAL | AVFILTER_FLAG_SLICE_THREADS |
                   AVFILTER_FLAG_METADATA_ONLY,
    .preinit = lpips_framesync_preinit,
    .init = init,
    .uninit = uninit,
    .activate = activate,
    .priv_size = sizeof(LPIPSContext),
    FILTER_INPUTS(lpips_inputs),
    FILTER_OUTPUTS(lpips_outputs),
    QUERY_FORMATS,
};
