/*
 * command.c - the command lines of lpips-learn collect.
 */
#include "collect.h"

#include "compare.h"
#include "data/bapps.h"
#include "study.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_KIND = 256,
    KEY_TITLE,
    KEY_SEED,
    KEY_RATERS,
    KEY_PER_RATER,
    KEY_SENTINELS,
    KEY_SCALE,
    KEY_ADDRESS,
    KEY_URL,
    KEY_TRIALS,
    KEY_STUDY,
    KEY_INTO,
    KEY_PASS,
    KEY_FASTEST,
    KEY_OFF,
    KEY_FORCE
};

static int failed(const char *what, const char *why)
{
    fprintf(stderr, "lpips-learn collect %s: %s\n", what, cli_plain(why));
    return LEARN_FAILED;
}

static long long whole(const struct argp_state *state, const char *text, const char *what,
                       long long least, long long most)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most)
        argp_error(state, "%s: \"%s\" is no whole number from %lld to %lld", what, text,
                   least, most);
    return value;
}

static double real(const struct argp_state *state, const char *text, const char *what,
                   double least, double most)
{
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value >= least && value <= most))
        argp_error(state, "%s: \"%s\" is no number from %g to %g", what, text, least, most);
    return value;
}

/* The one folder that a command is about. */
static error_t one_folder(struct argp_state *state, const char **dir, int key, char *arg)
{
    if (key == ARGP_KEY_ARG && !*dir)
        *dir = arg;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "one argument too many: \"%s\"", arg);
    else if (key == ARGP_KEY_END && !*dir)
        argp_error(state, "the folder of a study is missing; `lpips-learn collect make` "
                          "makes one");
    else if (key != ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN;
    return 0;
}

/* ---- make --------------------------------------------------------------------------------
 */

static const struct argp_option make_options[] = {
    {"out", 'o', "DIR", 0, "the folder of the study; made where it is not there", 0},
    {"kind", KEY_KIND, "KIND", 0,
     "2afc or jnd, where the folders hold both (folders with ref/ are 2afc)", 0},
    {"raters", KEY_RATERS, "N", 0,
     "that are to judge each trial (the paper's: 2, of folders below val/ 5, of jnd 3)", 0},
    {"per-rater", KEY_PER_RATER, "N", 0, "trials for one rater, at most (100)", 0},
    {"sentinels", KEY_SENTINELS, "N", 0,
     "trials with a known answer for each rater (12, or a twelfth of the trials)", 0},
    {"scale", KEY_SCALE, "N", 0,
     "pixels of the screen, across and down, for one of a picture (whole; as large as fits, "
     "about 7 cm)",
     0},
    {"title", KEY_TITLE, "TEXT", 0, "of the page", 0},
    {"seed", KEY_SEED, "N", 0, "of blocks, orders and sentinels (0)", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};

static const char make_text[] =
    "Makes a page that asks people which picture is more alike (2AFC) or whether two are the "
    "same (JND)."
    "\v"
    "FOLDERS hold trials as BAPPS and `lpips-learn distort` have them: ref/, p0/, p1/ with "
    "pictures of the same names for 2AFC, p0/, p1/ for JND.\n"
    "\n"
    "    lpips-learn collect make trials/2afc/train --out study\n"
    "\n"
    "DIR/page works from a file, from any web server, and without a network. Each rater has "
    "a number from 1 on, opens DIR/page/index.html#NUMBER and hands in a results file at the "
    "end: `lpips-learn collect import`. DIR/study.json stays with you: it knows the "
    "sentinels. To have answers come in by themselves: `lpips-learn collect serve DIR`.";

static error_t make_parse(int key, char *arg, struct argp_state *state)
{
    collect_making *m = state->input;

    switch (key) {
    case 'o':
        m->out = arg;
        break;
    case KEY_KIND:
        if (strcmp(arg, "2afc") && strcmp(arg, "jnd"))
            argp_error(state, "--kind: there are 2afc and jnd, no \"%s\"", arg);
        m->task = strcmp(arg, "jnd") ? LEARN_2AFC : LEARN_JND;
        break;
    case KEY_TITLE:
        m->title = arg;
        break;
    case KEY_SEED:
        m->seed = (uint64_t)whole(state, arg, "--seed", 0, 1LL << 53);
        break;
    case KEY_RATERS:
        m->raters = (int)whole(state, arg, "--raters", 1, 10000);
        break;
    case KEY_PER_RATER:
        m->per_rater = (int)whole(state, arg, "--per-rater", 1, 100000);
        break;
    case KEY_SENTINELS:
        m->sentinels = (int)whole(state, arg, "--sentinels", 0, 10000);
        break;
    case KEY_SCALE:
        m->scale = (int)whole(state, arg, "--scale", 1, 64);
        break;
    case 'q':
        m->quiet = true;
        break;
    case ARGP_KEY_ARGS:
        m->folders = state->argv + state->next;
        m->n_folders = (size_t)(state->argc - state->next);
        break;
    case ARGP_KEY_END:
        if (!m->n_folders)
            argp_error(state, "a folder of trials is missing");
        if (!m->out)
            argp_error(state, "--out DIR is missing: where the study goes");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run_make(int argc, char **argv)
{
    static const struct argp argp = {make_options, make_parse, "FOLDER...", make_text,
                                     NULL,         NULL,       NULL};
    collect_making m = {.task = LEARN_ANY_TASK, .per_rater = 100, .sentinels = -1};
    char why[LEARN_WHY];

    argp_parse(&argp, argc, argv, 0, NULL, &m);
    return collect_make(&m, why) ? failed("make", why) : LEARN_OK;
}

/* ---- which
 * --------------------------------------------------------------------------------- */

static const struct sub {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *typed, *does;
} subs[] = {
    {"make", run_make, "lpips-learn collect make", "trials to a page for raters"},
};

static void help(FILE *out)
{
    fputs("Usage: lpips-learn collect COMMAND [OPTION...] ...\n"
          "What people see in pictures, for `lpips-learn eval` and for training.\n\n",
          out);
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        fprintf(out, "  %-8s %s\n", subs[i].name, subs[i].does);
    fputs("\nlpips-learn collect COMMAND --help tells more.\n", out);
}

int learn_collect(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    argp_err_exit_status = LEARN_FAILED;
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        if (!strcmp(name, subs[i].name)) {
            argv[1] = (char *)subs[i].typed;
            return subs[i].run(argc - 1, argv + 1);
        }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "-?")) {
        help(stdout);
        return LEARN_OK;
    }
    if (*name)
        fprintf(stderr, "lpips-learn collect: there is no command '%s'\n\n", name);
    help(stderr);
    return LEARN_FAILED;
}
