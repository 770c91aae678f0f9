/*
 * files.c - what a run leaves behind. Each file is whole or not there.
 */
#include "optimise.h"

#include "media.h"
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int learn_optimise_folder(const char *folder, char why[LEARN_WHY])
{
    const struct dirent *entry;
    DIR *d;
    int there = 0;

    if (!mkdir(folder, 0777))
        return 0;
    if (errno != EEXIST || !(d = opendir(folder)))
        return learn_fail(why, "%s: cannot be made: %s", folder, strerror(errno));
    while ((entry = readdir(d)))
        there += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
    closedir(d);
    return there ? learn_fail(why,
                              "%s holds files already, and frames of two runs would mix; "
                              "name another folder, or empty it",
                              folder)
                 : 0;
}

int learn_optimise_picture(const learn_optimise_run *r, const char *name, char why[LEARN_WHY])
{
    const size_t n = 3 * (size_t)r->width * (size_t)r->height;
    uint8_t *rgb = malloc(n);
    char *path = NULL;
    int status = -1;

    for (size_t i = 0; rgb && i < n; i++)
        rgb[i] = (uint8_t)lrintf(255 * r->x[i]);
    if (!rgb || asprintf(&path, "%s/%s", r->o->folder, name) < 0)
        learn_no_memory(why);
    else
        status = media_png_write(path, rgb, r->width, r->height, why);
    free(path);
    free(rgb);
    return status;
}

static int write_rows(const learn_optimise_run *r, char why[LEARN_WHY])
{
    const int layers = r->logged ? r->log[0].layers : 0;
    report_file file;

    if (report_file_open(&file, r->o->folder, "log.csv", why))
        return -1;
    fputs("step,distance", file.f);
    for (int k = 0; k < layers; k++)
        fprintf(file.f, ",layer%d", k + 1);
    putc('\n', file.f);
    for (int i = 0; i < r->logged; i++) {
        fprintf(file.f, "%d,%.9f", i, r->log[i].distance);
        for (int k = 0; k < layers; k++)
            fprintf(file.f, ",%.9f", r->log[i].layer[k]);
        putc('\n', file.f);
    }
    return report_file_close(&file, 0, why);
}

static json_t *document(const learn_optimise_run *r)
{
    const learn_optimise_options *o = r->o;

    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:f}", "tool",
                     r->described, "start", o->start, "target", o->target, "width", r->width,
                     "height", r->height, "steps", r->logged - 1, "every", o->every, "rate",
                     o->rate, "first", r->log[0].distance, "last",
                     r->log[r->logged - 1].distance);
}

int learn_optimise_log(const learn_optimise_run *r, char why[LEARN_WHY])
{
    report_file file;
    json_t *json;
    int status;

    if (write_rows(r, why) || report_file_open(&file, r->o->folder, "run.json", why))
        return -1;
    json = document(r);
    status = json && !json_dumpf(json, file.f, JSON_INDENT(2)) ? 0 : -1;
    putc('\n', file.f);
    json_decref(json);
    if (status)
        learn_fail(why, "%s/run.json: names that are not UTF-8 cannot stand in JSON",
                   r->o->folder);
    return report_file_close(&file, status, why);
}
