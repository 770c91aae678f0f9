/*
 * write.c - report_write(): all files of a report, from a store.
 */
#include "output.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int cannot(const char *what, const char *path, char why[REPORT_WHY])
{
    snprintf(why, REPORT_WHY, "%s: %s: %s", path, what, strerror(errno));
    return -1;
}

int report_file_open(report_file *file, const char *folder, const char *name,
                     char why[REPORT_WHY])
{
    size_t size = strlen(folder) + strlen(name) + 8;

    *file = (report_file){NULL, malloc(size), malloc(size)};
    if (!file->path || !file->temporary) {
        snprintf(why, REPORT_WHY, "memory is short for %s", name);
        goto fail;
    }
    snprintf(file->path, size, "%s/%s", folder, name);
    snprintf(file->temporary, size, "%s/%s.part", folder, name);
    file->f = fopen(file->temporary, "wb");
    if (file->f)
        return 0;
    cannot("cannot be written", file->temporary, why);
fail:
    free(file->path);
    free(file->temporary);
    return -1;
}

int report_file_close(report_file *file, int status, char why[REPORT_WHY])
{
    bool bad = ferror(file->f);

    errno = bad ? EIO : 0;
    if (fclose(file->f) != 0)
        bad = true;
    if (bad && !status)
        status = cannot("cannot be written", file->path, why);
    if (!status && rename(file->temporary, file->path) != 0)
        status = cannot("cannot take its name", file->path, why);
    if (status)
        remove(file->temporary);
    free(file->path);
    free(file->temporary);
    return status;
}

static int make_folder(const char *out, char why[REPORT_WHY])
{
    struct stat about;

    if (mkdir(out, 0777) == 0)
        return 0;
    if (errno == EEXIST && stat(out, &about) == 0 && S_ISDIR(about.st_mode))
        return 0;
    return cannot("no such folder, and none can be made", out, why);
}

int report_write(sqlite3 *store, const char *out, char why[REPORT_WHY])
{
    /* The caller's language may have a comma for the point. */
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before;
    report_summary *s = NULL;
    int status = -1;

    if (c == (locale_t)0) {
        snprintf(why, REPORT_WHY, "memory is short for the report");
        return -1;
    }
    before = uselocale(c);
    if (make_folder(out, why) < 0)
        goto fail;
    s = report_summary_read(store, why);
    if (!s)
        goto fail;
    if (report_write_csv(store, s, out, why) < 0 || report_write_text(s, out, why) < 0 ||
        report_write_json(s, out, why) < 0 || report_write_page(store, s, out, why) < 0)
        goto fail;
    status = 0;
fail:
    report_summary_free(s);
    uselocale(before);
    freelocale(c);
    return status;
}
