/*
 * preview.c - pixels of a crop, drawn by GdkPixbuf, which is the same in GTK 2 and 3
 */
#include "preview.h"

#include <string.h>

#include <glib/gi18n-lib.h>

static guint8 to_byte(const LpipsPair *pair, const void *samples, size_t i)
{
    if (pair->a.format == LPIPS_U8)
        return ((const guint8 *)samples)[i];
    if (pair->a.format == LPIPS_U16)
        return (guint8)((((const guint16 *)samples)[i] * 255u + 32767u) / 65535u);
    return (guint8)(255 * CLAMP(((const float *)samples)[i], 0, 1) + 0.5F);
}

static guint8 *row_of(GdkPixbuf *pixbuf, int y)
{
    return gdk_pixbuf_get_pixels(pixbuf) + (size_t)y * gdk_pixbuf_get_rowstride(pixbuf);
}

static void draw_layer(const LpipsPreview *p, GdkPixbuf *to, const LpipsPair *pair, int which)
{
    const GeglRectangle *c = &pair->context;

    for (int y = 0; y < p->part.height; y++) {
        const size_t from =
            3 * ((size_t)(p->part.y - c->y + y) * c->width + (p->part.x - c->x));
        guint8 *row = row_of(to, y);

        for (int i = 0; i < 3 * p->part.width; i++)
            row[i] = to_byte(pair, pair->pixels[which], from + i);
    }
}

static void draw_map(const LpipsPreview *p, GdkPixbuf *to, const LpipsAnswer *answer,
                     const LpipsSettings *settings)
{
    const GeglRectangle *c = &answer->context;

    for (int y = 0; y < p->part.height; y++)
        lpips_colorize(row_of(to, y),
                       answer->map + (size_t)(p->part.y - c->y + y) * c->width +
                           (p->part.x - c->x),
                       (size_t)p->part.width, (lpips_colormap)settings->colors,
                       (float)settings->full_scale, lpips_over_color(settings));
}

void lpips_preview_draw(LpipsPreview *p, const LpipsPair *pair, const LpipsAnswer *answer,
                        const LpipsSettings *settings)
{
    for (int i = 0; i < 3; i++) {
        gdk_pixbuf_fill(p->pixels[i], 0x808080ff);
        if (pair && i < 2)
            draw_layer(p, p->pixels[i], pair, i);
        else if (pair && answer && gegl_rectangle_contains(&answer->context, &p->part))
            draw_map(p, p->pixels[i], answer, settings);
        gtk_image_set_from_pixbuf(GTK_IMAGE(p->images[i]), p->pixels[i]);
    }
}

static void move_to(LpipsPreview *p, int x, int y)
{
    p->part.x = CLAMP(x, p->box.x, p->box.x + p->box.width - p->part.width);
    p->part.y = CLAMP(y, p->box.y, p->box.y + p->box.height - p->part.height);
}

void lpips_preview_place(LpipsPreview *p, const LpipsPair *pair)
{
    const gboolean first = p->part.width == 0;

    p->box = pair->box;
    p->part.width = MIN(pair->box.width, LPIPS_PREVIEW_SIDE);
    p->part.height = MIN(pair->box.height, LPIPS_PREVIEW_SIDE);
    if (first)
        move_to(p, p->box.x + (p->box.width - p->part.width) / 2,
                p->box.y + (p->box.height - p->part.height) / 2);
    else
        move_to(p, p->part.x, p->part.y);
}

static gboolean on_press(GtkWidget *widget, GdkEventButton *event, gpointer data)
{
    LpipsPreview *p = data;

    (void)widget;
    p->x = event->x;
    p->y = event->y;
    return TRUE;
}

static gboolean on_release(GtkWidget *widget, GdkEventButton *event, gpointer data)
{
    LpipsPreview *p = data;
    const GeglRectangle before = p->part;

    (void)widget;
    move_to(p, p->part.x - (int)(event->x - p->x), p->part.y - (int)(event->y - p->y));
    if (!gegl_rectangle_equal(&before, &p->part))
        p->moved(p->data);
    return TRUE;
}

GtkWidget *lpips_preview_widget(LpipsPreview *p, void (*moved)(gpointer), gpointer data)
{
    const char *const names[3] = {_("First"), _("Second"), _("Differences")};
    GtkWidget *line = gtk_hbox_new(FALSE, 6);

    p->moved = moved;
    p->data = data;
    for (int i = 0; i < 3; i++) {
        GtkWidget *column = gtk_vbox_new(FALSE, 3), *events = gtk_event_box_new();

        p->pixels[i] = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, LPIPS_PREVIEW_SIDE,
                                      LPIPS_PREVIEW_SIDE);
        gdk_pixbuf_fill(p->pixels[i], 0x808080ff);
        p->images[i] = gtk_image_new_from_pixbuf(p->pixels[i]);
        gtk_container_add(GTK_CONTAINER(events), p->images[i]);
        gtk_widget_add_events(events, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK);
        g_signal_connect(events, "button-press-event", G_CALLBACK(on_press), p);
        g_signal_connect(events, "button-release-event", G_CALLBACK(on_release), p);
        gtk_box_pack_start(GTK_BOX(column), gtk_label_new(names[i]), FALSE, FALSE, 0);
        gtk_box_pack_start(GTK_BOX(column), events, FALSE, FALSE, 0);
        gtk_box_pack_start(GTK_BOX(line), column, FALSE, FALSE, 0);
    }
    return line;
}

void lpips_preview_free(LpipsPreview *p)
{
    for (int i = 0; i < 3; i++)
        g_clear_object(&p->pixels[i]);
}
