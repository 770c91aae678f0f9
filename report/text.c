/*
 * text.c - the tables of a paper: Markdown, and LaTeX with booktabs.
 *
 * Both are written by one pass over the summary; a `style` says how a cell, a row and a
 * heading look, and how names from strangers are made harmless.
 */
#include "output.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct style {
    bool latex;
    const char *down, *up, *minus, *percent;
    const char *bold, *unbold, *small, *unsmall;
    const char *next; /* between cells */
} style;

static const style markdown = {false, " ↓", " ↑", "−", " %", "**", "**", "", "", " | "};
static const style latex = {true,  " $\\downarrow$", " $\\uparrow$",
                            "$-$", "\\,\\%",         "\\textbf{",
                            "}",   "{\\scriptsize ", "}",
                            " & "};

/* ---- names ---------------------------------------------------------------------- */

/* In a cell '[' and '*' may follow a line's \\, which would take them for its argument. */
static const char *latex_for(char c)
{
    static const struct {
        char c;
        const char *by;
    } table[] = {{'\\', "\\textbackslash{}"},
                 {'{', "\\{"},
                 {'}', "\\}"},
                 {'_', "\\_"},
                 {'%', "\\%"},
                 {'&', "\\&"},
                 {'$', "\\$"},
                 {'#', "\\#"},
                 {'~', "\\textasciitilde{}"},
                 {'^', "\\textasciicircum{}"},
                 {'<', "\\textless{}"},
                 {'>', "\\textgreater{}"},
                 {'|', "\\textbar{}"},
                 {'[', "{[}"},
                 {'*', "{*}"}};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].c == c)
            return table[i].by;
    return NULL;
}

static void latex_text(FILE *f, const char *value)
{
    for (; *value; value++) {
        const char *by = latex_for(*value);

        if (by)
            fputs(by, f);
        else
            fputc((unsigned char)*value < 32 || *value == 127 ? ' ' : *value, f);
    }
}

static void markdown_text(FILE *f, const char *value)
{
    for (; *value; value++) {
        if (*value == '<')
            fputs("&lt;", f);
        else if (*value == '>')
            fputs("&gt;", f);
        else if (*value == '&')
            fputs("&amp;", f);
        else if ((unsigned char)*value < 32 || *value == 127)
            fputc(' ', f);
        else if (strchr("\\`*_[]#|~$", *value))
            fprintf(f, "\\%c", *value);
        else
            fputc(*value, f);
    }
}

static void name(const style *t, FILE *f, const char *value)
{
    if (t->latex)
        latex_text(f, value);
    else
        markdown_text(f, value);
}

/* ---- cells, rows, tables ---------------------------------------------------------- */

static void number(const style *t, FILE *f, double value, int digits)
{
    char text[400]; /* the largest double has 309 digits before the point */

    snprintf(text, sizeof text, "%.*f", digits, fabs(value));
    fprintf(f, "%s%s", value < 0 && strpbrk(text, "123456789") ? t->minus : "", text);
}

static void limits(const style *t, FILE *f, const report_interval *i, int digits)
{
    if (isnan(i->low))
        return;
    fprintf(f, " %s[", t->small);
    number(t, f, i->low, digits);
    fputs(", ", f);
    number(t, f, i->high, digits);
    fprintf(f, "]%s", t->unsmall);
}

static void begin_row(const style *t, FILE *f)
{
    fputs(t->latex ? "  " : "| ", f);
}

static void end_row(const style *t, FILE *f)
{
    fputs(t->latex ? " \\\\\n" : " |\n", f);
}

/* Columns of names come first, aligned left. */
static void begin_table(const style *t, FILE *f, int names, int columns)
{
    if (!t->latex)
        return;
    fputs("\\begin{tabular}{", f);
    for (int i = 0; i < columns; i++)
        fputc(i < names ? 'l' : 'r', f);
    fputs("}\n\\toprule\n", f);
}

static void end_heading(const style *t, FILE *f, int names, int columns)
{
    end_row(t, f);
    if (t->latex) {
        fputs("\\midrule\n", f);
        return;
    }
    for (int i = 0; i < columns; i++)
        fputs(i < names ? "|---" : "|---:", f);
    fputs("|\n", f);
}

static void end_table(const style *t, FILE *f)
{
    fputs(t->latex ? "\\bottomrule\n\\end{tabular}\n" : "", f);
}

static void heading(const style *t, FILE *f, const char *words, const char *whose)
{
    fputs(t->latex ? "\n% ---- " : "\n## ", f);
    fputs(words, f);
    if (whose)
        name(t, f, whose);
    fputs("\n\n", f);
}

