/*
 * gimp2.c - the plug-in in GIMP 2.10: procedure, layers, images
 *
 * Computing comes first and the image is touched last: a cancel in GIMP's progress bar ends
 * this process, and nothing may be left behind then.
 */
#include "dialog.h"

#include <string.h>

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n-lib.h>

enum { ARG_MODE, ARG_IMAGE, ARG_DRAWABLE, ARG_A, ARG_B, ARG_SCALE, ARG_BAR, ARG_CHOICES };
enum { N_ARGS = ARG_CHOICES + LPIPS_ARGUMENTS };
enum { N_VALUES = 4 };

/* What a run makes. */
typedef struct Made {
    gint32 image, layer;
} Made;

static const GimpParamDef values_def[] = {
    {GIMP_PDB_FLOAT, "distance", "The distance; 0 is equal"},
    {GIMP_PDB_IMAGE, "map-image", "The image with the result"},
    {GIMP_PDB_LAYER, "map-layer", "The new layer, or the new layer group"},
};

/* ---- images and layers --------------------------------------------------- */

static gboolean is_result(gint32 item)
{
    GimpParasite *p = gimp_item_get_parasite(item, LPIPS_PARASITE);

    if (!p)
        return FALSE;
    gimp_parasite_free(p);
    return TRUE;
}

static void list_layer(LpipsHost *host, gint32 image, const char *image_name, gint32 layer)
{
    char *name;

    if (is_result(layer))
        return;
    name = gimp_item_get_name(layer);
    lpips_host_add(host, layer, image, gimp_drawable_width(layer),
                   gimp_drawable_height(layer), image_name, name);
    g_free(name);
    if (gimp_item_is_group(layer)) {
        gint n = 0;
        gint *children = gimp_item_get_children(layer, &n);

        for (int i = 0; i < n; i++)
            list_layer(host, image, image_name, children[i]);
        g_free(children);
    }
}

static void list_image(LpipsHost *host, gint32 image)
{
    char *name = gimp_image_get_name(image);
    gint n = 0;
    gint *layers = gimp_image_get_layers(image, &n);

    for (int i = 0; i < n; i++)
        list_layer(host, image, name, layers[i]);
    g_free(layers);
    g_free(name);
}

/* The profile of an image, which GIMP 2.10 does not tell its buffers; NULL: none. */
static const Babl *space_of(gint32 item)
{
    const gint32 image = gimp_item_get_image(item);
    GimpColorProfile *profile = gimp_image_get_color_profile(image);
    const Babl *space = NULL;

    if (profile)
        space =
            gimp_color_profile_get_space(profile,
                                         GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC,
                                         NULL);
    g_clear_object(&profile);
    return space;
}

static GeglBuffer *buffer_of(gint32 drawable)
{
    return lpips_in_space(gimp_drawable_get_buffer(drawable), space_of(drawable));
}

static void open_layers(gint a, gint b, LpipsSource sources[2], LpipsMask *mask)
{
    const gint ids[2] = {a, b};
    const gint32 image = gimp_item_get_image(a);
    gboolean selected = FALSE;
    gint x1 = 0, y1 = 0, x2 = 0, y2 = 0;

    for (int i = 0; i < 2; i++) {
        sources[i].buffer = buffer_of(ids[i]);
        gimp_drawable_offsets(ids[i], &sources[i].x, &sources[i].y);
    }
    gimp_selection_bounds(image, &selected, &x1, &y1, &x2, &y2);
    if (selected) {
        mask->buffer = gimp_drawable_get_buffer(gimp_image_get_selection(image));
        mask->bounds = *GEGL_RECTANGLE(x1, y1, x2 - x1, y2 - y1);
    }
}

static void present(gpointer dialog)
{
    gimp_window_set_transient(GTK_WINDOW(dialog));
}

static LpipsHost *list_all(gint32 image)
{
    LpipsHost *host = lpips_host_new(image, gimp_get_progname());
    gint n = 0;
    gint *images = gimp_image_list(&n);

    list_image(host, image);
    for (int i = 0; i < n; i++)
        if (images[i] != image)
            list_image(host, images[i]);
    g_free(images);
    host->open = open_layers;
    host->present = present;
    host->progress_init = gimp_progress_init;
    host->progress_update = gimp_progress_update;
    host->progress_end = gimp_progress_end;
    return host;
}

/* ---- results ------------------------------------------------------------- */

