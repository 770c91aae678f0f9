/*
 * main.c - the program lpips-learn: which sub-command is meant.
 */
#include "collect/collect.h"
#include "learn.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *typed, *does;
} commands[] = {
    {"distort", learn_distort, "lpips-learn distort",
     "pictures made worse in known ways, and trials of them"},
    {"collect", learn_collect, "lpips-learn collect",
     "ask people: pages for raters, and their answers"},
    {"eval", learn_eval, "lpips-learn eval", "how well metrics agree with people"},
    {"questions", learn_questions, "lpips-learn questions",
     "the paper's questions, on your own trials"},
    {"init", learn_init, "lpips-learn init", "features without labels: k-means of pictures"},
    {"train", learn_train, "lpips-learn train", "fit the metric to judged trials"},
    {"optimise", learn_optimise, "lpips-learn optimise",
     "one picture into another, by the gradient of their distance"},
    {NULL, NULL, NULL, NULL},
};

static void help(FILE *out)
{
    fputs("Usage: lpips-learn COMMAND [OPTION...] ...\n"
          "How the metric is judged and made.\n\n",
          out);
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-12s %s\n", c->name, c->does);
    fputs("\nlpips-learn COMMAND --help tells more.\n", out);
}

int main(int argc, char **argv)
{
    for (const struct command *c = commands; argc > 1 && c->name; c++)
        if (!strcmp(argv[1], c->name)) {
            argv[1] = (char *)c->typed;
            return c->run(argc - 1, argv + 1);
        }
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        help(stdout);
        return LEARN_OK;
    }
    if (argc > 1)
        fprintf(stderr, "lpips-learn: there is no command '%s'\n\n", argv[1]);
    help(stderr);
    return LEARN_FAILED;
}
