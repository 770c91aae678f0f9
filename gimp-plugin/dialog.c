/*
 * dialog.c - layers and settings to the left; to the right a crop, and the distance of the
 * whole, which is the very number that the result will carry
 *
 * Whatever changes pixels or net starts the worker anew; colours are only painted anew.
 */
#include "dialog.h"

#include <string.h>

#include <gtk/gtk.h>

#include <glib/gi18n-lib.h>

#include "preview.h"
#include "worker.h"

enum { RESPONSE_RESET = 1 };

typedef struct Dialog {
    LpipsHost *host;
    LpipsSettings *settings;
    LpipsPair pair;
    LpipsWorker worker;
    lpips_weights *weights;
    LpipsPreview preview;
    gboolean pair_ok; /* read, as the settings now are */
    gboolean shown_crop, shown_whole;
    gboolean accepting; /* OK was pressed, the whole is awaited */
    gboolean filling;   /* widgets change because of the code, not the user */
    guint restart, timer;
    char why[512];

    GtkWidget *window, *left, *number, *estimate, *progress, *compute, *caption, *load;
    GtkWidget *layers[2], *choices[LPIPS_ARGUMENTS], *full_scale, *bar;
} Dialog;

/* ---- what is computed ---------------------------------------------------- */

static gboolean wants_taps(const Dialog *d)
{
    return d->settings->output == LPIPS_OUTPUT_GROUP;
}

static gboolean whole_is_there(Dialog *d)
{
    return lpips_worker_state(&d->worker) == LPIPS_WORK_DONE && d->worker.whole_ok &&
           (!wants_taps(d) || d->worker.whole.taps[0]);
}

static void show_number(Dialog *d)
{
    char *text, *markup;

    if (d->why[0])
        text = g_strdup(d->why);
    else if (whole_is_there(d))
        text = lpips_answer_name(&d->worker.whole);
    else if (d->worker.force && lpips_worker_state(&d->worker) < LPIPS_WORK_DONE)
        text = g_strdup(_("being computed"));
    else
        text = g_strdup(_("not computed yet"));
    markup = g_markup_printf_escaped(d->why[0] ? "%s" : _("Distance of the whole: <b>%s</b>"),
                                     text);
    gtk_label_set_markup(GTK_LABEL(d->number), markup);
    g_free(markup);
    g_free(text);
}

static void show_estimate(Dialog *d)
{
    char *text = NULL;

    if (d->pair_ok && d->weights && lpips_worker_state(&d->worker) >= LPIPS_WORK_CROP &&
        d->worker.seconds > 0) {
        const double mega = (double)d->pair.context.width * d->pair.context.height / 1e6;

        text = g_strdup_printf(
            _("%d x %d pixels, %.1f megapixels: about %.1f s with %s, %.2f GB of memory"),
            d->pair.box.width, d->pair.box.height, mega, d->worker.seconds,
            lpips_net_name(lpips_weights_net(d->weights)),
            lpips_answer_memory(&d->pair, d->weights, wants_taps(d)) / 1e9);
    }
    gtk_label_set_text(GTK_LABEL(d->estimate), text ? text : "");
    g_free(text);
}

static void show_preview(Dialog *d)
{
    const LpipsAnswer *from = NULL;
    char *text;

    if (whole_is_there(d))
        from = &d->worker.whole;
    else if (lpips_worker_state(&d->worker) >= LPIPS_WORK_CROP && d->worker.crop_ok)
        from = &d->worker.crop;
    lpips_preview_draw(&d->preview, d->pair_ok ? &d->pair : NULL, from, d->settings);
    text = d->pair_ok
               ? g_strdup_printf(_("Preview: a crop of %d x %d pixels at %d, %d, shown "
                                   "1:1.  Drag to move it."),
                                 d->preview.part.width, d->preview.part.height,
                                 d->preview.part.x, d->preview.part.y)
               : g_strdup("");
    gtk_label_set_text(GTK_LABEL(d->caption), text);
    g_free(text);
}

static void show_all(Dialog *d)
{
    const gboolean running =
        d->worker.thread && lpips_worker_state(&d->worker) < LPIPS_WORK_DONE;

    show_number(d);
    show_estimate(d);
    show_preview(d);
    gtk_widget_set_sensitive(d->left, !d->accepting);
    gtk_widget_set_sensitive(d->compute, d->pair_ok && !running && !whole_is_there(d));
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), GTK_RESPONSE_OK,
                                      d->pair_ok && d->weights && !d->why[0] &&
                                          !d->accepting);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->window), RESPONSE_RESET, !d->accepting);
    if (!running)
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress),
                                      whole_is_there(d) ? 1 : 0);
}

