/*
 * image.c - descriptions of the caller's pixels.
 */
#include "frame.h"

#include <stdint.h>
#include <string.h>

static const int sample_size[] = {1, 2, 4};

static int fits(lpips_format format, int width, int height)
{
    return (unsigned)format <= LPIPS_F32 && width > 0 && height > 0;
}

int lpips_image_packed(lpips_image *img, lpips_format format, const void *pixels, int width,
                       int height, int channels, ptrdiff_t row_stride)
{
    int size;

    if (!img || !pixels || !fits(format, width, height) ||
        (channels != 1 && channels != 3 && channels != 4))
        return LPIPS_ERR_ARGUMENT;
    size = sample_size[format];
    memset(img, 0, sizeof *img);
    for (int i = 0; i < 3; i++) {
        img->plane[i] = (const char *)pixels + (channels == 1 ? 0 : i * size);
        img->row_stride[i] = row_stride;
    }
    img->pixel_stride = (ptrdiff_t)channels * size;
    img->width = width;
    img->height = height;
    img->format = format;
    return LPIPS_OK;
}

int lpips_image_planar(lpips_image *img, lpips_format format, const void *const plane[3],
                       const ptrdiff_t row_stride[3], int width, int height)
{
    if (!img || !plane || !row_stride || !plane[0] || !plane[1] || !plane[2] ||
        !fits(format, width, height))
        return LPIPS_ERR_ARGUMENT;
    memset(img, 0, sizeof *img);
    for (int i = 0; i < 3; i++) {
        img->plane[i] = plane[i];
        img->row_stride[i] = row_stride[i];
    }
    img->pixel_stride = sample_size[format];
    img->width = width;
    img->height = height;
    img->format = format;
    return LPIPS_OK;
}

int lpips_image_frame(lpips_image *img, const lpips_frame *frame)
{
    lpips_frame_rows rows;
    int status = img ? lpips_frame_prepare(&rows, frame) : LPIPS_ERR_ARGUMENT;

    if (status < 0)
        return status;
    memset(img, 0, sizeof *img);
    img->plane[0] = frame;
    img->width = frame->width;
    img->height = frame->height;
    img->format = LPIPS_FRAME;
    return LPIPS_OK;
}
