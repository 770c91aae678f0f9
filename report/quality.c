/*
 * quality.c - a filter graph with psnr and ssim in it, fed frame by frame.
 */
#include "batch.h"
#include "libav.h"
#include "quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/avstring.h>
#include <libavutil/pixdesc.h>

/* How a side's samples are coded. */
typedef struct coding {
    enum AVPixelFormat format;
    enum AVColorSpace matrix;
    enum AVColorRange range;
    int width, height;
} coding;

struct report_quality {
    const media_libavfilter *av;
    AVFilterGraph *graph;
    AVFilterContext *sources[2], *sink;
    coding built[2]; /* what the graph was made for */
    AVFrame *fed, *got;
    int64_t next;
};

report_quality *report_quality_new(char why[REPORT_WHY])
{
    report_quality *q = calloc(1, sizeof *q);

    if (!q || !(q->fed = av_frame_alloc()) || !(q->got = av_frame_alloc()))
        report_no_memory(why);
    else if ((q->av = media_libavfilter_get(why)))
        return q;
    report_quality_free(q);
    return NULL;
}

void report_quality_free(report_quality *q)
{
    if (!q)
        return;
    if (q->av)
        q->av->avfilter_graph_free(&q->graph);
    av_frame_free(&q->fed);
    av_frame_free(&q->got);
    free(q);
}

/* ---- formats ------------------------------------------------------------------------ */

/* What both filters take. */
static const enum AVPixelFormat planar[] = {
    AV_PIX_FMT_GRAY8,     AV_PIX_FMT_GRAY9,     AV_PIX_FMT_GRAY10,    AV_PIX_FMT_GRAY12,
    AV_PIX_FMT_GRAY14,    AV_PIX_FMT_GRAY16,    AV_PIX_FMT_YUV410P,   AV_PIX_FMT_YUV411P,
    AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUV422P,   AV_PIX_FMT_YUV440P,   AV_PIX_FMT_YUV444P,
    AV_PIX_FMT_YUV420P9,  AV_PIX_FMT_YUV422P9,  AV_PIX_FMT_YUV444P9,  AV_PIX_FMT_YUV420P10,
    AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV420P12, AV_PIX_FMT_YUV422P12,
    AV_PIX_FMT_YUV444P12, AV_PIX_FMT_YUV420P14, AV_PIX_FMT_YUV422P14, AV_PIX_FMT_YUV444P14,
    AV_PIX_FMT_YUV420P16, AV_PIX_FMT_YUV422P16, AV_PIX_FMT_YUV444P16, AV_PIX_FMT_GBRP,
    AV_PIX_FMT_GBRP9,     AV_PIX_FMT_GBRP10,    AV_PIX_FMT_GBRP12,    AV_PIX_FMT_GBRP14,
    AV_PIX_FMT_GBRP16};

/* The one of the same samples; of rare ones (palettes, floats) the nearest that has room. */
static enum AVPixelFormat planar_of(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(format);
    const uint64_t rgb = desc->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL);
    const int components = desc->nb_components < 3 && !rgb ? 1 : 3;
    const int depth = desc->comp[0].depth < 8 ? 8 : desc->comp[0].depth;

    for (size_t i = 0; i < sizeof planar / sizeof *planar; i++) {
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(planar[i]);

        if (d->nb_components == components && d->comp[0].depth == depth &&
            !(d->flags & AV_PIX_FMT_FLAG_RGB) == !rgb &&
            d->log2_chroma_w == desc->log2_chroma_w &&
            d->log2_chroma_h == desc->log2_chroma_h)
            return planar[i];
    }
    return components == 1 ? AV_PIX_FMT_GRAY16
           : rgb           ? AV_PIX_FMT_GBRP16
                           : AV_PIX_FMT_YUV444P16;
}

static coding coding_of(const AVFrame *f)
{
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(f->format);
    const bool rgb = desc->flags & AV_PIX_FMT_FLAG_RGB;

    return (coding){f->format, rgb ? AVCOL_SPC_RGB : f->colorspace,
                    rgb ? AVCOL_RANGE_JPEG : f->color_range, f->width, f->height};
}

static bool same(const coding *a, const coding *b)
{
    return a->format == b->format && a->matrix == b->matrix && a->range == b->range &&
           a->width == b->width && a->height == b->height;
}

/* libswscale's names; NULL for what it does not convert. */
static const char *matrix_name(enum AVColorSpace matrix)
{
    switch (matrix) {
    case AVCOL_SPC_BT709:
        return "bt709";
    case AVCOL_SPC_FCC:
        return "fcc";
    case AVCOL_SPC_BT470BG:
        return "bt470";
    case AVCOL_SPC_SMPTE170M:
        return "smpte170m";
    case AVCOL_SPC_SMPTE240M:
        return "smpte240m";
    case AVCOL_SPC_BT2020_NCL:
        return "bt2020";
    case AVCOL_SPC_RGB:
    case AVCOL_SPC_UNSPECIFIED:
        return "auto";
    default:
        return NULL;
    }
}

static const char *range_name(enum AVColorRange range)
{
    return range == AVCOL_RANGE_JPEG   ? "full"
           : range == AVCOL_RANGE_MPEG ? "limited"
                                       : "auto";
}

