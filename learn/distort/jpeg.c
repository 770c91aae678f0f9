/*
 * jpeg.c - through libjpeg and back.
 */
#include "internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

/* libjpeg ends the process where something fails, unless its caller leaves by longjmp(). */
typedef struct escape {
    struct jpeg_error_mgr manager;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
} escape;

static void leave(j_common_ptr info)
{
    escape *e = (escape *)(void *)info->err;

    info->err->format_message(info, e->text);
    longjmp(e->back, 1);
}

/* Warnings would go to standard error. */
static void keep_quiet(j_common_ptr info)
{
    (void)info;
}

static struct jpeg_error_mgr *escape_begin(escape *e)
{
    struct jpeg_error_mgr *manager = jpeg_std_error(&e->manager);

    manager->error_exit = leave;
    manager->output_message = keep_quiet;
    return manager;
}

static void encode(struct jpeg_compress_struct *c, const uint8_t *rgb, int quality)
{
    c->input_components = 3;
    c->in_color_space = JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    jpeg_start_compress(c, TRUE);
    while (c->next_scanline < c->image_height) {
        /* libjpeg reads rows through a pointer that is not const */
        JSAMPROW row =
            (JSAMPROW)(uintptr_t)(rgb + (size_t)c->next_scanline * 3 * c->image_width);

        jpeg_write_scanlines(c, &row, 1);
    }
    jpeg_finish_compress(c);
}

int distort_jpeg_encode(uint8_t **data, size_t *size, const uint8_t *rgb, int width,
                        int height, int quality, char why[LEARN_WHY])
{
    struct jpeg_compress_struct c;
    unsigned long length = 0;
    escape e;

    *data = NULL;
    memset(&c, 0, sizeof c);
    c.err = escape_begin(&e);
    if (setjmp(e.back)) {
        jpeg_destroy_compress(&c);
        free(*data);
        *data = NULL;
        return learn_fail(why, "jpeg: libjpeg cannot write a picture of %dx%d: %s", width,
                          height, e.text);
    }
    jpeg_create_compress(&c);
    c.image_width = (JDIMENSION)width;
    c.image_height = (JDIMENSION)height;
    jpeg_mem_dest(&c, data, &length);
    encode(&c, rgb, quality);
    jpeg_destroy_compress(&c);
    *size = length;
    return 0;
}

int distort_jpeg_decode(uint8_t *rgb, int width, int height, const uint8_t *data, size_t size,
                        char why[LEARN_WHY])
{
    struct jpeg_decompress_struct d;
    escape e;

    memset(&d, 0, sizeof d);
    d.err = escape_begin(&e);
    if (setjmp(e.back)) {
        jpeg_destroy_decompress(&d);
        return learn_fail(why, "jpeg: libjpeg cannot read its own picture: %s", e.text);
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, data, size);
    jpeg_read_header(&d, TRUE);
    d.out_color_space = JCS_RGB;
    jpeg_start_decompress(&d);
    if (d.output_width != (JDIMENSION)width || d.output_height != (JDIMENSION)height) {
        jpeg_destroy_decompress(&d);
        return learn_fail(why, "jpeg: %ux%u pixels were read instead of %dx%d",
                          d.output_width, d.output_height, width, height);
    }
    while (d.output_scanline < d.output_height) {
        JSAMPROW row = rgb + (size_t)d.output_scanline * 3 * (size_t)width;

        jpeg_read_scanlines(&d, &row, 1);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    return 0;
}

int distort_jpeg(distort_job *job, char why[LEARN_WHY])
{
    uint8_t *data;
    size_t size;
    int status = distort_jpeg_encode(&data, &size, job->in, job->width, job->height,
                                     (int)job->amount, why);

    if (!status)
        status = distort_jpeg_decode(job->out, job->width, job->height, data, size, why);
    free(data);
    return status;
}
