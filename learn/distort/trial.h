/*
 * trial.h - trials of one source, drawn and written.
 *
 * What is drawn depends on the seed, the source's name, the subset and the trial's number
 * within them alone; where a trial's files go, on the source's rank in its split.
 */
#ifndef DISTORT_TRIAL_H
#define DISTORT_TRIAL_H

#include "data/bapps.h"
#include "distort.h"
#include "judge/judge.h"

enum { DISTORT_SUBSETS = 6, DISTORT_PATCH = 64 };

/* "traditional", "cnn", "mix" (one side of each of these), "superres", "deblur",
 * "frameinterp". */
extern const char *const distort_subsets[DISTORT_SUBSETS];

typedef struct distort_plan {
    const char *out; /* the folder that 2afc/ and jnd/ are below */
    const distort_kind *kinds;
    learn_task task;
    bool subsets[DISTORT_SUBSETS];
    int patches; /* trials of a source in each subset */
    int size;    /* of the files: DISTORT_PATCH, or 256, enlarged as those of BAPPS */
    uint64_t seed;
    const learn_judge *judge; /* NULL: no judgements */
} distort_plan;

typedef struct distort_source {
    char *path, *name;
    bool val;
    size_t rank; /* in its split */
    char *rows;  /* of the manifest, when its trials are written */
} distort_source;

#define DISTORT_MANIFEST_HEAD                                                        \
    "task,split,subset,trial,source,frame,x,y,p0,p0_seed,p1,p1_seed,p0_distance,p1_" \
    "distance,"                                                                      \
    "judge\n"

/* "train" or "val". */
const char *distort_split(const distort_plan *p, const distort_source *s);

/* Makes and writes all trials of a source, and its rows. room: NULL without a judge. told: is
 * called after each trial; what it returns but 0 ends the work. */
int distort_source_make(const distort_plan *p, distort_source *s, learn_judge_room *room,
                        int (*told)(void *context), void *context, char why[LEARN_WHY]);

#endif
