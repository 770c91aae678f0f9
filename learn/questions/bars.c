/*
 * bars.c - everybody's agreement with people as an SVG picture.
 *
 * Colours are those of the pages of lpips report, in both of its themes.
 */
#include "questions.h"

#include <math.h>

enum { WIDTH = 640, LEFT = 130, RIGHT = 60, TOP = 62, ROW = 26, BAR = 14, BOTTOM = 46 };

static const char style[] =
    "<style>text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}"
    ".grid{stroke:#ccc;fill:none}.bar{fill:#0b6b8a}.paper{fill:#c24d00}"
    ".limits{stroke:#222;fill:none}.people{stroke:#222;stroke-dasharray:4 3;fill:none}"
    "rect.back{fill:#fff}@media(prefers-color-scheme:dark){rect.back{fill:#16191d}"
    "text{fill:#ddd}.grid{stroke:#444}.bar{fill:#4fb3d3}.paper{fill:#ff9a4d}"
    ".limits,.people{stroke:#ddd}}</style>\n";

typedef struct bars {
    const learn_answers *a;
    size_t column; /* the last one shown: all */
    double low;    /* of the axis, in percent; its end is 100 */
    FILE *f;
} bars;

static double place(const bars *b, double percent)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (percent - b->low) / (100 - b->low);
}

static double floor_of(const bars *b)
{
    double low = 0.5;

    for (size_t r = 0; r < b->a->table.n_rows; r++) {
        const report_interval *i = &b->a->table.rows[r].cells[b->column];

        low = fmin(low, isnan(i->low) ? i->mean : i->low);
    }
    return fmax(0, 10 * floor(10 * low));
}

/* Rows are people, then the judges in their order; names of files stay out of the picture. */
static const char *title_of(const learn_answers *a, size_t row)
{
    for (int i = 0; i < WHO_ALL && row; i++)
        if (a->judge[i] == (int)row - 1)
            return learn_parties[i].title;
    return learn_parties[WHO_PEOPLE].title;
}

static void bar(const bars *b, size_t row)
{
    const learn_row *r = &b->a->table.rows[row];
    const report_interval *i = &r->cells[b->column];
    const double y = TOP + ROW * (double)row;
    const double paper =
        r->published
            ? learn_published_score(r->published, b->a->table.columns[b->column].paper)
            : NAN;

    fprintf(b->f, "<text x='%d' y='%.1f' text-anchor='end'>%s</text>", LEFT - 8, y + 12,
            title_of(b->a, row));
    fprintf(b->f, "<rect class='bar' x='%.1f' y='%.1f' width='%.1f' height='%d'/>",
            place(b, b->low), y, place(b, 100 * i->mean) - place(b, b->low), BAR);
    if (!isnan(i->low))
        fprintf(b->f, "<path class='limits' d='M%.1f %.1fH%.1f'/>", place(b, 100 * i->low),
                y + BAR / 2., place(b, 100 * i->high));
    if (!isnan(paper))
        fprintf(b->f, "<circle class='paper' cx='%.1f' cy='%.1f' r='4'/>",
                place(b, 100 * paper), y + BAR / 2.);
    fprintf(b->f, "<text x='%d' y='%.1f'>%.1f</text>\n", WIDTH - RIGHT + 10, y + 12,
            100 * i->mean);
}

void learn_answers_bars(const void *what, FILE *f)
{
    bars b = {.a = what, .f = f};
    const learn_table *t = &b.a->table;
    const int bottom = TOP + ROW * (int)t->n_rows;

    for (size_t c = 0; c < t->n_columns; c++)
        if (learn_column_shown(t, c))
            b.column = c;
    b.low = floor_of(&b);
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' "
            "height='%d'>\n%s<rect class='back' width='100%%' height='100%%'/>\n",
            WIDTH, bottom + BOTTOM, WIDTH, bottom + BOTTOM, style);
    fprintf(f,
            "<text class='title' x='%d' y='24'>Agreement with people, percent of %zu "
            "trials</text>\n<text x='%d' y='44'>line: 95 %% interval; dot: the paper's "
            "figure</text>\n",
            LEFT, t->columns[b.column].trials, LEFT);
    for (double v = b.low; v <= 100; v += 10)
        fprintf(f,
                "<path class='grid' d='M%.1f %dV%d'/><text x='%.1f' y='%d' "
                "text-anchor='middle'>%g</text>\n",
                place(&b, v), TOP - 6, bottom, place(&b, v), bottom + 18, v);
    for (size_t r = 0; r < t->n_rows; r++)
        bar(&b, r);
    fprintf(f, "<path class='people' d='M%.1f %dV%d'/>\n</svg>\n",
            place(&b, 100 * t->rows[0].cells[b.column].mean), TOP - 6, bottom);
}
