/*
 * mos.c - `lpips-learn eval mos FILE.csv`: how well distances follow opinion scores.
 */
#include "eval.h"

#include "correlate.h"
#include "csv.h"
#include "opinions.h"
#include "plot.h"
#include "stats.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/cpu.h>
#include <libavutil/log.h>

enum { KEY_HIGHER = 256, KEY_LOWER, KEY_FOLDER, KEY_LOGISTIC, KEY_PLOT };

static const struct argp_option options[] = {
    {"higher-is-better", KEY_HIGHER, NULL, 0,
     "of the scores, whatever their column is called", 0},
    {"lower-is-better", KEY_LOWER, NULL, 0, "the other way round", 0},
    {"folder", KEY_FOLDER, "DIR", 0,
     "that names of pictures are relative to (FILE.csv's own)", 0},
    {"logistic", KEY_LOGISTIC, "N", 0,
     "parameters of the curve from distances to scores: 4 (the default) or 5", 0},
    {"plot", KEY_PLOT, "FILE", 0, "scores over distances, with the curve, as an SVG picture",
     0},
    {0}};

static const char text[] =
    "How well distances follow people's opinion scores, on any set of pictures."
    "\vFILE.csv has a pair and its score a line, below a line that names the columns:\n"
    "\n"
    "    reference,distorted,mos\n"
    "    I01.png,I01_blur_3.png,5.51\n"
    "\n"
    "A column mos means that higher is better, dmos that lower is; for one called score "
    "--higher-is-better or --lower-is-better tells. Other columns are passed over.\n"
    "\n"
    "    lpips-learn eval mos tid2013.csv -J all --json scores.json\n"
    "    lpips-learn eval mos kadid.csv -J lpips:alex,ssim --plot scatter.svg\n"
    "\n"
    "SROCC is Spearman's correlation of ranks, KROCC Kendall's tau-b; both are positive "
    "where "
    "distances rank as people do. PLCC and RMSE are Pearson's correlation and the root of "
    "the "
    "mean squared difference between the scores and those predicted by a logistic curve that "
    "is fitted by least squares: of 4 parameters (VQEG, report II, 2003), which rises or "
    "falls all "
    "along, or of 5 (Sheikh, Sabir and Bovik 2006, the LIVE study), which follows outliers "
    "more easily. Intervals are BCa bootstrap intervals over pairs, the "
    "curve staying as it is.\n"
    "\n"
    "Exit status: 0 all is well, 2 something could not be done.";

