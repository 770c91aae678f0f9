/*
 * source.c - pictures and videos, decoded frame by frame.
 */
#include "internal.h"
#include "libav.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/log.h>

struct media_source {
    media_info info;
    char *path;
    const media_libav *av; /* NULL for pictures that libpng read */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    int stream;
    int64_t given;         /* frames that went out */
    int64_t end_of_packet; /* in the file */
    char damage[128];      /* what ended reading, if not the end */
    bool pending;          /* frame was decoded, but not given yet */
    bool ended;
};

/* ---- names ------------------------------------------------------------------ */

/* The name for libavformat, which would take "a:b" for a protocol; NULL and a reason. */
static char *url_of(const char *path, struct stat *st, char why[MEDIA_WHY])
{
    const bool found = !stat(path, st);
    const int error = errno;
    char *url = NULL;

    if (found && S_ISDIR(st->st_mode))
        media_fail(why, "%s is a folder, not a picture or a video", path);
    else if (found && S_ISREG(st->st_mode) && !st->st_size)
        media_fail(why, "%s is empty (0 bytes)", path);
    else if (!found && strcmp(path, "-") && !strstr(path, "://") && !strchr(path, '%'))
        media_fail(why, "%s: %s", path, strerror(error));
    else if (!(url = found ? av_asprintf("file:%s", path)
                           : av_strdup(strcmp(path, "-") ? path : "pipe:0")))
        media_fail(why, "%s: out of memory", path);
    if (!found)
        memset(st, 0, sizeof *st);
    return url;
}

/* libavformat draws text as a terminal would, by a name like notes.txt. */
static bool is_text(const char *format)
{
    return av_match_name(format, "tty,bin,xbin,adf,idf");
}

static int open_format(const media_libav *av, AVFormatContext **format, const char *path,
                       struct stat *st, char why[MEDIA_WHY])
{
    char *url = url_of(path, st, why);
    AVDictionary *options = NULL;
    int ret;

    if (!url)
        return -1;
    if (!strstr(url, "://"))
        av_dict_set(&options, "protocol_whitelist", "file,pipe,crypto", 0);
    if (st->st_mode) /* a name that was found is no pattern */
        av_dict_set(&options, "pattern_type", "none", 0);
    ret = av->avformat_open_input(format, url, NULL, &options);
    av_dict_free(&options);
    av_free(url);
    if (ret >= 0 && is_text((*format)->iformat->name)) {
        av->avformat_close_input(format);
        ret = AVERROR_INVALIDDATA;
    }
    if (ret < 0)
        return media_fail(why, "%s is no picture or video that can be read: %s", path,
                          av_err2str(ret));
    return 0;
}

/* ---- what the file says ----------------------------------------------------- */

static bool is_picture_format(const AVInputFormat *format, const char *path,
                              const struct stat *st)
{
    const size_t n = strlen(format->name);

    if (!strcmp(format->name, "image2"))
        return st->st_mode || !strchr(path, '%');
    return n > 5 && !strcmp(format->name + n - 5, "_pipe");
}

/* Frames and bits, packet by packet; of a damaged file those up to the damage. */
static void count_packets(const media_source *s, media_info *info)
{
    AVFormatContext *format = NULL;
    AVPacket *packet = s->av->av_packet_alloc();
    char why[MEDIA_WHY];
    struct stat st;
    int64_t frames = 0;
    double bits = 0;

    if (packet && open_format(s->av, &format, s->path, &st, why) >= 0) {
        while (s->av->av_read_frame(format, packet) >= 0) {
            if (packet->stream_index == s->stream && !(packet->flags & AV_PKT_FLAG_DISCARD))
                frames++;
            if (packet->stream_index == s->stream)
                bits += 8.0 * packet->size;
            s->av->av_packet_unref(packet);
        }
        s->av->avformat_close_input(&format);
    }
    s->av->av_packet_free(&packet);
    if (!info->frames)
        info->frames = frames;
    if (!info->kbit_s && (info->duration > 0 || info->rate > 0))
        info->kbit_s =
            bits / (info->duration > 0 ? info->duration : (double)frames / info->rate) / 1000;
}