static void mark(gint32 id, const char *text, gboolean image)
{
    GimpParasite *p =
        gimp_parasite_new(LPIPS_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE,
                          (guint32)strlen(text) + 1, text);

    if (image)
        gimp_image_attach_parasite(id, p);
    else
        gimp_item_attach_parasite(id, p);
    gimp_parasite_free(p);
}

/* Flushes, shows and gives back. */
static void finish(gint32 layer, GeglBuffer *buffer, const LpipsAnswer *answer,
                   const LpipsSettings *settings, int tap)
{
    char *text = lpips_answer_parasite(answer, settings, tap);

    g_object_unref(buffer);
    gimp_drawable_update(layer, 0, 0, gimp_drawable_width(layer),
                         gimp_drawable_height(layer));
    mark(layer, text, FALSE);
    g_free(text);
}

static gint32 add_layer(gint32 image, gint32 parent, int position, char *name, int width,
                        int height)
{
    const GimpImageType type =
        gimp_image_base_type(image) == GIMP_GRAY ? GIMP_GRAY_IMAGE : GIMP_RGBA_IMAGE;
    gint32 layer = gimp_layer_new(image, name, width, height, type, 100,
                                  gimp_image_get_default_new_layer_mode(image));

    g_free(name);
    if (layer > 0 && !gimp_image_insert_layer(image, layer, parent, position)) {
        gimp_item_delete(layer);
        layer = -1;
    }
    return layer;
}

static gint32 add_map(gint32 image, gint32 parent, int position, const LpipsPair *pair,
                      const LpipsAnswer *answer, const LpipsSettings *settings, int tap,
                      int x, int y)
{
    gint32 layer =
        add_layer(image, parent, position,
                  tap < 0 ? lpips_answer_name(answer) : lpips_answer_tap_name(answer, tap),
                  answer->box.width, answer->box.height);
    GeglBuffer *buffer;

    if (layer < 0)
        return -1;
    buffer = buffer_of(layer);
    lpips_paint_map(buffer, answer, tap < 0 ? answer->map : answer->taps[tap], pair->weight,
                    settings);
    finish(layer, buffer, answer, settings, tap);
    gimp_layer_set_offsets(layer, x, y);
    return layer;
}

static gint32 add_group(gint32 image, const LpipsPair *pair, const LpipsAnswer *answer,
                        const LpipsSettings *settings)
{
    gint32 group = gimp_layer_group_new(image);
    char *name = lpips_answer_name(answer);
    char *text = lpips_answer_parasite(answer, settings, -1);

    if (group > 0 && !gimp_image_insert_layer(image, group, 0, 0))
        group = -1;
    for (int i = 0; i < answer->layers && group > 0; i++)
        if (add_map(image, group, i, pair, answer, settings, i, answer->box.x,
                    answer->box.y) < 0)
            group = -1;
    if (group > 0) {
        gimp_item_set_name(group, name);
        mark(group, text, FALSE);
    }
    g_free(name);
    g_free(text);
    return group;
}

static gboolean add_bar(gint32 image, const LpipsAnswer *answer,
                        const LpipsSettings *settings, int x, int y)
{
    gint32 layer = add_layer(image, 0, 0, g_strdup(_("LPIPS colour bar")), LPIPS_BAR_WIDTH,
                             LPIPS_BAR_HEIGHT);
    GeglBuffer *buffer;

    if (layer < 0)
        return FALSE;
    buffer = buffer_of(layer);
    lpips_paint_bar(buffer, settings);
    finish(layer, buffer, answer, settings, -1);
    gimp_layer_set_offsets(layer, x + MAX(answer->box.width - LPIPS_BAR_WIDTH - 4, 0),
                           y + MAX(answer->box.height - LPIPS_BAR_HEIGHT - 4, 0));
    return TRUE;
}

static gint32 new_image(const LpipsAnswer *answer, const LpipsSettings *settings)
{
    const gboolean raw = settings->output == LPIPS_OUTPUT_RAW;
    gint32 image = gimp_image_new_with_precision(answer->box.width, answer->box.height,
                                                 raw ? GIMP_GRAY : GIMP_RGB,
                                                 raw ? GIMP_PRECISION_FLOAT_GAMMA
                                                     : GIMP_PRECISION_U8_GAMMA);
    char *text = lpips_answer_parasite(answer, settings, -1);

    mark(image, text, TRUE);
    g_free(text);
    return image;
}

