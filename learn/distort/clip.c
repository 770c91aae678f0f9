/*
 * clip.c - frames of clips, with those around them.
 */
#include "clip.h"

#include "batch.h"
#include "media.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- frame by frame ---------------------------------------------------------------------
 */

typedef struct reader {
    const char *path;
    char **names; /* of a folder */
    size_t n, next;
    bool folder;
    media_source *source; /* NULL between the pictures of a folder */
} reader;

static bool is_file(const char *folder, const char *name)
{
    return !report_is_folder(folder, name);
}

static int reader_open(reader *r, const char *path, char why[LEARN_WHY])
{
    struct stat about;

    memset(r, 0, sizeof *r);
    r->path = path;
    r->folder = !stat(path, &about) && S_ISDIR(about.st_mode);
    if (!r->folder)
        return media_open(&r->source, path, 1, why);
    if (report_names(path, is_file, &r->names, &r->n, why) < 0)
        return -1;
    return r->n ? 0 : learn_fail(why, "%s: the folder holds no pictures", path);
}

static void reader_close(reader *r)
{
    media_close(r->source);
    report_names_free(r->names, r->n);
}

/* 1 and a frame, which stays the reader's until the next call; 0 at the end. */
static int reader_next(reader *r, const AVFrame **frame, char why[LEARN_WHY])
{
    char *path;
    int status;

    if (!r->folder)
        return media_next(r->source, frame, why);
    media_close(r->source);
    r->source = NULL;
    if (r->next == r->n)
        return 0;
    path = report_join(r->path, r->names[r->next++]);
    if (!path)
        return learn_no_memory(why);
    status = media_open(&r->source, path, 1, why);
    free(path);
    return status < 0 ? -1 : media_next(r->source, frame, why);
}

int64_t distort_clip_count(const char *path, char why[LEARN_WHY])
{
    const AVFrame *frame;
    int64_t count = 0;
    reader r;
    int status = reader_open(&r, path, why);

    if (!status && r.folder) {
        count = (int64_t)r.n;
    } else if (!status && media_source_info(r.source)->still) {
        count = 1;
    } else if (!status) {
        while ((status = reader_next(&r, &frame, why)) > 0)
            count++;
    }
    reader_close(&r);
    return status < 0 ? -1 : count;
}

/* ---- those around
 * -------------------------------------------------------------------------- */

enum { AROUND = 2 * DISTORT_REACH + 1 };

typedef struct window {
    uint8_t *rgb[AROUND]; /* frame i in place i % AROUND; NULL where it was not needed */
    int64_t read;         /* frames so far */
    int width, height;
} window;

static const uint8_t *at(const window *w, int64_t number)
{
    return number < 0 || number >= w->read ? NULL : w->rgb[number % AROUND];
}

/* Only frames near a wanted one are made RGB. */
static int keep(window *w, const char *path, const AVFrame *frame, bool needed,
                char why[LEARN_WHY])
{
    uint8_t **place = &w->rgb[w->read % AROUND];

    if (!w->read) {
        w->width = frame->width;
        w->height = frame->height;
    }
    if (frame->width != w->width || frame->height != w->height)
        return learn_fail(why,
                          "%s: frame %" PRId64
                          " is %dx%d, those before are %dx%d: make them alike, or give "
                          "pictures, not clips",
                          path, w->read, frame->width, frame->height, w->width, w->height);
    free(*place);
    *place = needed ? media_rgb(frame, why) : NULL;
    w->read++;
    return needed && !*place ? -1 : 0;
}

static distort_frame show(const window *w, int64_t number)
{
    distort_frame f = {.number = number,
                       .width = w->width,
                       .height = w->height,
                       .rgb = at(w, number),
                       .near = {.width = w->width, .height = w->height}};

    for (int i = 0; i < DISTORT_REACH; i++) {
        f.near.before[i] = at(w, number - 1 - i);
        f.near.after[i] = at(w, number + 1 + i);
    }
    return f;
}

/* Whether the frame is within reach of one that is wanted from the place `from` on. */
static bool needed(const int64_t *numbers, size_t n, size_t from, int64_t frame)
{
    for (size_t i = from; i < n && numbers[i] <= frame + DISTORT_REACH; i++)
        if (numbers[i] >= frame - DISTORT_REACH)
            return true;
    return false;
}

int distort_clip_read(const char *path, const int64_t *numbers, size_t n,
                      int (*visit)(void *context, const distort_frame *f,
                                   char why[LEARN_WHY]),
                      void *context, char why[LEARN_WHY])
{
    const AVFrame *frame;
    window w = {.read = 0};
    reader r;
    size_t done = 0;
    int status = reader_open(&r, path, why), more = 1;

    while (!status && done < n && more) {
        more = reader_next(&r, &frame, why);
        if (more < 0)
            status = -1;
        else if (more)
            status = keep(&w, path, frame, needed(numbers, n, done, w.read), why);
        /* a frame's turn comes when all those behind it are there, or there are no more */
        while (!status && done < n && numbers[done] < w.read &&
               (!more || numbers[done] + DISTORT_REACH < w.read)) {
            distort_frame f = show(&w, numbers[done++]);

            status = visit(context, &f, why);
        }
    }
    if (!status && done < n)
        status = learn_fail(why, "%s has no frame %" PRId64 ": it has %" PRId64 " (from 0)",
                            path, numbers[done], w.read);
    for (int i = 0; i < AROUND; i++)
        free(w.rgb[i]);
    reader_close(&r);
    return status;
}