static void fill_info(media_source *s, const struct stat *st)
{
    const AVStream *stream = s->format->streams[s->stream];
    const AVCodecParameters *p = stream->codecpar;
    const AVRational rate =
        s->av->av_guess_frame_rate(s->format, s->format->streams[s->stream], NULL);
    const bool raw = p->codec_id == AV_CODEC_ID_RAWVIDEO;
    media_info *info = &s->info;

    info->still = is_picture_format(s->format->iformat, s->path, st);
    info->bytes = st->st_size;
    if (info->still) {
        info->frames = 1;
        return;
    }
    info->frames = stream->nb_frames;
    info->rate = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
    if (stream->duration > 0)
        info->duration = (double)stream->duration * av_q2d(stream->time_base);
    else if (s->format->duration > 0)
        info->duration = (double)s->format->duration / AV_TIME_BASE;
    if (!info->frames && raw)
        info->frames = llrint(info->duration * info->rate);
    info->kbit_s = (double)(raw ? s->format->bit_rate : p->bit_rate) / 1000;
    if ((!info->frames || !info->kbit_s) && S_ISREG(st->st_mode))
        count_packets(s, info);
    info->still = info->frames == 1 && info->duration * info->rate < 1.5;
    if (info->still)
        info->duration = info->rate = info->kbit_s = 0;
}

static const void *stream_matrix(const media_libav *av, const AVStream *stream)
{
#if MEDIA_SIDE_DATA_IN_PARAMETERS
    const AVCodecParameters *p = stream->codecpar;

    (void)av;
    for (int i = 0; i < p->nb_coded_side_data; i++)
        if (p->coded_side_data[i].type == AV_PKT_DATA_DISPLAYMATRIX)
            return p->coded_side_data[i].data;
    return NULL;
#else
    return av->av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#endif
}

static int turn_of(const media_libav *av, const AVStream *stream, const AVFrame *frame)
{
    const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    const int32_t *m = side ? (const void *)side->data : stream_matrix(av, stream);
    const double angle = m ? av_display_rotation_get(m) : 0;
    const bool mirrored = m && (double)m[0] * m[4] - (double)m[1] * m[3] < 0;

    return isnan(angle) ? 0 : (int)(lrint(360 - angle) % 360) + 360 * mirrored;
}

/* ---- files that were cut off -------------------------------------------------- */

/* An EBML number of up to 8 bytes; -1: unknown length, or no more file. */
static int64_t ebml_number(FILE *f, bool keep_marker)
{
    const int first = getc(f);
    int length = 1;
    uint64_t value, ones;

    while (length <= 8 && first >= 0 && !(first & 0x100 >> length))
        length++;
    if (first < 0 || length > 8)
        return -1;
    value = (uint64_t)first & (keep_marker ? 0xff : 0xffu >> length);
    for (int i = 1; i < length; i++) {
        const int next = getc(f);

        if (next < 0)
            return -1;
        value = value << 8 | (uint64_t)next;
    }
    ones = (UINT64_C(1) << 7 * length) - 1;
    return !keep_marker && value == ones ? -1 : (int64_t)value;
}

/* libavformat ends quietly where a Matroska file does.  Its segment, right behind the EBML
 * header (RFC 8794, 4 and 11.2), says how long it should be. */
static bool is_cut_matroska(const char *path, int64_t bytes)
{
    FILE *f = fopen(path, "rb");
    bool cut = false;

    if (f && ebml_number(f, true) == 0x1a45dfa3) {
        const int64_t header = ebml_number(f, false);

        if (header >= 0 && header < 4096 && !fseek(f, (long)header, SEEK_CUR) &&
            ebml_number(f, true) == 0x18538067) {
            const int64_t segment = ebml_number(f, false);

            cut = segment > bytes - ftell(f);
        }
    }
    if (f)
        fclose(f);
    return cut;
}

