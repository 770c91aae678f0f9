/*
 * data.c - see data.h.
 */
#include "data.h"

#include "data/load.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

enum { KEEP = 2 }; /* GiB of pictures */

typedef struct train_item {
    const learn_subset *subset;
    const learn_trial *trial;
    uint8_t *rgb; /* NULL: not in memory */
} train_item;

int train_data_open(train_data *d, char *const *folders, size_t n, learn_split split,
                    int size, char why[LEARN_WHY])
{
    size_t at = 0;

    *d = (train_data){.size = size};
    if (learn_bapps_open(&d->bapps, folders, n, LEARN_2AFC, split, why))
        return -1;
    for (size_t i = 0; i < d->bapps.n; i++)
        d->n += d->bapps.subsets[i].n;
    d->items = calloc(d->n, sizeof *d->items);
    if (!d->items)
        return learn_no_memory(why);
    for (size_t i = 0; i < d->bapps.n; i++)
        for (size_t k = 0; k < d->bapps.subsets[i].n; k++) {
            const learn_subset *s = &d->bapps.subsets[i];
            uint32_t bits;

            d->items[at++] = (train_item){s, &s->trials[k], NULL};
            memcpy(&bits, &s->trials[k].judge, sizeof bits);
            d->mark = learn_random_key(d->mark ^ bits, s->family);
            d->mark = learn_random_key(d->mark, s->trials[k].stem);
        }
    return 0;
}

void train_data_close(train_data *d)
{
    for (size_t i = 0; d->items && i < d->n; i++)
        free(d->items[i].rgb);
    free(d->items);
    learn_bapps_free(&d->bapps);
    *d = (train_data){0};
}

double train_data_judge(const train_data *d, size_t i)
{
    return (double)d->items[i].trial->judge;
}

static int read_one(const train_data *d, const char *path, uint8_t *rgb, char why[LEARN_WHY])
{
    learn_picture p;

    if (learn_load_resized(&p, path, d->size, why))
        return -1;
    if (p.width != p.height) {
        learn_fail(why, "%s is not square, as patches for training must be", path);
        free((void *)p.rgb);
        return -1;
    }
    memcpy(rgb, p.rgb, train_data_bytes(d) / 3);
    free((void *)p.rgb);
    return 0;
}

int train_data_pictures(train_data *d, size_t i, uint8_t *rgb, char why[LEARN_WHY])
{
    static const int order[3] = {2, 0, 1}; /* of learn_trial.name */
    train_item *item = &d->items[i];
    const size_t bytes = train_data_bytes(d);
    int status = 0;

    if (item->rgb) {
        memcpy(rgb, item->rgb, bytes);
        return 0;
    }
    for (int k = 0; k < 3 && !status; k++) {
        char *path = learn_trial_path(item->subset, item->trial, order[k]);

        status =
            path ? read_one(d, path, rgb + (size_t)k * bytes / 3, why) : learn_no_memory(why);
        free(path);
    }
    if (status || d->kept + bytes > (size_t)KEEP << 30 || !(item->rgb = malloc(bytes)))
        return status;
    memcpy(item->rgb, rgb, bytes);
    d->kept += bytes;
    return 0;
}
