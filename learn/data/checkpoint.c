/*
 * checkpoint.c - see checkpoint.h.
 */
#include "checkpoint.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t learn_tensor_count(const int *shape, int dims)
{
    size_t n = 1;

    for (int i = 0; i < dims; i++)
        n *= (size_t)shape[i];
    return n;
}

static void put_little(unsigned char *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (unsigned char)(v >> 8 * i);
}

/* Length of the header and itself; returns the bytes of data that it speaks of. */
static size_t write_header(FILE *f, const learn_tensor *tensors, int n, const char *metadata)
{
    size_t offset = 0;
    long at;

    fwrite("\0\0\0\0\0\0\0\0{", 1, 9, f);
    if (metadata)
        fprintf(f, "\"__metadata__\":%s%s", metadata, n ? "," : "");
    for (int i = 0; i < n; i++) {
        size_t end = offset + 4 * learn_tensor_count(tensors[i].shape, tensors[i].dims);

        fprintf(f, "\"%s\":{\"dtype\":\"F32\",\"shape\":[", tensors[i].name);
        for (int d = 0; d < tensors[i].dims; d++)
            fprintf(f, "%s%d", d ? "," : "", tensors[i].shape[d]);
        fprintf(f, "],\"data_offsets\":[%zu,%zu]}%s", offset, end, i + 1 < n ? "," : "");
        offset = end;
    }
    fputc('}', f);
    for (at = ftell(f); at % 64; at++)
        fputc(' ', f);
    return offset;
}

static void put_floats(unsigned char *p, const learn_tensor *t)
{
    const size_t n = learn_tensor_count(t->shape, t->dims);

    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;

        if (t->floats)
            memcpy(&bits, t->floats + i, 4);
        put_little(p + 4 * i, bits, 4);
    }
}

unsigned char *learn_checkpoint(const learn_tensor *tensors, int n, const char *metadata,
                                size_t *size)
{
    char *head = NULL;
    size_t length = 0, data = 0;
    FILE *f = open_memstream(&head, &length);
    unsigned char *file;

    if (!f)
        return NULL;
    data = write_header(f, tensors, n, metadata);
    file = fclose(f) ? NULL : realloc(head, length + data);
    if (!file) {
        free(head);
        return NULL;
    }
    put_little(file, length - 8, 8);
    *size = length;
    for (int i = 0; i < n; i++) {
        put_floats(file + *size, &tensors[i]);
        *size += 4 * learn_tensor_count(tensors[i].shape, tensors[i].dims);
    }
    return file;
}
