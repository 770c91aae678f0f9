/*
 * clips.c - data sets of whole clips.
 *
 *   xiph        ROOT/{2K,4K}/CLIP: videos or folders of pictures, or where there are neither
 *               pictures CLIP-001.png, CLIP-002.png ...; all this right in ROOT where there
 * are no folders 2K and 4K
 *
 * A method's output is called as the clip is, whatever it ends with.
 */
#include "frames.h"
#include "data_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libavformat looks for the first picture of a series from 0 to 4. */
enum { FIRST_MOST = 4 };

/* ---- what clips a folder holds -------------------------------------------------- */

/* file: a video, a folder, or a pattern such as "Tango-%03d.png" of numbered pictures. */
typedef struct clip {
    char *name, *file;
    bool series;
    size_t prefix, digits; /* of a series: bytes before the number, digits or 0: not padded */
    const char *ending;
    int64_t last, pictures;
} clip;

typedef struct clips {
    char *folder;
    char **names; /* files of the folder, as they are */
    size_t n_names;
    clip *clip;
    size_t n, room;
} clips;

static size_t stem(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

static bool is_clip(const char *folder, const char *name)
{
    static const char *const extensions[] = {"y4m",  "mp4", "mkv",  "mov", "webm",
                                             "avi",  "nut", "ivf",  "ts",  "264",
                                             "h264", "265", "hevc", "obu"};
    const char *dot = strrchr(name, '.');

    if (report_is_folder(folder, name))
        return true;
    for (size_t i = 0; dot && i < sizeof extensions / sizeof *extensions; i++)
        if (!strcasecmp(dot + 1, extensions[i]))
            return true;
    return false;
}

/* Digits before the ending of a name; 0 where none are, or nothing before them. */
static size_t digits_of(const char *name)
{
    const size_t end = stem(name);
    size_t n = 0;

    while (n < end && name[end - n - 1] >= '0' && name[end - n - 1] <= '9')
        n++;
    return n < end && n < 10 ? n : 0;
}

static bool is_numbered(const char *folder, const char *name)
{
    return report_is_picture(folder, name) && digits_of(name) &&
           !report_is_folder(folder, name);
}

static int add_file(clips *c, const char *name, char why[REPORT_WHY])
{
    clip *new;

    if (report_room(&c->clip, sizeof *c->clip, c->n, &c->room))
        return report_no_memory(why);
    new = &c->clip[c->n++];
    *new = (clip){.file = strdup(name)};
    new->name = strndup(name, report_is_folder(c->folder, name) ? strlen(name) : stem(name));
    return new->file &&new->name ? 0 : report_no_memory(why);
}

/* The series of a picture's name; NULL where it is the first of its own. */
static clip *series_of(clips *c, const char *name, size_t prefix, const char *ending)
{
    for (size_t i = c->n; i--;)
        if (c->clip[i].prefix == prefix && !strncmp(c->clip[i].file, name, prefix) &&
            !strcmp(c->clip[i].ending, ending))
            return &c->clip[i];
    return NULL;
}

/* Names come in the order of their numbers. */
static int add_picture(clips *c, const char *name, char why[REPORT_WHY])
{
    const size_t digits = digits_of(name), prefix = stem(name) - digits;
    const char *ending = name + prefix + digits;
    const int64_t number = strtoll(name + prefix, NULL, 10);
    clip *s = series_of(c, name, prefix, ending);
    size_t length = prefix;

    if (s && number != s->last + 1)
        return report_fail(why,
                           "%s: %s follows number %lld of its clip: a clip's pictures are "
                           "numbered without gaps",
                           c->folder, name, (long long)s->last);
    if (s) {
        if (s->digits != digits)
            s->digits = 0;
        s->last = number;
        s->pictures++;
        return 0;
    }
    if (number > FIRST_MOST)
        return report_fail(why, "%s: the first picture of a clip is %s: number them from 1",
                           c->folder, name);
    while (length > 1 && strchr("-_. ", name[length - 1]))
        length--;
    if (report_room(&c->clip, sizeof *c->clip, c->n, &c->room))
        return report_no_memory(why);
    s = &c->clip[c->n++];
    *s = (clip){strndup(name, length), strdup(name), true, prefix, digits, ending, number, 1};
    return s->file && s->name ? 0 : report_no_memory(why);
}

/* libavformat's pattern, in which "%" is a sign. */
static char *with_percents(const char *text, size_t n)
{
    char *out = malloc(2 * n + 1), *to = out;

    for (size_t i = 0; out && i < n; i++) {
        *to++ = text[i];
        if (text[i] == '%')
            *to++ = '%';
    }
    if (out)
        *to = 0;
    return out;
}

static int name_series(clip *s, char why[REPORT_WHY])
{
    char *prefix = with_percents(s->file, s->prefix), width[24] = "", *pattern = NULL;

    if (s->digits)
        snprintf(width, sizeof width, "0%zu", s->digits);
    if (prefix)
        pattern = report_text("%s%%%sd%s", prefix, width, s->ending);
    free(prefix);
    free(s->file);
    s->file = pattern;
    return pattern ? 0 : report_no_memory(why);
}

static void free_clips(clips *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->clip[i].name);
        free(c->clip[i].file);
    }
    free(c->clip);
    report_names_free(c->names, c->n_names);
    free(c->folder);
}

