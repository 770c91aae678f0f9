/*
 * answers.c - who is compared with whom, and what comes of it.
 */
#include "questions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const learn_party learn_parties[WHO_ALL] = {
    [WHO_PEOPLE] = {"people", NULL, "people", NULL},
    [WHO_CHANCE] = {"chance", NULL, NULL, NULL},
    [WHO_L2] = {"L2", "l2-official", "L2", NULL},
    [WHO_SSIM] = {"SSIM", "ssim-official", "SSIM", NULL},
    [WHO_FSIM] = {"FSIMc", "fsimc", "FSIMc", NULL},
    [WHO_RANDOM] = {"Alex, random", "random:alex:0", "random", NULL},
    [WHO_KMEANS] = {"Alex, k-means", NULL, "K-means",
                    "lpips-learn init PICTURES -o kmeans.safetensors, then --kmeans "
                    "kmeans.safetensors"},
    [WHO_SQUEEZE] = {"Squeeze", "lpips:squeeze:none", "Squeeze", NULL},
    [WHO_ALEX] = {"Alex", "lpips:alex:none", "Alex", NULL},
    [WHO_VGG] = {"VGG", "lpips:vgg:none", "VGG", NULL},
    [WHO_LIN] = {"Alex, lin", "lpips:alex:0.1", "Alex - lin", NULL},
    [WHO_TUNE] = {"Alex, tune", NULL, "Alex - tune",
                  "lpips-learn train TRIALS --mode tune -o tune, then --tune "
                  "tune/weights.safetensors"},
    [WHO_SCRATCH] = {"Alex, scratch", NULL, "Alex - scratch",
                     "lpips-learn train TRIALS --mode scratch -o scratch, then --scratch "
                     "scratch/weights.safetensors"},
};

const learn_question learn_questions_asked[] = {
    {"Do distances between deep features agree with people?",
     {{WHO_SQUEEZE, WHO_CHANCE},
      {WHO_ALEX, WHO_CHANCE},
      {WHO_VGG, WHO_CHANCE},
      {WHO_SQUEEZE, WHO_PEOPLE},
      {WHO_ALEX, WHO_PEOPLE},
      {WHO_VGG, WHO_PEOPLE}}},
    {"Do they agree better than classic metrics?",
     {{WHO_SQUEEZE, WHO_L2},
      {WHO_SQUEEZE, WHO_SSIM},
      {WHO_SQUEEZE, WHO_FSIM},
      {WHO_ALEX, WHO_L2},
      {WHO_ALEX, WHO_SSIM},
      {WHO_ALEX, WHO_FSIM},
      {WHO_VGG, WHO_L2},
      {WHO_VGG, WHO_SSIM},
      {WHO_VGG, WHO_FSIM}}},
    {"Does the architecture matter?",
     {{WHO_SQUEEZE, WHO_ALEX}, {WHO_SQUEEZE, WHO_VGG}, {WHO_ALEX, WHO_VGG}}},
    {"Must the net have learned to classify ImageNet?",
     {{WHO_ALEX, WHO_KMEANS}, {WHO_ALEX, WHO_RANDOM}, {WHO_KMEANS, WHO_RANDOM}}},
    {"Need it be trained at all?",
     {{WHO_RANDOM, WHO_L2},
      {WHO_RANDOM, WHO_SSIM},
      {WHO_RANDOM, WHO_FSIM},
      {WHO_LIN, WHO_RANDOM}}},
    {"The limit: does what is tuned more generalise less, to real algorithms?",
     {{WHO_LIN, WHO_ALEX},
      {WHO_TUNE, WHO_LIN},
      {WHO_SCRATCH, WHO_LIN},
      {WHO_TUNE, WHO_ALEX},
      {WHO_SCRATCH, WHO_ALEX}}},
    {NULL, {{0}}},
};

const char *learn_verdict(const report_interval *i)
{
    return i->low > 0 ? "yes" : i->high < 0 ? "no" : "open"; /* NAN: open */
}

static const learn_published *row_of(learn_who who)
{
    for (const learn_published *r = learn_published_rows; r->title; r++)
        if (learn_parties[who].published && !strcmp(r->title, learn_parties[who].published))
            return r;
    return NULL;
}

double learn_paper_difference(learn_who more, learn_who less, learn_paper column)
{
    const learn_published *a = row_of(more), *b = row_of(less);
    const double chance = column == LEARN_PAPER_NONE ? NAN : 0.5;

    return (more == WHO_CHANCE ? chance
            : a                ? learn_published_score(a, column)
                               : NAN) -
           (less == WHO_CHANCE ? chance
            : b                ? learn_published_score(b, column)
                               : NAN);
}

bool learn_column_shown(const learn_table *t, size_t column)
{
    static const learn_paper means[] = {LEARN_PAPER_DISTORTIONS, LEARN_PAPER_REAL,
                                        LEARN_PAPER_ALL};
    bool any = false, this = false;

    for (size_t c = 0; c < t->n_columns; c++)
        for (size_t i = 0; i < sizeof means / sizeof *means; i++)
            if (!strcmp(t->columns[c].label, learn_paper_name(means[i]))) {
                any = true;
                this = this || c == column;
            }
    return this || !any;
}

static const double *distances_of(const learn_answers *a, learn_who who)
{
    if (who == WHO_PEOPLE)
        return learn_people;
    if (who == WHO_CHANCE)
        return learn_chance;
    return a->judge[who] < 0 ? NULL
                             : a->e->m.distances + 2 * (size_t)a->judge[who] * a->e->m.n;
}

static int answer(learn_answers *a, const learn_question *q, int i, char why[LEARN_WHY])
{
    learn_answer *to = &a->answers[a->n++];
    const double *more, *less;

    *to = (learn_answer){q, q->pair[i].more, q->pair[i].less, NULL};
    more = distances_of(a, to->more);
    less = distances_of(a, to->less);
    if (!more || !less)
        return 0;
    to->cells = calloc(a->table.n_columns + 1, sizeof *to->cells);
    if (!to->cells)
        return learn_no_memory(why);
    return learn_table_difference(to->cells, &a->table, &a->e->data, more, less, why);
}

int learn_answer_all(learn_answers *a, char why[LEARN_WHY])
{
    size_t most = 1;

    for (const learn_question *q = learn_questions_asked; q->text; q++)
        most += LEARN_PAIRS;
    a->answers = calloc(most, sizeof *a->answers);
    if (!a->answers)
        return learn_no_memory(why);
    if (learn_table_make(&a->table, LEARN_2AFC, &a->e->data, a->e->judges.judges,
                         a->e->judges.n, a->e->m.distances, why))
        return -1;
    for (const learn_question *q = learn_questions_asked; q->text; q++)
        for (int i = 0; i < LEARN_PAIRS && q->pair[i].more != q->pair[i].less; i++)
            if (answer(a, q, i, why))
                return -1;
    return 0;
}

void learn_answers_free(learn_answers *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->answers[i].cells);
    free(a->answers);
    for (int i = 0; i < WHO_ALL; i++)
        free(a->left_out[i]);
    learn_table_free(&a->table);
}
