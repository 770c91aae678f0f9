/*
 * preview.h - three small pictures of one crop: the first layer, the second, the differences
 */
#ifndef LPIPS_PLUGIN_PREVIEW_H
#define LPIPS_PLUGIN_PREVIEW_H

#include <gtk/gtk.h>

#include "answer.h"

#define LPIPS_PREVIEW_SIDE 192

typedef struct LpipsPreview {
    GeglRectangle part, box; /* the crop, and what it is a crop of; image coordinates */
    GtkWidget *images[3];
    GdkPixbuf *pixels[3];
    void (*moved)(gpointer); /* the user moved the crop */
    gpointer data;
    double x, y; /* of the pointer, while it drags */
} LpipsPreview;

GtkWidget *lpips_preview_widget(LpipsPreview *p, void (*moved)(gpointer), gpointer data);

/* The crop stays where it was as far as the box of the pair allows; at first it is the
 * middle. */
void lpips_preview_place(LpipsPreview *p, const LpipsPair *pair);

/* pair NULL: nothing; answer NULL or of another crop: only the layers. */
void lpips_preview_draw(LpipsPreview *p, const LpipsPair *pair, const LpipsAnswer *answer,
                        const LpipsSettings *settings);
void lpips_preview_free(LpipsPreview *p);

#endif
