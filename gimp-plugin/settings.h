/*
 * settings.h - what a user can choose, and the words for it
 *
 * One list for every version of GIMP: the adapters turn it into arguments of the procedure,
 * dialog.c into widgets.  Numbers and nicks are part of the procedure's interface.
 */
#ifndef LPIPS_PLUGIN_SETTINGS_H
#define LPIPS_PLUGIN_SETTINGS_H

#include <glib.h>
#include <lpips.h>

#define LPIPS_PROCEDURE "plug-in-lpips"
/* Marks layers and images that this plug-in made; its text says what they show. */
#define LPIPS_PARASITE  "lpips-result"
#define LPIPS_MAX_SCALE 100.0

enum {
    LPIPS_OUTPUT_LAYER = 0,
    LPIPS_OUTPUT_GROUP = 1, /* one layer per tap of the net */
    LPIPS_OUTPUT_IMAGE = 2,
    LPIPS_OUTPUT_RAW = 3 /* a new image of 32-bit float distances */
};

enum {
    LPIPS_SIZES_REFUSE = 0, /* layers of different sizes are an error */
    LPIPS_SIZES_OVERLAP = 1,
    LPIPS_SIZES_SCALE = 2 /* the second is scaled to the first */
};

/* Plain data, so that GIMP 2.10 can keep it between two runs. */
typedef struct LpipsSettings {
    gint net;           /* lpips_net */
    gint colors;        /* lpips_colormap */
    gint over;          /* of lpips_choices_over */
    gint output;        /* LPIPS_OUTPUT_* */
    gint background;    /* of lpips_choices_background */
    gint sizes;         /* LPIPS_SIZES_* */
    gint bar;           /* draw a colour bar */
    gdouble full_scale; /* the distance of the last colour */
} LpipsSettings;

/* A nick for scripts, a label for people; the last has no nick.  Index is the value. */
typedef struct LpipsChoice {
    const char *nick, *label;
} LpipsChoice;

extern const LpipsChoice lpips_choices_net[], lpips_choices_colors[], lpips_choices_over[],
    lpips_choices_output[], lpips_choices_background[], lpips_choices_sizes[];

/* The arguments that are choices, in the order of the procedure. */
typedef struct LpipsArgument {
    const char *name, *label, *help;
    const LpipsChoice *choices;
    size_t offset; /* of the gint in LpipsSettings */
} LpipsArgument;

#define LPIPS_ARGUMENTS 6
extern const LpipsArgument lpips_arguments[LPIPS_ARGUMENTS];

#define LPIPS_SETTING(settings, argument) \
    (*(gint *)(gpointer)((char *)(settings) + (argument)->offset))

extern const LpipsSettings lpips_settings_default;
extern const char *const lpips_text_blurb, *const lpips_text_help;

int lpips_choices_count(const LpipsChoice *choices);

/* FALSE, and why, for a number that is none of the choices. */
gboolean lpips_settings_check(const LpipsSettings *settings, char *why, size_t size);

/* The result joins the image that was compared; grey and indexed ones take no colours. */
gboolean lpips_settings_in_place(const LpipsSettings *settings, gboolean rgb);

/* Three bytes: the colour beyond full scale, and what transparent pixels lie over. */
const guint8 *lpips_over_color(const LpipsSettings *settings);
const guint8 *lpips_background_color(int background);

/* "0=alex (AlexNet), 1=..." for the description of an argument; free with g_free(). */
char *lpips_argument_blurb(const LpipsArgument *argument);

#endif
