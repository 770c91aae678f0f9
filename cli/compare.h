/*
 * compare.h - what the files of `lpips REFERENCE DISTORTED...` share.
 *
 *     options.c    the command line
 *     dirs.c       what is compared with what
 *     compare.c    the run: from items to rows, the gate, the exit status
 *     ahead.c      pictures and first frames, read by threads ahead of the scorer
 *     video.c      frame by frame; feed.c decodes ahead
 *     output.c     rows as text and CSV, json.c as JSON, map.c as heatmaps
 *     say.c        messages and progress on standard error
 *
 * REFERENCE stands beside one or more DISTORTED, here called sets.  An item is one picture or
 * video of the reference and its partner in every set: one item where files are given, as
 * many as there are names where folders are.
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "media.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- options.c -------------------------------------------------------------- */

typedef struct cli_options {
    media_score_options score;
    const char *reference;
    char **distorted;
    int sets;
    bool net_named, layers, strict, quiet, verbose, recursive;
    int jobs; /* threads that read pictures */
    int pool; /* a number of lpips_stats_name() */
    bool gated;
    double fail_above;
    const char *json, *csv, *map; /* NULL: none; "-": standard output */
    lpips_colormap colors;
    float scale_max;
} cli_options;

/* Ends the program where the command line is wrong, or asks for help only. */
void cli_options_parse(cli_options *o, int argc, char **argv);

/* ---- dirs.c ----------------------------------------------------------------- */

typedef struct cli_item {
    char *reference;  /* NULL: nothing has that name there */
    char **distorted; /* one for every set, or NULL */
} cli_item;

typedef struct cli_items {
    cli_item *item;
    size_t n;
    int sets;
    bool folders;
} cli_items;

int cli_items_find(cli_items *items, const cli_options *o, char why[MEDIA_WHY]);
void cli_items_free(cli_items *items);

/* ---- rows: what output is told ----------------------------------------------- */

typedef enum cli_kind {
    CLI_PICTURE,
    CLI_FRAME,
    CLI_VIDEO,
    CLI_BROKEN,
    CLI_UNMATCHED
} cli_kind;

typedef struct cli_row {
    cli_kind kind;
    int set;
    const char *reference, *distorted;
    int64_t frame;             /* FRAME: from 0 */
    double value;              /* the distance; VIDEO: as pooled */
    const lpips_result *terms; /* PICTURE, FRAME */
    const char *reference_read_as, *distorted_read_as;
    int width, height;
    const double *values; /* VIDEO: of its frames */
    size_t frames;
    int64_t unpaired_reference, unpaired_distorted;
    const char *why; /* BROKEN */
} cli_row;

typedef struct cli_output cli_output;

int cli_output_open(cli_output **out, const cli_options *o, const media_score *score,
                    char why[MEDIA_WHY]);
void cli_output_row(cli_output *out, const cli_row *row);

/* The values of a set, when there is more than one. */
void cli_output_summary(cli_output *out, int set, const double *values, size_t n);

/* complete: false where the run was interrupted.  gate: passed, crossed or none (-1).
 * -1 where not all could be written. */
int cli_output_close(cli_output *out, bool complete, int gate, char why[MEDIA_WHY]);

/* json.c */
typedef struct cli_json cli_json;
cli_json *cli_json_new(const cli_options *o, const media_score *score);
void cli_json_row(cli_json *j, const cli_row *row);
void cli_json_summary(cli_json *j, int set, const double *values, size_t n);
int cli_json_write(cli_json *j, bool complete, int gate, char why[MEDIA_WHY]);
void cli_json_free(cli_json *j);

/* ---- compare.c: the run ------------------------------------------------------- */

typedef struct cli_set {
    double *values; /* of its items */
    size_t n, room;
} cli_set;

