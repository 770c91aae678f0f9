/*
 * output.c - rows as text for people and pipes, and as CSV.
 *
 * Text: distance, distorted, reference, with tabs between, so that sort, cut and awk work;
 * what stands behind the numbers in lines that begin with #.  CSV: one header, no comments,
 * every row says all by itself.
 */
#include "compare.h"

#include "csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct read_as {
    char reference[256], distorted[256];
} read_as;

struct cli_output {
    const cli_options *o;
    const media_score *score;
    cli_json *json;
    FILE *csv;
    bool text;
    int layers;
    read_as *said; /* of every set */
};

static bool is_standard(const char *path)
{
    return path && !strcmp(path, "-");
}

/* ---- text ------------------------------------------------------------------- */

static void comment_reading(cli_output *out, const cli_row *row)
{
    read_as *said = &out->said[row->set], now;

    snprintf(now.reference, sizeof now.reference, "%s", row->reference_read_as);
    snprintf(now.distorted, sizeof now.distorted, "%s", row->distorted_read_as);
    if (strcmp(said->reference, now.reference) || strcmp(said->distorted, now.distorted))
        printf("# reference: %s; distorted: %s\n", now.reference, now.distorted);
    *said = now;
}

static void comment_stats(const char *what, const double *values, size_t n)
{
    lpips_stats stats;

    if (lpips_stats_of(values, n, &stats) < 0)
        return;
    printf("# %s:%zu", what, n);
    for (int i = 0; lpips_stats_name(i); i++)
        printf(" %s:%.9f", lpips_stats_name(i), lpips_stats_value(&stats, i));
    printf("\n");
}

static void comment_video(const cli_row *row)
{
    size_t worst[5];
    const size_t n = lpips_worst(row->values, row->frames, worst, 5);

    comment_stats("frames", row->values, row->frames);
    printf("# unpaired_reference:%" PRId64 " unpaired_distorted:%" PRId64 " worst frames:",
           row->unpaired_reference, row->unpaired_distorted);
    for (size_t i = 0; i < n; i++)
        printf(" %zu (%.9f)", worst[i], row->values[worst[i]]);
    printf("\n");
}

static void text_row(cli_output *out, const cli_row *row)
{
    const bool comments = !out->o->quiet;

    if (comments && row->reference_read_as)
        comment_reading(out, row);
    if (row->kind == CLI_FRAME)
        return;
    cli_progress_clear();
    if (row->kind == CLI_UNMATCHED) {
        if (comments)
            printf("# without a partner: %s\n",
                   cli_plain(row->reference ? row->reference : row->distorted));
        return;
    }
    if (row->kind == CLI_BROKEN) {
        printf("failed\t%s\t%s\t%s\n", cli_plain(row->distorted), cli_plain(row->reference),
               cli_plain(row->why));
        return;
    }
    printf("%.9f", row->value);
    for (int i = 0; out->o->layers && row->terms && i < out->layers; i++)
        printf("\t%.9f", row->terms->layer[i]);
    printf("\t%s\t%s\n", cli_plain(row->distorted), cli_plain(row->reference));
    if (comments && row->kind == CLI_VIDEO)
        comment_video(row);
}

/* ---- CSV -------------------------------------------------------------------- */

static void csv_text(FILE *f, const char *text)
{
    if (text)
        report_csv_text(f, text);
}

static void csv_header(const cli_output *out)
{
    fputs("kind,distorted,reference,frame,lpips", out->csv);
    for (int i = 0; i < out->layers; i++)
        fprintf(out->csv, ",layer.%d", i);
    fputs(",frames,unpaired_reference,unpaired_distorted,reference_read_as,distorted_read_as,"
          "by,weights,error\n",
          out->csv);
    fflush(out->csv);
}