typedef struct request {
    learn_common common;
    const char *path, *folder, *plot;
    learn_direction direction;
    int parameters;
} request;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    request *q = state->input;

    switch (key) {
    case KEY_HIGHER:
    case KEY_LOWER:
        q->direction = key == KEY_HIGHER ? LEARN_HIGHER : LEARN_LOWER;
        return 0;
    case KEY_FOLDER:
        q->folder = arg;
        return 0;
    case KEY_LOGISTIC:
        q->parameters = learn_whole(state, "--logistic", arg, 4, 5);
        return 0;
    case KEY_PLOT:
        q->plot = arg;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &q->common;
        return 0;
    case ARGP_KEY_ARG:
        if (q->path)
            argp_error(state, "one FILE.csv at a time, not %s too", arg);
        q->path = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a FILE.csv is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- statistics ---------------------------------------------------------------------------
 */

enum { SROCC, KROCC, PLCC, RMSE, STATISTICS };

static const char *const names[STATISTICS] = {"SROCC", "KROCC", "PLCC", "RMSE"};

/* Of one judge. */
typedef struct outcome {
    learn_scatter scatter;
    learn_curve curve;
    double *predicted;
    double sign; /* of a correlation of distances and scores that agree */
    report_interval statistics[STATISTICS];
} outcome;

static double srocc(void *of, const double *times)
{
    const outcome *o = of;

    return o->sign * learn_spearman(&o->scatter, times);
}

static double krocc(void *of, const double *times)
{
    const outcome *o = of;

    return o->sign * learn_kendall(&o->scatter, times);
}

static double plcc(void *of, const double *times)
{
    const outcome *o = of;

    return o->curve.fitted ? learn_pearson(o->predicted, o->scatter.y, times, o->scatter.n)
                           : NAN;
}

static double rmse(void *of, const double *times)
{
    const outcome *o = of;
    double sum = 0, count = 0;

    for (size_t i = 0; i < o->scatter.n; i++) {
        const double d = o->predicted[i] - o->scatter.y[i];

        sum += times[i] * d * d;
        count += times[i];
    }
    return o->curve.fitted ? sqrt(sum / count) : NAN;
}

static int outcome_make(outcome *o, const double *distances, const learn_opinions *opinions,
                        const request *q)
{
    static report_statistic *const of[STATISTICS] = {srocc, krocc, plcc, rmse};
    const size_t n = opinions->n;
    int status = learn_scatter_make(&o->scatter, distances, opinions->scores, n);

    o->sign = q->direction == LEARN_HIGHER ? -1 : 1;
    o->predicted = calloc(n + 1, sizeof *o->predicted);
    if (status || !o->predicted ||
        learn_fit(&o->curve, q->parameters, distances, opinions->scores, n))
        return -1;
    for (size_t i = 0; i < n && o->curve.fitted; i++)
        o->predicted[i] = learn_curve_at(&o->curve, distances[i]);
    for (int i = 0; i < STATISTICS && !status; i++)
        status = report_bootstrap_of(of[i], o, &n, 1, &o->statistics[i]);
    return status;
}

/* ---- the work
 * -------------------------------------------------------------------------------- */

typedef struct evaluation {
    request q;
    learn_opinions opinions;
    learn_judges judges;
    double *distances; /* by judge and pair */
    outcome *outcomes; /* by judge */
} evaluation;

static int measure(evaluation *e, char why[LEARN_WHY])
{
    const size_t n = e->opinions.n, all = n * e->judges.n;
    double *both = malloc((2 * all + 1) * sizeof *both);
    learn_measuring m = {.cases = e->opinions.pairs,
                         .n = n,
                         .judges = e->judges.judges,
                         .n_judges = e->judges.n,
                         .size = e->q.common.size,
                         .threads = e->q.common.threads,
                         .quiet = e->q.common.quiet,
                         .distances = both};
    int status;

    e->distances = malloc((all + 1) * sizeof *e->distances);
    if (!both || !e->distances) {
        free(both);
        return learn_no_memory(why);
    }
    for (size_t i = 0; i < 2 * all; i++)
        both[i] = NAN;
    status = learn_measure(&m, why);
    for (size_t i = 0; i < all; i++)
        e->distances[i] = both[2 * i];
    free(both);
    return status;
}

/* Judges that threads take one by one. */
typedef struct turns {
    evaluation *e;
    atomic_size_t next;
    atomic_bool failed;
} turns;

static void *take_turns(void *of)
{
    turns *t = of;
    evaluation *e = t->e;
    size_t j;

    while ((j = t->next++) < e->judges.n)
        if (outcome_make(&e->outcomes[j], e->distances + j * e->opinions.n, &e->opinions,
                         &e->q))
            t->failed = true;
    return NULL;
}

static int correlate(evaluation *e, char why[LEARN_WHY])
{
    enum { THREADS_MOST = 64 };
    const int wanted = e->q.common.threads ? e->q.common.threads : av_cpu_count();
    pthread_t threads[THREADS_MOST];
    turns t = {.e = e};
    int n = 0;

    e->outcomes = calloc(e->judges.n + 1, sizeof *e->outcomes);
    if (!e->outcomes)
        return learn_no_memory(why);
    while (n < THREADS_MOST && n + 1 < wanted && (size_t)n + 1 < e->judges.n &&
           !pthread_create(&threads[n], NULL, take_turns, &t))
        n++;
    take_turns(&t);
    while (n)
        pthread_join(threads[--n], NULL);
    return t.failed ? learn_no_memory(why) : 0;
}

static int check_direction(evaluation *e, char why[LEARN_WHY])
{
    if (e->q.direction == LEARN_UNKNOWN)
        e->q.direction = e->opinions.direction;
    return e->q.direction != LEARN_UNKNOWN
               ? 0
               : learn_fail(why,
                            "%s: a column called score does not say which way it goes: give "
                            "--higher-is-better or --lower-is-better",
                            e->q.path);
}

/* ---- what comes of it ---------------------------------------------------------------------
 */

static void write_text(const void *what, FILE *f)
{
    const evaluation *e = what;
    fprintf(f, "%zu pairs, %s scores are better; curve of %d parameters; 95 %% intervals\n\n",
            e->opinions.n, e->q.direction == LEARN_HIGHER ? "higher" : "lower",
            e->q.parameters);
    fprintf(f, "%-28s", "");
    for (int i = 0; i < STATISTICS; i++)
        fprintf(f, "  %-22s", names[i]);
    putc('\n', f);
    for (size_t j = 0; j < e->judges.n; j++) {
        fprintf(f, "%-28s", e->judges.judges[j]->title);
        for (int i = 0; i < STATISTICS; i++) {
            const report_interval *s = &e->outcomes[j].statistics[i];
            char value[48] = "-";

            if (!isnan(s->low))
                snprintf(value, sizeof value, "%.4f (%.4f-%.4f)", s->mean, s->low, s->high);
            else if (!isnan(s->mean))
                snprintf(value, sizeof value, "%.4f", s->mean);
            fprintf(f, "  %-22s", value);
        }
        putc('\n', f);
    }
    putc('\n', f);
    for (size_t j = 0; j < e->judges.n; j++)
        fprintf(f, "# %s: %s\n", e->judges.judges[j]->title, e->judges.judges[j]->identity);
}

static void write_csv(const void *what, FILE *f)
{
    const evaluation *e = what;
    fputs("judge,statistic,pairs,value,low,high\n", f);
    for (size_t j = 0; j < e->judges.n; j++)
        for (int i = 0; i < STATISTICS; i++) {
            const report_interval *s = &e->outcomes[j].statistics[i];
            const double values[] = {s->mean, s->low, s->high};

            report_csv_text(f, e->judges.judges[j]->name);
            fprintf(f, ",%s,%zu", names[i], e->opinions.n);
            for (int k = 0; k < 3; k++)
                fprintf(f, isnan(values[k]) ? "," : ",%.9f", values[k]);
            putc('\n', f);
        }
}

static json_t *reals(const double *values, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, learn_json_real(values[i]));
    return array;
}

