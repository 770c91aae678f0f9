/*
 * map.c - local distances as a picture in colours.
 */
#include "compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The folders on the way to a file. */
static int make_folders(char *path, char why[MEDIA_WHY])
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) && errno != EEXIST) {
            snprintf(why, MEDIA_WHY, "%.400s: the folder for maps cannot be made: %s", path,
                     strerror(errno));
            return -1;
        }
        *slash = '/';
    }
    return 0;
}

/* A folder is meant where there are several: "maps/name.png", and "maps/1/name.png" by the
 * number of the set where there are several sets. */
int cli_map_path(char **path, const cli_options *o, const cli_items *items, const char *name,
                 int set, char why[MEDIA_WHY])
{
    const char *folder = o->distorted[set];
    int n;

    if (items->n == 1 && items->sets == 1 && !items->folders) {
        *path = strdup(o->map);
        return *path ? 0 : -1;
    }
    if (items->folders)
        name += strlen(folder) + strspn(name + strlen(folder), "/");
    else if (strrchr(name, '/'))
        name = strrchr(name, '/') + 1;
    if (items->sets > 1)
        n = asprintf(path, "%s/%d/%s.png", o->map, set + 1, name);
    else
        n = asprintf(path, "%s/%s.png", o->map, name);
    if (n < 0) {
        *path = NULL;
        return -1;
    }
    return make_folders(*path, why);
}

int cli_map_write(const char *path, const cli_options *o, const float *distances, int width,
                  int height, char why[MEDIA_WHY])
{
    const size_t n = (size_t)width * (size_t)height;
    uint8_t *rgb = malloc(3 * n);
    int ret = -1;

    if (!rgb || lpips_colorize(rgb, distances, n, o->colors, o->scale_max,
                               lpips_colormap_over(o->colors)) < 0)
        snprintf(why, MEDIA_WHY, "%s: the map cannot be drawn", path);
    else
        ret = media_png_write(path, rgb, width, height, why);
    free(rgb);
    return ret;
}