/* Of the folder root/subset; to be freed by free_clips(), whatever comes back. */
static int list_clips(clips *c, const char *root, const char *subset, char why[REPORT_WHY])
{
    bool series = false;
    int status = 0;

    *c = (clips){.folder = report_text("%s%s%s", root, *subset ? "/" : "", subset)};
    if (!c->folder)
        return report_no_memory(why);
    status = report_names(c->folder, is_clip, &c->names, &c->n_names, why);
    if (!status && !c->n_names) {
        series = true;
        status = report_names(c->folder, is_numbered, &c->names, &c->n_names, why);
    }
    for (size_t i = 0; i < c->n_names && !status; i++)
        status = series ? add_picture(c, c->names[i], why) : add_file(c, c->names[i], why);
    for (size_t i = 0; i < c->n && series && !status; i++)
        status = name_series(&c->clip[i], why);
    return status;
}

/* Below a folder; in a pattern the folder's own "%" are no signs. */
static char *path_of(const char *folder, const clip *c)
{
    char *escaped = c->series ? with_percents(folder, strlen(folder)) : strdup(folder);
    char *path = escaped ? report_text("%s/%s", escaped, c->file) : NULL;

    free(escaped);
    return path;
}

/* ---- outputs -------------------------------------------------------------------- */

/* Of a method's clips the one that is another's output: of its very name, or else the same
 * but for what it ends with; `wanted` where there is none, so that the report says what is
 * missing. */
static int choose(const clips *c, const clip *wanted, const clip **chosen,
                  char why[REPORT_WHY])
{
    *chosen = NULL;
    for (size_t i = 0; i < c->n && !*chosen; i++)
        if (!strcmp(c->clip[i].file, wanted->file))
            *chosen = &c->clip[i];
    if (*chosen)
        return 0;
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->clip[i].name, wanted->name))
            continue;
        if (*chosen)
            return report_fail(why, "%s: both %s and %s could be the output of clip %s",
                               c->folder, (*chosen)->file, c->clip[i].file, wanted->name);
        *chosen = &c->clip[i];
    }
    if (!*chosen)
        *chosen = wanted;
    return 0;
}

static int output_of(const report_method *m, const char *subset, const clip *wanted,
                     char **output, char why[REPORT_WHY])
{
    const clip *chosen;
    clips c;
    int status;

    if (!m->root)
        return (*output = report_text(REPORT_MADE_HERE "%s", m->name))
                   ? 0
                   : report_no_memory(why);
    status = list_clips(&c, m->root, subset, why);
    if (!status)
        status = choose(&c, wanted, &chosen, why);
    if (!status && !(*output = path_of(c.folder, chosen)))
        status = report_no_memory(why);
    free_clips(&c);
    return status;
}

/* One clip, by all methods. */
static int add_clip(const report_data_set *d, const char *subset, const char *folder,
                    const clip *c, char why[REPORT_WHY])
{
    report_item item = {.subset = (char *)subset,
                        .clip = c->name,
                        .reference = path_of(folder, c),
                        .rate = NAN,
                        .every = d->plan->every};
    int status = item.reference ? 0 : report_no_memory(why);

    for (size_t i = 0; i < d->n && !status; i++) {
        item.output = NULL;
        item.method = (char *)d->methods[i].name;
        status = output_of(&d->methods[i], subset, c, &item.output, why);
        if (!status)
            status = report_plan_add(d->plan, &item, why);
        free(item.output);
    }
    free(item.reference);
    return status;
}

/* ---- data sets ------------------------------------------------------------------ */

static int clips_of(const report_data_set *d, const char *subset, char why[REPORT_WHY])
{
    clips c;
    int status = list_clips(&c, d->root, subset, why);

    for (size_t i = 0; i < c.n && !status; i++)
        status = add_clip(d, subset, c.folder, &c.clip[i], why);
    free_clips(&c);
    return status;
}

int report_layout_xiph(const report_data_set *d, char why[REPORT_WHY])
{
    static const char *const crops[] = {"2K", "4K"};
    int found = 0;

    /* The published benchmark interpolates every other frame. */
    if (!d->plan->every)
        d->plan->every = 2;
    for (int i = 0; i < 2; i++)
        if (report_is_folder(d->root, crops[i])) {
            found = 1;
            if (clips_of(d, crops[i], why))
                return -1;
        }
    return found ? 0 : clips_of(d, "", why);
}
