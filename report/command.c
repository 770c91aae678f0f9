/*
 * command.c - lpips report: its sub-commands.
 */
#include "batch.h"
#include "request.h"

#include "cli.h"
#include "compare.h"

#include <lpips.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- signals and messages ---------------------------------------------------------- */

static volatile sig_atomic_t stopped_by;

static void on_signal(int number)
{
    stopped_by = number;
}

/* The second one kills. */
static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* media/ warns of what changes numbers, of each file anew: here each sentence comes once. */
static void on_log(void *object, int level, const char *format, va_list arguments)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *said[64];
    char *text;
    size_t i = 0, n;

    if (level != AV_LOG_WARNING || !object || *(const AVClass *const *)object != media_log ||
        vasprintf(&text, format, arguments) < 0)
        return;
    n = strlen(text);
    if (n && text[n - 1] == '\n')
        text[n - 1] = 0;
    pthread_mutex_lock(&lock);
    while (i < 64 && said[i] && strcmp(said[i], text))
        i++;
    if (i < 64 && !said[i]) {
        said[i] = text;
        fprintf(stderr, "lpips report: %s\n", cli_plain(text));
    } else {
        free(text);
    }
    pthread_mutex_unlock(&lock);
}

static int failed(const char *why)
{
    fprintf(stderr, "lpips report: %s\n", cli_plain(why));
    return CLI_FAILED;
}

/* ---- planning ------------------------------------------------------------------------- */

static const char colour_rule[] =
    "Each frame is read as R'G'B' by its own tags; what it does not say (matrix, range, "
    "chroma "
    "location) is taken from the frame it is compared with, else BT.601 up to 576 rows and "
    "BT.709 above, limited range, chroma to the left. PSNR and SSIM are FFmpeg's, on the "
    "reference's own samples (pixel format, matrix and range, without alpha); an output in "
    "another format is converted to it by libswscale. FloLPIPS is left out: it needs an "
    "optical "
    "flow network that this library does not have.";

/* What was asked for, in place of a manifest's text. */
static char *describe_layout(const report_request *q)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    fprintf(f, "layout %s\nreference %s\n", q->layout, q->source);
    for (size_t i = 0; i < q->n_methods; i++)
        fprintf(f, "method %s=%s\n", q->methods[i].name,
                q->methods[i].root ? q->methods[i].root : "(made here)");
    return fclose(f) ? NULL : text;
}

static int collect(report_plan *p, const report_request *q, char why[REPORT_WHY])
{
    char what[REPORT_WHY];

    p->every = q->every;
    p->unit = "line";
    if (q->layout) {
        if (report_layout(p, q->layout, q->source, q->methods, q->n_methods, why))
            return -1;
        p->manifest = describe_layout(q);
        if (!p->manifest)
            return report_no_memory(why);
    } else {
        if (report_manifest(p, q->source, why))
            return -1;
        /* Methods without a folder are those made here. */
        for (size_t i = 0; i < q->n_methods; i++)
            if (report_plan_baseline(p, q->methods[i].name, what))
                return report_fail(why, "%s: %s", q->source, what);
    }
    if (q->kind)
        p->codec = !strcmp(q->kind, "codec");
    return report_plan_finish(p, what) ? report_fail(why, "%s: %s", q->source, what) : 0;
}

static int create(const char *path, const report_plan *p, const report_request *q,
                  char why[REPORT_WHY])
{
    const char *about[24], *slash = strrchr(q->source, '/');
    char *owned[6] = {0}, tool[64];
    report_measure *m;
    int n = 0, status = report_measure_open(&m, &q->settings, NULL, 1, why);

    if (status)
        return -1;
    lpips_describe(NULL, tool, sizeof tool);
#define ABOUT(key, value) (about[n++] = (key), about[n++] = (value))
    ABOUT("kind", p->codec ? "codec" : "interpolation");
    ABOUT("title", q->title ? q->title : p->title ? p->title : slash ? slash + 1 : q->source);
    ABOUT("manifest", p->manifest);
    ABOUT("colour_rule", colour_rule);
    ABOUT("tool", tool);
    for (int i = 0; i < q->settings.n_nets && !status; i++) {
        const char *net = lpips_net_name((lpips_net)q->settings.nets[i]);

        owned[2 * i] = report_text("lpips.%s", net);
        owned[2 * i + 1] = report_measure_describe(m, i);
        if (!owned[2 * i] || !owned[2 * i + 1])
            status = report_no_memory(why);
        ABOUT(owned[2 * i], owned[2 * i + 1]);
    }
#undef ABOUT
    about[n] = NULL;
    if (!status)
        status = report_store_create(path, p, &q->settings, about, why);
    for (int i = 0; i < 6; i++)
        free(owned[i]);
    report_measure_close(m);
    return status;
}

