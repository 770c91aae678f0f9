/*
 * lavfi.c - pictures through a graph of the system's libavfilter.
 */
#include "internal.h"

#include "libav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>

/* Which filter of a graph this libavfilter lacks, as "a=1:b=2,[x]c,d"; NULL: none. */
static const char *lacking(const media_libavfilter *av, const char *text, char name[64])
{
    while (*text) {
        size_t n;

        while (*text == '[')
            text += strcspn(text, "]") + (strchr(text, ']') != NULL);
        n = strcspn(text, "=,;[");
        if (n && n < 64) {
            snprintf(name, 64, "%.*s", (int)n, text);
            if (!av->avfilter_get_by_name(name))
                return name;
        }
        text += strcspn(text, ",;");
        text += *text != 0;
    }
    return NULL;
}

/* ---- frames ------------------------------------------------------------------------- */

static enum AVPixelFormat format_of(const distort_graph *graph)
{
    return graph->planar ? AV_PIX_FMT_YUV444P : AV_PIX_FMT_RGB24;
}

/* Channel c of packed RGB stands in plane (c + 2) % 3 of G, B, R. */
static void fill(AVFrame *f, const uint8_t *rgb)
{
    const bool planar = f->format == AV_PIX_FMT_YUV444P;

    for (int y = 0; y < f->height; y++, rgb += 3 * (size_t)f->width) {
        if (!planar) {
            memcpy(f->data[0] + (ptrdiff_t)y * f->linesize[0], rgb, 3 * (size_t)f->width);
            continue;
        }
        for (int c = 0; c < 3; c++) {
            const int p = (c + 2) % 3;
            uint8_t *to = f->data[p] + (ptrdiff_t)y * f->linesize[p];

            for (int x = 0; x < f->width; x++)
                to[x] = rgb[3 * x + c];
        }
    }
}

static void take(uint8_t *rgb, int width, int height, const AVFrame *f)
{
    const bool planar = f->format == AV_PIX_FMT_YUV444P;

    for (int y = 0; y < height; y++, rgb += 3 * (size_t)width) {
        if (!planar) {
            memcpy(rgb, f->data[0] + (ptrdiff_t)y * f->linesize[0], 3 * (size_t)width);
            continue;
        }
        for (int c = 0; c < 3; c++) {
            const int p = (c + 2) % 3;
            const uint8_t *from = f->data[p] + (ptrdiff_t)y * f->linesize[p];

            for (int x = 0; x < width; x++)
                rgb[3 * x + c] = from[x];
        }
    }
}

/* ---- the graph ------------------------------------------------------------------------ */

enum { INPUTS = 2 };

typedef struct machine {
    const media_libavfilter *av;
    AVFilterGraph *graph;
    AVFilterContext *source[INPUTS], *sink;
} machine;

static int add_ends(machine *m, const distort_graph *g)
{
    int ret = 0;

    for (int i = 0; i < g->inputs && ret >= 0; i++) {
        char name[16], text[128];

        snprintf(name, sizeof name, "in%d", i);
        snprintf(text, sizeof text,
                 "video_size=%dx%d:pix_fmt=%d:time_base=1/1:frame_rate=1/1",
                 g->input[i].width, g->input[i].height, format_of(g));
        ret = m->av->avfilter_graph_create_filter(&m->source[i],
                                                  m->av->avfilter_get_by_name("buffer"), name,
                                                  text, NULL, m->graph);
    }
    if (ret >= 0)
        ret = m->av->avfilter_graph_create_filter(&m->sink,
                                                  m->av->avfilter_get_by_name("buffersink"),
                                                  "out", NULL, NULL, m->graph);
    return ret;
}

static AVFilterInOut *end(const machine *m, const char *name, AVFilterContext *filter,
                          AVFilterInOut *next)
{
    AVFilterInOut *e = m->av->avfilter_inout_alloc();

    if (e) {
        e->name = av_strdup(name);
        e->filter_ctx = filter;
        e->next = next;
    }
    return e;
}

static int build(machine *m, const distort_graph *g)
{
    AVFilterInOut *ins = NULL, *outs = NULL;
    char *text = NULL;
    int ret;

    m->graph = m->av->avfilter_graph_alloc();
    if (!m->graph)
        return AVERROR(ENOMEM);
    /* one thread: the same bytes always, and callers have threads of their own */
    m->graph->nb_threads = 1;
    ret = add_ends(m, g);
    for (int i = g->inputs - 1; i >= 0; i--)
        outs = end(m, i ? "in1" : "in0", m->source[i], outs);
    ins = end(m, "out", m->sink, NULL);
    if (asprintf(&text, "%s,format=%s[out]", g->text, av_get_pix_fmt_name(format_of(g))) < 0)
        text = NULL;
    if (ret >= 0)
        ret = outs && ins && text
                  ? m->av->avfilter_graph_parse_ptr(m->graph, text, &ins, &outs, NULL)
                  : AVERROR(ENOMEM);
    free(text);
    m->av->avfilter_inout_free(&ins);
    m->av->avfilter_inout_free(&outs);
    return ret < 0 ? ret : m->av->avfilter_graph_config(m->graph, NULL);
}

static int feed(machine *m, const distort_graph *g)
{
    int ret = 0;

    for (int i = 0; i < g->inputs; i++) {
        const distort_input *input = &g->input[i];

        for (int k = 0; k < input->n && ret >= 0; k++) {
            AVFrame *f = av_frame_alloc();

            if (!f)
                return AVERROR(ENOMEM);
            f->format = format_of(g);
            f->width = input->width;
            f->height = input->height;
            f->pts = k;
            ret = av_frame_get_buffer(f, 0);
            if (ret >= 0) {
                fill(f, input->frames[k]);
                ret = m->av->av_buffersrc_add_frame(m->source[i], f);
            }
            av_frame_free(&f);
        }
        if (ret >= 0)
            ret = m->av->av_buffersrc_add_frame(m->source[i], NULL);
    }
    return ret;
}

int distort_filter(const distort_graph *g, uint8_t *out, int width, int height,
                   char why[LEARN_WHY])
{
    machine m = {.av = media_libavfilter_get(why)};
    char name[64];
    AVFrame *f;
    int ret;

    if (!m.av)
        return -1;
    if (lacking(m.av, g->text, name))
        return learn_fail(why,
                          "this system's libavfilter has no filter \"%s\": install an FFmpeg "
                          "that was built with it, or leave out what needs it",
                          name);
    f = av_frame_alloc();
    ret = f ? build(&m, g) : AVERROR(ENOMEM);
    if (ret >= 0)
        ret = feed(&m, g);
    for (int i = 0; i <= g->take && ret >= 0; i++) {
        av_frame_unref(f);
        ret = m.av->av_buffersink_get_frame(m.sink, f);
    }
    if (ret >= 0 && (f->width < width || f->height < height))
        ret = AVERROR_BUG;
    if (ret >= 0)
        take(out, width, height, f);
    else
        learn_fail(why, "libavfilter cannot do \"%.100s\" on a picture of %dx%d: %s", g->text,
                   g->input[0].width, g->input[0].height, av_err2str(ret));
    av_frame_free(&f);
    m.av->avfilter_graph_free(&m.graph);
    return ret < 0 ? -1 : 0;
}
