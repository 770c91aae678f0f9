/*
 * page.c - index.html: the page of report/page/, with the data in its place.
 *
 * The page's scripts and styles are fixed when the program is built, and its
 * Content-Security-Policy names them by their hashes: a name that got out of the data could
 * still not run.  That it does not get out is the work of safe(), below.
 */
#include "output.h"

#include <string.h>

/* Vimeo-90K's 3782 triplets by five methods: some 12 MB. */
enum { ITEMS_OF_PAGE = 20000 };

/* shell.S: report/page/ put together by assemble.py. */
extern const char report_shell[], report_shell_end[];

static const char marker[] = "@DATA@";

/* Inside JSON these three can stand in strings only, where \u says the same; all beyond ASCII
 * comes escaped from jansson, line separators too. */
static int safe(const char *text, size_t size, void *opaque)
{
    FILE *f = opaque;

    for (size_t i = 0; i < size; i++)
        if (text[i] == '<' || text[i] == '>' || text[i] == '&')
            fprintf(f, "\\u%04x", (unsigned)text[i]);
        else
            fputc(text[i], f);
    return ferror(f) ? -1 : 0;
}

static json_t *page_data(sqlite3 *store, const report_summary *s, char why[REPORT_WHY])
{
    json_t *document = report_document(s, ITEMS_OF_PAGE), *notes = json_array();
    char text[200];

    if (!document || json_object_set_new(document, "notes", notes) < 0) {
        snprintf(why, REPORT_WHY, "memory is short for index.html");
        json_decref(document);
        return NULL;
    }
    if (s->n_items > ITEMS_OF_PAGE) {
        snprintf(text, sizeof text,
                 "The first %d of %zu results are listed; items.csv has all.", ITEMS_OF_PAGE,
                 s->n_items);
        json_array_append_new(notes, json_string(text));
    }
    if (report_add_series(document, store, s, why) < 0) {
        json_decref(document);
        return NULL;
    }
    if (report_add_thumbs(document, store, s) < 0) {
        snprintf(why, REPORT_WHY, "memory is short for index.html");
        json_decref(document);
        return NULL;
    }
    return document;
}

int report_fill_page(FILE *f, const char *shell, const char *end, const json_t *data)
{
    const char *at = memmem(shell, (size_t)(end - shell), marker, sizeof marker - 1);
    int status;

    fwrite(shell, 1, (size_t)(at - shell), f);
    status = json_dump_callback(data, safe, f,
                                JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(7));
    at += sizeof marker - 1;
    fwrite(at, 1, (size_t)(end - at), f);
    return status;
}

int report_write_page(sqlite3 *store, const report_summary *s, const char *folder,
                      char why[REPORT_WHY])
{
    json_t *document = page_data(store, s, why);
    report_file out;
    int status = -1;

    if (!document)
        return -1;
    if (report_file_open(&out, folder, "index.html", why) < 0)
        goto fail;
    status = report_fill_page(out.f, report_shell, report_shell_end, document);
    if (status)
        snprintf(why, REPORT_WHY, "%s/index.html: cannot be written", folder);
    status = report_file_close(&out, status, why);
fail:
    json_decref(document);
    return status;
}
