/*
 * measure.c - the numbers of one item: LPIPS by each net, temporal LPIPS, PSNR and SSIM.
 *
 * Temporal LPIPS (tLP; Chu et al., "Learning Temporal Coherence via Self-Supervision for
 * GAN-based Video Generation", 2020) is |d(ref_t-1, ref_t) - d(out_t-1, out_t)|, over all
 * frames that follow each other, synthesised or not.
 */
#include "batch.h"
#include "frames.h"
#include "media.h"
#include "progress.h"
#include "quality.h"
#include "tags.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a killed run scores again at most, of one clip. */
#define SAVE_SECONDS 2

struct report_measure {
    report_settings settings;
    media_score *nets[3];
    int lpips[3], tlpips[3], psnr, ssim; /* ids of the metrics */
    report_quality *quality;
    report_score *scores;
    size_t n, room;
    AVFrame *now[2], *before[2]; /* reference, output */
};

/* ---- life ------------------------------------------------------------------------------ */

static int metric_id(sqlite3 *db, const char *name, const char *net, int *id,
                     char why[REPORT_WHY])
{
    char *sql = sqlite3_mprintf("SELECT id FROM metric WHERE name = '%q%q'", name, net);
    int64_t value = 0;
    int status = sql ? report_store_number(db, &value, why, sql, 0) : report_no_memory(why);

    *id = (int)value;
    sqlite3_free(sql);
    return status;
}

static int find_ids(report_measure *m, sqlite3 *db, char why[REPORT_WHY])
{
    for (int i = 0; i < m->settings.n_nets; i++) {
        const char *net = lpips_net_name((lpips_net)m->settings.nets[i]);

        if (metric_id(db, "lpips_", net, &m->lpips[i], why) ||
            metric_id(db, "tlpips_", net, &m->tlpips[i], why))
            return -1;
    }
    return metric_id(db, "psnr", "", &m->psnr, why) ||
                   metric_id(db, "ssim", "", &m->ssim, why)
               ? -1
               : 0;
}

int report_measure_open(report_measure **out, const report_settings *settings,
                        const report_measure *like, int threads, char why[REPORT_WHY])
{
    report_measure *m = calloc(1, sizeof *m);

    *out = NULL;
    if (!m)
        return report_no_memory(why);
    m->settings = *settings;
    for (int i = 0; i < m->settings.n_nets; i++) {
        const media_score_options options = {.net = m->settings.nets[i],
                                             .threads = threads,
                                             .weights =
                                                 like ? media_score_weights(like->nets[i])
                                                      : NULL};

        if (media_score_open(&m->nets[i], &options, why) < 0) {
            report_measure_close(m);
            return -1;
        }
    }
    if (!(m->quality = report_quality_new(why))) {
        report_measure_close(m);
        return -1;
    }
    *out = m;
    return 0;
}

char *report_measure_describe(const report_measure *m, int i)
{
    const char *said = media_score_describe(m->nets[i]), *hash = strstr(said, "weights ");
    const char *whole = lpips_weights_hash(media_score_weights(m->nets[i]));
    size_t before;

    if (!hash)
        return strdup(said);
    before = (size_t)(hash - said) + strlen("weights ");
    return report_text("%.*s%s%s", (int)before, said, whole,
                       said + before + strcspn(said + before, " "));
}

/* The weights are those that the plan was made with, wherever this runs. */
static int check_net(const report_measure *m, int i, sqlite3 *db, char why[REPORT_WHY])
{
    const char *net = lpips_net_name((lpips_net)m->settings.nets[i]);
    char *key = report_text("lpips.%s", net), *planned = NULL;
    char *here = report_measure_describe(m, i);
    int status =
        key && here ? report_store_about(db, key, &planned, why) : report_no_memory(why);

    if (!status && (!planned || strcmp(planned, here)))
        status = report_fail(why,
                             "net %s here is \"%s\", the plan was made with \"%s\": one "
                             "report needs one version of weights and library everywhere",
                             net, here, planned ? planned : "");
    free(key);
    free(planned);
    free(here);
    return status;
}

int report_measure_bind(report_measure *m, sqlite3 *db, char why[REPORT_WHY])
{
    for (int i = 0; i < m->settings.n_nets; i++)
        if (check_net(m, i, db, why))
            return -1;
    return find_ids(m, db, why);
}

static void forget(report_measure *m)
{
    for (int i = 0; i < 2; i++) {
        av_frame_free(&m->now[i]);
        av_frame_free(&m->before[i]);
    }
}

