/*
 * published.c - see published.h.
 *
 * The released lin weights 0.1 came after the paper, whose rows "lin" are 0.0; both are held
 * against them.  L2 and SSIM are those of CIE Lab, the official code's choice, with
 * its truncation to bytes or without.
 */
#include "published.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const learn_published learn_published_rows[] = {
    {"people", {"", NULL}, {80.8, 84.4, 73.4, 67.1, 68.8, 68.6, 73.9}},
    {"L2", {"l2-official", "l2-lab"}, {59.9, 77.8, 64.7, 58.2, 63.5, 55.0, 63.2}},
    {"SSIM", {"ssim-official", "ssim-lab"}, {60.3, 79.1, 65.1, 58.6, 58.1, 57.7, 63.1}},
    {"FSIMc", {"fsimc", NULL}, {61.4, 78.6, 68.1, 59.5, 57.3, 57.7, 63.8}},
    {"HDR-VDP", {NULL, NULL}, {57.4, 76.8, 64.7, 59.0, 53.7, 56.6, 61.4}},
    {"random", {"random:alex:0", NULL}, {60.5, 80.7, 64.9, 59.5, 62.8, 57.2, 64.3}},
    {"K-means", {NULL, NULL}, {66.6, 83.0, 67.3, 59.8, 63.1, 59.8, 66.6}},
    {"Squeeze", {"lpips:squeeze:none", NULL}, {73.3, 82.6, 70.1, 60.1, 63.6, 62.0, 68.6}},
    {"Alex", {"lpips:alex:none", NULL}, {70.6, 83.1, 71.7, 60.7, 65.0, 62.7, 68.9}},
    {"VGG", {"lpips:vgg:none", NULL}, {70.1, 81.3, 69.0, 59.0, 60.2, 62.1, 67.0}},
    {"Squeeze - lin",
     {"lpips:squeeze:0.1", "lpips:squeeze:0.0"},
     {76.1, 83.5, 71.1, 60.8, 65.3, 63.2, 70.0}},
    {"Alex - lin",
     {"lpips:alex:0.1", "lpips:alex:0.0"},
     {73.9, 83.4, 71.5, 61.2, 65.3, 63.2, 69.8}},
    {"VGG - lin",
     {"lpips:vgg:0.1", "lpips:vgg:0.0"},
     {76.0, 82.8, 70.5, 60.5, 62.5, 63.0, 69.2}},
    {"Alex - scratch", {NULL, NULL}, {77.6, 82.8, 71.1, 61.0, 65.6, 63.3, 70.2}},
    {"Alex - tune", {NULL, NULL}, {77.7, 83.5, 69.1, 60.5, 64.8, 62.9, 69.7}},
    {"VGG - tune", {NULL, NULL}, {79.3, 83.5, 69.8, 60.5, 63.4, 62.3, 69.8}},
    {NULL, {NULL, NULL}, {0}},
};

const learn_published *learn_published_of(const char *judge)
{
    for (const learn_published *row = learn_published_rows; row->title; row++)
        for (int i = 0; i < 2; i++)
            if (row->judges[i] && !strcmp(row->judges[i], judge))
                return row;
    return NULL;
}

static const char *const names[] = {"traditional", "cnn", "superres",    "deblur", "color",
                                    "frameinterp", "all", "distortions", "real"};

learn_paper learn_paper_column(const char *family)
{
    for (int i = 0; i < LEARN_FAMILIES; i++)
        if (!strcmp(family, names[i]))
            return (learn_paper)i;
    return LEARN_PAPER_NONE;
}

const char *learn_paper_name(learn_paper column)
{
    return column == LEARN_PAPER_NONE ? NULL : names[column];
}

double learn_published_score(const learn_published *row, learn_paper column)
{
    const double *p = row->percent;

    switch (column) {
    case LEARN_PAPER_NONE:
        return NAN;
    case LEARN_PAPER_DISTORTIONS:
        return (p[LEARN_TRADITIONAL] + p[LEARN_CNN]) / 200;
    case LEARN_PAPER_REAL:
        return (p[LEARN_SUPERRES] + p[LEARN_DEBLUR] + p[LEARN_COLOR] + p[LEARN_FRAMEINTERP]) /
               400;
    default:
        return p[column] / 100;
    }
}
