/*
 * published.h - the paper's own figures: agreement with people in 2AFC, R. Zhang et al.,
 * "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR 2018),
 * table 5.
 */
#ifndef LEARN_PUBLISHED_H
#define LEARN_PUBLISHED_H

/* Columns: the data set's validation subsets in the paper's order, and means of them. */
typedef enum learn_paper {
    LEARN_PAPER_NONE = -1,
    LEARN_TRADITIONAL,
    LEARN_CNN,
    LEARN_SUPERRES,
    LEARN_DEBLUR,
    LEARN_COLOR,
    LEARN_FRAMEINTERP,
    LEARN_FAMILIES,
    LEARN_PAPER_ALL = LEARN_FAMILIES, /* of all six */
    LEARN_PAPER_DISTORTIONS,          /* of the first two; computed here from the figures */
    LEARN_PAPER_REAL                  /* of the other four; computed here */
} learn_paper;

typedef struct learn_published {
    const char *title;
    const char *judges[2]; /* those of judge.h that compute the same; NULL: none */
    double percent[LEARN_FAMILIES + 1];
} learn_published;

/* In the paper's order; ends with a title that is NULL.  The first are the people. */
extern const learn_published learn_published_rows[];

/* The row of a judge, "" being the people; NULL: the paper has none. */
const learn_published *learn_published_of(const char *judge);

/* The column of a folder's name, and the name. */
learn_paper learn_paper_column(const char *family);
const char *learn_paper_name(learn_paper column);

/* As a fraction; NAN of LEARN_PAPER_NONE. */
double learn_published_score(const learn_published *row, learn_paper column);

#endif
