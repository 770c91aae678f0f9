/*
 * settings.c - which metrics a report has, as the command line and as the store say it.
 */
#include "batch.h"

#include <lpips.h>

#include <string.h>

static int add_net(report_settings *s, const char *name, char why[REPORT_WHY])
{
    const int net = lpips_net_from_name(name);

    if (net < 0)
        return report_fail(why, "no net is called \"%s\"; there are alex, vgg and squeeze",
                           name);
    for (int i = 0; i < s->n_nets; i++)
        if (s->nets[i] == net)
            return report_fail(why, "the net %s comes twice", name);
    s->nets[s->n_nets++] = net;
    return 0;
}

static int add_metric(report_settings *s, const char *name, char why[REPORT_WHY])
{
    if (!strcmp(name, "tlpips"))
        s->tlpips = true;
    else if (!strcmp(name, "psnr"))
        s->psnr = true;
    else if (!strcmp(name, "ssim"))
        s->ssim = true;
    else if (strcmp(name, "lpips"))
        return report_fail(why,
                           "no metric is called \"%s\"; there are lpips, tlpips, psnr and "
                           "ssim",
                           name);
    return 0;
}

static int each(report_settings *s, const char *list,
                int (*add)(report_settings *, const char *, char why[REPORT_WHY]),
                char why[REPORT_WHY])
{
    for (;;) {
        const size_t n = strcspn(list, ",");
        char name[32];

        if (n >= sizeof name)
            return report_fail(why, "\"%.40s\" is no name that is known", list);
        memcpy(name, list, n);
        name[n] = 0;
        if (add(s, name, why))
            return -1;
        if (!list[n])
            return 0;
        list += n + 1;
    }
}

int report_settings_nets(report_settings *s, const char *list, char why[REPORT_WHY])
{
    s->n_nets = 0;
    return each(s, list, add_net, why);
}

int report_settings_metrics(report_settings *s, const char *list, char why[REPORT_WHY])
{
    s->psnr = s->ssim = s->tlpips = false;
    return each(s, list, add_metric, why);
}

int report_settings_load(sqlite3 *db, report_settings *s, char why[REPORT_WHY])
{
    sqlite3_stmt *rows;
    int status = 0, got;

    memset(s, 0, sizeof *s);
    if (sqlite3_prepare_v2(db, "SELECT name FROM metric ORDER BY id", -1, &rows, NULL) !=
        SQLITE_OK)
        return report_sql_failed(db, why);
    while (!status && (got = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(rows, 0);

        if (!name)
            status = report_no_memory(why);
        else if (!strncmp(name, "lpips_", 6))
            status = add_net(s, name + 6, why);
        else
            status = add_metric(s, strncmp(name, "tlpips_", 7) ? name : "tlpips", why);
    }
    if (!status && got != SQLITE_DONE)
        status = report_sql_failed(db, why);
    sqlite3_finalize(rows);
    return status;
}