static gint32 add_raw(gint32 image, const LpipsAnswer *answer, const LpipsSettings *settings)
{
    gint32 layer = add_layer(image, 0, 0, lpips_answer_name(answer), answer->box.width,
                             answer->box.height);
    GeglBuffer *buffer;

    if (layer < 0)
        return -1;
    buffer = gimp_drawable_get_buffer(layer);
    lpips_paint_raw(buffer, answer);
    finish(layer, buffer, answer, settings, -1);
    return layer;
}

/* Into the first layer's image, in one undo step. */
static Made into_image(gint32 image, const LpipsPair *pair, const LpipsAnswer *answer,
                       const LpipsSettings *settings)
{
    Made made = {image, -1};
    gint32 active;

    gimp_image_undo_group_start(image);
    active = gimp_image_get_active_layer(image);
    made.layer =
        settings->output == LPIPS_OUTPUT_GROUP
            ? add_group(image, pair, answer, settings)
            : add_map(image, 0, 0, pair, answer, settings, -1, answer->box.x, answer->box.y);
    if (made.layer > 0 && settings->bar &&
        !add_bar(image, answer, settings, answer->box.x, answer->box.y))
        made.layer = -1;
    if (active > 0)
        gimp_image_set_active_layer(image, active);
    gimp_image_undo_group_end(image);
    return made;
}

static Made into_new_image(const LpipsPair *pair, const LpipsAnswer *answer,
                           const LpipsSettings *settings, gboolean show)
{
    Made made = {new_image(answer, settings), -1};

    gimp_image_undo_disable(made.image);
    if (settings->output == LPIPS_OUTPUT_RAW)
        made.layer = add_raw(made.image, answer, settings);
    else
        made.layer = add_map(made.image, 0, 0, pair, answer, settings, -1, 0, 0);
    if (made.layer > 0 && settings->bar && settings->output != LPIPS_OUTPUT_RAW &&
        !add_bar(made.image, answer, settings, 0, 0))
        made.layer = -1;
    gimp_image_undo_enable(made.image);
    if (made.layer < 0) {
        gimp_image_delete(made.image);
        made.image = -1;
    } else if (show) {
        gimp_display_new(made.image);
    }
    return made;
}

static Made make(const LpipsHost *host, const LpipsPair *pair, const LpipsAnswer *answer,
                 const LpipsSettings *settings, gboolean show)
{
    const gint32 image = gimp_item_get_image(host->a);

    if (lpips_settings_in_place(settings, gimp_image_base_type(image) == GIMP_RGB))
        return into_image(image, pair, answer, settings);
    return into_new_image(pair, answer, settings, show);
}

/* ---- the procedure ------------------------------------------------------- */

static gboolean read_arguments(const GimpParam *param, int n, LpipsHost *host,
                               LpipsSettings *settings, char *why, size_t size)
{
    if (n != N_ARGS) {
        g_snprintf(why, size, "%d arguments, not %d", n, (int)N_ARGS);
        return FALSE;
    }
    host->a = param[ARG_A].data.d_layer;
    host->b = param[ARG_B].data.d_layer;
    settings->full_scale = param[ARG_SCALE].data.d_float;
    settings->bar = param[ARG_BAR].data.d_int32 != 0;
    for (int i = 0; i < LPIPS_ARGUMENTS; i++)
        LPIPS_SETTING(settings, &lpips_arguments[i]) = param[ARG_CHOICES + i].data.d_int32;
    return TRUE;
}

/* FALSE and an empty `why`: the user said no. */
static gboolean answer_to(GimpRunMode mode, LpipsHost *host, LpipsSettings *settings,
                          LpipsPair *pair, LpipsAnswer *answer, char *why, size_t size)
{
    if (mode != GIMP_RUN_INTERACTIVE)
        return lpips_host_compute(host, settings, pair, answer, why, size);
    gimp_ui_init("lpips", FALSE);
    return lpips_dialog_run(host, settings, pair, answer);
}