static gboolean on_timer(gpointer data)
{
    Dialog *d = data;
    const LpipsWork state = lpips_worker_state(&d->worker);

    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(d->progress),
                                  g_atomic_int_get(&d->worker.permille) / 1000.0);
    if (state >= LPIPS_WORK_CROP && !d->shown_crop) {
        d->shown_crop = TRUE;
        show_all(d);
    }
    if (state != LPIPS_WORK_DONE || d->shown_whole)
        return TRUE;
    d->shown_whole = TRUE;
    if (!d->worker.crop_ok || (d->worker.force && !d->worker.whole_ok))
        g_strlcpy(d->why, d->worker.why, sizeof d->why);
    if (d->accepting && whole_is_there(d))
        gtk_dialog_response(GTK_DIALOG(d->window), GTK_RESPONSE_OK);
    else
        d->accepting = FALSE;
    show_all(d);
    return TRUE;
}

static void start(Dialog *d, gboolean force)
{
    lpips_worker_stop(&d->worker);
    d->shown_crop = d->shown_whole = FALSE;
    d->why[0] = '\0';
    if (!d->weights || (int)lpips_weights_net(d->weights) != d->settings->net) {
        lpips_weights_unref(d->weights);
        d->weights =
            lpips_answer_weights(d->settings->net, d->host->folder, d->why, sizeof d->why);
    }
    if (!d->pair_ok) {
        lpips_pair_clear(&d->pair);
        d->pair_ok = lpips_host_read(d->host, d->settings, &d->pair, d->why, sizeof d->why);
        lpips_preview_place(&d->preview, &d->pair);
    }
    if (d->pair_ok && d->weights)
        lpips_worker_start(&d->worker, &d->pair, d->weights, &d->preview.part, wants_taps(d),
                           force);
    show_all(d);
}

static gboolean on_restart(gpointer data)
{
    Dialog *d = data;

    d->restart = 0;
    start(d, FALSE);
    return FALSE;
}

/* Soon, so that several changes at once are one. */
static void restart_soon(Dialog *d, gboolean read)
{
    if (read)
        d->pair_ok = FALSE;
    if (!d->restart)
        d->restart = g_timeout_add(150, on_restart, d);
}

/* ---- what the user does -------------------------------------------------- */

static void on_layer(GtkComboBox *combo, gpointer data)
{
    Dialog *d = data;
    const gint i = gtk_combo_box_get_active(combo);
    gint *id = GTK_WIDGET(combo) == d->layers[0] ? &d->host->a : &d->host->b;

    if (i < 0 || d->filling)
        return;
    *id = g_array_index(d->host->rows, LpipsRow, i).id;
    restart_soon(d, TRUE);
}

static void on_choice(GtkComboBox *combo, gpointer data)
{
    Dialog *d = data;
    int which = 0;
    gint *setting;

    while (d->choices[which] != GTK_WIDGET(combo))
        which++;
    setting = &LPIPS_SETTING(d->settings, &lpips_arguments[which]);
    if (d->filling || *setting == gtk_combo_box_get_active(combo))
        return;
    *setting = gtk_combo_box_get_active(combo);
    if (setting == &d->settings->background || setting == &d->settings->sizes)
        restart_soon(d, TRUE);
    else if (setting == &d->settings->net)
        restart_soon(d, FALSE);
    else
        show_all(d);
}

static void on_full_scale(GtkSpinButton *spin, gpointer data)
{
    Dialog *d = data;

    d->settings->full_scale = gtk_spin_button_get_value(spin);
    show_preview(d);
}

static void on_bar(GtkToggleButton *button, gpointer data)
{
    ((Dialog *)data)->settings->bar = gtk_toggle_button_get_active(button);
}

static void on_compute(GtkButton *button, gpointer data)
{
    (void)button;
    start(data, TRUE);
}

static void on_moved(gpointer data)
{
    Dialog *d = data;

    if (whole_is_there(d))
        show_preview(d);
    else if (!d->accepting && !(d->worker.force && d->worker.thread))
        restart_soon(d, FALSE);
}

static void fill(Dialog *d)
{
    d->filling = TRUE;
    for (int i = 0; i < (int)d->host->rows->len; i++) {
        const gint id = g_array_index(d->host->rows, LpipsRow, i).id;

        if (id == d->host->a)
            gtk_combo_box_set_active(GTK_COMBO_BOX(d->layers[0]), i);
        if (id == d->host->b)
            gtk_combo_box_set_active(GTK_COMBO_BOX(d->layers[1]), i);
    }
    for (int i = 0; i < LPIPS_ARGUMENTS; i++)
        gtk_combo_box_set_active(GTK_COMBO_BOX(d->choices[i]),
                                 LPIPS_SETTING(d->settings, &lpips_arguments[i]));
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(d->bar), d->settings->bar);
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(d->full_scale), d->settings->full_scale);
    d->filling = FALSE;
}