static int make_folders(const char *path, char why[REPORT_WHY])
{
    char *copy = strdup(path);
    int status = 0;

    if (!copy)
        return report_no_memory(why);
    for (char *p = copy; p && !status;) {
        char *slash = strchr(p + (*p == '/'), '/');

        if (slash)
            *slash = 0;
        if (*copy && mkdir(copy, 0777) && errno != EEXIST)
            status = report_fail(why, "%s: %s", copy, strerror(errno));
        if (slash)
            *slash = '/';
        p = slash ? slash + 1 : NULL;
    }
    free(copy);
    return status;
}

/* The same plan again is no mistake: that is how a run goes on. */
static int same_again(const char *planned, const char *path, const char *folder,
                      char why[REPORT_WHY])
{
    sqlite3 *db;
    char what[REPORT_WHY];
    int status = report_store_open(&db, planned, REPORT_READ, why);

    if (!status)
        status = report_attach(db, path, why);
    if (!status && report_same_plan(db, path, what))
        status = report_fail(why,
                             "%s holds the report of another list or of other settings: "
                             "choose another --out, or remove it",
                             folder);
    sqlite3_close(db);
    return status;
}

static int plan(const report_request *q, char why[REPORT_WHY])
{
    report_plan p = {0};
    char *path = report_join(q->out, REPORT_STORE_NAME);
    char *planned = path ? report_text("%s.planned", path) : NULL;
    int status = planned ? collect(&p, q, why) : report_no_memory(why);

    if (!status)
        status = make_folders(q->out, why);
    if (!status)
        status = create(planned, &p, q, why);
    if (!status && report_exists(path)) {
        status = same_again(planned, path, q->out, why);
        remove(planned);
    } else if (!status) {
        status = report_settle_file(planned, path, why);
        if (!status && !q->run.quiet)
            fprintf(stderr, "%zu items planned: %s\n", p.n, cli_plain(path));
    }
    report_plan_free(&p);
    free(planned);
    free(path);
    return status;
}

/* ---- the rest ------------------------------------------------------------------------ */

static int write_pages(const char *folder, char why[REPORT_WHY])
{
    char *path = report_join(folder, REPORT_STORE_NAME);
    sqlite3 *db = NULL;
    int status =
        path ? report_store_open(&db, path, REPORT_READ, why) : report_no_memory(why);

    if (!status)
        status = report_write(db, folder, why);
    sqlite3_close(db);
    free(path);
    return status;
}

static int run(const report_request *q, const char *again, char why[REPORT_WHY])
{
    const bool sharded = q->run.shards > 0;
    report_run_options o = q->run;
    int status;

    o.stop = &stopped_by;
    if (!sharded)
        o.shards = 1;
    listen_to_signals();
    status = sharded ? report_shard_run(q->out, &o, why) : report_run(q->out, &o, why);
    if (status < 0)
        return failed(why);
    if (status)
        return CLI_OK;
    fprintf(stderr, "lpips report: stopped; %s goes on from here\n", again);
    return 128 + (stopped_by ? stopped_by : SIGTERM);
}

static int write_and_tell(const report_request *q, char why[REPORT_WHY])
{
    if (write_pages(q->out, why))
        return failed(why);
    if (!q->run.quiet)
        fprintf(stderr, "%s/index.html\n", cli_plain(q->out));
    return CLI_OK;
}

int cli_report(int argc, char **argv)
{
    report_request q;
    char why[REPORT_WHY];
    int status = CLI_FAILED;

    report_request_parse(&q, argc, argv);
    av_log_set_callback(on_log);
    switch (q.command) {
    case REPORT_ALL:
        status = plan(&q, why) ? failed(why) : run(&q, "the same command", why);
        if (status == CLI_OK)
            status = write_and_tell(&q, why);
        break;
    case REPORT_PLAN:
        status = plan(&q, why) ? failed(why) : CLI_OK;
        break;
    case REPORT_RUN_ONLY:
        status = run(&q, "the same command", why);
        break;
    case REPORT_MERGE:
        status = report_merge(q.out, q.run.shards, why) ? failed(why) : CLI_OK;
        break;
    case REPORT_WRITE:
        status = write_and_tell(&q, why);
        break;
    }
    report_request_free(&q);
    return status;
}
