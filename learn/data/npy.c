/*
 * npy.c - see npy.h.
 *
 * The header is read by hand for the three keys that it may have, so that nothing in it is
 * evaluated and nothing is allocated before its sizes are known to fit the file.
 */
#include "npy.h"

#include "media.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "\x93NUMPY"

enum { MAGIC_SIZE = 6, HEADER_MAX = 4096, ALIGN = 64 };

typedef struct cursor {
    const char *p, *end;
} cursor;

static uint32_t little(const unsigned char *p, int bytes)
{
    uint32_t v = 0;

    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

static void blanks(cursor *c)
{
    while (c->p < c->end && *c->p == ' ')
        c->p++;
}

static bool take(cursor *c, const char *text)
{
    const size_t n = strlen(text);

    blanks(c);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n))
        return false;
    c->p += n;
    return true;
}

static bool whole(cursor *c, size_t *out)
{
    const char *first;
    size_t v = 0;

    blanks(c);
    for (first = c->p; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
        if (v > LEARN_NPY_MAX)
            return false;
        v = 10 * v + (size_t)(*c->p - '0');
    }
    *out = v;
    return c->p > first;
}

/* (2, 3) or (1,) or (): a tuple of Python's. */
static bool shape(cursor *c, learn_npy *a)
{
    if (!take(c, "("))
        return false;
    while (!take(c, ")")) {
        if (a->dims == LEARN_NPY_DIMS || !whole(c, &a->shape[a->dims]))
            return false;
        a->dims++;
        if (!take(c, ","))
            return a->dims > 1 && take(c, ")");
    }
    return true;
}

static int header(learn_npy *a, const char *name, cursor c, char why[LEARN_WHY])
{
    bool descr = false, order = false, shaped = false;

    if (!take(&c, "{"))
        return learn_fail(why, "%s: the header is no dictionary", name);
    while (!take(&c, "}")) {
        if (!descr && take(&c, "'descr':")) {
            if (!take(&c, "'<f4'"))
                return learn_fail(why,
                                  "%s: its numbers are not float32, little-endian ('<f4')",
                                  name);
            descr = true;
        } else if (!order && take(&c, "'fortran_order':")) {
            if (!take(&c, "False"))
                return learn_fail(why, "%s: stored by columns (fortran_order)", name);
            order = true;
        } else if (!shaped && take(&c, "'shape':")) {
            if (!shape(&c, a))
                return learn_fail(why, "%s: its shape is none of at most %d sizes up to %d",
                                  name, LEARN_NPY_DIMS, LEARN_NPY_MAX);
            shaped = true;
        } else {
            return learn_fail(why, "%s: the header has a key that is unknown or repeated",
                              name);
        }
        if (!take(&c, ",")) {
            if (!take(&c, "}"))
                return learn_fail(why, "%s: the header's dictionary is damaged", name);
            break;
        }
    }
    if (!descr || !order || !shaped)
        return learn_fail(why, "%s: the header lacks descr, fortran_order or shape", name);
    return take(&c, "\n") && c.p == c.end
               ? 0
               : learn_fail(why, "%s: the header goes on after its dictionary", name);
}

/* Where the header begins and how long it is, by version of the format. */
static int find_header(const char *name, const unsigned char *bytes, size_t size, cursor *c,
                       char why[LEARN_WHY])
{
    size_t at = MAGIC_SIZE + 2, length;
    int field;

    if (size < at + 2 || memcmp(bytes, MAGIC, MAGIC_SIZE))
        return learn_fail(why, "%s is no .npy file of numpy", name);
    if (bytes[MAGIC_SIZE] < 1 || bytes[MAGIC_SIZE] > 3 || bytes[MAGIC_SIZE + 1])
        return learn_fail(why, "%s: version %d.%d of the format is not known", name,
                          bytes[MAGIC_SIZE], bytes[MAGIC_SIZE + 1]);
    field = bytes[MAGIC_SIZE] == 1 ? 2 : 4;
    if (size < at + (size_t)field)
        return learn_fail(why, "%s is cut short", name);
    length = little(bytes + at, field);
    at += (size_t)field;
    if (length > HEADER_MAX)
        return learn_fail(why, "%s: a header of %zu bytes, at most %d are accepted", name,
                          length, HEADER_MAX);
    if (length > size - at)
        return learn_fail(why, "%s is cut short", name);
    *c = (cursor){(const char *)bytes + at, (const char *)bytes + at + length};
    return 0;
}

