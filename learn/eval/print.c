/*
 * print.c - tables of scores as text, CSV and JSON.
 */
#include "table.h"

#include "csv.h"
#include "eval.h"

#include <math.h>
#include <string.h>

enum { TITLE_WIDTH = 30, COLUMN_LEAST = 13 };

/* ---- text ------------------------------------------------------------------------------ */

static int width_of(const learn_column *c)
{
    const int n = (int)strlen(c->label) + 2;

    return n < COLUMN_LEAST ? COLUMN_LEAST : n;
}

static void head(const learn_table *t, FILE *f)
{
    fprintf(f, "%-*s", TITLE_WIDTH, "");
    for (size_t c = 0; c < t->n_columns; c++)
        fprintf(f, "%*s", width_of(&t->columns[c]), t->columns[c].label);
    fprintf(f, "\n%-*s", TITLE_WIDTH, "trials");
    for (size_t c = 0; c < t->n_columns; c++)
        fprintf(f, "%*zu", width_of(&t->columns[c]), t->columns[c].trials);
    putc('\n', f);
}

static void percent(FILE *f, double fraction, int width)
{
    if (isnan(fraction))
        fprintf(f, "%*s", width, "-");
    else
        fprintf(f, "%*.1f", width, 100 * fraction);
}

static void paper_line(const learn_table *t, FILE *f, const char *indent,
                       const learn_published *row)
{
    fprintf(f, "%s%-*s", indent, TITLE_WIDTH - (int)strlen(indent), row->title);
    for (size_t c = 0; c < t->n_columns; c++)
        percent(f, learn_published_score(row, t->columns[c].paper), width_of(&t->columns[c]));
    putc('\n', f);
}

static void row_lines(const learn_table *t, FILE *f, const learn_row *r)
{
    bool limits = false;

    fprintf(f, "%-*s", TITLE_WIDTH - 1, r->title);
    putc(' ', f);
    for (size_t c = 0; c < t->n_columns; c++) {
        percent(f, r->cells[c].mean, width_of(&t->columns[c]));
        limits = limits || !isnan(r->cells[c].low);
    }
    putc('\n', f);
    if (!limits)
        return;
    fprintf(f, "%-*s", TITLE_WIDTH, "    95 % interval");
    for (size_t c = 0; c < t->n_columns; c++) {
        char text[32] = "-";

        if (!isnan(r->cells[c].low))
            snprintf(text, sizeof text, "%.1f-%.1f", 100 * r->cells[c].low,
                     100 * r->cells[c].high);
        fprintf(f, "%*s", width_of(&t->columns[c]), text);
    }
    putc('\n', f);
}

static bool has_row(const learn_table *t, const learn_published *row)
{
    for (size_t r = 0; r < t->n_rows; r++)
        if (t->rows[r].published == row)
            return true;
    return false;
}

static bool is_comparable(const learn_table *t)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->columns[c].paper != LEARN_PAPER_NONE)
            return true;
    return false;
}

void learn_table_print(const learn_table *t, FILE *f)
{
    const bool paper = is_comparable(t);

    fputs(t->task == LEARN_2AFC
              ? "2AFC: agreement with people, in percent, and its 95 % interval"
              : "JND: average precision, in percent, and its 95 % interval",
          f);
    fputs(paper ? "; below it the paper's figure (table 5)\n\n" : "\n\n", f);
    head(t, f);
    for (size_t r = 0; r < t->n_rows; r++) {
        row_lines(t, f, &t->rows[r]);
        if (paper && t->rows[r].published)
            paper_line(t, f, "    paper: ", t->rows[r].published);
    }
    if (paper)
        fputs("\nThe paper's other rows\n", f);
    for (const learn_published *row = learn_published_rows; paper && row->title; row++)
        if (!has_row(t, row))
            paper_line(t, f, "", row);
    putc('\n', f);
    for (size_t r = 0; r < t->n_rows; r++)
        if (t->rows[r].identity)
            fprintf(f, "# %s: %s\n", t->rows[r].title, t->rows[r].identity);
}

