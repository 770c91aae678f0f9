/*
 * settings.c - the choices, their defaults and their words
 *
 * Labels are marked for translation here and translated where they are shown.
 */
#include "settings.h"

#include <stddef.h>
#include <string.h>

#include <glib/gi18n-lib.h>

const LpipsChoice lpips_choices_net[] = {
    {"alex", N_("AlexNet: fast, the usual choice")},
    {"vgg", N_("VGG: slow")},
    {"squeeze", N_("SqueezeNet")},
    {NULL, NULL},
};

const LpipsChoice lpips_choices_colors[] = {
    {"viridis", N_("Viridis")}, {"magma", N_("Magma")},
    {"inferno", N_("Inferno")}, {"cividis", N_("Cividis, for colour-blind readers")},
    {"gray", N_("Grey")},       {NULL, NULL},
};

const LpipsChoice lpips_choices_over[] = {
    {"auto", N_("Blue, which stands out best")},
    {"white", N_("White")},
    {"black", N_("Black")},
    {"red", N_("Red")},
    {"green", N_("Green")},
    {"cyan", N_("Cyan")},
    {"magenta", N_("Magenta")},
    {NULL, NULL},
};

const LpipsChoice lpips_choices_output[] = {
    {"layer", N_("Layer")},
    {"group", N_("Layer group, a layer for each tap of the net")},
    {"image", N_("New image")},
    {"raw", N_("New image of raw distances, 32-bit float")},
    {NULL, NULL},
};

const LpipsChoice lpips_choices_background[] = {
    {"white", N_("White")},
    {"black", N_("Black")},
    {"gray", N_("Grey (128)")},
    {NULL, NULL},
};

const LpipsChoice lpips_choices_sizes[] = {
    {"refuse", N_("Refuse")},
    {"overlap", N_("Compare where both lie")},
    {"scale", N_("Scale the second to the first")},
    {NULL, NULL},
};

static const guint8 over_colors[][3] = {
    {0, 0, 0},   {255, 255, 255}, {0, 0, 0},     {255, 0, 0},
    {0, 255, 0}, {0, 255, 255},   {255, 0, 255},
};

static const guint8 backgrounds[][3] = {{255, 255, 255}, {0, 0, 0}, {128, 128, 128}};

const LpipsArgument lpips_arguments[LPIPS_ARGUMENTS] = {
    {"net", N_("_Net"), N_("The network that compares"), lpips_choices_net,
     offsetof(LpipsSettings, net)},
    {"colors", N_("Colo_urs"), N_("The colours of small to large distances"),
     lpips_choices_colors, offsetof(LpipsSettings, colors)},
    {"over", N_("Be_yond full scale"), N_("The colour of distances above full scale"),
     lpips_choices_over, offsetof(LpipsSettings, over)},
    {"output", N_("Resul_t"), N_("What is made"), lpips_choices_output,
     offsetof(LpipsSettings, output)},
    {"background", N_("Transparent pi_xels over"),
     N_("What transparent pixels of both layers are compared over"), lpips_choices_background,
     offsetof(LpipsSettings, background)},
    {"sizes", N_("_Different sizes"), N_("What to do with layers of different sizes"),
     lpips_choices_sizes, offsetof(LpipsSettings, sizes)},
};

const LpipsSettings lpips_settings_default = {
    .net = LPIPS_NET_ALEX,
    .colors = LPIPS_COLORS_VIRIDIS,
    .full_scale = 0.5,
};

const char *const lpips_text_blurb = N_("See where two pictures differ to the eye (LPIPS)");
const char *const lpips_text_help =
    N_("Compares two layers by the perceptual distance LPIPS and shows where they differ as "
       "a heatmap: a layer, a layer group, a new image or raw 32-bit float distances. "
       "Returns the distance; 0 is equal. With a selection, the distance is the mean of the "
       "local distances in it, weighted by the selection.");

int lpips_choices_count(const LpipsChoice *choices)
{
    int n = 0;

    while (choices[n].nick)
        n++;
    return n;
}

gboolean lpips_settings_check(const LpipsSettings *settings, char *why, size_t size)
{
    for (int i = 0; i < LPIPS_ARGUMENTS; i++) {
        const LpipsArgument *arg = &lpips_arguments[i];
        const int value = LPIPS_SETTING(settings, arg), n = lpips_choices_count(arg->choices);

        if (value < 0 || value >= n) {
            g_snprintf(why, size, _("%s is %d; there are 0 to %d"), arg->name, value, n - 1);
            return FALSE;
        }
    }
    /* Written so that NaN fails. */
    if (!(settings->full_scale > 0 && settings->full_scale <= LPIPS_MAX_SCALE)) {
        g_snprintf(why, size, _("full-scale is %g; it must be above 0 and at most %g"),
                   settings->full_scale, LPIPS_MAX_SCALE);
        return FALSE;
    }
    return TRUE;
}

gboolean lpips_settings_in_place(const LpipsSettings *settings, gboolean rgb)
{
    return rgb && settings->output <= LPIPS_OUTPUT_GROUP;
}

const guint8 *lpips_over_color(const LpipsSettings *settings)
{
    if (settings->over == 0)
        return lpips_colormap_over((lpips_colormap)settings->colors);
    return over_colors[settings->over];
}

const guint8 *lpips_background_color(int background)
{
    return backgrounds[background];
}

char *lpips_argument_blurb(const LpipsArgument *argument)
{
    GString *text = g_string_new(_(argument->help));

    for (int i = 0; argument->choices[i].nick; i++)
        g_string_append_printf(text, "%s%d=%s", i ? ", " : ": ", i,
                               argument->choices[i].nick);
    return g_string_free(text, FALSE);
}
