/*
 * safetensors.h - strict reader of safetensors files held in memory.
 *
 *     8 bytes    length of the header, little-endian
 *     header     {"__metadata__":{"key":"text",...},
 *                 "tensor":{"dtype":"F32","shape":[...],"data_offsets":[begin,end]},...}
 *                and blanks
 *     data       what the offsets point into, little-endian
 *
 * Refused is all that could be read in two ways or hide something: names that occur
 * twice, offsets that overlap, leave a hole or leave the file, sizes that are not
 * dtype times shape, unknown keys and dtypes, invalid UTF-8, bytes after the header or
 * the data.  Nothing is printed and nothing but one block is allocated.
 */
#ifndef LPIPS_SAFETENSORS_H
#define LPIPS_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

enum {
    LPIPS_ST_MAX_HEADER = 1 << 20, /* bytes */
    LPIPS_ST_MAX_TENSORS = 512,
    LPIPS_ST_MAX_METADATA = 64, /* pairs */
    LPIPS_ST_MAX_NAME = 255,    /* bytes, of tensors and metadata keys */
    LPIPS_ST_MAX_DIMS = 8
};

typedef struct lpips_st_tensor {
    const char *name;  /* UTF-8, without NUL inside */
    const char *dtype; /* "F32"; static */
    uint64_t shape[LPIPS_ST_MAX_DIMS];
    int dims;
    const unsigned char *data; /* in the caller's bytes; aligned to nothing */
    size_t size;               /* bytes */
} lpips_st_tensor;

typedef struct lpips_safetensors lpips_safetensors;

/*
 * Reads the header.  The caller's bytes must outlive *out, names and metadata live as
 * long as *out.  Returns LPIPS_OK, LPIPS_ERR_WEIGHTS or LPIPS_ERR_MEMORY; detail as in
 * lpips.h.
 */
int lpips_st_open(lpips_safetensors **out, const void *bytes, size_t size, char *detail,
                  size_t detail_size);
void lpips_st_close(lpips_safetensors *st);

/* Tensors in the order of their data. */
int lpips_st_count(const lpips_safetensors *st);
const lpips_st_tensor *lpips_st_at(const lpips_safetensors *st, int i);

/* NULL when there is none of that name. */
const lpips_st_tensor *lpips_st_find(const lpips_safetensors *st, const char *name);
const char *lpips_st_metadata(const lpips_safetensors *st, const char *key);

/* Decodes an F32 tensor, size / 4 floats, on hosts of any byte order. */
void lpips_st_floats(const lpips_st_tensor *t, float *out);

/* Writes the sentence, cut to size, where detail is not NULL; returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
int lpips_refuse(int status, char *detail, size_t size, const char *format, ...);

/* A name out of a file for use in a sentence: cut, and '?' for all but printable ASCII,
 * since a terminal may obey the rest. */
typedef struct lpips_shown {
    char text[72];
} lpips_shown;

lpips_shown lpips_show(const char *name);

#endif
