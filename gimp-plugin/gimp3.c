/*
 * gimp3.c - the plug-in in GIMP 3.0 and 3.2: procedure, layers, images
 *
 * Arguments, order and results are those of gimp2.c; here GIMP keeps the last values.  As
 * there, the image is touched last: a cancel in the progress bar ends this process.
 */
#include "dialog.h"

#include <string.h>

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n-lib.h>

typedef GimpPlugIn Lpips;
typedef GimpPlugInClass LpipsClass;

static GType lpips_get_type(void);
G_DEFINE_TYPE(Lpips, lpips, GIMP_TYPE_PLUG_IN)

/* What a run makes. */
typedef struct Made {
    GimpImage *image;
    GimpLayer *layer;
} Made;

/* ---- images and layers --------------------------------------------------- */

static gboolean is_result(GimpItem *item)
{
    GimpParasite *p = gimp_item_get_parasite(item, LPIPS_PARASITE);

    if (!p)
        return FALSE;
    gimp_parasite_free(p);
    return TRUE;
}

static void list_layer(LpipsHost *host, GimpImage *image, const char *image_name,
                       GimpItem *layer)
{
    char *name;

    if (is_result(layer))
        return;
    name = gimp_item_get_name(layer);
    lpips_host_add(host, gimp_item_get_id(layer), gimp_image_get_id(image),
                   gimp_drawable_get_width(GIMP_DRAWABLE(layer)),
                   gimp_drawable_get_height(GIMP_DRAWABLE(layer)), image_name, name);
    g_free(name);
    if (gimp_item_is_group(layer)) {
        GimpItem **children = gimp_item_get_children(layer);

        for (int i = 0; children && children[i]; i++)
            list_layer(host, image, image_name, children[i]);
        g_free(children);
    }
}

static void list_image(LpipsHost *host, GimpImage *image)
{
    char *name = gimp_image_get_name(image);
    GimpLayer **layers = gimp_image_get_layers(image);

    for (int i = 0; layers && layers[i]; i++)
        list_layer(host, image, name, GIMP_ITEM(layers[i]));
    g_free(layers);
    g_free(name);
}

static void open_layers(gint a, gint b, LpipsSource sources[2], LpipsMask *mask)
{
    GimpDrawable *const layers[2] = {GIMP_DRAWABLE(gimp_item_get_by_id(a)),
                                     GIMP_DRAWABLE(gimp_item_get_by_id(b))};
    GimpImage *image = gimp_item_get_image(GIMP_ITEM(layers[0]));
    gboolean selected = FALSE;
    gint x1 = 0, y1 = 0, x2 = 0, y2 = 0;

    for (int i = 0; i < 2; i++) {
        sources[i].buffer = gimp_drawable_get_buffer(layers[i]);
        gimp_drawable_get_offsets(layers[i], &sources[i].x, &sources[i].y);
    }
    gimp_selection_bounds(image, &selected, &x1, &y1, &x2, &y2);
    if (selected) {
        mask->buffer =
            gimp_drawable_get_buffer(GIMP_DRAWABLE(gimp_image_get_selection(image)));
        mask->bounds = *GEGL_RECTANGLE(x1, y1, x2 - x1, y2 - y1);
    }
}

static void present(gpointer dialog)
{
    gimp_window_set_transient(GTK_WINDOW(dialog));
}