static GimpPDBStatusType run_all(GimpRunMode mode, gint n, const GimpParam *param, Made *made,
                                 double *distance, char *why, size_t size)
{
    LpipsHost *host = list_all(param[ARG_IMAGE].data.d_image);
    LpipsSettings settings = lpips_settings_default;
    LpipsPair pair = {0};
    LpipsAnswer answer = {0};
    const gint32 drawable = param[ARG_DRAWABLE].data.d_drawable;
    gboolean ok = TRUE;

    if (mode == GIMP_RUN_NONINTERACTIVE)
        ok = read_arguments(param, n, host, &settings, why, size);
    else
        gimp_get_data(LPIPS_PROCEDURE, &settings);
    ok = ok && lpips_settings_check(&settings, why, size) &&
         lpips_host_choose(host, &drawable, 1, why, size) &&
         answer_to(mode, host, &settings, &pair, &answer, why, size);
    if (ok) {
        *made = make(host, &pair, &answer, &settings, mode != GIMP_RUN_NONINTERACTIVE);
        if (mode != GIMP_RUN_NONINTERACTIVE)
            gimp_displays_flush();
        *distance = answer.distance;
        if (made->layer < 0)
            g_snprintf(why, size, _("GIMP did not take the new layer"));
        else if (mode == GIMP_RUN_INTERACTIVE)
            gimp_set_data(LPIPS_PROCEDURE, &settings, sizeof settings);
        ok = made->layer > 0;
    }
    lpips_pair_clear(&pair);
    lpips_answer_clear(&answer);
    lpips_host_free(host);
    return ok ? GIMP_PDB_SUCCESS : why[0] ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_CANCEL;
}

/* Catalogues, where there are any, lie in locale/ beside the program; NULL: none. */
static char *locale_folder(void)
{
    char *folder = g_path_get_dirname(gimp_get_progname());
    char *locale = g_build_filename(folder, "locale", NULL);

    if (!g_file_test(locale, G_FILE_TEST_IS_DIR))
        g_clear_pointer(&locale, g_free);
    g_free(folder);
    return locale;
}

static void run(const gchar *name, gint n, const GimpParam *param, gint *n_values,
                GimpParam **result)
{
    static GimpParam values[N_VALUES];
    static char why[512];
    Made made = {-1, -1};
    double distance = 0;
    char *locale = locale_folder();

    (void)name;
    gegl_init(NULL, NULL);
    if (locale) {
        bindtextdomain(GETTEXT_PACKAGE, locale);
        bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
        g_free(locale);
    }
    why[0] = '\0';
    *result = values;
    values[0].type = GIMP_PDB_STATUS;
    values[0].data.d_status =
        run_all(param[ARG_MODE].data.d_int32, n, param, &made, &distance, why, sizeof why);
    if (values[0].data.d_status == GIMP_PDB_SUCCESS) {
        *n_values = N_VALUES;
        for (int i = 0; i < N_VALUES - 1; i++)
            values[i + 1].type = values_def[i].type;
        values[1].data.d_float = distance;
        values[2].data.d_image = made.image;
        values[3].data.d_layer = made.layer;
    } else if (why[0]) {
        *n_values = 2;
        values[1].type = GIMP_PDB_STRING;
        values[1].data.d_string = why;
    } else {
        *n_values = 1;
    }
}

static void query(void)
{
    GimpParamDef args[N_ARGS] = {
        {GIMP_PDB_INT32, "run-mode", "0 interactive, 1 non-interactive, 2 with last values"},
        {GIMP_PDB_IMAGE, "image", "The image"},
        {GIMP_PDB_DRAWABLE, "drawable", "The first layer, unless layer-a says another"},
        {GIMP_PDB_LAYER, "layer-a", "The first layer; -1: the drawable"},
        {GIMP_PDB_LAYER, "layer-b", "The second layer; -1: the next one below"},
        {GIMP_PDB_FLOAT, "full-scale", "The distance of the last colour"},
        {GIMP_PDB_INT32, "bar", "Add a colour bar"},
    };
    char *locale = locale_folder();

    for (int i = 0; i < LPIPS_ARGUMENTS; i++) {
        args[ARG_CHOICES + i].type = GIMP_PDB_INT32;
        args[ARG_CHOICES + i].name = (char *)lpips_arguments[i].name;
        args[ARG_CHOICES + i].description = lpips_argument_blurb(&lpips_arguments[i]);
    }
    if (locale)
        gimp_plugin_domain_register(GETTEXT_PACKAGE, locale);
    g_free(locale);
    gimp_install_procedure(LPIPS_PROCEDURE, lpips_text_blurb, lpips_text_help,
                           "The liblpips authors", "The liblpips authors", "2026",
                           N_("_LPIPS: perceptual differences..."), "*", GIMP_PLUGIN, N_ARGS,
                           N_VALUES - 1, args, values_def);
    gimp_plugin_menu_register(LPIPS_PROCEDURE, "<Image>/Filters/Map");
}

const GimpPlugInInfo PLUG_IN_INFO = {NULL, NULL, query, run};

MAIN()