/* The filters that turn samples into those of `to`; "null" where nothing is to be done. */
static int conversion(char text[400], const coding *from, const coding *to,
                      char why[REPORT_WHY])
{
    const char *in = matrix_name(from->matrix), *out = matrix_name(to->matrix);

    if (from->format == to->format && from->matrix == to->matrix &&
        from->range == to->range) {
        snprintf(text, 400, "null");
        return 0;
    }
    if (from->matrix == to->matrix)
        in = out = "auto";
    if (!in || !out)
        return report_fail(why,
                           "PSNR and SSIM: %s samples cannot be converted to %s ones; make "
                           "the output like the reference, or leave them out (--metrics)",
                           av_color_space_name(from->matrix),
                           av_color_space_name(to->matrix));
    snprintf(text, 400,
             "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact:"
             "in_color_matrix=%s:out_color_matrix=%s:in_range=%s:out_range=%s,format=%s",
             in, out, range_name(from->range), range_name(to->range),
             av_get_pix_fmt_name(to->format));
    return 0;
}

/* ---- the graph ------------------------------------------------------------------------ */

static int add_source(report_quality *q, int i, const coding *c)
{
    char args[200];

    snprintf(args, sizeof args, "video_size=%dx%d:pix_fmt=%s:time_base=1/25:pixel_aspect=1/1",
             c->width, c->height, av_get_pix_fmt_name(c->format));
#if LIBAVFILTER_VERSION_MAJOR >= 10
    av_strlcatf(args, sizeof args, ":colorspace=%d:range=%d", c->matrix, c->range);
#endif
    return q->av->avfilter_graph_create_filter(&q->sources[i],
                                               q->av->avfilter_get_by_name("buffer"),
                                               i ? "output" : "reference", args, NULL,
                                               q->graph);
}

static int add_sink(report_quality *q)
{
    return q->av->avfilter_graph_create_filter(&q->sink,
                                               q->av->avfilter_get_by_name("buffersink"),
                                               "scores", NULL, NULL, q->graph);
}

static AVFilterInOut *pad(const report_quality *q, const char *name, AVFilterContext *filter,
                          AVFilterInOut *next)
{
    AVFilterInOut *p = q->av->avfilter_inout_alloc();

    if (p) {
        p->name = av_strdup(name);
        p->filter_ctx = filter;
        p->next = next;
    }
    return p;
}

static int parse(report_quality *q, const char *text)
{
    AVFilterInOut *inputs = pad(q, "scores", q->sink, NULL);
    AVFilterInOut *outputs =
        pad(q, "reference", q->sources[0], pad(q, "output", q->sources[1], NULL));
    const int ret = q->av->avfilter_graph_parse_ptr(q->graph, text, &inputs, &outputs, NULL);

    q->av->avfilter_inout_free(&inputs);
    q->av->avfilter_inout_free(&outputs);
    return ret;
}

static int build(report_quality *q, const coding sides[2], char why[REPORT_WHY])
{
    coding to = sides[0];
    char chains[2][400], text[1200];
    int ret;

    to.format = planar_of(to.format);
    for (int i = 0; i < 2; i++)
        if (conversion(chains[i], &sides[i], &to, why))
            return -1;
    snprintf(text, sizeof text,
             "[reference]%s,split[r1][r2];[output]%s[o];[o][r1]psnr[p];[p][r2]ssim[scores]",
             chains[0], chains[1]);
    q->av->avfilter_graph_free(&q->graph);
    if (!(q->graph = q->av->avfilter_graph_alloc()))
        return report_no_memory(why);
    q->graph->nb_threads = 1;
    ret = add_source(q, 0, &sides[0]);
    if (ret >= 0)
        ret = add_source(q, 1, &sides[1]);
    if (ret >= 0)
        ret = add_sink(q);
    if (ret >= 0)
        ret = parse(q, text);
    if (ret >= 0)
        ret = q->av->avfilter_graph_config(q->graph, NULL);
    if (ret < 0) {
        q->av->avfilter_graph_free(&q->graph);
        return report_fail(why, "FFmpeg's filters psnr and ssim cannot be used on %s: %s",
                           av_get_pix_fmt_name(sides[0].format), av_err2str(ret));
    }
    memcpy(q->built, sides, sizeof q->built);
    q->next = 0;
    return 0;
}

static int feed(report_quality *q, int i, const AVFrame *frame)
{
    int ret = av_frame_ref(q->fed, frame);

    if (ret < 0)
        return ret;
    q->fed->pts = q->next;
    q->fed->sample_aspect_ratio = (AVRational){1, 1};
    /* Crops are for players. */
    q->fed->crop_top = q->fed->crop_bottom = q->fed->crop_left = q->fed->crop_right = 0;
    ret = q->av->av_buffersrc_add_frame(q->sources[i], q->fed);
    av_frame_unref(q->fed);
    return ret;
}

static int read_value(const AVFrame *frame, const char *key, double *value)
{
    const AVDictionaryEntry *e = av_dict_get(frame->metadata, key, NULL, 0);

    if (!e)
        return -1;
    *value = strtod(e->value, NULL);
    return 0;
}

int report_quality_of(report_quality *q, const AVFrame *reference, const AVFrame *output,
                      double *psnr, double *ssim, char why[REPORT_WHY])
{
    const coding sides[2] = {coding_of(reference), coding_of(output)};
    int ret;

    if ((!q->graph || !same(&sides[0], &q->built[0]) || !same(&sides[1], &q->built[1])) &&
        build(q, sides, why))
        return -1;
    ret = feed(q, 0, reference);
    if (ret >= 0)
        ret = feed(q, 1, output);
    if (ret >= 0)
        ret = q->av->av_buffersink_get_frame(q->sink, q->got);
    q->next++;
    if (ret < 0)
        return report_fail(why, "FFmpeg's filters psnr and ssim: %s", av_err2str(ret));
    ret = read_value(q->got, "lavfi.psnr.psnr_avg", psnr) ||
          read_value(q->got, "lavfi.ssim.All", ssim);
    av_frame_unref(q->got);
    if (ret)
        return report_fail(why, "FFmpeg's filters psnr and ssim left no scores");
    if (isinf(*psnr))
        *psnr = NAN;
    return 0;
}