static LpipsHost *list_all(GimpImage *image)
{
    LpipsHost *host = lpips_host_new(gimp_image_get_id(image), gimp_get_progname());
    GimpImage **images = gimp_get_images();

    list_image(host, image);
    for (int i = 0; images && images[i]; i++)
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

static GimpParasite *parasite(const LpipsAnswer *answer, const LpipsSettings *settings,
                              int tap)
{
    char *text = lpips_answer_parasite(answer, settings, tap);
    GimpParasite *p =
        gimp_parasite_new(LPIPS_PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE,
                          (guint32)strlen(text) + 1, text);

    g_free(text);
    return p;
}

/* Flushes, shows and marks. */
static void finish(GimpLayer *layer, GeglBuffer *buffer, const LpipsAnswer *answer,
                   const LpipsSettings *settings, int tap)
{
    GimpDrawable *drawable = GIMP_DRAWABLE(layer);
    GimpParasite *p = parasite(answer, settings, tap);

    g_object_unref(buffer);
    gimp_drawable_update(drawable, 0, 0, gimp_drawable_get_width(drawable),
                         gimp_drawable_get_height(drawable));
    gimp_item_attach_parasite(GIMP_ITEM(layer), p);
    gimp_parasite_free(p);
}

static GimpLayer *add_layer(GimpImage *image, GimpLayer *parent, int position, char *name,
                            int width, int height)
{
    const GimpImageType type =
        gimp_image_get_base_type(image) == GIMP_GRAY ? GIMP_GRAY_IMAGE : GIMP_RGBA_IMAGE;
    GimpLayer *layer = gimp_layer_new(image, name, width, height, type, 100,
                                      gimp_image_get_default_new_layer_mode(image));

    g_free(name);
    if (layer && !gimp_image_insert_layer(image, layer, parent, position)) {
        gimp_item_delete(GIMP_ITEM(layer));
        layer = NULL;
    }
    return layer;
}

static GimpLayer *add_map(GimpImage *image, GimpLayer *parent, int position,
                          const LpipsPair *pair, const LpipsAnswer *answer,
                          const LpipsSettings *settings, int tap, int x, int y)
{
    GimpLayer *layer =
        add_layer(image, parent, position,
                  tap < 0 ? lpips_answer_name(answer) : lpips_answer_tap_name(answer, tap),
                  answer->box.width, answer->box.height);
    GeglBuffer *buffer;

    if (!layer)
        return NULL;
    buffer = gimp_drawable_get_buffer(GIMP_DRAWABLE(layer));
    lpips_paint_map(buffer, answer, tap < 0 ? answer->map : answer->taps[tap], pair->weight,
                    settings);
    finish(layer, buffer, answer, settings, tap);
    gimp_layer_set_offsets(layer, x, y);
    return layer;
}

static GimpLayer *add_group(GimpImage *image, const LpipsPair *pair,
                            const LpipsAnswer *answer, const LpipsSettings *settings)
{
    char *name = lpips_answer_name(answer);
    GimpLayer *group = GIMP_LAYER(gimp_group_layer_new(image, name));
    GimpParasite *p = parasite(answer, settings, -1);

    if (group && !gimp_image_insert_layer(image, group, NULL, 0))
        group = NULL;
    for (int i = 0; i < answer->layers && group; i++)
        if (!add_map(image, group, i, pair, answer, settings, i, answer->box.x,
                     answer->box.y))
            group = NULL;
    if (group)
        gimp_item_attach_parasite(GIMP_ITEM(group), p);
    gimp_parasite_free(p);
    g_free(name);
    return group;
}

static gboolean add_bar(GimpImage *image, const LpipsAnswer *answer,
                        const LpipsSettings *settings, int x, int y)
{
    GimpLayer *layer = add_layer(image, NULL, 0, g_strdup(_("LPIPS colour bar")),
                                 LPIPS_BAR_WIDTH, LPIPS_BAR_HEIGHT);
    GeglBuffer *buffer;

    if (!layer)
        return FALSE;
    buffer = gimp_drawable_get_buffer(GIMP_DRAWABLE(layer));
    lpips_paint_bar(buffer, settings);
    finish(layer, buffer, answer, settings, -1);
    gimp_layer_set_offsets(layer, x + MAX(answer->box.width - LPIPS_BAR_WIDTH - 4, 0),
                           y + MAX(answer->box.height - LPIPS_BAR_HEIGHT - 4, 0));
    return TRUE;
}

static GimpLayer *add_raw(GimpImage *image, const LpipsAnswer *answer,
                          const LpipsSettings *settings)
{
    GimpLayer *layer = add_layer(image, NULL, 0, lpips_answer_name(answer), answer->box.width,
                                 answer->box.height);
    GeglBuffer *buffer;

    if (!layer)
        return NULL;
    buffer = gimp_drawable_get_buffer(GIMP_DRAWABLE(layer));
    lpips_paint_raw(buffer, answer);
    finish(layer, buffer, answer, settings, -1);
    return layer;
}

/* Into the first layer's image, in one undo step. */
static Made into_image(GimpImage *image, const LpipsPair *pair, const LpipsAnswer *answer,
                       const LpipsSettings *settings)
{
    Made made = {image, NULL};
    GimpLayer **selected;

    gimp_image_undo_group_start(image);
    selected = gimp_image_get_selected_layers(image);
    made.layer = settings->output == LPIPS_OUTPUT_GROUP
                     ? add_group(image, pair, answer, settings)
                     : add_map(image, NULL, 0, pair, answer, settings, -1, answer->box.x,
                               answer->box.y);
    if (made.layer && settings->bar &&
        !add_bar(image, answer, settings, answer->box.x, answer->box.y))
        made.layer = NULL;
    if (selected && selected[0])
        gimp_image_set_selected_layers(image, (const GimpLayer **)selected);
    g_free(selected);
    gimp_image_undo_group_end(image);
    return made;
}

static Made into_new_image(const LpipsPair *pair, const LpipsAnswer *answer,
                           const LpipsSettings *settings, gboolean show)
{
    const gboolean raw = settings->output == LPIPS_OUTPUT_RAW;
    Made made = {gimp_image_new_with_precision(answer->box.width, answer->box.height,
                                               raw ? GIMP_GRAY : GIMP_RGB,
                                               raw ? GIMP_PRECISION_FLOAT_NON_LINEAR
                                                   : GIMP_PRECISION_U8_NON_LINEAR),
                 NULL};
    GimpParasite *p = parasite(answer, settings, -1);

    gimp_image_undo_disable(made.image);
    gimp_image_attach_parasite(made.image, p);
    gimp_parasite_free(p);
    made.layer = raw ? add_raw(made.image, answer, settings)
                     : add_map(made.image, NULL, 0, pair, answer, settings, -1, 0, 0);
    if (made.layer && settings->bar && !raw && !add_bar(made.image, answer, settings, 0, 0))
        made.layer = NULL;
    gimp_image_undo_enable(made.image);
    if (!made.layer) {
        gimp_image_delete(made.image);
        made.image = NULL;
    } else if (show) {
        gimp_display_new(made.image);
    }
    return made;
}

static Made make(const LpipsHost *host, const LpipsPair *pair, const LpipsAnswer *answer,
                 const LpipsSettings *settings, gboolean show)
{
    GimpImage *image = gimp_item_get_image(gimp_item_get_by_id(host->a));

    if (lpips_settings_in_place(settings, gimp_image_get_base_type(image) == GIMP_RGB))
        return into_image(image, pair, answer, settings);
    return into_new_image(pair, answer, settings, show);
}

/* ---- the procedure ------------------------------------------------------- */

static gint layer_argument(GimpProcedureConfig *config, const char *name)
{
    GimpItem *layer = NULL;
    gint id = 0;

    g_object_get(config, name, &layer, NULL);
    if (layer)
        id = gimp_item_get_id(layer);
    g_clear_object(&layer);
    return id;
}

static void read_arguments(GimpProcedureConfig *config, LpipsSettings *settings)
{
    g_object_get(config, "full-scale", &settings->full_scale, "bar", &settings->bar, NULL);
    for (int i = 0; i < LPIPS_ARGUMENTS; i++)
        LPIPS_SETTING(settings, &lpips_arguments[i]) =
            gimp_procedure_config_get_choice_id(config, lpips_arguments[i].name);
}

static void keep_arguments(GimpProcedureConfig *config, const LpipsSettings *settings)
{
    g_object_set(config, "full-scale", settings->full_scale, "bar", settings->bar, NULL);
    for (int i = 0; i < LPIPS_ARGUMENTS; i++) {
        const LpipsArgument *arg = &lpips_arguments[i];

        g_object_set(config, arg->name, arg->choices[LPIPS_SETTING(settings, arg)].nick,
                     NULL);
    }
}

/* Where GimpProcedureDialog keeps what its "Save Settings" saves. */
static GFile *store_file(gpointer config)
{
    char *name = g_strconcat(G_OBJECT_TYPE_NAME(config), ".default", NULL);
    GFile *file = gimp_directory_file("plug-in-settings", name, NULL);

    g_free(name);
    return file;
}

static gboolean has_saved(gpointer config)
{
    GFile *file = store_file(config);
    const gboolean there = g_file_query_exists(file, NULL);

    g_object_unref(file);
    return there;
}

/* FALSE, and the error's text, which names the file. */
static gboolean stored(GError *error, char *why, size_t size)
{
    if (!error)
        return TRUE;
    g_strlcpy(why, error->message, size);
    g_error_free(error);
    return FALSE;
}

static gboolean save(gpointer config, const LpipsSettings *settings, char *why, size_t size)
{
    GFile *file = store_file(config);
    GError *error = NULL;

    keep_arguments(config, settings);
    gimp_config_serialize_to_file(GIMP_CONFIG(config), file, "settings", "end of settings",
                                  NULL, &error);
    g_object_unref(file);
    return stored(error, why, size);
}

static gboolean load(gpointer config, LpipsSettings *settings, char *why, size_t size)
{
    GFile *file = store_file(config);
    GError *error = NULL;

    if (gimp_config_deserialize_file(GIMP_CONFIG(config), file, NULL, &error))
        read_arguments(config, settings);
    g_object_unref(file);
    return stored(error, why, size);
}

/* FALSE and an empty `why`: the user said no. */
static gboolean answer_to(GimpRunMode mode, LpipsHost *host, LpipsSettings *settings,
                          LpipsPair *pair, LpipsAnswer *answer, char *why, size_t size)
{
    if (mode != GIMP_RUN_INTERACTIVE)
        return lpips_host_compute(host, settings, pair, answer, why, size);
    gimp_ui_init("lpips");
    return lpips_dialog_run(host, settings, pair, answer);
}

static GimpPDBStatusType run_all(GimpRunMode mode, GimpImage *image, GimpDrawable **drawables,
                                 GimpProcedureConfig *config, Made *made, double *distance,
                                 char *why, size_t size)
{
    LpipsHost *host = list_all(image);
    LpipsSettings settings = lpips_settings_default;
    LpipsPair pair = {0};
    LpipsAnswer answer = {0};
    gint selected[2] = {0, 0};
    int n = 0;
    gboolean ok;

    for (; n < 2 && drawables && drawables[n]; n++)
        selected[n] = gimp_item_get_id(GIMP_ITEM(drawables[n]));
    read_arguments(config, &settings);
    host->has_saved = has_saved;
    host->save = save;
    host->load = load;
    host->store = config;
    host->a = layer_argument(config, "layer-a");
    host->b = layer_argument(config, "layer-b");
    ok = lpips_settings_check(&settings, why, size) &&
         lpips_host_choose(host, selected, n, why, size) &&
         answer_to(mode, host, &settings, &pair, &answer, why, size);
    if (ok) {
        *made = make(host, &pair, &answer, &settings, mode != GIMP_RUN_NONINTERACTIVE);
        if (mode != GIMP_RUN_NONINTERACTIVE)
            gimp_displays_flush();
        *distance = answer.distance;
        keep_arguments(config, &settings);
        if (!made->layer)
            g_snprintf(why, size, _("GIMP did not take the new layer"));
        ok = made->layer != NULL;
    }
    lpips_pair_clear(&pair);
    lpips_answer_clear(&answer);
    lpips_host_free(host);
    return ok ? GIMP_PDB_SUCCESS : why[0] ? GIMP_PDB_EXECUTION_ERROR : GIMP_PDB_CANCEL;
}

static GimpValueArray *run(GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
                           GimpDrawable **drawables, GimpProcedureConfig *config,
                           gpointer data)
{
    char why[512] = "";
    Made made = {NULL, NULL};
    double distance = 0;
    GimpPDBStatusType status;
    GimpValueArray *values;
    GError *error = NULL;

    (void)data;
    gegl_init(NULL, NULL);
    status = run_all(mode, image, drawables, config, &made, &distance, why, sizeof why);
    if (status == GIMP_PDB_EXECUTION_ERROR)
        error = g_error_new_literal(GIMP_PLUG_IN_ERROR, 0, why);
    values = gimp_procedure_new_return_values(procedure, status, error);
    if (status == GIMP_PDB_SUCCESS) {
        GIMP_VALUES_SET_DOUBLE(values, 1, distance);
        GIMP_VALUES_SET_IMAGE(values, 2, made.image);
        GIMP_VALUES_SET_LAYER(values, 3, made.layer);
    }
    return values;
}

static void add_arguments(GimpProcedure *p)
{
    const GParamFlags layer_flags =
        (GParamFlags)(G_PARAM_READWRITE | GIMP_PARAM_DONT_SERIALIZE);

    gimp_procedure_add_layer_argument(p, "layer-a", _("_First layer"),
                                      _("The first layer; none: the selected one"), TRUE,
                                      layer_flags);
    gimp_procedure_add_layer_argument(
        p, "layer-b", _("S_econd layer"),
        _("The second layer; none: the second one selected, or the next one below"), TRUE,
        layer_flags);
    gimp_procedure_add_double_argument(p, "full-scale", _("Full sc_ale"),
                                       _("The distance of the last colour"), 1e-6,
                                       LPIPS_MAX_SCALE, lpips_settings_default.full_scale,
                                       G_PARAM_READWRITE);
    gimp_procedure_add_boolean_argument(p, "bar", _("Colour _bar"), _("Add a colour bar"),
                                        lpips_settings_default.bar, G_PARAM_READWRITE);
    for (int i = 0; i < LPIPS_ARGUMENTS; i++) {
        const LpipsArgument *arg = &lpips_arguments[i];
        GimpChoice *choice = gimp_choice_new();

        for (int k = 0; arg->choices[k].nick; k++)
            gimp_choice_add(choice, arg->choices[k].nick, k, _(arg->choices[k].label), NULL);
        gimp_procedure_add_choice_argument(
            p, arg->name, _(arg->label), _(arg->help), choice,
            arg->choices[LPIPS_SETTING(&lpips_settings_default, arg)].nick,
            G_PARAM_READWRITE);
    }
    gimp_procedure_add_double_return_value(p, "distance", _("Distance"),
                                           _("The distance; 0 is equal"), 0, G_MAXDOUBLE, 0,
                                           G_PARAM_READWRITE);
    gimp_procedure_add_image_return_value(p, "map-image", _("Image"),
                                          _("The image with the result"), TRUE,
                                          G_PARAM_READWRITE);
    gimp_procedure_add_layer_return_value(p, "map-layer", _("Layer"),
                                          _("The new layer, or the new layer group"), TRUE,
                                          G_PARAM_READWRITE);
}

static GList *query_procedures(GimpPlugIn *plug_in)
{
    (void)plug_in;
    return g_list_append(NULL, g_strdup(LPIPS_PROCEDURE));
}

static GimpProcedure *create_procedure(GimpPlugIn *plug_in, const gchar *name)
{
    GimpProcedure *p;

    if (strcmp(name, LPIPS_PROCEDURE))
        return NULL;
    p = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);
    gimp_procedure_set_image_types(p, "*");
    gimp_procedure_set_sensitivity_mask(p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE |
                                               GIMP_PROCEDURE_SENSITIVE_DRAWABLES);
    gimp_procedure_set_documentation(p, _(lpips_text_blurb), _(lpips_text_help), name);
    gimp_procedure_set_attribution(p, "The liblpips authors", "The liblpips authors", "2026");
    gimp_procedure_set_menu_label(p, _("_LPIPS: perceptual differences..."));
    gimp_procedure_add_menu_path(p, "<Image>/Filters/Map");
    add_arguments(p);
    return p;
}

/* Catalogues, where there are any, lie in locale/ beside the program. */
static gboolean set_i18n(GimpPlugIn *plug_in, const gchar *name, gchar **domain, gchar **dir)
{
    char *folder = g_path_get_dirname(gimp_get_progname());
    char *locale = g_build_filename(folder, "locale", NULL);
    const gboolean there = g_file_test(locale, G_FILE_TEST_IS_DIR);

    (void)plug_in;
    (void)name;
    if (there) {
        *domain = g_strdup(GETTEXT_PACKAGE);
        *dir = g_strdup("locale");
    }
    g_free(locale);
    g_free(folder);
    return there;
}

static void lpips_class_init(LpipsClass *class)
{
    GimpPlugInClass *plug_in = GIMP_PLUG_IN_CLASS(class);

    plug_in->query_procedures = query_procedures;
    plug_in->create_procedure = create_procedure;
    plug_in->set_i18n = set_i18n;
}

static void lpips_init(Lpips *self)
{
    (void)self;
}

GIMP_MAIN(lpips_get_type())
