/*
 * set.c - the kinds of the table and those of a folder of networks, as one table.
 */
#include "cnn.h"

#include "batch.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 24 };

static bool is_network(const char *folder, const char *name)
{
    const size_t n = strlen(name);

    (void)folder;
    return n > 12 && !strcmp(name + n - 12, ".safetensors");
}

/* Names end up in lists, in tables and on sheets: letters, digits and hyphens. */
static int check_name(const char *folder, const char *name, char why[LEARN_WHY])
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    const size_t n = strlen(name) - 12;

    if (n > NAME_MOST || strspn(name, letters) != n)
        return learn_fail(why,
                          "%s/%s: networks are named by up to %d letters, digits and hyphens",
                          folder, name, NAME_MOST);
    return 0;
}

static int read_all(distort_set *set, const char *folder, char **names, size_t n,
                    char why[LEARN_WHY])
{
    size_t fixed = 0;
    distort_kind *kinds;

    while (distort_kinds[fixed].name)
        fixed++;
    set->cnns = calloc(n, sizeof *set->cnns);
    set->kinds = kinds = calloc(fixed + n + 1, sizeof *kinds);
    if (!set->cnns || !kinds)
        return learn_no_memory(why);
    memcpy(kinds, distort_kinds, fixed * sizeof *kinds);
    for (size_t i = 0; i < n; i++) {
        distort_cnn *c = &set->cnns[i];

        if (check_name(folder, names[i], why))
            return -1;
        set->n++;
        if (distort_cnn_read(c, folder, names[i], why))
            return -1;
        kinds[fixed + i] =
            (distort_kind){c->name, DISTORT_CNN,       0, 1, DISTORT_EVEN, "of it",
                           c->text, distort_cnn_apply, c};
    }
    return 0;
}

int distort_set_open(distort_set *set, const char *networks, char why[LEARN_WHY])
{
    char **names;
    size_t n;
    int status;

    *set = (distort_set){.kinds = distort_kinds};
    if (!networks)
        return 0;
    if (report_names(networks, is_network, &names, &n, why) < 0)
        return -1;
    status = n ? read_all(set, networks, names, n, why)
               : learn_fail(why, "%s has no networks: `lpips-learn distort train` makes them",
                            networks);
    report_names_free(names, n);
    return status;
}

void distort_set_close(distort_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        distort_cnn_free(&set->cnns[i]);
    free(set->cnns);
    if (set->kinds != distort_kinds)
        free((void *)set->kinds);
    *set = (distort_set){0};
}
