/*
 * media.h - pictures and videos for programs outside FFmpeg and GIMP: reading them through
 * libpng and the system's libav*, scoring them with liblpips, writing pictures.
 *
 * Pixels travel as AVFrames, whatever they came from; colours are read by the filter's own
 * rules (ffmpeg-filter/lpips_colour.h), so that numbers agree with it digit for digit.
 *
 * Errors: functions return 0 or more where all went well, and -1 otherwise; `why` then holds
 * one sentence that names the thing and the reason.  Warnings go through av_log().
 * Threads: an object serves one thread at a time.  *_close accepts NULL.
 */
#ifndef MEDIA_H
#define MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/frame.h>
#include <libavutil/log.h>
#include <lpips.h>

#include "lpips_colour.h"

#define MEDIA_WHY 512

/* ---- reading (source.c, png.c) -------------------------------------------- */

typedef struct media_source media_source;

typedef struct media_info {
    bool still;        /* one picture */
    int width, height; /* of the first frame */
    int64_t frames;    /* as far as the file says; 0: unknown */
    double duration;   /* seconds; 0: unknown or still */
    double rate;       /* frames a second; 0: unknown or still */
    int64_t bytes;     /* size of the file */
    double kbit_s;     /* bits of the video stream over its duration: its packets are
                          counted where the container does not say; 0: unknown, and of
                          a still */
    int turn;          /* what a player would turn it by, clockwise, degrees; + 360: it would
                          mirror it, too.  Here neither is done */
} media_info;

/* A picture or a video: a file, "-" for standard input, a numbered series ("shot%04d.png")
 * where no file is called so, or a URL ("x://").  PNG of 8 and 16 bits through libpng, all
 * else that libavcodec decodes.  threads: of the decoder, 0: its own choice.  A file cannot
 * make libavformat open anything but files. */
int media_open(media_source **out, const char *path, int threads, char why[MEDIA_WHY]);

const media_info *media_source_info(const media_source *s);

/* What a player would turn differently shows different pictures: an error of a pair.  Turned
 * alike they are compared as they are stored, for that is what was encoded. */
int media_check_turns(int reference, int distorted, char why[MEDIA_WHY]);

/* The next frame in order of display: 1 and *frame, which stays the source's until the next
 * call (av_frame_clone() keeps it longer); 0 at the end.  A stream that cannot be decoded to
 * its end is an error, not an end. */
int media_next(media_source *s, const AVFrame **frame, char why[MEDIA_WHY]);

void media_close(media_source *s);

/* ---- scoring (score.c) ----------------------------------------------------- */

typedef struct media_score media_score;

typedef struct media_score_options {
    int net;             /* lpips_net */
    const char *version; /* NULL: "0.1" */
    const char *model;   /* a file of weights, or NULL: net and version are looked for */
    const lpips_weights *weights; /* to share instead, or NULL */
    unsigned flags;               /* LPIPS_NO_LIN, LPIPS_RANGE_0_1, LPIPS_WANT_MAP */
    int threads;                  /* 0: as many as there are cores */
    enum LPIPSTags tags;          /* LPIPS_TAGS_OWN is 0 */
} media_score_options;

int media_score_open(media_score **out, const media_score_options *options,
                     char why[MEDIA_WHY]);

/* What stands behind the numbers, as lpips_describe() says it, and the weights' hash. */
const char *media_score_describe(const media_score *s);
const lpips_weights *media_score_weights(const media_score *s);

/* Frames of one size beside one reference, whose features are computed once.  maps: n of
 * them, or NULL.  A context is kept for the size at hand and for the one before. */
int media_score_many(media_score *s, const AVFrame *reference, const AVFrame *const *others,
                     int n, lpips_result *results, const lpips_map *maps,
                     char why[MEDIA_WHY]);

/* n pairs of one size, worked on together: much faster than one by one where small. */
int media_score_pairs(media_score *s, const AVFrame *const *references,
                      const AVFrame *const *others, int n, lpips_result *results,
                      char why[MEDIA_WHY]);

/* How the last frames were read, for people: of other i, of the reference, and after
 * media_score_pairs() of reference i. */
const char *media_score_read_as(const media_score *s, int other);
const char *media_score_reference_read_as(const media_score *s);
const char *media_score_pair_reference_read_as(const media_score *s, int pair);

void media_score_close(media_score *s);

/* ---- pictures out (picture.c) ---------------------------------------------- */

/* A frame as packed 8-bit RGB, read by its tags as the metric reads it; the caller frees.
 * NULL where memory is short or the colours cannot be read. */
uint8_t *media_rgb(const AVFrame *frame, char why[MEDIA_WHY]);

/* The same enlarged or reduced to fit into width x height, for thumbnails; the size it came
 * to is returned in out_width and out_height. */
uint8_t *media_thumbnail(const uint8_t *rgb, int width, int height, int fit_width,
                         int fit_height, int *out_width, int *out_height);

/* Packed 8-bit RGB as a PNG, in memory (the caller frees) or to a file by way of a
 * temporary name beside it. */
int media_png_encode(uint8_t **data, size_t *size, const uint8_t *rgb, int width, int height,
                     char why[MEDIA_WHY]);
int media_png_write(const char *path, const uint8_t *rgb, int width, int height,
                    char why[MEDIA_WHY]);

/* Any file, by way of a temporary name beside it: whole or not at all.  Pipes and devices
 * are written to as they are. */
int media_write_file(const char *path, const void *data, size_t size, char why[MEDIA_WHY]);

/* ---- messages (fail.c, utf8.c) ----------------------------------------------------- */

/* What warnings of media/ are logged with: av_log(&media_log, ...).  For callbacks that
 * treat FFmpeg's own messages otherwise. */
extern const AVClass *media_log;

/* A copy in which bytes that are no UTF-8 are replaced by U+FFFD; NULL without memory. */
char *media_clean_text(const char *text);

#endif