void report_measure_close(report_measure *m)
{
    if (!m)
        return;
    forget(m);
    for (int i = 0; i < m->settings.n_nets; i++)
        media_score_close(m->nets[i]);
    report_quality_free(m->quality);
    free(m->scores);
    free(m);
}

/* ---- one frame --------------------------------------------------------------- */

static int add(report_measure *m, int metric, int64_t frame, double value,
               char why[REPORT_WHY])
{
    if (report_room(&m->scores, sizeof *m->scores, m->n, &m->room))
        return report_no_memory(why);
    m->scores[m->n++] = (report_score){metric, frame, value};
    return 0;
}

/* The reference's features serve both comparisons that it is in. */
static int score_net(report_measure *m, int i, int64_t frame, bool scored,
                     char why[REPORT_WHY])
{
    const bool temporal = m->settings.tlpips && frame > 0;
    const AVFrame *others[2];
    lpips_result beside[2], along;
    int n = 0;

    if (scored)
        others[n++] = m->now[1];
    if (temporal)
        others[n++] = m->before[0];
    if (n && media_score_many(m->nets[i], m->now[0], others, n, beside, NULL, why) < 0)
        return -1;
    if (scored && add(m, m->lpips[i], frame, beside[0].distance, why))
        return -1;
    if (!temporal)
        return 0;
    others[0] = m->before[1];
    if (media_score_many(m->nets[i], m->now[1], others, 1, &along, NULL, why) < 0)
        return -1;
    return add(m, m->tlpips[i], frame, fabs(beside[n - 1].distance - along.distance), why);
}

static int score_frame(report_measure *m, const report_item *item, int64_t frame,
                       char why[REPORT_WHY])
{
    const bool scored = !item->every || frame % item->every;
    double psnr, ssim;

    for (int i = 0; i < m->settings.n_nets; i++)
        if (score_net(m, i, frame, scored, why))
            return -1;
    if (!scored || (!m->settings.psnr && !m->settings.ssim))
        return 0;
    if (report_quality_of(m->quality, m->now[0], m->now[1], &psnr, &ssim, why))
        return -1;
    if (m->settings.psnr && add(m, m->psnr, frame, psnr, why))
        return -1;
    return m->settings.ssim ? add(m, m->ssim, frame, ssim, why) : 0;
}

/* ---- an item ----------------------------------------------------------------- */

/* The next pair in m->now, settled, and the last in m->before. */
static int step(report_measure *m, report_frames *f, char why[REPORT_WHY])
{
    const AVFrame *reference, *output;
    const int got = report_frames_next(f, &reference, &output, why);

    if (got <= 0)
        return got;
    for (int i = 0; i < 2; i++) {
        av_frame_free(&m->before[i]);
        m->before[i] = m->now[i];
        m->now[i] = NULL;
    }
    return report_tags_settle(m->now, reference, output, why) ? -1 : 1;
}

static int measure(report_measure *m, const report_item *item, int64_t from,
                   const report_sink *sink, report_frames *f, int64_t *frames,
                   char why[REPORT_WHY])
{
    double saved = report_seconds();
    int got = 1;

    while (!*sink->stop && (got = step(m, f, why)) > 0) {
        const int64_t frame = (*frames)++;

        if (frame < from)
            continue;
        if (score_frame(m, item, frame, why))
            return -1;
        sink->progress(sink->opaque, frame + 1, report_frames_expected(f));
        if (report_seconds() - saved >= SAVE_SECONDS) {
            if (sink->save(sink->opaque, m->scores, m->n))
                return 0;
            m->n = 0;
            saved = report_seconds();
        }
    }
    if (got > 0)
        return 0;
    if (!got && item->every && *frames < 2)
        return report_fail(why,
                           "%s: there is one frame, and every is %d: none is left to score",
                           item->output, item->every);
    return got < 0 ? -1 : 1;
}

int report_measure_item(report_measure *m, const report_item *item, int64_t from,
                        const report_sink *sink, report_measured *out, char why[REPORT_WHY])
{
    report_frames *f;
    int status;

    m->n = 0;
    *out = (report_measured){0};
    if (report_frames_open(&f, item->reference, item->output, item->first, item->last,
                           item->every, 1, why))
        return -1;
    out->kbit_s = report_frames_kbit_s(f);
    status = measure(m, item, from, sink, f, &out->frames, why);
    out->scores = m->scores;
    out->n = m->n;
    forget(m);
    report_frames_close(f);
    return status;
}