static json_t *json_judge(const evaluation *e, size_t j)
{
    const outcome *o = &e->outcomes[j];
    json_t *made = json_pack("{s:s, s:s}", "judge", e->judges.judges[j]->name, "identity",
                             e->judges.judges[j]->identity);

    for (int i = 0; i < STATISTICS; i++)
        json_object_set_new(made, names[i],
                            json_pack("{s:o, s:o, s:o}", "value",
                                      learn_json_real(o->statistics[i].mean), "low",
                                      learn_json_real(o->statistics[i].low), "high",
                                      learn_json_real(o->statistics[i].high)));
    json_object_set_new(made, "curve", o->curve.fitted ? reals(o->curve.b, 5) : json_null());
    json_object_set_new(made, "distances", reals(o->scatter.x, o->scatter.n));
    return made;
}

static void write_json(const void *what, FILE *f)
{
    const evaluation *e = what;
    json_t *judges = json_array(), *pairs = json_array();
    char described[64];

    for (size_t i = 0; i < e->opinions.n; i++)
        json_array_append_new(pairs, json_pack("{s:s, s:s, s:f}", "reference",
                                               e->opinions.pairs[i].reference, "distorted",
                                               e->opinions.pairs[i].other[0], "score",
                                               e->opinions.scores[i]));
    for (size_t j = 0; j < e->judges.n; j++)
        json_array_append_new(judges, json_judge(e, j));
    lpips_describe(NULL, described, sizeof described);
    learn_json_write(json_pack("{s:s, s:i, s:s, s:i, s:o, s:o}", "tool", described, "size",
                               e->q.common.size, "better",
                               e->q.direction == LEARN_HIGHER ? "higher" : "lower",
                               "parameters", e->q.parameters, "judges", judges, "pairs",
                               pairs),
                     f);
}

static void write_plot(const void *what, FILE *f)
{
    const evaluation *e = what;
    learn_panel *panels = calloc(e->judges.n + 1, sizeof *panels);
    char(*notes)[80] = calloc(e->judges.n + 1, sizeof *notes);

    for (size_t j = 0; panels && notes && j < e->judges.n; j++) {
        const outcome *o = &e->outcomes[j];

        if (o->curve.fitted)
            snprintf(notes[j], sizeof *notes, "SROCC %.3f, PLCC %.3f, %zu pairs",
                     o->statistics[SROCC].mean, o->statistics[PLCC].mean, o->scatter.n);
        else
            snprintf(notes[j], sizeof *notes, "%zu pairs: too few or too much alike",
                     o->scatter.n);
        panels[j] = (learn_panel){e->judges.judges[j]->title,
                                  notes[j],
                                  o->scatter.x,
                                  o->scatter.y,
                                  o->scatter.n,
                                  o->curve};
    }
    if (panels && notes)
        learn_plot(f, panels, e->judges.n,
                   e->q.direction == LEARN_HIGHER ? "opinion score, higher is better"
                                                  : "opinion score, lower is better");
    free(panels);
    free(notes);
}

static int tell(const evaluation *e, char why[LEARN_WHY])
{
    const learn_common *c = &e->q.common;
    const bool taken = learn_is_out(c->csv) || learn_is_out(c->json);

    return learn_put(write_plot, e, e->q.plot, why) || learn_put(write_csv, e, c->csv, why) ||
                   learn_put(write_json, e, c->json, why) ||
                   learn_put(write_text, e, taken ? NULL : "-", why)
               ? -1
               : 0;
}

int learn_eval_mos(int argc, char **argv)
{
    static const struct argp_child children[] = {{&learn_judging_argp, 0, "Common:", 2}, {0}};
    static const struct argp argp = {options, parse, "FILE.csv", text, children, NULL, NULL};
    evaluation e = {.q = {.parameters = 4}};
    char why[LEARN_WHY] = "";
    int status;

    argp_err_exit_status = LEARN_FAILED;
    argp_parse(&argp, argc, argv, 0, NULL, &e.q);
    av_log_set_level(AV_LOG_FATAL);
    status = learn_opinions_read(&e.opinions, e.q.path, e.q.folder, why) ||
             check_direction(&e, why) ||
             learn_judges_open(&e.judges, e.q.common.judges, e.q.common.quiet, why) ||
             measure(&e, why) || correlate(&e, why) || tell(&e, why);
    if (status)
        fprintf(stderr, "lpips-learn eval mos: %s\n", why);
    for (size_t j = 0; e.outcomes && j < e.judges.n; j++) {
        learn_scatter_free(&e.outcomes[j].scatter);
        free(e.outcomes[j].predicted);
    }
    free(e.outcomes);
    free(e.distances);
    learn_judges_free(&e.judges);
    learn_opinions_free(&e.opinions);
    return status ? LEARN_FAILED : LEARN_OK;
}
