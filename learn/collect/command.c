/*
 * command.c - the command lines of lpips-learn collect.
 */
#include "options.h"
#include "collect.h"

#include "compare.h"
#include "data/bapps.h"
#include "study.h"

#include <argp.h>
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

/* ---- make --------------------------------------------------------------------------- */

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
        m->seed = learn_seed(state, arg, UINT64_C(1) << 53);
        break;
    case KEY_RATERS:
        m->raters = learn_whole(state, "--raters", arg, 1, 10000);
        break;
    case KEY_PER_RATER:
        m->per_rater = learn_whole(state, "--per-rater", arg, 1, 100000);
        break;
    case KEY_SENTINELS:
        m->sentinels = learn_whole(state, "--sentinels", arg, 0, 10000);
        break;
    case KEY_SCALE:
        m->scale = learn_whole(state, "--scale", arg, 1, 64);
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

/* ---- serve and status --------------------------------------------------------------- */

static const struct argp_option serve_options[] = {
    {"raters", KEY_RATERS, "N", 0,
     "a link for each of the numbers 1 to N (as many as the study wants)", 0},
    {"port", 'p', "N", 0, "of TCP (8080); 0: one that is free", 0},
    {"address", KEY_ADDRESS, "ADDRESS", 0,
     "to listen at (127.0.0.1, this machine alone); 0.0.0.0: the network", 0},
    {"url", KEY_URL, "URL", 0,
     "what links begin with, where raters come by another name or through a proxy", 0},
    {0}};

static const char serve_text[] =
    "Serves the page of a study, and keeps each answer as it comes."
    "\v"
    "    lpips-learn collect serve study\n"
    "\n"
    "prints a secret link for each rater. An answer is confirmed when it is on the disk, in "
    "DIR/answers.sqlite; a rater may go on in another browser. `lpips-learn collect status "
    "DIR` tells who is how far, `lpips-learn collect import DIR` makes judgements of it.\n"
    "\n"
    "What goes over the network is not encrypted: for raters elsewhere put a web server with "
    "TLS in front and give its address as --url.";

static error_t serve_parse(int key, char *arg, struct argp_state *state)
{
    collect_serving *s = state->input;

    switch (key) {
    case KEY_RATERS:
        s->raters = learn_whole(state, "--raters", arg, 1, 10000);
        return 0;
    case 'p':
        s->port = learn_whole(state, "--port", arg, 0, 65535);
        return 0;
    case KEY_ADDRESS:
        s->address = arg;
        return 0;
    case KEY_URL:
        s->url = arg;
        while (*arg && arg[strlen(arg) - 1] == '/')
            arg[strlen(arg) - 1] = 0;
        return 0;
    default:
        return one_folder(state, &s->dir, key, arg);
    }
}

static int run_serve(int argc, char **argv)
{
    static const struct argp argp = {serve_options, serve_parse, "DIR", serve_text,
                                     NULL,          NULL,        NULL};
    collect_serving s = {.address = "127.0.0.1", .port = 8080};
    char why[LEARN_WHY];

    argp_parse(&argp, argc, argv, 0, NULL, &s);
    return collect_serve(&s, why) ? failed("serve", why) : LEARN_OK;
}

static const struct argp_option status_options[] = {
    {"trials", KEY_TRIALS, NULL, 0, "also how many answers each trial has", 0}, {0}};

static const char status_text[] =
    "Tells how far each rater is, as a table with tabs; also while a server runs."
    "\v"
    "    lpips-learn collect status study";

struct status {
    const char *dir;
    bool trials;
};

static error_t status_parse(int key, char *arg, struct argp_state *state)
{
    struct status *s = state->input;

    if (key != KEY_TRIALS)
        return one_folder(state, &s->dir, key, arg);
    s->trials = true;
    return 0;
}

static int run_status(int argc, char **argv)
{
    static const struct argp argp = {status_options, status_parse, "DIR", status_text,
                                     NULL,           NULL,         NULL};
    struct status s = {0};
    char why[LEARN_WHY];

    argp_parse(&argp, argc, argv, 0, NULL, &s);
    return collect_status(s.dir, s.trials, why) ? failed("status", why) : LEARN_OK;
}

/* ---- import ------------------------------------------------------------------------- */

static const struct argp_option import_options[] = {
    {"into", KEY_INTO, "FOLDER", 0,
     "judgements go to FOLDER/SUBSET/judge or same, not beside the pictures", 0},
    {"pass", KEY_PASS, "PART", 0,
     "least part of the sentinels that a rater must get right (0.85)", 0},
    {"fastest", KEY_FASTEST, "MS", 0,
     "a rater half of whose answers came faster is left out (300)", 0},
    {"off", KEY_OFF, "MS", 0,
     "answers of jnd whose pictures were shown longer or shorter by more are left out (100)",
     0},
    {"force", KEY_FORCE, NULL, 0, "write over judgements of another source", 0},
    {"dry-run", 'n', NULL, 0, "tell all, keep and write nothing", 0},
    {0}};

static const char import_text[] =
    "Merges what raters handed in and writes judgements for `lpips-learn eval`."
    "\v"
    "DIR is the study; FILES are results files, or an answers.sqlite of the same study from "
    "another machine. What a server stored in DIR counts as well.\n"
    "\n"
    "    lpips-learn collect import study results-*.json\n"
    "\n"
    "Tells who was left out and why, how far raters agree, and the human ceiling. The same "
    "file twice counts once; a broken one changes nothing. Judgements are the fraction of "
    "raters who chose p1 (judge/NAME.npy) or \"the same\" (same/NAME.npy).";

static error_t import_parse(int key, char *arg, struct argp_state *state)
{
    collect_importing *i = state->input;

    switch (key) {
    case KEY_INTO:
        i->into = arg;
        break;
    case KEY_PASS:
        i->pass = learn_real(state, "--pass", arg, 0, 1);
        break;
    case KEY_FASTEST:
        i->fastest = learn_whole(state, "--fastest", arg, 0, 1000000);
        break;
    case KEY_OFF:
        i->off = learn_real(state, "--off", arg, 0, 1e9);
        break;
    case KEY_FORCE:
        i->force = true;
        break;
    case 'n':
        i->dry = true;
        break;
    case ARGP_KEY_ARGS:
        i->dir = state->argv[state->next];
        i->files = state->argv + state->next + 1;
        i->n_files = (size_t)(state->argc - state->next - 1);
        break;
    case ARGP_KEY_END:
        if (!i->dir)
            argp_error(state, "the folder of a study is missing");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run_import(int argc, char **argv)
{
    static const struct argp argp = {
        import_options, import_parse, "DIR [FILE...]", import_text, NULL, NULL, NULL};
    collect_importing i = {.pass = 0.85, .fastest = 300, .off = 100};
    char why[LEARN_WHY];

    argp_parse(&argp, argc, argv, 0, NULL, &i);
    return collect_import(&i, why) ? failed("import", why) : LEARN_OK;
}

/* ---- which -------------------------------------------------------------------------- */

static const struct sub {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *typed, *does;
} subs[] = {
    {"make", run_make, "lpips-learn collect make", "trials to a page for raters"},
    {"serve", run_serve, "lpips-learn collect serve",
     "the page by secret links, answers to a database"},
    {"status", run_status, "lpips-learn collect status", "how far raters are"},
    {"import", run_import, "lpips-learn collect import",
     "what raters handed in to judgements"},
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
