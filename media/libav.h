/*
 * libav.h - libavformat, libavcodec and libavfilter, loaded when something first needs them.
 *
 * They come with some 150 libraries: linking those takes 45 ms at each start, as long as
 * all the rest of comparing two small PNGs, for which none is needed.  Functions are called
 * as av->name(...); the compiler checks them by their headers.
 */
#ifndef MEDIA_LIBAV_H
#define MEDIA_LIBAV_H

#include "media.h"

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>

/* F(name) of every function that is used. */
#define MEDIA_AVCODEC(F)             \
    F(av_packet_alloc)               \
    F(av_packet_free)                \
    F(av_packet_unref)               \
    F(avcodec_alloc_context3)        \
    F(avcodec_free_context)          \
    F(avcodec_open2)                 \
    F(avcodec_parameters_to_context) \
    F(avcodec_receive_frame)         \
    F(avcodec_send_packet)
/* FFmpeg 6.1 has side data in the parameters of the stream. */
#define MEDIA_SIDE_DATA_IN_PARAMETERS (LIBAVFORMAT_VERSION_MAJOR > 60)
#if MEDIA_SIDE_DATA_IN_PARAMETERS
#define MEDIA_SIDE_DATA(F)
#else
#define MEDIA_SIDE_DATA(F) F(av_stream_get_side_data)
#endif
#define MEDIA_AVFORMAT(F)        \
    F(av_find_best_stream)       \
    F(av_guess_frame_rate)       \
    F(av_read_frame)             \
    MEDIA_SIDE_DATA(F)           \
    F(avformat_close_input)      \
    F(avformat_find_stream_info) \
    F(avformat_open_input)
#define MEDIA_AVFILTER(F)           \
    F(av_buffersink_get_frame)      \
    F(av_buffersrc_add_frame)       \
    F(avfilter_get_by_name)         \
    F(avfilter_graph_alloc)         \
    F(avfilter_graph_config)        \
    F(avfilter_graph_create_filter) \
    F(avfilter_graph_free)          \
    F(avfilter_graph_parse_ptr)     \
    F(avfilter_inout_alloc)         \
    F(avfilter_inout_free)

#define MEDIA_POINTER(name) __typeof__(name) *name;

typedef struct media_libav {
    MEDIA_AVCODEC(MEDIA_POINTER)
    MEDIA_AVFORMAT(MEDIA_POINTER)
} media_libav;

typedef struct media_libavfilter {
    MEDIA_AVFILTER(MEDIA_POINTER)
} media_libavfilter;

/* The same pointer for everybody, for ever; NULL and a reason where a library is missing. */
const media_libav *media_libav_get(char why[MEDIA_WHY]);
const media_libavfilter *media_libavfilter_get(char why[MEDIA_WHY]);

#endif