static void csv_row(const cli_output *out, const cli_row *row)
{
    static const char *const kinds[] = {"picture", "frame", "video", "failed", "unmatched"};
    FILE *f = out->csv;

    fprintf(f, "%s,", kinds[row->kind]);
    csv_text(f, row->distorted);
    putc(',', f);
    csv_text(f, row->reference);
    putc(',', f);
    if (row->kind == CLI_FRAME)
        fprintf(f, "%" PRId64, row->frame);
    putc(',', f);
    if (row->kind <= CLI_VIDEO)
        fprintf(f, "%.9f", row->value);
    for (int i = 0; i < out->layers; i++)
        if (row->terms)
            fprintf(f, ",%.9f", row->terms->layer[i]);
        else
            putc(',', f);
    if (row->kind == CLI_VIDEO)
        fprintf(f, ",%zu,%" PRId64 ",%" PRId64 ",", row->frames, row->unpaired_reference,
                row->unpaired_distorted);
    else
        fputs(",,,,", f);
    csv_text(f, row->reference_read_as);
    putc(',', f);
    csv_text(f, row->distorted_read_as);
    fprintf(f, ",%s,%s,", media_score_describe(out->score),
            lpips_weights_hash(media_score_weights(out->score)));
    csv_text(f, row->why);
    putc('\n', f);
    fflush(f);
}

/* ---- the whole -------------------------------------------------------------- */

static void free_output(cli_output *out)
{
    cli_json_free(out->json);
    free(out->said);
    free(out);
}

static int open_output(cli_output *out, char why[MEDIA_WHY])
{
    const cli_options *o = out->o;

    out->said = calloc((size_t)o->sets, sizeof *out->said);
    if (o->json)
        out->json = cli_json_new(o, out->score);
    if (!out->said || (o->json && !out->json)) {
        snprintf(why, MEDIA_WHY, "out of memory");
        return -1;
    }
    if (o->csv)
        out->csv = is_standard(o->csv) ? stdout : fopen(o->csv, "w");
    if (o->csv && !out->csv) {
        snprintf(why, MEDIA_WHY, "%s cannot be written: %s", o->csv, strerror(errno));
        return -1;
    }
    return 0;
}

int cli_output_open(cli_output **out, const cli_options *o, const media_score *score,
                    char why[MEDIA_WHY])
{
    cli_output *u = calloc(1, sizeof *u);

    *out = NULL;
    if (!u) {
        snprintf(why, MEDIA_WHY, "out of memory");
        return -1;
    }
    u->o = o;
    u->score = score;
    u->layers = lpips_net_layers(lpips_weights_net(media_score_weights(score)));
    u->text = !is_standard(o->json) && !is_standard(o->csv);
    if (open_output(u, why) < 0) {
        free_output(u);
        return -1;
    }
    if (u->csv)
        csv_header(u);
    if (u->text && !o->quiet)
        printf("# %s\n", media_score_describe(score));
    *out = u;
    return 0;
}

void cli_output_row(cli_output *out, const cli_row *row)
{
    if (out->text)
        text_row(out, row);
    if (out->csv)
        csv_row(out, row);
    if (out->json)
        cli_json_row(out->json, row);
}

void cli_output_summary(cli_output *out, int set, const double *values, size_t n)
{
    if (out->text && !out->o->quiet) {
        if (out->o->sets > 1)
            printf("# %s\n", cli_plain(out->o->distorted[set]));
        comment_stats("compared", values, n);
    }
    if (out->json)
        cli_json_summary(out->json, set, values, n);
}

static int close_csv(cli_output *out, char why[MEDIA_WHY])
{
    const bool failed = ferror(out->csv);

    if ((out->csv == stdout ? fflush(stdout) : fclose(out->csv)) || failed) {
        snprintf(why, MEDIA_WHY, "%s could not be written to its end", out->o->csv);
        return -1;
    }
    return 0;
}

int cli_output_close(cli_output *out, bool complete, int gate, char why[MEDIA_WHY])
{
    int ret = 0;

    if (out->csv)
        ret = close_csv(out, why);
    if (out->json && ret >= 0)
        ret = cli_json_write(out->json, complete, gate, why);
    if ((fflush(stdout) || ferror(stdout)) && ret >= 0) {
        snprintf(why, MEDIA_WHY, "standard output could not be written to");
        ret = -1;
    }
    free_output(out);
    return ret;
}