/* Asked at the end of those formats whose end libavformat does not check. */
static bool is_cut_off(const media_source *s)
{
    const char *name = s->format->iformat->name;

    if (!s->info.bytes)
        return false;
    if (av_strstart(name, "matroska", NULL))
        return is_cut_matroska(s->path, s->info.bytes);
    return !strcmp(name, "yuv4mpegpipe") && s->end_of_packet < s->info.bytes;
}

/* ---- decoding --------------------------------------------------------------- */

static int open_codec(media_source *s, int threads, char why[MEDIA_WHY])
{
    const AVCodec *decoder = NULL;
    int ret = s->av->avformat_find_stream_info(s->format, NULL);

    if (ret >= 0)
        ret = s->stream =
            s->av->av_find_best_stream(s->format, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
    if (ret == AVERROR_STREAM_NOT_FOUND)
        return media_fail(why, "%s holds no video", s->path);
    if (ret < 0)
        return media_fail(why, "%s cannot be read: %s", s->path, av_err2str(ret));
    for (unsigned i = 0; i < s->format->nb_streams; i++)
        if ((int)i != s->stream)
            s->format->streams[i]->discard = AVDISCARD_ALL;
    s->codec = s->av->avcodec_alloc_context3(decoder);
    s->packet = s->av->av_packet_alloc();
    s->frame = av_frame_alloc();
    if (!s->codec || !s->packet || !s->frame)
        return media_fail(why, "%s: out of memory", s->path);
    ret = s->av->avcodec_parameters_to_context(s->codec,
                                               s->format->streams[s->stream]->codecpar);
    s->codec->thread_count =
        is_picture_format(s->format->iformat, s->path, &(struct stat){0}) ? 1 : threads;
    s->codec->max_pixels = MEDIA_MAX_PIXELS;
    s->codec->pkt_timebase = s->format->streams[s->stream]->time_base;
    if (ret >= 0)
        ret = s->av->avcodec_open2(s->codec, decoder, NULL);
    if (ret < 0)
        return media_fail(why, "%s: the decoder %s cannot be opened: %s", s->path,
                          decoder->name, av_err2str(ret));
    return 0;
}

/* Frames before the damage are still in the decoder: they come first. */
static void note_damage(media_source *s, const char *what)
{
    if (!*s->damage)
        av_strlcpy(s->damage, what, sizeof s->damage);
}

/* The next packet of the stream goes to the decoder, or after the last one an end. */
static void feed(media_source *s)
{
    AVPacket *packet = s->packet;
    int ret;

    do {
        s->av->av_packet_unref(packet);
        ret = s->av->av_read_frame(s->format, packet);
    } while (ret >= 0 && packet->stream_index != s->stream);
    if (ret == AVERROR_EOF && s->format->pb && s->format->pb->error < 0)
        ret = s->format->pb->error;
    if (ret >= 0)
        s->end_of_packet = packet->pos + packet->size;
    if (ret == AVERROR_EOF ? is_cut_off(s) : ret >= 0 && packet->flags & AV_PKT_FLAG_CORRUPT)
        note_damage(s, "the file is cut off or damaged");
    else if (ret < 0 && ret != AVERROR_EOF)
        note_damage(s, av_err2str(ret));
    ret = s->av->avcodec_send_packet(s->codec, ret < 0 || *s->damage ? NULL : packet);
    if (ret < 0 && ret != AVERROR_EOF && ret != AVERROR(EAGAIN)) {
        note_damage(s, av_err2str(ret));
        s->av->avcodec_send_packet(s->codec, NULL);
    }
}

/* 1: s->frame is the next; 0: there is none. */
static int decode(media_source *s, char why[MEDIA_WHY])
{
    int ret;

    while ((ret = s->av->avcodec_receive_frame(s->codec, s->frame)) == AVERROR(EAGAIN))
        feed(s);
    if (ret < 0 && ret != AVERROR_EOF)
        note_damage(s, av_err2str(ret));
    if (ret < 0 && *s->damage)
        return media_fail(why, "%s cannot be decoded after frame %" PRId64 ": %s", s->path,
                          s->given, s->damage);
    if (ret < 0)
        return 0;
    if (s->frame->flags & AV_FRAME_FLAG_CORRUPT || s->frame->decode_error_flags)
        return media_fail(why,
                          "%s: frame %" PRId64 " is damaged, and what its decoder made of it "
                          "is no picture to be scored",
                          s->path, s->given + 1);
    return 1;
}

int media_check_turns(int reference, int distorted, char why[MEDIA_WHY])
{
    if (reference == distorted)
        return 0;
    return media_fail(
        why,
        "players turn the reference by %d degrees%s, and the distorted by %d%s, "
        "but here both are as they are stored: have FFmpeg turn them (ffmpeg -i "
        "FILE -c:v ffv1 FILE.mkv; pictures to PNG)",
        reference % 360, reference < 360 ? "" : " and mirror it", distorted % 360,
        distorted < 360 ? "" : " and mirror it");
}

/* ---- life ------------------------------------------------------------------- */

static int open_video(media_source *s, int threads, char why[MEDIA_WHY])
{
    struct stat st;
    int ret;

    s->av = media_libav_get(why);
    if (!s->av)
        return -1;
    ret = open_format(s->av, &s->format, s->path, &st, why);
    if (ret < 0 || open_codec(s, threads, why) < 0)
        return -1;
    fill_info(s, &st);
    ret = decode(s, why);
    if (ret == 0)
        return media_fail(why, "%s holds no picture", s->path);
    if (ret > 0)
        s->info.turn = turn_of(s->av, s->format->streams[s->stream], s->frame);
    return ret;
}

/* 1 where it is none. */
static int open_png(media_source *s, char why[MEDIA_WHY])
{
    FILE *file = media_png_open(s->path, &s->info.bytes);

    if (!file)
        return 1;
    s->info.still = true;
    s->info.frames = 1;
    return media_png_read(&s->frame, file, s->path, why);
}

int media_open(media_source **out, const char *path, int threads, char why[MEDIA_WHY])
{
    media_source *s = calloc(1, sizeof *s);
    int ret = -1;

    *out = NULL;
    if (s && (s->path = strdup(path)))
        ret = open_png(s, why);
    else
        media_fail(why, "%s: out of memory", path);
    if (ret > 0)
        ret = open_video(s, threads, why);
    if (ret < 0) {
        media_close(s);
        return -1;
    }
    s->pending = true;
    s->info.width = s->frame->width;
    s->info.height = s->frame->height;
    if (s->info.turn)
        av_log(&media_log, AV_LOG_WARNING,
               "%s asks players to turn it; it is compared as it is stored\n", path);
    *out = s;
    return 0;
}

const media_info *media_source_info(const media_source *s)
{
    return &s->info;
}

int media_next(media_source *s, const AVFrame **frame, char why[MEDIA_WHY])
{
    int ret = 1;

    if (s->ended)
        return 0;
    if (!s->pending)
        ret = s->codec ? decode(s, why) : 0;
    s->pending = false;
    if (ret > 0) {
        *frame = s->frame;
        s->given++;
    }
    s->ended = ret <= 0;
    return ret;
}

void media_close(media_source *s)
{
    if (!s)
        return;
    if (s->av) {
        s->av->avcodec_free_context(&s->codec);
        s->av->avformat_close_input(&s->format);
        s->av->av_packet_free(&s->packet);
    }
    av_frame_free(&s->frame);
    free(s->path);
    free(s);
}
