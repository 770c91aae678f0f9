/*
 * command.c - lpips-learn questions: the paper's questions on the user's trials.
 */
#include "questions.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/log.h>

enum { KEY_KMEANS = 256, KEY_LIN, KEY_TUNE, KEY_SCRATCH, KEY_STORE, KEY_PLOT, OFFICIAL = 64 };

static const struct argp_option known[] = {
    {"kmeans", KEY_KMEANS, "FILE", 0, "weights of k-means, as lpips-learn init makes them",
     0},
    {"lin", KEY_LIN, "FILE", 0, "trained lin layers, in place of the released ones", 0},
    {"tune", KEY_TUNE, "FILE", 0, "weights of lpips-learn train --mode tune", 0},
    {"scratch", KEY_SCRATCH, "FILE", 0, "weights of lpips-learn train --mode scratch", 0},
    {"plot", KEY_PLOT, "FILE", 0, "everybody's agreement as bars, an SVG picture", 0},
    {"store", KEY_STORE, "FILE", 0, "where distances are kept, as of lpips-learn eval", 0},
    {0}};

static const char text[] =
    "The LPIPS paper's questions, asked again on folders of 2AFC trials in the layout of "
    "BAPPS: do deep features agree with people, and better than classic metrics; does the "
    "architecture matter; must it be ImageNet; need it be trained; does what is tuned more "
    "generalise less."
    "\v"
    "    lpips-learn questions bapps/2afc/val --plot questions.svg\n"
    "    lpips-learn questions bapps/2afc/val --kmeans kmeans.safetensors --tune "
    "tune/weights.safetensors --scratch scratch/weights.safetensors\n"
    "\n"
    "Each answer is the difference of two agreements with people over the same trials, in "
    "points of percent, with its 95 % bootstrap interval: yes where the interval lies above "
    "0, no where it lies below, open where these trials do not tell; below it the paper's "
    "own "
    "difference. Without a file the paper's row is all there is; its line says how the file "
    "is made.\n"
    "\n"
    "Exit status: 0 all is well, 2 something could not be done.";

typedef struct request {
    learn_asked asked;
    const char *file[WHO_ALL];
    const char *plot;
} request;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case KEY_KMEANS:
        q->file[WHO_KMEANS] = arg;
        return 0;
    case KEY_LIN:
        q->file[WHO_LIN] = arg;
        return 0;
    case KEY_TUNE:
        q->file[WHO_TUNE] = arg;
        return 0;
    case KEY_SCRATCH:
        q->file[WHO_SCRATCH] = arg;
        return 0;
    case KEY_PLOT:
        q->plot = arg;
        return 0;
    case KEY_STORE:
        q->asked.store = arg;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &q->asked.common;
        return 0;
    case ARGP_KEY_ARGS:
        q->asked.folders = state->argv + state->next;
        q->asked.n = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a FOLDER is needed");
        return 0;
    case ARGP_KEY_END:
        if (learn_is_out(q->plot) &&
            (learn_is_out(q->asked.common.csv) || learn_is_out(q->asked.common.json)))
            argp_error(state,
                       "only one of --plot, --json and --csv can go to standard output");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Whoever can be had becomes a judge.  A file of the user's that cannot be read is an error,
 * weights that are not installed are not. */
static int gather(learn_answers *a, learn_judges *judges, char why[LEARN_WHY])
{
    for (int i = 0; i < WHO_ALL; i++) {
        const char *name = a->file[i] ? a->file[i] : learn_parties[i].judge;

        a->judge[i] = -1;
        if (!name)
            continue;
        if (!learn_judges_add(judges, name, why))
            a->judge[i] = (int)judges->n - 1;
        else if (a->file[i])
            return -1;
        else if (!(a->left_out[i] = strdup(why)))
            return learn_no_memory(why);
    }
    return 0;
}

static int tell(const request *q, const learn_answers *a, char why[LEARN_WHY])
{
    const learn_common *c = &q->asked.common;
    const bool taken = learn_is_out(q->plot) || learn_is_out(c->csv) || learn_is_out(c->json);

    return learn_put(learn_answers_bars, a, q->plot, why) ||
                   learn_put(learn_answers_csv, a, c->csv, why) ||
                   learn_put(learn_answers_json, a, c->json, why) ||
                   learn_put(learn_answers_text, a, taken ? NULL : "-", why)
               ? -1
               : 0;
}

int learn_questions(int argc, char **argv)
{
    static const struct argp_child children[] = {{&learn_common_argp, 0, "Common:", 2}, {0}};
    static const struct argp argp = {known, parse, "FOLDER...", text, children, NULL, NULL};
    request q = {.asked = {.task = LEARN_2AFC, .common.size = OFFICIAL}};
    learn_evaluation e;
    learn_answers a = {.e = &e};
    char why[LEARN_WHY] = "";
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &q);
    av_log_set_level(AV_LOG_FATAL);
    memcpy(a.file, q.file, sizeof a.file);
    status = learn_evaluation_open(&e, &q.asked, why) || gather(&a, &e.judges, why) ||
             learn_evaluation_measure(&e, why) || learn_answer_all(&a, why) ||
             tell(&q, &a, why);
    if (status)
        fprintf(stderr, "lpips-learn questions: %s\n", why);
    learn_answers_free(&a);
    learn_evaluation_free(&e);
    return status ? LEARN_FAILED : LEARN_OK;
}
