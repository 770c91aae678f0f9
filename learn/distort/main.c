/*
 * main.c - lpips-learn distort: which of its sub-commands is meant.
 */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include <cblas.h>
#include <libavutil/log.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *typed, *usage;
} commands[] = {
    {"list", distort_list_command, "lpips-learn distort list", "list"},
    {"picture", distort_picture_command, "lpips-learn distort picture",
     "picture IN OUT.png --with NAME[:STRENGTH][+NAME[:STRENGTH]]"},
    {"make", distort_make_command, "lpips-learn distort make", "make FOLDER --out DIR"},
    {"sheet", distort_sheet_command, "lpips-learn distort sheet", "sheet IN OUT.png"},
    {"train", distort_train_command, "lpips-learn distort train", "train FOLDER --out DIR"},
};

static void help(FILE *out)
{
    fputs("Usage:\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  lpips-learn distort %s\n", commands[i].usage);
    fputs(
        "\nMakes pictures worse in known ways: the distortions of the LPIPS paper's table 2 "
        "(photometric,\nnoise, blur, spatial, compression), and real algorithms as far as "
        "open tools carry them\n(superresolution, deblurring, frame interpolation, by "
        "libavfilter). Colorization is left out:\nthere is no open filter for it. train "
        "makes "
        "the paper's CNN-based distortions, small networks.\nmake writes trials in the "
        "layout "
        "of BAPPS, the paper's data set.\n\n"
        "Each has a --help of its own.\n",
        out);
}

int learn_distort(int argc, char **argv)
{
    /* what fails is told in our own words */
    av_log_set_level(AV_LOG_QUIET);
    /* the work is cut between our own threads, and so gives the same whatever their number */
    openblas_set_num_threads(1);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (argc > 1 && !strcmp(argv[1], commands[i].name)) {
            argv[1] = (char *)commands[i].typed;
            return commands[i].run(argc - 1, argv + 1);
        }
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))) {
        help(stdout);
        return LEARN_OK;
    }
    if (argc > 1)
        fprintf(stderr, "lpips-learn distort: there is no command '%s'\n\n", argv[1]);
    help(stderr);
    return LEARN_FAILED;
}