int learn_npy_parse(learn_npy *out, const char *name, const void *data, size_t size,
                    char why[LEARN_WHY])
{
    const unsigned char *bytes = data;
    size_t left;
    cursor c = {0};

    *out = (learn_npy){.n = 1};
    if (find_header(name, bytes, size, &c, why) || header(out, name, c, why))
        return -1;
    for (int i = 0; i < out->dims; i++) {
        if (out->shape[i] && out->n > LEARN_NPY_MAX / out->shape[i])
            return learn_fail(why, "%s: more than %d numbers", name, LEARN_NPY_MAX);
        out->n *= out->shape[i];
    }
    left = size - (size_t)((const unsigned char *)c.end - bytes);
    if (left != 4 * out->n)
        return learn_fail(why, "%s: %zu bytes of numbers where its shape needs %zu", name,
                          left, 4 * out->n);
    out->values = malloc(left ? left : 1);
    if (!out->values)
        return learn_no_memory(why);
    bytes += size - left;
    for (size_t i = 0; i < out->n; i++) {
        const uint32_t bits = little(bytes + 4 * i, 4);

        memcpy(&out->values[i], &bits, 4);
    }
    return 0;
}

int learn_npy_read(learn_npy *out, const char *path, char why[LEARN_WHY])
{
    const size_t most = 4 * (size_t)LEARN_NPY_MAX + HEADER_MAX + 12;
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = NULL;
    struct stat st;
    int status = -1;
    size_t size;

    *out = (learn_npy){0};
    if (!f)
        return learn_fail(why, "%s cannot be opened: %s", path, strerror(errno));
    if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > most) {
        learn_fail(why, "%s is no file of at most %zu bytes", path, most);
        goto fail;
    }
    size = (size_t)st.st_size;
    if (!(bytes = malloc(size ? size : 1)))
        learn_no_memory(why);
    else if (fread(bytes, 1, size, f) != size)
        learn_fail(why, "%s cannot be read to its end", path);
    else
        status = learn_npy_parse(out, path, bytes, size, why);
fail:
    free(bytes);
    fclose(f);
    return status;
}

void learn_npy_free(learn_npy *a)
{
    free(a->values);
    *a = (learn_npy){0};
}

/* The whole header into head; returns its length, a multiple of ALIGN. */
static size_t write_header(char *head, size_t room, const size_t *sizes, int dims)
{
    size_t at = 10;

    at += (size_t)snprintf(head + at, room - at,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < dims; i++)
        at += (size_t)snprintf(head + at, room - at, "%s%zu%s", i ? " " : "", sizes[i],
                               i + 1 < dims || dims == 1 ? "," : "");
    at += (size_t)snprintf(head + at, room - at, "), }");
    do
        head[at++] = ' ';
    while ((at + 1) % ALIGN);
    head[at++] = '\n';
    memcpy(head, MAGIC "\1\0", 8);
    head[8] = (char)(at - 10);
    head[9] = (char)((at - 10) >> 8);
    return at;
}

int learn_npy_write(const char *path, const float *values, const size_t *sizes, int dims,
                    char why[LEARN_WHY])
{
    char head[4 * ALIGN];
    size_t n = 1, at;
    unsigned char *bytes;
    int status;

    if (dims < 0 || dims > LEARN_NPY_DIMS)
        return learn_fail(why, "%s: an array of %d dimensions", path, dims);
    for (int i = 0; i < dims; i++) {
        if (sizes[i] && n > LEARN_NPY_MAX / sizes[i])
            return learn_fail(why, "%s: more than %d numbers", path, LEARN_NPY_MAX);
        n *= sizes[i];
    }
    at = write_header(head, sizeof head, sizes, dims);
    if (!(bytes = malloc(at + 4 * n)))
        return learn_no_memory(why);
    memcpy(bytes, head, at);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], 4);
        for (int k = 0; k < 4; k++)
            bytes[at + 4 * i + (size_t)k] = (unsigned char)(bits >> 8 * k);
    }
    status = media_write_file(path, bytes, at + 4 * n, why);
    free(bytes);
    return status;
}
