/*
 * report_write.c - report_write() for tests: a store and a folder, in the user's language.
 */
#include "report.h"

#include <libavutil/log.h>
#include <locale.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[REPORT_WHY] = "";
    sqlite3 *store = NULL;
    int status = 1;

    if (argc != 3) {
        fprintf(stderr, "usage: report_write STORE FOLDER\n");
        return 2;
    }
    setlocale(LC_ALL, "");
    av_log_set_level(AV_LOG_ERROR);
    if (sqlite3_open_v2(argv[1], &store, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        status = report_write(store, argv[2], why) < 0;
    else
        snprintf(why, sizeof why, "%s", sqlite3_errmsg(store));
    if (status)
        fprintf(stderr, "report_write: %s\n", why);
    sqlite3_close(store);
    return status;
}
