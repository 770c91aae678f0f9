/*
 * files.c - names, folders and whole files, and the sentences of errors.
 */
#include "batch.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of millions of items; what is larger is no manifest. */
#define FILE_MAX ((off_t)1 << 30)

int report_fail(char why[REPORT_WHY], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, REPORT_WHY, format, args);
    va_end(args);
    return -1;
}

int report_no_memory(char why[REPORT_WHY])
{
    return report_fail(why, "not enough memory");
}

char *report_text(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

int report_room(void *items, size_t size, size_t n, size_t *room)
{
    void **p = items, *grown;
    size_t more = *room ? *room * 2 : 16;

    if (n < *room)
        return 0;
    if (more > SIZE_MAX / 2 / size || !(grown = realloc(*p, more * size)))
        return -1;
    *p = grown;
    *room = more;
    return 0;
}

int report_read_file(const char *path, char **data, size_t *size, char why[REPORT_WHY])
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    size_t room = 0, n = 0;

    *data = NULL;
    if (!f)
        return report_fail(why, "%s: cannot be opened: %s", path, strerror(errno));
    if (!fstat(fileno(f), &st) && S_ISDIR(st.st_mode)) {
        report_fail(why, "%s is a folder, not a file", path);
        goto fail;
    }
    /* The size may be unknown, as that of a pipe is. */
    do {
        if (n >= (size_t)FILE_MAX) {
            report_fail(why, "%s: larger than 1 GiB, which is no list of clips", path);
            goto fail;
        }
        if (n + 4096 >= room) {
            char *grown = realloc(*data, room = room ? room * 2 : 65536);

            if (!grown) {
                report_no_memory(why);
                goto fail;
            }
            *data = grown;
        }
        n += fread(*data + n, 1, room - n - 1, f);
    } while (!feof(f) && !ferror(f));
    if (ferror(f)) {
        report_fail(why, "%s: cannot be read: %s", path, strerror(errno));
        goto fail;
    }
    fclose(f);
    (*data)[n] = 0;
    *size = n;
    return 0;

fail:
    fclose(f);
    free(*data);
    *data = NULL;
    return -1;
}

char *report_join(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    if (*path == '/')
        return strdup(path);
    return report_text("%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", path);
}

char *report_absolute(const char *path)
{
    char *here = getcwd(NULL, 0), *whole = here ? report_join(here, path) : NULL;
    size_t n = whole ? strlen(whole) : 0;

    while (n > 1 && whole[n - 1] == '/')
        whole[--n] = 0;
    free(here);
    return whole;
}

char *report_folder_of(const char *path)
{
    char *whole = report_absolute(path), *slash = whole ? strrchr(whole, '/') : NULL;

    if (slash)
        slash[slash == whole] = 0;
    return whole;
}

bool report_exists(const char *path)
{
    return !access(path, F_OK);
}

bool report_is_folder(const char *folder, const char *name)
{
    char *path = report_join(folder, name);
    struct stat st;
    bool is = path && !stat(path, &st) && S_ISDIR(st.st_mode);

    free(path);
    return is;
}

bool report_is_picture(const char *folder, const char *name)
{
    static const char *const endings[] = {"png",  "jpg", "jpeg", "bmp", "tif",  "tiff",
                                          "webp", "ppm", "pgm",  "pnm", "avif", "jxl",
                                          "exr",  "dpx", "tga",  "gif", "jp2"};
    const char *dot = strrchr(name, '.');

    (void)folder;
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot + 1, endings[i]))
            return true;
    return false;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

int report_natural(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;

    while (*a && *b) {
        if (digit(*a) && digit(*b)) {
            size_t n, m;

            while (*a == '0')
                a++;
            while (*b == '0')
                b++;
            for (n = 0; digit(a[n]); n++)
                ;
            for (m = 0; digit(b[m]); m++)
                ;
            if (n != m)
                return n < m ? -1 : 1;
            for (; n; n--, a++, b++)
                if (*a != *b)
                    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            if (*a != *b)
                return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
            a++;
            b++;
        }
    }
    if (*a || *b)
        return *a ? 1 : -1;
    /* 01 and 1 are equal numbers, but not one name. */
    return strcmp(whole_a, whole_b);
}

static int by_nature(const void *a, const void *b)
{
    return report_natural(*(char *const *)a, *(char *const *)b);
}

int report_names(const char *folder, bool (*keep)(const char *folder, const char *name),
                 char ***names, size_t *n, char why[REPORT_WHY])
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    size_t room = 0;

    *names = NULL;
    *n = 0;
    if (!d)
        return report_fail(why, "%s: cannot be opened: %s", folder, strerror(errno));
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.' || (keep && !keep(folder, e->d_name)))
            continue;
        if (report_room(names, sizeof **names, *n, &room) ||
            !((*names)[*n] = strdup(e->d_name))) {
            closedir(d);
            report_names_free(*names, *n);
            *names = NULL;
            *n = 0;
            return report_no_memory(why);
        }
        ++*n;
    }
    closedir(d);
    if (*n)
        qsort(*names, *n, sizeof **names, by_nature);
    return 0;
}

void report_names_free(char **names, size_t n)
{
    while (n)
        free(names[--n]);
    free(names);
}