static void entry_name(const style *t, FILE *f, const report_summary *s, size_t entry)
{
    const report_entry *e = &s->entries[entry];

    name(t, f, s->methods[e->method]);
    if (e->quality) {
        fputc(' ', f);
        name(t, f, e->quality);
    }
    if (e->take > 1)
        fprintf(f, " (%d)", e->take);
}

/* ---- means ------------------------------------------------------------------------ */

static void mean_cell(const style *t, FILE *f, const report_metric *m, const report_cell *c,
                      bool best)
{
    fputs(t->next, f);
    if (!c->mean.n) {
        fputs(t->latex ? "--" : "–", f);
        return;
    }
    fputs(best ? t->bold : "", f);
    number(t, f, c->mean.mean, m->digits);
    fputs(best ? t->unbold : "", f);
    limits(t, f, &c->mean, m->digits);
}

static void means(const style *t, FILE *f, const report_summary *s, const report_group *g)
{
    int columns = 1 + s->codec + (int)s->n_metrics;

    heading(t, f, g->subset ? "Means over clips of " : "Means over clips", g->subset);
    begin_table(t, f, 1, columns);
    begin_row(t, f);
    fputs(s->codec ? "Codec" : "Method", f);
    if (s->codec)
        fprintf(f, "%skbit/s", t->next);
    for (size_t m = 0; m < s->n_metrics; m++) {
        fputs(t->next, f);
        name(t, f, s->metrics[m].text);
        fputs(s->metrics[m].lower ? t->down : t->up, f);
    }
    end_heading(t, f, 1, columns);
    for (size_t e = 0; e < s->n_entries; e++) {
        begin_row(t, f);
        entry_name(t, f, s, e);
        if (s->codec) {
            fputs(t->next, f);
            if (!isnan(g->rate[e]))
                number(t, f, g->rate[e], 1);
        }
        for (size_t m = 0; m < s->n_metrics; m++) {
            const report_cell *c = &g->cell[e * s->n_metrics + m];

            /* the best of encodes is but that of most rate */
            mean_cell(t, f, &s->metrics[m], c, c->best && !s->codec);
        }
        end_row(t, f);
    }
    end_table(t, f);
    fputs(t->latex ? "% clips that all have, of " : "\nClips that all have, of ", f);
    fprintf(f, "%zu:", g->clips);
    for (size_t m = 0; m < s->n_metrics; m++) {
        fputc(' ', f);
        name(t, f, s->metrics[m].text);
        fprintf(f, " %zu%s", g->common[m], m + 1 < s->n_metrics ? "," : ".\n");
    }
}

/* ---- BD-rate ---------------------------------------------------------------------- */

static const report_delta *delta_of(const report_summary *s, size_t metric, size_t method,
                                    enum report_scale scale)
{
    for (size_t i = 0; i < s->n_deltas; i++)
        if (s->deltas[i].metric == metric && s->deltas[i].method == method &&
            s->deltas[i].scale == scale)
            return &s->deltas[i];
    return NULL;
}

static void delta_cell(const style *t, FILE *f, const report_summary *s,
                       const report_delta *d)
{
    fputs(t->next, f);
    if (!d)
        return;
    if (d->scored) {
        number(t, f, d->mean.mean, 1);
        fputs(t->percent, f);
        limits(t, f, &d->mean, 1);
    } else {
        fputs(t->latex ? "--" : "–", f);
    }
    if (d->scored < s->n_clips)
        fprintf(f, " (%zu/%zu)", d->scored, s->n_clips);
}

static void deltas(const style *t, FILE *f, const report_summary *s)
{
    int columns = 1;

    heading(t, f, "BD-rate against ", s->methods[s->anchor]);
    for (size_t m = 0; m < s->n_metrics; m++)
        columns += 1 + s->metrics[m].lower;
    begin_table(t, f, 1, columns);
    begin_row(t, f);
    fputs("Codec", f);
    for (size_t m = 0; m < s->n_metrics; m++)
        for (int log = 0; log <= s->metrics[m].lower; log++) {
            fputs(t->next, f);
            fputs(s->metrics[m].lower ? t->minus : "", f);
            fputs(log ? "log " : "", f);
            name(t, f, s->metrics[m].text);
        }
    end_heading(t, f, 1, columns);
    for (size_t k = 0; k < s->n_methods; k++) {
        if (k == s->anchor)
            continue;
        begin_row(t, f);
        name(t, f, s->methods[k]);
        for (size_t m = 0; m < s->n_metrics; m++) {
            if (!s->metrics[m].lower)
                delta_cell(t, f, s, delta_of(s, m, k, REPORT_HIGHER));
            else
                for (int scale = REPORT_LOWER; scale <= REPORT_LOWER_LOG; scale++)
                    delta_cell(t, f, s, delta_of(s, m, k, (enum report_scale)scale));
        }
        end_row(t, f);
    }
    end_table(t, f);
}

