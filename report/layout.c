/*
 * layout.c - what is to be scored, from the folders of the data sets that frame interpolation
 * is compared on.
 *
 *   vimeo90k    ROOT/tri_testlist.txt, lines "00001/0389";
 *               ROOT/sequences/00001/0389/im1.png, im2.png (the truth), im3.png
 *
 *   snu-film    ROOT/eval_modes/test-{easy,medium,hard,extreme}.txt, or ROOT/test-*.txt,
 *               lines of three paths: before, truth, after; folders that ROOT lacks are left
 *               out from the front, and ROOT/test is looked into, too
 *
 *   ucf101      ROOT/1/frame_00.png, frame_01_gt.png, frame_02.png
 *
 *   middlebury  ROOT/other-data/NAME/frame10.png, frame11.png and
 *               ROOT/other-gt-interp/NAME/frame10i11.png (or ROOT/input and ROOT/gt)
 *
 *   xiph        clips.c
 *
 * A method's outputs lie below a folder of its own, under the names that people give them:
 * the first of those listed below that exists.
 */
#include "batch.h"
#include "frames.h"
#include "data_set.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Names of outputs: %s the subset, %c the clip, %b the clip without its first folder, %m the
 * method, %f the truth's path below ROOT. */
static const char *const vimeo_outputs[] = {"%c/im2.png", "%f", "%c.png", NULL};
static const char *const snu_outputs[] = {"%s/%c.png", "%s/%b.png", NULL};
static const char *const ucf_outputs[] = {"%c/frame_01_%m.png", "%c/frame_01.png", "%c.png",
                                          "%c/frame_01_gt.png", NULL};
static const char *const middlebury_outputs[] = {"%c/frame10i11.png", "%f", "%c.png", NULL};

static char *expand(const char *pattern, const report_data_set *d, const report_item *item,
                    const report_method *m)
{
    const char *slash = strchr(item->clip, '/');
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, "%s/", m->root);
    for (const char *p = pattern; *p; p++) {
        if (*p != '%') {
            putc(*p, f);
            continue;
        }
        switch (*++p) {
        case 's':
            fputs(item->subset, f);
            break;
        case 'c':
            fputs(item->clip, f);
            break;
        case 'b':
            fputs(slash ? slash + 1 : item->clip, f);
            break;
        case 'm':
            fputs(m->name, f);
            break;
        default:
            fputs(item->reference + strlen(d->root) + 1, f);
        }
    }
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The first name that is there and not the truth itself; the first of all where none is, so
 * that the report says what is missing. */
static int output_of(const report_data_set *d, const report_item *item,
                     const report_method *m, char **output, char why[REPORT_WHY])
{
    *output = NULL;
    if (!m->root)
        return (*output = report_text(REPORT_MADE_HERE "%s", m->name))
                   ? 0
                   : report_no_memory(why);
    for (const char *const *pattern = d->outputs; *pattern; pattern++) {
        char *path = expand(*pattern, d, item, m);

        if (!path) {
            free(*output);
            return report_no_memory(why);
        }
        if (report_exists(path) && !same_file(path, item->reference)) {
            free(*output);
            *output = path;
            return 0;
        }
        if (*output)
            free(path);
        else
            *output = path;
    }
    return 0;
}

/* One clip, by all methods. */
static int add_clip(const report_data_set *d, report_item *item, char why[REPORT_WHY])
{
    int status = 0;

    item->rate = NAN;
    for (size_t i = 0; i < d->n && !status; i++) {
        char *output;

        if (output_of(d, item, &d->methods[i], &output, why))
            return -1;
        item->method = (char *)d->methods[i].name;
        item->output = output;
        status = report_plan_add(d->plan, item, why);
        free(output);
    }
    return status;
}

/* A triplet whose three pictures lie below the root. */
static int add_triplet(const report_data_set *d, const char *subset, const char *clip,
                       const char *const paths[3], char why[REPORT_WHY])
{
    report_item item = {.subset = (char *)subset, .clip = (char *)clip};
    char *whole[3] = {0};
    int status = 0;

    for (int i = 0; i < 3 && !status; i++)
        if (!(whole[i] = report_text("%s/%s", d->root, paths[i])))
            status = report_no_memory(why);
    item.first = whole[0];
    item.reference = whole[1];
    item.last = whole[2];
    if (!status)
        status = add_clip(d, &item, why);
    for (int i = 0; i < 3; i++)
        free(whole[i]);
    return status;
}

