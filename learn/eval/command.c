/*
 * command.c - `lpips-learn eval FOLDER...`: scores on folders of judged trials.
 */
#include "eval.h"

#include "csv.h"
#include "evaluation.h"
#include "score.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/log.h>

enum { KEY_TASK = 256, KEY_SPLIT, KEY_STORE, KEY_TRIALS, SIZE_OFFICIAL = 64 };

static const struct argp_option options[] = {
    {"task", KEY_TASK, "TASK", 0, "2afc or jnd only (both, where there are both)", 0},
    {"split", KEY_SPLIT, "NAME", 0,
     "which folders below are gone into: val (the default: none called train), train (none "
     "called val) or all",
     0},
    {"store", KEY_STORE, "FILE", 0,
     "where distances are kept, so that a run goes on where it was stopped (beside the first "
     "FOLDER, with .eval.sqlite added to its name)",
     0},
    {"trials", KEY_TRIALS, "FILE", 0,
     "a row of CSV for every trial and judge; - is standard output", 0},
    {0}};

static const char text[] =
    "How well metrics agree with people: scores on folders of judged trials in the layout of "
    "BAPPS, the data set of the LPIPS paper."
    "\vA FOLDER may hold the whole data set or one subset of it: all that hold ref, p0, p1 "
    "and "
    "judge are 2AFC trials, p0, p1 and same JND trials.\n"
    "\n"
    "    lpips-learn eval bapps/2afc/val\n"
    "    lpips-learn eval bapps --judges all --json scores.json\n"
    "    lpips-learn eval bapps -J lpips:alex,mine.safetensors,ssim-lab\n"
    "\n"
    "2AFC: a metric's score on a trial is the fraction of people who chose the picture to "
    "which it gives the smaller distance, half on a tie. \"people\" is what one more person "
    "would agree with those asked: the most that can be reached. JND: average precision when "
    "trials are sorted by distance and people's \"same\" is what is looked for.\n"
    "\n"
    "\"distortions\" is the mean of traditional, cnn and mix, \"real\" of superres, deblur, "
    "color and frameinterp, \"all\" of all subsets, whatever their sizes. Intervals are BCa "
    "bootstrap intervals over trials. The paper's figures stand beside ours where the "
    "subsets "
    "are those of its table 5.\n"
    "\n"
    "Pictures are resized to 64 as the official loader does, whose data are 64x64 patches "
    "enlarged to 256x256: without that, distances are off by 10 to 60 %. Give --size 0 for "
    "data that are meant as they are.\n"
    "\n"
    "`lpips-learn eval mos --help`: opinion scores.\n"
    "\n"
    "Exit status: 0 all is well, 2 something could not be done.";

typedef struct request {
    learn_asked asked;
    const char *trials;
} request;

