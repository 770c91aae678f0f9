/*
 * tell.c - answers as text, CSV and JSON.
 */
#include "questions.h"

#include "csv.h"

#include <math.h>
#include <string.h>

enum { PAIR_WIDTH = 34, CELL_WIDTH = 29 };

static void name_of(const learn_answer *w, char text[96])
{
    snprintf(text, 96, "%s over %s", learn_parties[w->more].title,
             learn_parties[w->less].title);
}

/* Percent, without a sign of 0. */
static double points(double x)
{
    return fabs(x) < 0.0005 ? 0 : 100 * x;
}

/* ---- text --------------------------------------------------------------------------------
 */

static void head(const learn_answers *a, FILE *f)
{
    fprintf(f, "%-*s", PAIR_WIDTH, "");
    for (size_t c = 0; c < a->table.n_columns; c++)
        if (learn_column_shown(&a->table, c))
            fprintf(f, "%*s", CELL_WIDTH, a->table.columns[c].label);
    putc('\n', f);
}

static void paper_line(const learn_answers *a, const learn_answer *w, FILE *f)
{
    bool any = false;

    for (size_t c = 0; c < a->table.n_columns; c++)
        any = any ||
              (learn_column_shown(&a->table, c) &&
               !isnan(learn_paper_difference(w->more, w->less, a->table.columns[c].paper)));
    if (!any)
        return;
    fprintf(f, "%-*s", PAIR_WIDTH, "    paper");
    for (size_t c = 0; c < a->table.n_columns; c++) {
        const double d = learn_paper_difference(w->more, w->less, a->table.columns[c].paper);

        if (!learn_column_shown(&a->table, c))
            continue;
        if (isnan(d))
            fprintf(f, "%*s", CELL_WIDTH, "-");
        else
            fprintf(f, "%+*.1f", CELL_WIDTH, points(d));
    }
    putc('\n', f);
}

static void answer_line(const learn_answers *a, const learn_answer *w, FILE *f)
{
    char text[96];

    name_of(w, text);
    fprintf(f, "  %-*s", PAIR_WIDTH - 2, text);
    for (size_t c = 0; c < a->table.n_columns; c++) {
        const report_interval *i = w->cells ? &w->cells[c] : NULL;

        if (!learn_column_shown(&a->table, c))
            continue;
        if (!i)
            snprintf(text, sizeof text, "not asked");
        else if (isnan(i->low))
            snprintf(text, sizeof text, "%+.1f open", points(i->mean));
        else
            snprintf(text, sizeof text, "%+.1f [%+.1f, %+.1f] %-4s", points(i->mean),
                     points(i->low), points(i->high), learn_verdict(i));
        fprintf(f, "%*s", CELL_WIDTH, text);
    }
    putc('\n', f);
    paper_line(a, w, f);
}

static void missing(const learn_answers *a, FILE *f)
{
    for (int i = 0; i < WHO_ALL; i++)
        if (a->left_out[i])
            fprintf(f, "# %s was not asked: %s\n", learn_parties[i].title, a->left_out[i]);
        else if (learn_parties[i].remedy && !a->file[i])
            fprintf(f, "# %s was not asked: %s\n", learn_parties[i].title,
                    learn_parties[i].remedy);
}

void learn_answers_text(const void *what, FILE *f)
{
    const learn_answers *a = what;
    const learn_question *before = NULL;
    int number = 0;

    learn_table_print(&a->table, f);
    missing(a, f);
    fputs("\nDifferences of agreement over the same trials, in points of percent, with 95 % "
          "intervals\n",
          f);
    for (size_t i = 0; i < a->n; i++) {
        if (a->answers[i].question != before) {
            before = a->answers[i].question;
            fprintf(f, "\n%d. %s\n", ++number, before->text);
            head(a, f);
        }
        answer_line(a, &a->answers[i], f);
    }
}

/* ---- CSV ---------------------------------------------------------------------------------
 */

static void number(FILE *f, double x)
{
    putc(',', f);
    if (!isnan(x))
        fprintf(f, "%.9f", x);
}

void learn_answers_csv(const void *what, FILE *f)
{
    const learn_answers *a = what;

    fputs("question,more,less,column,difference,low,high,verdict,paper\n", f);
    for (size_t i = 0; i < a->n; i++)
        for (size_t c = 0; c < a->table.n_columns; c++) {
            const learn_answer *w = &a->answers[i];
            const report_interval none = {0, NAN, NAN, NAN};
            const report_interval *cell = w->cells ? &w->cells[c] : &none;

            report_csv_text(f, w->question->text);
            putc(',', f);
            report_csv_text(f, learn_parties[w->more].title);
            putc(',', f);
            report_csv_text(f, learn_parties[w->less].title);
            putc(',', f);
            report_csv_text(f, a->table.columns[c].label);
            number(f, cell->mean);
            number(f, cell->low);
            number(f, cell->high);
            fprintf(f, ",%s", w->cells ? learn_verdict(cell) : "");
            number(f, learn_paper_difference(w->more, w->less, a->table.columns[c].paper));
            putc('\n', f);
        }
}

/* ---- JSON --------------------------------------------------------------------------------
 */

static json_t *json_answer(const learn_answers *a, const learn_answer *w)
{
    json_t *columns = json_array();

    for (size_t c = 0; c < a->table.n_columns; c++) {
        const report_interval none = {0, NAN, NAN, NAN};
        const report_interval *i = w->cells ? &w->cells[c] : &none;

        json_array_append_new(
            columns,
            json_pack("{s:s, s:o, s:o, s:o, s:s?, s:o}", "name", a->table.columns[c].label,
                      "difference", learn_json_real(i->mean), "low", learn_json_real(i->low),
                      "high", learn_json_real(i->high), "verdict",
                      w->cells ? learn_verdict(i) : NULL, "paper",
                      learn_json_real(learn_paper_difference(w->more, w->less,
                                                             a->table.columns[c].paper))));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "question", w->question->text, "more",
                     learn_parties[w->more].title, "less", learn_parties[w->less].title,
                     "columns", columns);
}

void learn_answers_json(const void *what, FILE *f)
{
    const learn_answers *a = what;
    json_t *answers = json_array();
    char described[64];

    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(answers, json_answer(a, &a->answers[i]));
    lpips_describe(NULL, described, sizeof described);
    learn_json_write(json_pack("{s:s, s:o, s:o}", "tool", described, "table",
                               learn_table_json(&a->table, &a->e->data), "answers", answers),
                     f);
}