/* The next line that is not empty, ended in place; NULL at the end. */
static char *next_line(char **at, int *number)
{
    while (**at) {
        char *line = *at, *end = line + strcspn(line, "\n");

        ++*number;
        *at = *end ? end + 1 : end;
        *end = 0;
        while (end > line && strchr(" \t\r", end[-1]))
            *--end = 0;
        if (*line)
            return line;
    }
    return NULL;
}

static int read_list(const char *root, const char *name, char **text, char why[REPORT_WHY])
{
    char *path = report_text("%s/%s", root, name);
    size_t size;
    int status;

    if (!path)
        return report_no_memory(why);
    status = report_read_file(path, text, &size, why);
    free(path);
    return status;
}

/* ---- the data sets ------------------------------------------------------------- */

static int vimeo90k(const report_data_set *d, char why[REPORT_WHY])
{
    char *text, *at, *line;
    int number = 0, status = 0;

    if (read_list(d->root, "tri_testlist.txt", &text, why))
        return -1;
    at = text;
    while (!status && (line = next_line(&at, &number))) {
        char path[3][256];

        if (strlen(line) > 200) {
            status =
                report_fail(why, "%s/tri_testlist.txt, line %d: this is no triplet's name",
                            d->root, number);
            break;
        }
        for (int i = 0; i < 3; i++)
            snprintf(path[i], sizeof path[i], "sequences/%s/im%d.png", line, i + 1);
        status = add_triplet(d, "", line, (const char *[]){path[0], path[1], path[2]}, why);
    }
    free(text);
    return status;
}

/* The path of a list as it is below the root; NULL where no end of it is. */
static const char *below(const char *root, const char *listed, const char **prefix)
{
    static const char *const prefixes[] = {"", "test/"};

    while (listed) {
        for (int i = 0; i < 2; i++) {
            char *path = report_text("%s/%s%s", root, prefixes[i], listed);
            const bool there = path && report_exists(path);

            free(path);
            if (there) {
                *prefix = prefixes[i];
                return listed;
            }
        }
        listed = strchr(listed, '/');
        listed = listed ? listed + 1 : NULL;
    }
    return NULL;
}

/* "GOPRO_test/GOPR0384_11_00/000002" of a path: its last three parts, without ".png". */
static char *snu_clip(const char *path)
{
    const char *start = path + strlen(path), *dot = strrchr(path, '.');
    int parts = 0;

    while (start > path && !(start[-1] == '/' && ++parts == 3))
        start--;
    if (!dot || dot < start || strchr(dot, '/'))
        dot = path + strlen(path);
    return strndup(start, (size_t)(dot - start));
}

static int snu_line(const report_data_set *d, const char *mode, const char *file, int number,
                    char *line, char why[REPORT_WHY])
{
    char *paths[3] = {0}, *save, *clip = NULL;
    int n = 0, status = 0;

    for (char *p = strtok_r(line, " \t", &save); p; p = strtok_r(NULL, " \t", &save)) {
        const char *prefix = "", *found;

        if (n == 3) {
            n = 4;
            break;
        }
        found = below(d->root, p, &prefix);
        if (n == 1 && !(clip = snu_clip(p)))
            status = report_no_memory(why);
        if (!(paths[n++] = report_text("%s%s", prefix, found ? found : p)))
            status = report_no_memory(why);
    }
    if (n != 3 && !status)
        status =
            report_fail(why, "%s/%s, line %d: three paths are expected, with blanks between",
                        d->root, file, number);
    if (!status)
        status = add_triplet(d, mode, clip, (const char *const *)paths, why);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    free(clip);
    return status;
}

static int snu_film(const report_data_set *d, char why[REPORT_WHY])
{
    static const char *const modes[] = {"easy", "medium", "hard", "extreme"};
    int found = 0;

    for (int i = 0; i < 4; i++) {
        char file[64], *text, *at, *line;
        int number = 0, status = 0;

        snprintf(file, sizeof file, "eval_modes/test-%s.txt", modes[i]);
        if (read_list(d->root, file, &text, why)) {
            snprintf(file, sizeof file, "test-%s.txt", modes[i]);
            if (read_list(d->root, file, &text, why))
                continue;
        }
        found++;
        at = text;
        while (!status && (line = next_line(&at, &number)))
            status = snu_line(d, modes[i], file, number, line, why);
        free(text);
        if (status)
            return -1;
    }
    return found ? 0
                 : report_fail(why,
                               "%s: neither eval_modes/test-easy.txt nor test-easy.txt, nor "
                               "those of medium, hard and extreme can be read",
                               d->root);
}