static void on_save(GtkButton *button, gpointer data)
{
    Dialog *d = data;
    char why[512] = "";

    (void)button;
    if (!d->host->save(d->host->store, d->settings, why, sizeof why))
        gtk_label_set_text(GTK_LABEL(d->estimate), why);
    gtk_widget_set_sensitive(d->load, d->host->has_saved(d->host->store));
}

static void on_load(GtkButton *button, gpointer data)
{
    Dialog *d = data;
    char why[512] = "";

    (void)button;
    if (!d->host->load(d->host->store, d->settings, why, sizeof why)) {
        gtk_label_set_text(GTK_LABEL(d->estimate), why);
        return;
    }
    fill(d);
    restart_soon(d, TRUE);
}

/* ---- widgets ------------------------------------------------------------- */

static void attach(GtkWidget *table, int row, const char *text, GtkWidget *widget)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(text);

    gtk_misc_set_alignment(GTK_MISC(label), 0, 0.5F);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), widget);
    gtk_table_attach(GTK_TABLE(table), label, 0, 1, row, row + 1, GTK_FILL, GTK_FILL, 0, 0);
    gtk_table_attach(GTK_TABLE(table), widget, 1, 2, row, row + 1, GTK_FILL | GTK_EXPAND,
                     GTK_FILL, 0, 0);
}

static GtkWidget *left_side(Dialog *d)
{
    GtkWidget *table = gtk_table_new(LPIPS_ARGUMENTS + 4, 2, FALSE);
    const char *const names[2] = {_("_First layer"), _("S_econd layer")};
    int row = 0;

    gtk_table_set_row_spacings(GTK_TABLE(table), 6);
    gtk_table_set_col_spacings(GTK_TABLE(table), 6);
    for (int i = 0; i < 2; i++) {
        d->layers[i] = gtk_combo_box_text_new();
        for (guint k = 0; k < d->host->rows->len; k++)
            gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(d->layers[i]),
                                           g_array_index(d->host->rows, LpipsRow, k).label);
        attach(table, row++, names[i], d->layers[i]);
        g_signal_connect(d->layers[i], "changed", G_CALLBACK(on_layer), d);
    }
    for (int i = 0; i < LPIPS_ARGUMENTS; i++) {
        const LpipsArgument *arg = &lpips_arguments[i];

        d->choices[i] = gtk_combo_box_text_new();
        for (int k = 0; arg->choices[k].nick; k++)
            gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(d->choices[i]),
                                           _(arg->choices[k].label));
        gtk_widget_set_tooltip_text(d->choices[i], _(arg->help));
        attach(table, row++, _(arg->label), d->choices[i]);
        g_signal_connect(d->choices[i], "changed", G_CALLBACK(on_choice), d);
    }
    d->full_scale = gtk_spin_button_new_with_range(0.001, LPIPS_MAX_SCALE, 0.05);
    gtk_spin_button_set_digits(GTK_SPIN_BUTTON(d->full_scale), 3);
    gtk_widget_set_tooltip_text(d->full_scale, _("The distance of the last colour. It stays "
                                                 "as it is, so that results compare."));
    attach(table, row++, _("Full sc_ale"), d->full_scale);
    g_signal_connect(d->full_scale, "value-changed", G_CALLBACK(on_full_scale), d);
    d->bar = gtk_check_button_new_with_mnemonic(_("Colour _bar, as a layer of its own"));
    gtk_table_attach(GTK_TABLE(table), d->bar, 0, 2, row, row + 1, GTK_FILL, GTK_FILL, 0, 0);
    g_signal_connect(d->bar, "toggled", G_CALLBACK(on_bar), d);
    return table;
}

static GtkWidget *text_label(void)
{
    GtkWidget *label = gtk_label_new("");

    gtk_misc_set_alignment(GTK_MISC(label), 0, 0.5F);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_widget_set_size_request(label, 3 * LPIPS_PREVIEW_SIDE + 12, -1);
    return label;
}

