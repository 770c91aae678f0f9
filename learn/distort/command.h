/*
 * command.h - the sub-commands of lpips-learn distort, and what their options share.
 */
#ifndef DISTORT_COMMAND_H
#define DISTORT_COMMAND_H

#include <argp.h>

#include "clip.h"
#include "distort.h"

int distort_list_command(int argc, char **argv);
int distort_picture_command(int argc, char **argv);
int distort_make_command(int argc, char **argv);
int distort_sheet_command(int argc, char **argv);
int distort_train_command(int argc, char **argv);

/* IN and OUT.png, --seed and --frame: a child for the argp of those who want them, whose
 * input this is. frame: -1 for the middle one. */
typedef struct distort_files {
    const char *in, *out;
    uint64_t seed;
    int64_t frame;
} distort_files;

extern const struct argp distort_files_argp;

/* Hands the frame to `visit`; 0, or -1 and why. */
int distort_files_read(const distort_files *files,
                       int (*visit)(void *context, const distort_frame *f,
                                    char why[LEARN_WHY]),
                       void *context, char why[LEARN_WHY]);

/* --networks: a child in the same way, whose input is the folder's name. */
extern const struct argp distort_networks_argp;

/* Prints the sentence and returns LEARN_FAILED. */
int distort_failed(const char *why);

/* A PNG, not in place of the picture it was made from. */
int distort_write(const char *path, const char *from, const uint8_t *rgb, int width,
                  int height, char why[LEARN_WHY]);

#endif