static int ucf101(const report_data_set *d, char why[REPORT_WHY])
{
    static const char *const names[] = {"frame_00.png", "frame_01_gt.png", "frame_02.png"};
    char **clips;
    size_t n;
    int status = 0;

    if (report_names(d->root, report_is_folder, &clips, &n, why))
        return -1;
    for (size_t i = 0; i < n && !status; i++) {
        char *paths[3] = {0};

        for (int k = 0; k < 3 && !status; k++)
            if (!(paths[k] = report_text("%s/%s", clips[i], names[k])))
                status = report_no_memory(why);
        if (!status)
            status = add_triplet(d, "", clips[i], (const char *const *)paths, why);
        for (int k = 0; k < 3; k++)
            free(paths[k]);
    }
    report_names_free(clips, n);
    return status;
}

static int middlebury(const report_data_set *d, char why[REPORT_WHY])
{
    const bool plain = report_is_folder(d->root, "gt");
    const char *const gt = plain ? "gt" : "other-gt-interp";
    const char *const in = plain ? "input" : "other-data";
    char *folder = report_text("%s/%s", d->root, gt), **clips = NULL;
    size_t n = 0;
    int status = folder ? report_names(folder, report_is_folder, &clips, &n, why)
                        : report_no_memory(why);

    for (size_t i = 0; i < n && !status; i++) {
        char *paths[3] = {report_text("%s/%s/frame10.png", in, clips[i]),
                          report_text("%s/%s/frame10i11.png", gt, clips[i]),
                          report_text("%s/%s/frame11.png", in, clips[i])};

        status = paths[0] && paths[1] && paths[2]
                     ? add_triplet(d, "", clips[i], (const char *const *)paths, why)
                     : report_no_memory(why);
        for (int k = 0; k < 3; k++)
            free(paths[k]);
    }
    report_names_free(clips, n);
    free(folder);
    return status;
}

/* ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*list)(const report_data_set *, char why[REPORT_WHY]);
    const char *const *outputs;
} layouts[] = {{"vimeo90k", vimeo90k, vimeo_outputs},
               {"snu-film", snu_film, snu_outputs},
               {"ucf101", ucf101, ucf_outputs},
               {"xiph", report_layout_xiph, NULL},
               {"middlebury", middlebury, middlebury_outputs}};

static int run_layout(report_data_set *d, size_t which, char why[REPORT_WHY])
{
    report_method *methods = calloc(d->n + 1, sizeof *methods);
    char *root = report_absolute(d->root);
    int status = methods && root ? 0 : report_no_memory(why);

    for (size_t i = 0; i < d->n && !status; i++) {
        methods[i].name = d->methods[i].name;
        if (!d->methods[i].root)
            continue;
        if (!(methods[i].root = report_absolute(d->methods[i].root)))
            status = report_no_memory(why);
        else if (!report_is_folder("/", methods[i].root))
            status = report_fail(why, "method %s: %s is no folder that can be read",
                                 methods[i].name, methods[i].root);
    }
    if (!status) {
        report_data_set whole = *d;

        whole.root = root;
        whole.methods = methods;
        whole.outputs = layouts[which].outputs;
        status = layouts[which].list(&whole, why);
    }
    for (size_t i = 0; methods && i < d->n; i++)
        free((char *)methods[i].root);
    free(methods);
    free(root);
    return status;
}

int report_layout(report_plan *p, const char *layout, const char *root,
                  const report_method *methods, size_t n, char why[REPORT_WHY])
{
    report_data_set d = {.plan = p, .root = root, .methods = methods, .n = n};
    size_t which = 0;

    while (which < sizeof layouts / sizeof *layouts && strcmp(layouts[which].name, layout))
        which++;
    if (which == sizeof layouts / sizeof *layouts)
        return report_fail(why,
                           "no layout is called \"%s\"; there are vimeo90k, snu-film, "
                           "ucf101, xiph and middlebury",
                           layout);
    p->unit = "line";
    if (run_layout(&d, which, why))
        return -1;
    return p->n ? 0
                : report_fail(why, "%s: no clips are there, laid out as %s", root, layout);
}
