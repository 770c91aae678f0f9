/*
 * host.h - what the shared files want of a version of GIMP
 *
 * Layers and images are known by their numbers, which GIMP 2.10 and 3 both have.
 */
#ifndef LPIPS_PLUGIN_HOST_H
#define LPIPS_PLUGIN_HOST_H

#include "answer.h"

/* A layer of any open image that may be compared; results of this plug-in are not listed. */
typedef struct LpipsRow {
    gint id, image, width, height;
    char *label;
} LpipsRow;

typedef struct LpipsHost {
    GArray *rows; /* of LpipsRow, images one after the other, each from the top down */
    gint image;   /* where the plug-in was called */
    gint a, b;    /* the layers to compare */
    char *folder; /* of the plug-in */

    /* Buffers of both layers, in the colour space of their images, and the selection of
     * the first one's image.  The caller unrefs them.  Main thread only. */
    void (*open)(gint a, gint b, LpipsSource sources[2], LpipsMask *mask);
    /* Before a dialog (a GtkWindow) is shown. */
    void (*present)(gpointer dialog);
    /* GIMP's own progress bar. */
    gboolean (*progress_init)(const gchar *message);
    gboolean (*progress_update)(gdouble fraction);
    gboolean (*progress_end)(void);

    /* Settings that the user keeps on disk, to have them back at will; all NULL where GIMP's
     * own plug-ins cannot.  FALSE, and why. */
    gboolean (*has_saved)(gpointer store);
    gboolean (*save)(gpointer store, const LpipsSettings *settings, char *why, size_t size);
    gboolean (*load)(gpointer store, LpipsSettings *settings, char *why, size_t size);
    gpointer store;
} LpipsHost;

LpipsHost *lpips_host_new(gint image, const char *program);
void lpips_host_add(LpipsHost *host, gint id, gint image, int width, int height,
                    const char *image_name, const char *layer_name);
void lpips_host_free(LpipsHost *host);

/*
 * Fill what is not chosen of a and b (0 or less): the selected layers in their order, then
 * the next layer below, the next above, one of another image, rather of the same size.
 */
gboolean lpips_host_choose(LpipsHost *host, const gint *selected, int n, char *why,
                           size_t size);

gboolean lpips_host_read(const LpipsHost *host, const LpipsSettings *settings,
                         LpipsPair *pair, char *why, size_t size);

/* Read and compute at once, in this thread and with GIMP's progress bar: runs without a
 * dialog. */
gboolean lpips_host_compute(LpipsHost *host, const LpipsSettings *settings, LpipsPair *pair,
                            LpipsAnswer *answer, char *why, size_t size);

#endif
