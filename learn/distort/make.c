/*
 * make.c - all trials, into a folder that takes its name when it is whole.
 */
#include "make.h"

#include "cnn.h"
#include "share.h"

#include "batch.h"
#include "output.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <libavutil/avutil.h>

typedef struct run {
    distort_make *make;
    distort_set set;
    distort_source *sources;
    size_t n;
} run;

/* ---- sources ------------------------------------------------------------------------------
 */

/* The first so many of a shuffled order are held out: one source at least stays on either
 * side where there are two or more. */
static int hold_out(run *r, char why[LEARN_WHY])
{
    const double part = r->make->held_out;
    size_t *order = calloc(r->n, sizeof *order), val, ranks[2] = {0};
    learn_random random;

    if (!order)
        return learn_no_memory(why);
    val = (size_t)ceil(part * (double)r->n - 1e-9);
    if (val == r->n && part < 1)
        val--;
    learn_random_start(&random, r->make->plan.seed, learn_random_key(0, "held out"));
    for (size_t i = 0; i < r->n; i++) {
        const size_t j = (size_t)learn_random_below(&random, i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < val; i++)
        r->sources[order[i]].val = true;
    for (size_t i = 0; i < r->n; i++) {
        const bool held = r->sources[i].val || r->make->plan.task == LEARN_JND;

        r->sources[i].rank = ranks[held]++;
    }
    free(order);
    return 0;
}

static int find_sources(run *r, char why[LEARN_WHY])
{
    char **names;
    int status = 0;

    if (report_names(r->make->in, NULL, &names, &r->n, why) < 0)
        return -1;
    if (!r->n)
        status = learn_fail(why, "%s: the folder is empty; pictures and clips are wanted",
                            r->make->in);
    r->sources = calloc(r->n + 1, sizeof *r->sources);
    if (!r->sources && !status)
        status = learn_no_memory(why);
    for (size_t i = 0; i < r->n && !status; i++) {
        r->sources[i].name = names[i];
        names[i] = NULL;
        r->sources[i].path = report_join(r->make->in, r->sources[i].name);
        if (!r->sources[i].path)
            status = learn_no_memory(why);
    }
    report_names_free(names, r->n);
    return status ? status : hold_out(r, why);
}

/* ---- folders
 * -------------------------------------------------------------------------------- */

static int cannot(const char *path, const char *what, char why[LEARN_WHY])
{
    return learn_fail(why, "%s: %s: %s", path, what, strerror(errno));
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder beside `out`, which must not be there or hold nothing. */
static char *make_beside(const char *out, char why[LEARN_WHY])
{
    char **names, *path = NULL;
    const mode_t mask = umask(0);
    size_t n = strlen(out);

    umask(mask);
    if (report_exists(out)) {
        if (report_names(out, NULL, &names, &n, why) < 0)
            return NULL;
        report_names_free(names, n);
        if (n) {
            learn_fail(why, "%s is there and not empty: remove it, or choose another --out",
                       out);
            return NULL;
        }
        n = strlen(out);
    }
    while (n > 1 && out[n - 1] == '/')
        n--;
    if (asprintf(&path, "%.*s.making-XXXXXX", (int)n, out) < 0) {
        learn_no_memory(why);
        return NULL;
    }
    if (!mkdtemp(path) || chmod(path, 0777 & ~mask)) {
        cannot(out, "cannot be made", why);
        free(path);
        return NULL;
    }
    return path;
}

static int make_folder(char why[LEARN_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int make_folder(char why[LEARN_WHY], const char *format, ...)
{
    char *path;
    va_list values;
    int status = 0;

    va_start(values, format);
    if (vasprintf(&path, format, values) < 0)
        path = NULL;
    va_end(values);
    if (!path)
        return learn_no_memory(why);
    if (mkdir(path, 0777) && errno != EEXIST)
        status = cannot(path, "cannot be made", why);
    free(path);
    return status;
}

static int make_folders(const run *r, char why[LEARN_WHY])
{
    static const char *const inner[] = {"p0", "p1", "ref", "judge"};
    const distort_plan *p = &r->make->plan;
    const char *task = learn_task_name(p->task);
    const int folders = p->judge ? 4 : p->task == LEARN_JND ? 2 : 3;
    int status = make_folder(why, "%s/%s", p->out, task);

    for (size_t i = 0; i < r->n && !status; i++) {
        const char *split = distort_split(p, &r->sources[i]);

        if (r->sources[i].rank)
            continue; /* the split has its folders */
        status = make_folder(why, "%s/%s/%s", p->out, task, split);
        for (int s = 0; s < DISTORT_SUBSETS && !status; s++) {
            const char *subset = distort_subsets[s];

            if (!p->subsets[s])
                continue;
            status = make_folder(why, "%s/%s/%s/%s", p->out, task, split, subset);
            for (int k = 0; k < folders && !status; k++)
                status =
                    make_folder(why, "%s/%s/%s/%s/%s", p->out, task, split, subset, inner[k]);
        }
    }
    return status;
}

/* ---- work
 * ------------------------------------------------------------------------------------ */

static void *open_room(distort_share *share)
{
    (void)share;
    return learn_judge_room_make();
}

static void close_room(void *room)
{
    learn_judge_room_free(room);
}

static int told(void *share)
{
    return distort_share_step(share);
}

static int make_one(distort_share *share, size_t i, void *room, char why[LEARN_WHY])
{
    const run *r = share->context;

    return distort_source_make(&r->make->plan, &r->sources[i], room, told, share, why);
}

static int make_all(run *r, size_t trials, char why[LEARN_WHY])
{
    const distort_make *m = r->make;
    distort_share share = {.items = r->n,
                           .steps = trials,
                           .workers = m->workers,
                           .quiet = m->quiet,
                           .stop = m->stop,
                           .context = r,
                           .work = make_one,
                           .open = m->plan.judge ? open_room : NULL,
                           .close = close_room};

    return distort_share_run(&share, why);
}

/* ---- what is written last -----------------------------------------------------------------
 */

static int write_manifest(const run *r, char why[LEARN_WHY])
{
    report_file file;

    if (report_file_open(&file, r->make->plan.out, "manifest.csv", why) < 0)
        return -1;
    fputs(DISTORT_MANIFEST_HEAD, file.f);
    for (size_t i = 0; i < r->n; i++)
        fputs(r->sources[i].rows, file.f);
    return report_file_close(&file, 0, why);
}

static int add_networks(const run *r, json_t *about)
{
    json_t *list = r->set.n ? json_object() : NULL;
    char mark[17];

    for (size_t i = 0; i < r->set.n; i++) {
        snprintf(mark, sizeof mark, "%016" PRIx64, r->set.cnns[i].mark);
        if (json_object_set_new(list, r->set.cnns[i].name, json_string(mark)))
            break;
    }
    if (r->set.n && json_object_size(list) != r->set.n) {
        json_decref(list);
        return -1;
    }
    return list ? json_object_set_new(about, "networks", list) : 0;
}

/* What the bytes depend on beside the seed. */
static int write_about(const run *r, char why[LEARN_WHY])
{
    const distort_plan *p = &r->make->plan;
    char library[64];
    report_file file;
    json_t *about;
    int status = 0;

    lpips_describe(NULL, library, sizeof library);
    about = json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:f, s:s?, s:s?}", "made by",
                      "lpips-learn distort make", "library", library, "ffmpeg",
                      av_version_info(), "seed", (json_int_t)p->seed, "patches of a source",
                      p->patches, "pixels", p->size, "held out", r->make->held_out, "judge",
                      p->judge ? p->judge->name : NULL, "judge identity",
                      p->judge ? p->judge->identity : NULL);
    if (!about || add_networks(r, about)) {
        json_decref(about);
        return learn_no_memory(why);
    }
    if (report_file_open(&file, p->out, "about.json", why) < 0) {
        json_decref(about);
        return -1;
    }
    if (json_dumpf(about, file.f, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) < 0 ||
        fputc('\n', file.f) < 0)
        status = learn_fail(why, "about.json cannot be written");
    json_decref(about);
    return report_file_close(&file, status, why);
}

/* Two sides by two networks need two. */
static int check_networks(const run *r, char why[LEARN_WHY])
{
    for (int i = 0; i < DISTORT_SUBSETS; i++) {
        const size_t least = !strcmp(distort_subsets[i], "cnn")   ? 2
                             : !strcmp(distort_subsets[i], "mix") ? 1
                                                                  : 0;

        if (r->make->plan.subsets[i] && r->set.n < least)
            return learn_fail(why,
                              "--subset %s wants --networks, a folder with %zu or more: "
                              "`lpips-learn distort train` makes one",
                              distort_subsets[i], least);
    }
    return 0;
}

/* ---- all of it
 * ------------------------------------------------------------------------------- */

static int fill(run *r, char why[LEARN_WHY])
{
    const distort_plan *p = &r->make->plan;
    size_t trials = 0;
    int status = make_folders(r, why);

    for (int i = 0; i < DISTORT_SUBSETS; i++)
        trials += p->subsets[i] ? r->n * (size_t)p->patches : 0;
    if (status)
        return status;
    status = make_all(r, trials, why);
    if (!status)
        status = write_manifest(r, why);
    return status ? status : write_about(r, why);
}

int distort_make_run(distort_make *m, char why[LEARN_WHY])
{
    run r = {.make = m};
    learn_judge *judge = NULL;
    char *out = NULL;
    int status = distort_set_open(&r.set, m->networks, why);

    m->plan.kinds = r.set.kinds;
    if (!status)
        status = check_networks(&r, why);
    if (!status && m->judge)
        status = learn_judge_open(&judge, m->judge, why);
    m->plan.judge = judge;
    if (!status)
        status = find_sources(&r, why);
    if (!status) {
        m->plan.out = out = make_beside(m->out, why);
        status = out ? fill(&r, why) : -1;
    }
    if (!status && rename(out, m->out))
        status = cannot(m->out, "cannot take its name", why);
    if (out && status)
        remove_all(out);
    free(out);
    for (size_t i = 0; i < r.n && r.sources; i++) {
        free(r.sources[i].name);
        free(r.sources[i].path);
        free(r.sources[i].rows);
    }
    free(r.sources);
    learn_judge_free(judge);
    distort_set_close(&r.set);
    return status;
}