/* ---- CSV ------------------------------------------------------------------------------- */

static void number(FILE *f, double x)
{
    putc(',', f);
    if (!isnan(x))
        fprintf(f, "%.9f", x);
}

static void csv_line(const learn_table *t, FILE *f, const char *title, const char *judge,
                     const learn_column *c, const report_interval *cell, double published)
{
    fprintf(f, "%s,", learn_task_name(t->task));
    report_csv_text(f, title);
    putc(',', f);
    report_csv_text(f, judge);
    putc(',', f);
    report_csv_text(f, c->label);
    fprintf(f, ",%zu", c->trials);
    number(f, cell->mean);
    number(f, cell->low);
    number(f, cell->high);
    number(f, published);
    putc('\n', f);
}

static double published_score(const learn_published *row, const learn_column *c)
{
    return row ? learn_published_score(row, c->paper) : NAN;
}

void learn_table_csv(const learn_table *t, FILE *f)
{
    static const report_interval nothing = {0, NAN, NAN, NAN};

    for (size_t r = 0; r < t->n_rows; r++) {
        const learn_row *row = &t->rows[r];

        for (size_t c = 0; c < t->n_columns; c++)
            csv_line(t, f, row->title, row->judge ? row->judge : "", &t->columns[c],
                     &row->cells[c], published_score(row->published, &t->columns[c]));
    }
    for (const learn_published *row = learn_published_rows; row->title; row++)
        for (size_t c = 0; c < t->n_columns && !has_row(t, row); c++)
            if (t->columns[c].paper != LEARN_PAPER_NONE)
                csv_line(t, f, row->title, "", &t->columns[c], &nothing,
                         published_score(row, &t->columns[c]));
}

/* ---- JSON ------------------------------------------------------------------------------ */

static json_t *json_columns(const learn_table *t, const learn_bapps *data)
{
    json_t *columns = json_array();

    for (size_t c = 0; c < t->n_columns; c++) {
        json_t *folders = json_array();

        for (size_t i = 0; i < t->columns[c].n; i++)
            json_array_append_new(folders,
                                  json_string(
                                      data->subsets[t->columns[c].subsets[i]].folder));
        json_array_append_new(columns,
                              json_pack("{s:s, s:I, s:o}", "name", t->columns[c].label,
                                        "trials", (json_int_t)t->columns[c].trials, "folders",
                                        folders));
    }
    return columns;
}

static json_t *json_published(const learn_table *t, const learn_published *row)
{
    json_t *scores = json_array();

    for (size_t c = 0; c < t->n_columns; c++)
        json_array_append_new(scores, learn_json_real(published_score(row, &t->columns[c])));
    return json_pack("{s:s, s:o}", "row", row->title, "scores", scores);
}

static json_t *json_row(const learn_table *t, const learn_row *r)
{
    json_t *scores = json_array();

    for (size_t c = 0; c < t->n_columns; c++)
        json_array_append_new(scores, json_pack("{s:o, s:o, s:o}", "score",
                                                learn_json_real(r->cells[c].mean), "low",
                                                learn_json_real(r->cells[c].low), "high",
                                                learn_json_real(r->cells[c].high)));
    return json_pack("{s:s, s:s?, s:s?, s:o, s:o}", "title", r->title, "judge", r->judge,
                     "identity", r->identity, "scores", scores, "paper",
                     r->published ? json_published(t, r->published) : json_null());
}

json_t *learn_table_json(const learn_table *t, const learn_bapps *data)
{
    json_t *rows = json_array(), *others = json_array();

    for (size_t r = 0; r < t->n_rows; r++)
        json_array_append_new(rows, json_row(t, &t->rows[r]));
    for (const learn_published *row = learn_published_rows; row->title; row++)
        if (is_comparable(t) && !has_row(t, row))
            json_array_append_new(others, json_published(t, row));
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "task", learn_task_name(t->task), "score",
                     t->task == LEARN_2AFC ? "agreement" : "average precision", "columns",
                     json_columns(t, data), "rows", rows, "paper_only", others);
}