/* ---- pairs and failures ------------------------------------------------------------ */

static void pairs(const style *t, FILE *f, const report_summary *s)
{
    heading(t, f, "Methods in pairs", NULL);
    begin_table(t, f, 3, 7);
    begin_row(t, f);
    fprintf(f, "Measure%sA%sB%sClips%sA - B%sp%sp (Holm)", t->next, t->next, t->next, t->next,
            t->next, t->next);
    end_heading(t, f, 3, 7);
    for (size_t i = 0; i < s->n_pairs; i++) {
        const report_pair *p = &s->pairs[i];
        int digits = s->metrics[p->metric].digits;

        begin_row(t, f);
        name(t, f, s->metrics[p->metric].text);
        fputs(t->next, f);
        entry_name(t, f, s, p->a);
        fputs(t->next, f);
        entry_name(t, f, s, p->b);
        fprintf(f, "%s%zu%s", t->next, p->difference.n, t->next);
        number(t, f, p->difference.mean, digits);
        limits(t, f, &p->difference, digits);
        fprintf(f, "%s%.3g%s%.3g", t->next, p->test.p, t->next, p->test.p_holm);
        end_row(t, f);
    }
    end_table(t, f);
}

static void failures(const style *t, FILE *f, const report_summary *s)
{
    if (s->count[REPORT_RESULT_DONE] == s->n_items)
        return;
    heading(t, f, "Not scored", NULL);
    begin_table(t, f, 4, 4);
    begin_row(t, f);
    fprintf(f, "%s%sClip%sSubset%sReason", s->codec ? "Codec" : "Method", t->next, t->next,
            t->next);
    end_heading(t, f, 4, 4);
    for (size_t i = 0; i < s->n_items; i++) {
        const report_result *item = &s->items[i];

        if (item->state == REPORT_RESULT_DONE)
            continue;
        begin_row(t, f);
        entry_name(t, f, s, item->entry);
        fputs(t->next, f);
        name(t, f, s->clips[item->clip].name);
        fputs(t->next, f);
        name(t, f, s->subsets[s->clips[item->clip].subset]);
        fputs(t->next, f);
        name(t, f,
             item->state == REPORT_RESULT_TODO ? "not done yet"
             : item->error                     ? item->error
                                               : "no reason is known");
        end_row(t, f);
    }
    end_table(t, f);
}

static void provenance(const style *t, FILE *f, const report_summary *s)
{
    for (size_t i = 0; i < s->n_facts; i++) {
        const report_fact *fact = &s->facts[i];

        if (strncmp(fact->key, "lpips.", 6) && strcmp(fact->key, "colour_rule") &&
            strcmp(fact->key, "tool"))
            continue;
        fputs(t->latex ? "% " : "* ", f);
        name(t, f, fact->key);
        fputs(": ", f);
        name(t, f, fact->value);
        fputc('\n', f);
    }
    fprintf(f,
            "%sIntervals: %g %%, BCa bootstrap over clips (%zu resamples, fixed seed).%s\n",
            t->latex ? "% " : "\n", 100 * REPORT_LEVEL, report_resamples(s->n_clips),
            s->codec
                ? " BD-rate: log rate as PCHIP of quality, mean over clips; a clip that "
                  "cannot be scored is counted, see bdrate.csv."
                : " Pairs: Wilcoxon signed-rank over clips, two-sided, Holm's correction "
                  "across the pairs of a measure.");
    if (report_few_clips(s))
        fprintf(f, "%s%s\n", t->latex ? "% " : "\n", report_few_clips(s));
}

static int write_one(const style *t, const report_summary *s, const char *folder,
                     char why[REPORT_WHY])
{
    const char *title = report_fact_of(s, "title");
    report_file out;

    if (report_file_open(&out, folder, t->latex ? "tables.tex" : "tables.md", why) < 0)
        return -1;
    fputs(t->latex ? "% LaTeX tables; they want \\usepackage{booktabs} and UTF-8.\n% " : "# ",
          out.f);
    name(t, out.f, *title ? title : "LPIPS report");
    fputs(t->latex ? "\n" : "\n\n", out.f);
    provenance(t, out.f, s);
    if (s->n_deltas)
        deltas(t, out.f, s);
    for (size_t g = 0; g < s->n_groups; g++)
        means(t, out.f, s, &s->groups[g]);
    if (s->n_pairs)
        pairs(t, out.f, s);
    failures(t, out.f, s);
    return report_file_close(&out, 0, why);
}

int report_write_text(const report_summary *s, const char *folder, char why[REPORT_WHY])
{
    return write_one(&markdown, s, folder, why) < 0 ? -1 : write_one(&latex, s, folder, why);
}
