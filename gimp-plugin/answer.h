/*
 * answer.h - what liblpips says of a pair that was read, and its colours
 */
#ifndef LPIPS_PLUGIN_ANSWER_H
#define LPIPS_PLUGIN_ANSWER_H

#include "pair.h"
#include "settings.h"

typedef struct LpipsAnswer {
    double distance; /* of the box; with a selection the mean of the map, weighted by it */
    double layer[LPIPS_MAX_LAYERS];
    int layers;
    gboolean selection;
    GeglRectangle box, context;
    float *map;                    /* of the context, row by row */
    float *taps[LPIPS_MAX_LAYERS]; /* the same, where they were asked for */
    char net[16], version[16], describe[160];
} LpipsAnswer;

typedef struct LpipsQuestion {
    lpips_weights *weights;
    gboolean taps;             /* the map of each tap, too */
    const GeglRectangle *part; /* of the box; NULL: all of it */
    lpips_progress progress;
    void *progress_opaque;
} LpipsQuestion;

/* Where the process may have weights: LPIPS_WEIGHTS_PATH, the plug-in's own folder (may be
 * NULL), the library's folder.  NULL, and why. */
lpips_weights *lpips_answer_weights(int net, const char *folder, char *why, size_t size);

/* May run in any thread.  FALSE, and why (empty: the progress callback said stop). */
gboolean lpips_answer_compute(LpipsAnswer *answer, const LpipsPair *pair,
                              const LpipsQuestion *question, char *why, size_t size);
void lpips_answer_clear(LpipsAnswer *answer);

/* Bytes that comparing takes at its height: pictures, maps and the library's own. */
guint64 lpips_answer_memory(const LpipsPair *pair, lpips_weights *weights, gboolean taps);

/* "LPIPS 0.123456 (alex v0.1)"; of a tap, counted from 0, "tap 1: 0.012345 (alex v0.1)".
 * And what goes into the parasite: lines of name=value. */
char *lpips_answer_name(const LpipsAnswer *answer);
char *lpips_answer_tap_name(const LpipsAnswer *answer, int tap);
char *lpips_answer_parasite(const LpipsAnswer *answer, const LpipsSettings *settings,
                            int tap);

/* ---- painting: buffers of box.width x box.height that begin at 0, 0 ---- */

/* One of answer's maps in colours; where nothing is selected it is transparent. */
void lpips_paint_map(GeglBuffer *to, const LpipsAnswer *answer, const float *map,
                     const float *weight, const LpipsSettings *settings);

/* The distances as they are, in Y' samples: a float TIFF of GIMP's keeps these. */
void lpips_paint_raw(GeglBuffer *to, const LpipsAnswer *answer);

/* Colours from 0 to full scale, with both numbers. */
#define LPIPS_BAR_WIDTH  200
#define LPIPS_BAR_HEIGHT 32
void lpips_paint_bar(GeglBuffer *to, const LpipsSettings *settings);

#endif