static GtkWidget *right_side(Dialog *d)
{
    GtkWidget *box = gtk_vbox_new(FALSE, 6);
    GtkWidget *line = gtk_hbox_new(FALSE, 6);

    d->caption = text_label();
    d->number = text_label();
    d->estimate = text_label();
    gtk_label_set_selectable(GTK_LABEL(d->number), TRUE);
    gtk_widget_set_can_focus(d->number, FALSE);
    d->progress = gtk_progress_bar_new();
    d->compute = gtk_button_new_with_mnemonic(_("Co_mpute the whole"));
    g_signal_connect(d->compute, "clicked", G_CALLBACK(on_compute), d);
    gtk_box_pack_start(GTK_BOX(box), lpips_preview_widget(&d->preview, on_moved, d), FALSE,
                       FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->caption, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), d->number, FALSE, FALSE, 6);
    gtk_box_pack_start(GTK_BOX(box), d->estimate, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), d->progress, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(line), d->compute, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), line, FALSE, FALSE, 0);
    return box;
}

/* As GIMP 3's own plug-ins have it. */
static GtkWidget *saved_settings(Dialog *d)
{
    GtkWidget *box = gtk_hbutton_box_new(), *save;

    gtk_button_box_set_layout(GTK_BUTTON_BOX(box), GTK_BUTTONBOX_START);
    gtk_box_set_spacing(GTK_BOX(box), 6);
    d->load = gtk_button_new_with_mnemonic(_("_Load Saved Settings"));
    gtk_widget_set_sensitive(d->load, d->host->has_saved(d->host->store));
    save = gtk_button_new_with_mnemonic(_("_Save Settings"));
    g_signal_connect(d->load, "clicked", G_CALLBACK(on_load), d);
    g_signal_connect(save, "clicked", G_CALLBACK(on_save), d);
    gtk_container_add(GTK_CONTAINER(box), d->load);
    gtk_container_add(GTK_CONTAINER(box), save);
    return box;
}

static void build(Dialog *d)
{
    GtkWidget *content, *line = gtk_hbox_new(FALSE, 12), *column = gtk_vbox_new(FALSE, 12);

    d->window =
        gtk_dialog_new_with_buttons(_("LPIPS: perceptual differences"), NULL, 0, _("_Reset"),
                                    RESPONSE_RESET, _("_Cancel"), GTK_RESPONSE_CANCEL,
                                    _("_OK"), GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(d->window), GTK_RESPONSE_OK);
    gtk_window_set_resizable(GTK_WINDOW(d->window), FALSE);
    content = gtk_dialog_get_content_area(GTK_DIALOG(d->window));
    d->left = left_side(d);
    gtk_container_set_border_width(GTK_CONTAINER(line), 12);
    gtk_box_pack_start(GTK_BOX(column), d->left, FALSE, FALSE, 0);
    if (d->host->save)
        gtk_box_pack_end(GTK_BOX(column), saved_settings(d), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), column, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(line), right_side(d), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(content), line, TRUE, TRUE, 0);
    fill(d);
    gtk_widget_show_all(line);
    if (d->host->present)
        d->host->present(d->window);
    gtk_widget_show(d->window);
}

/* TRUE: the whole is computed and wanted. */
static gboolean converse(Dialog *d)
{
    for (;;) {
        const gint response = gtk_dialog_run(GTK_DIALOG(d->window));

        if (response == RESPONSE_RESET) {
            *d->settings = lpips_settings_default;
            fill(d);
            restart_soon(d, TRUE);
        } else if (response != GTK_RESPONSE_OK) {
            return FALSE;
        } else if (d->restart || !whole_is_there(d)) {
            if (d->restart)
                g_source_remove(d->restart);
            d->restart = 0;
            d->accepting = TRUE;
            start(d, TRUE);
            d->accepting = d->worker.thread != NULL;
            show_all(d);
        } else {
            return TRUE;
        }
    }
}

gboolean lpips_dialog_run(LpipsHost *host, LpipsSettings *settings, LpipsPair *pair,
                          LpipsAnswer *answer)
{
    Dialog d = {.host = host, .settings = settings};
    gboolean ok;

    build(&d);
    d.timer = g_timeout_add(80, on_timer, &d);
    start(&d, FALSE);
    ok = converse(&d);
    g_source_remove(d.timer);
    if (d.restart)
        g_source_remove(d.restart);
    if (ok) {
        *pair = d.pair;
        *answer = d.worker.whole;
        memset(&d.pair, 0, sizeof d.pair);
        memset(&d.worker.whole, 0, sizeof d.worker.whole);
    }
    lpips_worker_stop(&d.worker);
    lpips_pair_clear(&d.pair);
    lpips_weights_unref(d.weights);
    gtk_widget_destroy(d.window);
    lpips_preview_free(&d.preview);
    return ok;
}
