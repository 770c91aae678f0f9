/*
 * bapps.h - folders of judged trials in the layout of BAPPS, the data set of the paper.
 *
 *     2AFC   ref/NAME.png p0/NAME.png p1/NAME.png judge/NAME.npy: the fraction of people to
 *            whom p1 was closer to ref
 *     JND    p0/NAME.png p1/NAME.png same/NAME.npy: the fraction that took them for the same
 *
 * A fraction is a float32 array of shape (1,).  BAPPS itself has such folders as
 * 2afc/{train,val}/SUBSET and jnd/val/SUBSET.
 */
#ifndef LEARN_BAPPS_H
#define LEARN_BAPPS_H

#include <stdbool.h>
#include <stddef.h>

#include "learn.h"

typedef enum learn_task { LEARN_2AFC, LEARN_JND } learn_task;

enum { LEARN_ANY_TASK = -1 };

typedef enum learn_split { LEARN_VAL, LEARN_TRAIN, LEARN_ALL } learn_split;

typedef struct learn_trial {
    char *stem;    /* file name without extension */
    char *name[3]; /* file names in p0/, p1/, ref/; the last is NULL of JND */
    float judge;   /* 0..1: prefers p1, or: the same */
} learn_trial;

typedef struct learn_subset {
    learn_task task;
    char *folder; /* "../bapps/2afc/val/cnn", as it was given and found */
    char *family; /* the folder's last name, "cnn" */
    char *label;  /* the family where only one is called so, or else the folder */
    size_t n;
    learn_trial *trials; /* in the order of strcmp() of their stems */
} learn_subset;

typedef struct learn_bapps {
    size_t n;
    learn_subset *subsets; /* folders as given, below each in the order of strcmp() */
} learn_bapps;

/*
 * All subsets in and below the folders, with their judgements.  task: one of learn_task, or
 * LEARN_ANY_TASK.  split: LEARN_VAL does not go into folders called train below those given,
 * LEARN_TRAIN not into those called val.  Every trial must be whole: -1 and a sentence where
 * a picture or a judgement is missing or a judgement is none; also where nothing is found.
 * Pictures are not opened.
 */
int learn_bapps_open(learn_bapps *out, char *const *folders, size_t n, int task,
                     learn_split split, char why[LEARN_WHY]);
void learn_bapps_free(learn_bapps *b);

/* "2afc", "jnd". */
const char *learn_task_name(learn_task task);

/* The path of a trial's picture, i as in learn_trial.name; the caller frees, NULL: memory. */
char *learn_trial_path(const learn_subset *s, const learn_trial *t, int i);

#endif