typedef struct cli_run {
    const cli_options *o;
    const cli_items *items;
    media_score *score;
    cli_output *out;
    cli_set *set;
    size_t broken;    /* what could not be had, and if strict what has no partner */
    double comparing; /* seconds */
    size_t done;      /* items */
} cli_run;

/* A row goes out; the value of a picture or a video counts for its set. */
void cli_run_row(cli_run *run, const cli_row *row);
void cli_run_broken(cli_run *run, const cli_item *item, int set, const char *why);

/* Room for one more, the way arrays grow here: false where memory is short. */
bool cli_append(double **values, size_t *n, size_t *room, double value);

/* media_score_*, timed. */
int cli_run_many(cli_run *run, const AVFrame *reference, const AVFrame *const *others, int n,
                 lpips_result *results, const lpips_map *maps, char why[MEDIA_WHY]);
int cli_run_pairs(cli_run *run, const AVFrame *const *references,
                  const AVFrame *const *others, int n, lpips_result *results,
                  char why[MEDIA_WHY]);

bool cli_same_size(const AVFrame *a, const AVFrame *b);

/* As many pairs of this size are worked on together: where small, that is much faster. */
int cli_batch(const AVFrame *frame);

/* ---- ahead.c ---------------------------------------------------------------- */

/* An item that was opened.  source[i] and frame[i] are of set i, the last of the reference.
 */
typedef struct cli_opened {
    media_source **source;  /* a video's, ready at its first frame */
    AVFrame **frame;        /* a picture */
    int *turn;              /* media_info's */
    char (*why)[MEDIA_WHY]; /* empty where it could be opened */
    bool video;
    size_t bytes;
} cli_opened;

typedef struct cli_ahead cli_ahead;

int cli_ahead_start(cli_ahead **out, const cli_items *items, int jobs, char why[MEDIA_WHY]);

/* Items come in order, to be given back by cli_opened_free(); NULL once a signal came or
 * memory is short. */
cli_opened *cli_ahead_next(cli_ahead *a);
void cli_opened_free(cli_ahead *a, cli_opened *opened);
void cli_ahead_stop(cli_ahead *a);

/* ---- video.c, feed.c --------------------------------------------------------- */

void cli_video(cli_run *run, const cli_item *item, cli_opened *opened);

typedef struct cli_feed cli_feed;

/* A thread that decodes ahead; the source is the feed's from now on. */
int cli_feed_start(cli_feed **out, media_source *source, char why[MEDIA_WHY]);

/* As media_next(), but the frame is the caller's, to be freed. */
int cli_feed_next(cli_feed *f, AVFrame **frame, char why[MEDIA_WHY]);
void cli_feed_stop(cli_feed *f);

/* ---- map.c ------------------------------------------------------------------ */

/* Where the map of a distorted picture goes, which the caller frees; makes the folder. */
int cli_map_path(char **path, const cli_options *o, const cli_items *items, const char *name,
                 int set, char why[MEDIA_WHY]);

int cli_map_write(const char *path, const cli_options *o, const float *distances, int width,
                  int height, char why[MEDIA_WHY]);

/* ---- say.c ------------------------------------------------------------------ */

/* A line on standard error; control characters of names are made harmless. */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text with \n, \t ... for control characters, in a buffer of the thread's own that the
 * next but three calls write over. */
const char *cli_plain(const char *text);

/* Messages of media/ and libav* from now on; signals to stop. */
void cli_say_start(const cli_options *o);

/* The signal that came, or 0.  After one nothing is waited for and no thread is joined: what
 * is known is written, and the process ends. */
int cli_stopped(void);

/* As pthread_cond_wait(), but looks up now and then, for a signal wakes nobody. */
void cli_wait(pthread_cond_t *condition, pthread_mutex_t *lock);

/* Of a clock that only goes forward. */
double cli_seconds(void);

/* How far it is; total 0: unknown. */
void cli_progress(int64_t done, int64_t total, const char *what);
void cli_progress_clear(void);

#endif
