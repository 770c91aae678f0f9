/*
 * colors.c - distances to colours, by tables that rise evenly in lightness.
 */
#include "lpips.h"

#include "colors_table.h"

#include <math.h>
#include <string.h>

#define COLORMAPS 5

static const char *const names[COLORMAPS] = {"viridis", "magma", "inferno", "cividis",
                                             "gray"};

/* NULL: gray, which needs no table. */
static const uint32_t *const tables[COLORMAPS] = {viridis, magma, inferno, cividis, NULL};

const char *lpips_colormap_name(lpips_colormap colors)
{
    return (unsigned)colors < COLORMAPS ? names[colors] : NULL;
}

int lpips_colormap_from_name(const char *name)
{
    for (int i = 0; name && i < COLORMAPS; i++)
        if (!strcmp(name, names[i]))
            return i;
    return LPIPS_ERR_ARGUMENT;
}

/*
 * Of all colours, pure blue has the largest smallest CIELAB distance to a map's
 * entries, taken over normal, deuteranopic and protanopic sight: 53 (magma) to 98
 * (gray).  Red beside viridis keeps 19 for a deuteranope.
 */
const uint8_t *lpips_colormap_over(lpips_colormap colors)
{
    static const uint8_t blue[3] = {0, 0, 255};

    return (unsigned)colors < COLORMAPS ? blue : NULL;
}

/* The nearest of 256 entries: floor(255 d / full_scale + 1/2), halves going up. */
static void put_color(uint8_t rgb[3], const uint32_t *table, double d, double full_scale)
{
    double position = d > 0 ? 255.0 * d / full_scale : 0;
    unsigned i = (unsigned)(position + 0.5);
    uint32_t color = table ? table[i] : i * 0x010101u;

    rgb[0] = (uint8_t)(color >> 16);
    rgb[1] = (uint8_t)(color >> 8);
    rgb[2] = (uint8_t)color;
}

int lpips_colorize(uint8_t *rgb, const float *distances, size_t n, lpips_colormap colors,
                   float full_scale, const uint8_t over[3])
{
    if ((unsigned)colors >= COLORMAPS || !over || (n && (!rgb || !distances)))
        return LPIPS_ERR_ARGUMENT;
    if (!(full_scale > 0) || isinf(full_scale))
        return LPIPS_ERR_ARGUMENT;
    for (size_t i = 0; i < n; i++) {
        if (isnan(distances[i]))
            return LPIPS_ERR_NOT_FINITE;
        if (distances[i] > full_scale)
            memcpy(rgb + 3 * i, over, 3);
        else
            put_color(rgb + 3 * i, tables[colors], distances[i], full_scale);
    }
    return LPIPS_OK;
}
