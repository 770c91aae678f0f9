/*
 * host.c - which two layers, and a run from the layers to the answer
 */
#include "host.h"

#include <glib/gi18n-lib.h>

static void clear_row(gpointer row)
{
    g_free(((LpipsRow *)row)->label);
}

LpipsHost *lpips_host_new(gint image, const char *program)
{
    LpipsHost *host = g_new0(LpipsHost, 1);

    host->rows = g_array_new(FALSE, TRUE, sizeof(LpipsRow));
    g_array_set_clear_func(host->rows, clear_row);
    host->image = image;
    host->folder = g_path_get_dirname(program);
    return host;
}

void lpips_host_add(LpipsHost *host, gint id, gint image, int width, int height,
                    const char *image_name, const char *layer_name)
{
    LpipsRow row = {id, image, width, height, NULL};

    row.label = g_strdup_printf("%s / %s", image_name, layer_name);
    g_array_append_val(host->rows, row);
}

void lpips_host_free(LpipsHost *host)
{
    g_array_free(host->rows, TRUE);
    g_free(host->folder);
    g_free(host);
}

static const LpipsRow *row_at(const LpipsHost *host, int i)
{
    return &g_array_index(host->rows, LpipsRow, i);
}

static int index_of(const LpipsHost *host, gint id)
{
    for (int i = 0; i < (int)host->rows->len; i++)
        if (row_at(host, i)->id == id)
            return i;
    return -1;
}

/* The partner of row `first`: how near it is to what would be chosen by hand, 0 for none. */
static int rank(const LpipsHost *host, int first, int i)
{
    const LpipsRow *a = row_at(host, first), *b = row_at(host, i);

    if (i == first)
        return 0;
    if (a->image == b->image)
        return i > first ? 40000 - MIN(i - first, 9999) : 30000 - MIN(first - i, 9999);
    return a->width == b->width && a->height == b->height ? 2 : 1;
}

gboolean lpips_host_choose(LpipsHost *host, const gint *selected, int n, char *why,
                           size_t size)
{
    int first = -1, best = 0, given = 0;

    for (int i = 0; i < n && given < 2; i++) {
        if (index_of(host, selected[i]) < 0 || selected[i] == host->a)
            continue;
        if (host->a <= 0)
            host->a = selected[i];
        else if (host->b <= 0 && selected[i] != host->b)
            host->b = selected[i];
        given++;
    }
    for (int i = 0; i < (int)host->rows->len && host->a <= 0; i++)
        if (row_at(host, i)->image == host->image && row_at(host, i)->id != host->b)
            host->a = row_at(host, i)->id;
    first = index_of(host, host->a);
    for (int i = 0; i < (int)host->rows->len && host->b <= 0 && first >= 0; i++)
        if (rank(host, first, i) > best)
            best = rank(host, first, i);
    for (int i = 0; i < (int)host->rows->len && host->b <= 0 && best > 0; i++)
        if (rank(host, first, i) == best)
            host->b = row_at(host, i)->id;
    if (host->a > 0 && host->b > 0)
        return TRUE;
    g_snprintf(why, size,
               _("two layers are needed: this image has one, and no other image "
                 "is open (earlier results do not count)"));
    return FALSE;
}

gboolean lpips_host_read(const LpipsHost *host, const LpipsSettings *settings,
                         LpipsPair *pair, char *why, size_t size)
{
    LpipsSource sources[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    LpipsMask mask = {NULL, {0, 0, 0, 0}};
    gboolean ok;

    host->open(host->a, host->b, sources, &mask);
    ok = lpips_pair_read(pair, &sources[0], &sources[1], &mask, settings->background,
                         settings->sizes, why, size);
    g_object_unref(sources[0].buffer);
    g_object_unref(sources[1].buffer);
    g_clear_object(&mask.buffer);
    return ok;
}

static int on_progress(void *opaque, double fraction)
{
    ((LpipsHost *)opaque)->progress_update(fraction);
    return 0;
}

gboolean lpips_host_compute(LpipsHost *host, const LpipsSettings *settings, LpipsPair *pair,
                            LpipsAnswer *answer, char *why, size_t size)
{
    LpipsQuestion question = {.progress = on_progress, .progress_opaque = host};
    gboolean ok = FALSE;
    char *text;

    if (!lpips_settings_check(settings, why, size))
        return FALSE;
    question.weights = lpips_answer_weights(settings->net, host->folder, why, size);
    if (!question.weights)
        return FALSE;
    question.taps = settings->output == LPIPS_OUTPUT_GROUP;
    text = g_strdup_printf(_("LPIPS with %s"), lpips_choices_net[settings->net].nick);
    host->progress_init(text);
    g_free(text);
    if (lpips_host_read(host, settings, pair, why, size)) {
        ok = lpips_answer_compute(answer, pair, &question, why, size);
        if (!ok)
            lpips_pair_clear(pair);
    }
    host->progress_end();
    lpips_weights_unref(question.weights);
    return ok;
}