static int chosen(struct argp_state *state, const char *option, const char *arg,
                  const char *const *names)
{
    int i = 0;

    while (names[i] && strcmp(names[i], arg))
        i++;
    if (!names[i])
        argp_error(state, "%s: there is no \"%s\"; --help names what there is", option, arg);
    return i;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const tasks[] = {"2afc", "jnd", NULL};
    static const char *const splits[] = {"val", "train", "all", NULL};
    request *q = state->input;

    switch (key) {
    case KEY_TASK:
        q->asked.task = chosen(state, "--task", arg, tasks);
        return 0;
    case KEY_SPLIT:
        q->asked.split = (learn_split)chosen(state, "--split", arg, splits);
        return 0;
    case KEY_STORE:
        q->asked.store = arg;
        return 0;
    case KEY_TRIALS:
        q->trials = arg;
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
        if (learn_is_out(q->trials) &&
            (learn_is_out(q->asked.common.csv) || learn_is_out(q->asked.common.json)))
            argp_error(state,
                       "only one of --trials, --json and --csv can go to standard output");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what comes of it
 * ------------------------------------------------------------------------ */

static void trial_line(const learn_evaluation *e, FILE *f, const learn_subset *s, size_t i,
                       size_t at, size_t judge)
{
    const double *d = e->m.distances + 2 * (judge * e->m.n + at);
    const double people = (double)s->trials[i].judge;

    fprintf(f, "%s,", learn_task_name(s->task));
    report_csv_text(f, s->label);
    putc(',', f);
    report_csv_text(f, s->trials[i].stem);
    fprintf(f, ",%.9g,", people);
    report_csv_text(f, e->judges.judges[judge]->name);
    fprintf(f, ",%.9f,", d[0]);
    if (s->task == LEARN_2AFC)
        fprintf(f, "%.9f,%.9g", d[1], learn_score_2afc(people, d[0], d[1]));
    else
        putc(',', f);
    putc('\n', f);
}

/* A run and what came of it. */
typedef struct outcome {
    const learn_evaluation *e;
    learn_table tables[2];
    size_t n;
} outcome;

static void write_trials(const void *what, FILE *f)
{
    const learn_evaluation *e = ((const outcome *)what)->e;
    size_t at = 0;

    fputs("task,subset,trial,people,judge,d0,d1,score\n", f);
    for (size_t i = 0; i < e->data.n; at += e->data.subsets[i++].n)
        for (size_t k = 0; k < e->data.subsets[i].n; k++)
            for (size_t j = 0; j < e->judges.n; j++)
                trial_line(e, f, &e->data.subsets[i], k, at + k, j);
}

static void write_csv(const void *what, FILE *f)
{
    const outcome *o = what;

    fputs("task,row,judge,column,trials,score,low,high,published\n", f);
    for (size_t i = 0; i < o->n; i++)
        learn_table_csv(&o->tables[i], f);
}

static void write_json(const void *what, FILE *f)
{
    const outcome *o = what;
    json_t *tables = json_array();
    char described[64];

    for (size_t i = 0; i < o->n; i++)
        json_array_append_new(tables, learn_table_json(&o->tables[i], &o->e->data));
    lpips_describe(NULL, described, sizeof described);
    learn_json_write(json_pack("{s:s, s:i, s:o}", "tool", described, "size", o->e->m.size,
                               "tables", tables),
                     f);
}

static void write_text(const void *what, FILE *f)
{
    const outcome *o = what;

    for (size_t i = 0; i < o->n; i++)
        learn_table_print(&o->tables[i], f);
}

static int make_tables(outcome *o, char why[LEARN_WHY])
{
    const learn_evaluation *e = o->e;

    for (int task = 0; task < 2; task++) {
        bool any = false;

        for (size_t i = 0; i < e->data.n; i++)
            any = any || (int)e->data.subsets[i].task == task;
        if (any && learn_table_make(&o->tables[o->n++], (learn_task)task, &e->data,
                                    e->judges.judges, e->judges.n, e->m.distances, why))
            return -1;
    }
    return 0;
}

static int tell(const request *q, const learn_evaluation *e, char why[LEARN_WHY])
{
    const bool taken = learn_is_out(q->trials) || learn_is_out(q->asked.common.csv) ||
                       learn_is_out(q->asked.common.json);
    outcome o = {.e = e};
    const int status = make_tables(&o, why) || learn_put(write_trials, &o, q->trials, why) ||
                       learn_put(write_csv, &o, q->asked.common.csv, why) ||
                       learn_put(write_json, &o, q->asked.common.json, why) ||
                       learn_put(write_text, &o, taken ? NULL : "-", why);

    while (o.n)
        learn_table_free(&o.tables[--o.n]);
    return status;
}

int learn_eval(int argc, char **argv)
{
    static const struct argp_child children[] = {{&learn_judging_argp, 0, "Common:", 2}, {0}};
    static const struct argp argp = {options, parse, "FOLDER...", text, children, NULL, NULL};
    request q = {.asked = {.task = LEARN_ANY_TASK, .common.size = SIZE_OFFICIAL}};
    learn_evaluation e;
    char why[LEARN_WHY] = "";
    int status;

    if (argc > 1 && !strcmp(argv[1], "mos")) {
        argv[1] = "lpips-learn eval mos";
        return learn_eval_mos(argc - 1, argv + 1);
    }
    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &q);
    av_log_set_level(AV_LOG_FATAL);
    status = learn_evaluation_open(&e, &q.asked, why) ||
             learn_judges_open(&e.judges, q.asked.common.judges, q.asked.common.quiet, why) ||
             learn_evaluation_measure(&e, why) || tell(&q, &e, why);
    if (status)
        fprintf(stderr, "lpips-learn eval: %s\n", why);
    learn_evaluation_free(&e);
    return status ? LEARN_FAILED : LEARN_OK;
}
