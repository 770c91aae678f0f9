/*
 * metrics.c - the list of metrics, what they are asked through, and the room they work in.
 */
#include "metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fftw3.h>

#include "metrics/phase.h"
#include "metrics/room.h"

/* So that numbers of samples fit into 64 bits with room to spare, and sides into FFTW's. */
enum { LARGEST = 65535 };

const learn_metric learn_metrics[] = {
    {"l2-rgb", "L2 (RGB)", 1, learn_l2_rgb},
    {"l2-lab", "L2 (Lab)", 1, learn_l2_lab},
    {"l2-official", "L2 (official)", 1, learn_l2_official},
    {"psnr", "PSNR", 1, learn_psnr},
    {"ssim-rgb", "SSIM (RGB)", 7, learn_ssim_rgb},
    {"ssim-lab", "SSIM (Lab)", 7, learn_ssim_lab},
    {"ssim-official", "SSIM (official)", 7, learn_ssim_official},
    {"ssim", "SSIM", 11, learn_ssim},
    {"ms-ssim", "MS-SSIM", 11, learn_ms_ssim},
    {"fsim", "FSIM", 2, learn_fsim},
    {"fsimc", "FSIMc", 2, learn_fsimc},
    {NULL, NULL, 0, NULL},
};

const learn_metric *learn_metric_find(const char *name)
{
    const learn_metric *m = learn_metrics;

    while (m->name && strcmp(m->name, name))
        m++;
    return m->name ? m : NULL;
}

int learn_metric_distance(const learn_metric *m, learn_metric_room *room,
                          const learn_picture *a, const learn_picture *b, double *out,
                          char why[LEARN_WHY])
{
    int shorter = a->width < a->height ? a->width : a->height;
    int longer = a->width < a->height ? a->height : a->width;

    if (a->width != b->width || a->height != b->height)
        return learn_fail(why, "%s compares pictures of one size, not %dx%d with %dx%d",
                          m->title, a->width, a->height, b->width, b->height);
    if (shorter < m->smallest)
        return learn_fail(why, "%s needs pictures of %dx%d at least, not %dx%d", m->title,
                          m->smallest, m->smallest, a->width, a->height);
    if (longer > LARGEST)
        return learn_fail(why, "%s takes pictures of up to %d a side, not %dx%d", m->title,
                          LARGEST, a->width, a->height);
    if (m->distance(room, a, b, out) < 0)
        return learn_fail(why, "no memory for %s of pictures of %dx%d", m->title, a->width,
                          a->height);
    return 0;
}

learn_metric_room *learn_metric_room_make(void)
{
    learn_metric_room *room = calloc(1, sizeof *room);

    if (!room)
        return NULL;
    /* IEC 61966-2-1. */
    for (int i = 0; i < 256; i++) {
        double v = i / 255.0;

        room->light[i] = v > 0.04045 ? pow((v + 0.055) / 1.055, 2.4) : v / 12.92;
    }
    /* (((i / 255 - 0.5) / 0.5) + 1) * 127.5 in float32, cut to an integer. */
    for (int i = 0; i < 256; i++)
        room->loaded[i] = room->light[i >= 1 && i <= 63 ? i - 1 : i];
    return room;
}

void learn_metric_room_free(learn_metric_room *room)
{
    if (!room)
        return;
    learn_phase_free(room->phase);
    fftw_free(room->block);
    free(room);
}

double *learn_room_doubles(learn_metric_room *room, size_t n)
{
    if (n > room->doubles) {
        fftw_free(room->block);
        room->block = fftw_alloc_real(n);
        room->doubles = room->block ? n : 0;
    }
    return room->block;
}
